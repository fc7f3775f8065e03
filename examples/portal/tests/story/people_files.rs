//! Files of people: an operator imports those who are to have an account, and exports those who have one.

use std::process::Output;

use crate::rig::journey::{a_question, account, log_in};
use crate::rig::site::link_in;
use crate::rig::{ANSWER, Database, PASSWORD, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    imported_people_choose_a_password_behind_the_link_and_log_in
    an_import_that_stopped_is_run_again_and_mails_nobody_twice
    a_wrong_line_keeps_everybody_out_unless_it_may_be_skipped
    every_account_is_exported_without_secrets_or_formulas
}

/// Exit status, standard output, and standard error without the log.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let err = text(&output.stderr);
    let said = err.lines().filter(|line| !line.contains(" INFO portal_auth"));
    let said = said.map(|line| format!("{line}\n")).collect();
    (output.status.code(), text(&output.stdout), said)
}

/// Writes a file and imports it.
fn import(site: &Site, text: &str, how: &[&str]) -> (Option<i32>, String, String) {
    std::fs::write(site.folder().join("people.csv"), text).unwrap();
    told(&site.run(&[&["accounts", "import", "people.csv"], how].concat()))
}

async fn imported_people_choose_a_password_behind_the_link_and_log_in(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let (jo, val) = (fresh_address("import"), fresh_address("import"));
    // As a spreadsheet writes it.
    let file = format!(
        "\u{feff}E-Mail,Title,Forename,Surname,Gender,Role,Organisation,Postcode,Address Line1,Town\r\n\
         {},Dr,Zoë,\"Bloggs\",undisclosed,Teacher,\"Hill School, Upper Site\",s12hh,1 High Street,Sheffield\r\n\
         {val},,,,,,,,,\r\n,,,,,,,,,\r\n",
        jo.to_uppercase()
    );
    let (code, checked, err) = import(&site, &file, &["--check"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(
        checked,
        "2 people: 2 would be sent a link, 0 with an account already, 0 sent a link before, 0 bad lines left out. \
         Nothing was written.\n"
    );
    let (_, mails, _) = told(&site.run(&["outbox", "list"]));
    assert_eq!(mails, "", "a check writes nothing");

    let (code, imported, err) = import(&site, &file, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(imported.starts_with("2 people: 2 sent a link, "), "{imported}");
    site.mail_to(&val, 1).await;
    let mail = site.mail_to(&jo, 1).await;
    assert!(
        mail.text.contains("has prepared an account for you"),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains("Zoë"), "MAIL-3");

    let mut person = Person::at(&portal);
    let page = person.open(&link_in(&mail)).await;
    let page = person.send(&page.button("Choose your password")).await;
    let form = page
        .button("Next")
        .with("new-password", PASSWORD)
        .with("new-password2", PASSWORD)
        .with("question", &a_question(&page))
        .with("answer", ANSWER);
    let about = person.send(&form).await;
    assert_eq!(about.path, "/account/register/about-you", "{:?}", about.errors());
    assert_eq!(about.value_of("forename"), "Zoë");
    let work = person.send(&about.button("Next")).await;
    assert_eq!(work.path, "/account/register/work-details", "{:?}", work.errors());
    assert_eq!(work.value_of("organisation"), "Hill School, Upper Site");
    let done = person.send(&work.button("Submit Registration")).await;
    assert_eq!(done.h1(), "Thank you for registering", "{:?}", done.errors());
    assert_eq!(log_in(&mut person, &jo, PASSWORD).await.path, "/home");

    let (code, again, _) = import(&site, &file, &[]);
    assert_eq!(code, Some(0));
    assert_eq!(
        again,
        "line 2: has an account already\nline 3: was sent a link before\n2 people: 0 sent a link, 1 with an account \
         already, 1 sent a link before, 0 bad lines left out.\n"
    );
    assert_eq!(site.run(&["accounts", "send-link", &jo]).status.code(), Some(1));
    assert!(site.run(&["accounts", "send-link", &val]).status.success());
    let first = link_in(&site.mail_to(&val, 2).await);
    assert_eq!(person.open(&first).await.h1(), "Confirm your email address");
    let (_, audit, _) = told(&site.run(&["audit", "verify"]));
    assert!(audit.contains("The audit is as it was written."), "{audit}");
}

async fn an_import_that_stopped_is_run_again_and_mails_nobody_twice(database: Database) {
    let site = Site::new(database);
    assert!(site.run(&["migrate"]).status.success());
    let people: Vec<_> = (0..6).map(|_| fresh_address("again")).collect();
    let file = |people: &[String]| format!("email\n{}\n", people.join("\n"));
    let (code, half, _) = import(&site, &file(&people[..3]), &[]);
    assert_eq!(code, Some(0), "{half}");
    let (code, whole, _) = import(&site, &file(&people), &[]);
    assert_eq!(code, Some(0), "{whole}");
    assert!(
        whole.ends_with("6 people: 3 sent a link, 0 with an account already, 3 sent a link before, 0 bad lines left out.\n"),
        "{whole}"
    );
    for address in &people {
        let (_, mails, _) = told(&site.run(&["outbox", "list", "--to", address]));
        assert_eq!(mails.lines().count(), 1, "{mails}");
    }
}

async fn a_wrong_line_keeps_everybody_out_unless_it_may_be_skipped(database: Database) {
    let site = Site::new(database);
    assert!(site.run(&["migrate"]).status.success());
    let (jo, val) = (fresh_address("skip"), fresh_address("skip"));
    let file = format!("email,postcode\n{jo},S1 2HH\nnobody,S1 2HH\n{val},here\n{jo},\n");
    let sentences = |err: &str, last: &str| {
        let begins = [
            "line 3, column email: ",
            "line 4, column postcode: ",
            "line 5, column email: ",
            last,
        ];
        let lines: Vec<_> = err.lines().collect();
        assert_eq!(
            lines.len(),
            begins.iter().filter(|b| !b.is_empty()).count(),
            "{err}"
        );
        for (line, begin) in lines.iter().zip(begins) {
            assert!(line.starts_with(begin), "{err}");
        }
    };
    let (code, out, err) = import(&site, &file, &["--check"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    sentences(
        &err,
        "portal: nothing would be imported, because 3 lines are wrong",
    );
    let (code, out, err) = import(&site, &file, &[]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    sentences(&err, "portal: nothing was imported, because 3 lines are wrong");
    let (_, mails, _) = told(&site.run(&["outbox", "list"]));
    assert_eq!(mails, "");

    for (text, words) in [
        (
            "email,password\njo@school.example,Correct-Horse-42\n",
            "never holds passwords",
        ),
        ("forename\nJo\n", "column email is missing"),
        ("email;forename\n", "semicolons"),
        ("", "is empty"),
    ] {
        let (code, out, err) = import(&site, text, &["--skip-bad-lines"]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.starts_with("line 1: ") && err.contains(words), "{err}");
        assert!(!err.contains("Correct-Horse"), "{err}");
    }
    let missing = told(&site.run(&["accounts", "import", "missing.csv"]));
    assert_eq!(missing.0, Some(1));
    assert!(missing.2.contains("missing.csv cannot be read"), "{}", missing.2);
    assert_eq!(site.run(&["accounts", "import"]).status.code(), Some(2));

    let (code, out, err) = import(&site, &file, &["--skip-bad-lines"]);
    assert_eq!(code, Some(0), "{err}");
    sentences(&err, "");
    assert_eq!(
        out,
        "1 person: 1 sent a link, 0 with an account already, 0 sent a link before, 3 bad lines left out.\n"
    );
    let many = format!("email\n{}", "nobody\n".repeat(150));
    let (code, _, err) = import(&site, &many, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(err.lines().count(), 102, "{err}");
    assert!(err.contains("… and 50 sentences more like these."), "{err}");
    let (code, _, err) = import(&site, "email\njo@hotmial.com\n", &["--check"]);
    assert_eq!(code, Some(0), "a question is no refusal: {err}");
    assert!(err.contains("Did you mean jo@hotmail.com?"), "{err}");
}

async fn every_account_is_exported_without_secrets_or_formulas(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let (jo, formula) = (fresh_address("export"), fresh_address("=1+1"));
    for address in [&jo, &formula] {
        account(&site, &mut Person::at(&portal), address).await;
    }
    assert!(site.run(&["accounts", "disable", &jo]).status.success());
    let events = audited(&site);
    let (code, list, err) = told(&site.run(&["accounts", "export"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let rows: Vec<_> = list.lines().collect();
    assert_eq!(rows.len(), 3, "{list}");
    assert!(rows[0].starts_with("email,status,two_step,"), "{list}");
    assert!(
        rows[1].starts_with(&format!("'{formula},active,off,no,Dr,Jo,Bloggs,")),
        "{list}"
    );
    assert!(rows[2].starts_with(&format!("{jo},disabled,off,")), "{list}");
    assert!(!list.contains("argon2"), "{list}");

    // LOG-1: taking everybody's data away is an event.
    assert_eq!(audited(&site), events + 1);

    let place = site.folder().join("accounts.csv");
    std::fs::write(&place, "an older list").unwrap();
    let (code, said, err) = told(&site.run(&["accounts", "export", "--output", "accounts.csv"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(said, "2 accounts are written to accounts.csv.\n");
    assert_eq!(std::fs::read_to_string(&place).unwrap(), list);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&place).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let (code, _, err) = told(&site.run(&["accounts", "export", "--output", "missing/accounts.csv"]));
    assert_eq!(code, Some(1));
    assert!(err.contains("missing/accounts.csv cannot be written"), "{err}");
}

/// How many events there are, sealed or not; the audit is as it was written.
fn audited(site: &Site) -> u64 {
    let (code, report, _) = told(&site.run(&["audit", "verify"]));
    assert_eq!(code, Some(0), "{report}");
    let figures: Vec<u64> = report.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [_, sealed, waiting, ..] = figures[..] else {
        panic!("{report}");
    };
    sealed + waiting
}
