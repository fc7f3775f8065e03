//! The program from outside: order of settings, exit status, keys, and the documentation of each setting.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end at what it did not expect"
)]

use std::path::Path;
use std::process::{Command, Output};

use portal::settings::Given;

/// Runs `portal` in an empty directory with nothing but these variables.
fn portal(dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(dir)
        .output()
        .expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let digits = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = portal(dir.path(), &[&["check"], arguments].concat(), variables);
        assert!(output.status.success(), "{}", err(&output));
        out(&output)
            .lines()
            .find_map(|line| line.strip_prefix("code digits: ").map(str::to_owned))
            .unwrap()
    };
    assert_eq!(digits(&[], &[]), "6");
    std::fs::write(dir.path().join("portal.toml"), "code_digits = 7").unwrap();
    let file = ("PORTAL_CONFIG", "portal.toml");
    assert_eq!(digits(&[], &[file]), "7");
    assert_eq!(digits(&["--config", "portal.toml"], &[]), "7");
    assert_eq!(digits(&[], &[file, ("PORTAL_CODE_DIGITS", "8")]), "8");
    assert_eq!(
        digits(&[], &[file, ("PORTAL_CODE_DIGITS", "")]),
        "7",
        "an empty variable is not set"
    );
    assert_eq!(
        digits(&["--code-digits", "9"], &[file, ("PORTAL_CODE_DIGITS", "8")]),
        "9"
    );
}

#[test]
fn a_list_of_breached_passwords_is_looked_over_by_check_and_by_serve() {
    // PWD-2
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("pwned.txt");
    let line = |digit: &str| format!("{}:3\r\n", digit.repeat(40));
    let variables = [("PORTAL_BREACHED_PASSWORDS", "pwned.txt")];
    for (text, told) in [
        (
            None,
            "PORTAL_BREACHED_PASSWORDS names pwned.txt: it cannot be read (No such file or directory (os error 2)).\n",
        ),
        (
            Some(line("B") + &line("A")),
            "PORTAL_BREACHED_PASSWORDS names pwned.txt: line 2 is not in the order of the hashes: take the list that is \
             ordered by hash, or sort it.\n",
        ),
    ] {
        if let Some(text) = text {
            std::fs::write(&list, text).unwrap();
        }
        let output = portal(dir.path(), &["check"], &variables);
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(2), told));
        let output = portal(dir.path(), &["serve"], &variables);
        assert!(!output.status.success());
        assert!(err(&output).contains(told.trim_end()), "{}", err(&output));
    }
    std::fs::write(&list, line("A") + &line("B")).unwrap();
    let output = portal(dir.path(), &["check"], &variables);
    let said = out(&output);
    let expected = "breached passwords: pwned.txt (accept while it cannot be read)";
    assert!(said.lines().any(|line| line == expected), "{said}");
    let wrong = portal(
        dir.path(),
        &["check"],
        &[("PORTAL_BREACHED_UNAVAILABLE", "maybe")],
    );
    assert!(
        err(&wrong).starts_with("PORTAL_BREACHED_UNAVAILABLE "),
        "{}",
        err(&wrong)
    );
}

#[test]
fn a_refused_configuration_ends_with_2_and_a_sentence_for_each_problem() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [
        ("PORTAL_BASE_URL", "https://portal.example"),
        ("PORTAL_CODE_LIFETIME", "11m"),
        ("PORTAL_DATABASE_URL", "mysql://portal:hunter2@h/d"),
        ("PORTAL_SMTP_URL", "smtps://portal:hunter2@mail.example/x"),
    ];
    for command in [&["check"][..], &["serve"], &[], &["migrate"]] {
        let output = portal(dir.path(), command, &variables);
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let told = err(&output);
        let named: Vec<_> = told.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(
            named,
            [
                "PORTAL_DATABASE_URL",
                "PORTAL_SMTP_URL",
                "PORTAL_MAIL_FROM",
                "PORTAL_CODE_LIFETIME"
            ],
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(out(&output), "");
    }
    let output = portal(dir.path(), &["check", "--no-such-flag"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        0,
        "a refused start makes no file"
    );
}

#[test]
fn keys_are_never_made_by_themselves_for_a_public_portal() {
    let dir = tempfile::tempdir().unwrap();
    let public = [
        ("PORTAL_BASE_URL", "https://portal.example"),
        ("PORTAL_SMTP_URL", "smtps://mail.example"),
        ("PORTAL_MAIL_FROM", "no-reply@portal.example"),
    ];
    let output = portal(dir.path(), &["check"], &public);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("portal keys generate"), "{}", err(&output));
    assert!(
        portal(dir.path(), &["keys", "generate"], &public)
            .status
            .success()
    );
    assert!(portal(dir.path(), &["check"], &public).status.success());
}

#[test]
fn keys_are_rotated_and_listed_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let keys = |arguments: &[&str]| portal(dir.path(), &[&["keys"], arguments].concat(), &[]);
    let states = || {
        out(&keys(&["list"]))
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&["list"]).status.code(), Some(1));
    assert!(keys(&["generate"]).status.success());
    assert_eq!(keys(&["generate"]).status.code(), Some(1));
    let first = states();
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|line| line.split(' ').count() == 3), "{first:?}");

    assert!(keys(&["announce"]).status.success());
    let new = states().last().unwrap().split(' ').nth(1).unwrap().to_owned();
    let old = first[0].split(' ').nth(1).unwrap();
    assert_eq!(keys(&["retire", old]).status.code(), Some(1));
    assert!(keys(&["promote", &new]).status.success());
    assert!(keys(&["retire", old]).status.success());
    let ended = states();
    assert_eq!(ended[0], format!("token {old} retired"));
    assert_eq!(*ended.last().unwrap(), format!("token {new} signing"));
    assert_eq!(keys(&["announce", "coffee"]).status.code(), Some(2));
}

#[test]
fn every_mail_is_written_for_somebody_to_look_at() {
    // portal.md section 5: E1 to E21
    let dir = tempfile::tempdir().unwrap();
    let settings = [("PORTAL_SERVICE_NAME", "Hill & Dale Portal")];
    let output = portal(dir.path(), &["mail", "preview", "mails"], &settings);
    assert!(output.status.success(), "{}", err(&output));
    let mut names: Vec<_> = std::fs::read_dir(dir.path().join("mails"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let read = |name: &str| std::fs::read_to_string(dir.path().join("mails").join(name)).unwrap();
    for number in 1..=21 {
        for ending in ["en-GB.txt", "en-GB.html"] {
            let of_number =
                |name: &&String| name.starts_with(&format!("e{number:02}-")) && name.ends_with(ending);
            assert!(
                names.iter().any(|name| of_number(&name)),
                "E{number} has no {ending}: {names:?}"
            );
        }
    }
    assert!(
        names.iter().any(|name| name == "e04-sign-in-code.cy.html"),
        "{names:?}"
    );
    let index = read("index.html");
    for name in names.iter().filter(|name| *name != "index.html") {
        assert!(index.contains(name.as_str()), "{name} is not in the index");
    }
    let first = read("e01-complete-registration.en-GB.txt");
    assert!(
        first.starts_with("Subject: Complete your registration - Hill & Dale Portal\n\nHello,"),
        "{first}"
    );
    assert!(index.contains("Hill &amp; Dale Portal"));

    let printed = portal(dir.path(), &["mail", "preview"], &settings);
    assert!(printed.status.success());
    let shown = out(&printed)
        .lines()
        .filter(|line| line.starts_with("== "))
        .count();
    assert_eq!(shown, names.iter().filter(|name| name.ends_with(".txt")).count());
    assert!(!dir.path().join("portal.db").exists() && !dir.path().join("portal.keys").exists());
    std::fs::write(dir.path().join("file"), "").unwrap();
    let refused = portal(dir.path(), &["mail", "preview", "file"], &settings);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        err(&refused).contains("file cannot be written"),
        "{}",
        err(&refused)
    );
}

#[test]
fn help_names_every_setting_with_its_default_and_no_value_of_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let output = portal(
        dir.path(),
        &["--help"],
        &[("PORTAL_SMTP_URL", "smtps://u:hunter2@h")],
    );
    assert!(output.status.success());
    // The help is wrapped to the terminal's width: compare it without line breaks.
    let help = out(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in Given::ALL {
        let flag = format!("--{}", setting.key.replace('_', "-"));
        let default = format!("{} [default: {}]", setting.meaning, setting.default);
        for part in [flag.as_str(), setting.variable, default.as_str()] {
            assert!(help.contains(part), "{part} is not in {help}");
        }
    }
    assert!(!help.contains("hunter2"));
}

#[test]
fn the_page_on_configuration_has_every_setting_as_the_program_has_it() {
    let page = include_str!("../../../docs/configuration.md");
    let table: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<_> = Given::ALL
        .iter()
        .filter(|setting| !setting.variable.starts_with("PORTAL_TEST_"))
        .map(|setting| {
            let flag = setting.key.replace('_', "-");
            format!(
                "| `{}` | `--{flag}` | {} | {} |",
                setting.variable,
                setting.default,
                setting.meaning.replace('|', "\\|")
            )
        })
        .collect();
    assert_eq!(table, expected, "the table should be:\n{}", expected.join("\n"));
    let defined = portal::commands::definition();
    let flags = defined
        .get_arguments()
        .filter(|argument| argument.get_env().is_some())
        .count();
    assert_eq!(flags, Given::ALL.len());
}
