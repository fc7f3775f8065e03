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
