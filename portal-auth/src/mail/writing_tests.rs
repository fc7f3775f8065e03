//! What every mail must be, and what each says.

use std::time::Duration;

use super::*;
use crate::mail::letter::Attempts;
use crate::mail::plain_lines::WIDTH;
use crate::secret::one_time_code::OneTimeCode;

/// 3 May 2026, 21:40 UTC: 10:40 pm in London.
const NOW: Timestamp = Timestamp::from_micros(1_777_844_400_000_000);
const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";
const MINUTE: Duration = Duration::from_secs(60);

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(60))
}

fn config() -> Config {
    Config::portal(Url::parse("https://portal.example").unwrap())
}

fn rendered(letter: &Letter<'_>) -> Rendered {
    render(&config(), letter, NOW).unwrap()
}

fn code(digits: &str) -> OneTimeCode {
    OneTimeCode::parse(digits, 6).unwrap()
}

fn registration() -> Letter<'static> {
    Letter::CompleteRegistration {
        link: MailedLink {
            expires_at: NOW.plus(minutes(719)),
            ..link()
        },
    }
}

fn prepared() -> Letter<'static> {
    Letter::PreparedRegistration {
        link: MailedLink {
            expires_at: NOW.plus(minutes(719)),
            ..link()
        },
        has_password: false,
    }
}

/// A link that works until tomorrow.
fn link() -> MailedLink<'static> {
    MailedLink {
        token: TOKEN,
        issued_at: NOW.minus(MINUTE),
        expires_at: NOW.plus(minutes(1440)),
    }
}

fn email_changed<'a>(name: &'a str, freeze: Option<MailedLink<'a>>) -> Letter<'a> {
    Letter::EmailChanged {
        name: Some(name),
        changed_at: NOW,
        browser: "Safari on Mac",
        from: "o•••@school.example",
        to: "n•••@school.example",
        freeze,
    }
}

fn being_changed<'a>(name: &'a str, cancel: Option<MailedLink<'a>>) -> Letter<'a> {
    Letter::EmailBeingChanged {
        name: Some(name),
        asked_at: NOW,
        browser: "Safari on Mac",
        to: "n•••@school.example",
        cancel,
    }
}

/// The letters to people whose name is not known, or not to be told.
fn to_nobody_by_name() -> [Letter<'static>; 4] {
    [
        registration(),
        Letter::ConfirmEmail { link: link() },
        Letter::AccountFrozen {
            account: "thief@elsewhere.example",
            from: "jo@school.example",
            frozen_at: NOW,
        },
        prepared(),
    ]
}

fn sign_in_code<'a>(name: &'a str, code: &'a OneTimeCode) -> Letter<'a> {
    Letter::SignInCode {
        name: Some(name),
        code,
        purpose: ChallengePurpose::SignIn,
        asked_at: NOW.minus(MINUTE),
        browser: "Firefox on Windows",
        issued_at: NOW.minus(MINUTE),
        expires_at: NOW.plus(minutes(9)),
    }
}

fn two_step(name: &str, choice: TwoStep) -> Letter<'_> {
    Letter::TwoStepChanged {
        name: Some(name),
        choice,
        changed_at: NOW,
        browser: "Safari on Mac",
        not_me: Some(link()),
    }
}

fn too_many(closed: Closed) -> Letter<'static> {
    Letter::TooManyTries {
        name: Some("Jo"),
        closed,
    }
}

fn host<'a>(name: Option<&'a str>, lines: &'a str) -> Letter<'a> {
    Letter::Host {
        name,
        subject: "We have your change",
        reference: "CC-7F3K-92QD",
        lines,
    }
}

fn acted(name: &str, act: AdministratorAct) -> Letter<'_> {
    Letter::AdministratorActed {
        name: Some(name),
        act,
        acted_at: NOW,
    }
}

fn closing<'a>(name: &'a str, browser: Option<&'a str>) -> Letter<'a> {
    Letter::AccountClosing {
        name: Some(name),
        link: MailedLink {
            token: TOKEN,
            issued_at: NOW.minus(MINUTE),
            expires_at: NOW.plus(minutes(14 * 24 * 60 - 1)),
        },
        closed_at: NOW.minus(MINUTE),
        browser,
    }
}

fn unusual(name: &str, what: Attempts) -> Letter<'_> {
    Letter::UnusualSignIn {
        name: Some(name),
        what,
        at: NOW,
        browser: "Chrome on Linux",
    }
}

/// One letter of every kind, with every closure, to a person called `name`.
fn all<'a>(name: &'a str, code: &'a OneTimeCode) -> Vec<Letter<'a>> {
    let mut letters: Vec<_> = to_nobody_by_name().into();
    letters.extend(to_somebody(name, code));
    letters.push(Letter::NoAccount { asked_at: NOW });
    letters
}

/// The letters that greet their reader.
fn to_somebody<'a>(name: &'a str, code: &'a OneTimeCode) -> Vec<Letter<'a>> {
    let mut letters = vec![
        Letter::AlreadyRegistered {
            name: Some(name),
            asked_at: NOW,
        },
        Letter::AccountReady {
            name: Some(name),
            username: "jo@school.example",
        },
        sign_in_code(name, code),
        two_step(name, TwoStep::Email),
        two_step(name, TwoStep::Off),
        Letter::AddressEntered {
            name: Some(name),
            asked_at: NOW,
        },
    ];
    for way_back in [Some(link()), None] {
        letters.push(being_changed(name, way_back));
        letters.push(email_changed(name, way_back));
        letters.push(Letter::PasswordChanged {
            name: Some(name),
            changed_at: NOW,
            browser: "Safari on Mac",
            not_me: way_back,
        });
        letters.push(Letter::SecretQuestionChanged {
            name: Some(name),
            changed_at: NOW,
            browser: "Safari on Mac",
            not_me: way_back,
        });
    }
    for closed in [
        Closed::Codes,
        Closed::PasswordsUntilReset,
        Closed::PasswordsUntil(NOW.plus(MINUTE)),
        Closed::PasswordsUntil(NOW),
    ] {
        letters.push(Letter::TooManyTries {
            name: Some(name),
            closed,
        });
    }
    letters.extend(AdministratorAct::ALL.map(|act| acted(name, act)));
    letters.push(host(
        Some(name),
        "\nWe have it.\n\nWhat you wrote:\n> One line\n>\n> & another",
    ));
    letters.extend(about_recovery(name));
    letters.push(Letter::NewDevice {
        name: Some(name),
        at: NOW,
        browser: "Firefox on Windows",
        network: "192.0.2.x",
    });
    letters.extend([closing(name, Some("Safari on Mac")), closing(name, None)]);
    letters.extend([Attempts::AfterFailures(7), Attempts::CodeFailed].map(|what| unusual(name, what)));
    letters
}

fn links(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains("://")).collect()
}

#[test]
fn every_text_has_short_lines_and_its_links_alone_on_theirs() {
    // portal.md section 5
    let mut config = config();
    config.service_name = "Professional Portal of the Department for the Longest Names".into();
    config.help_email = Some("help@portal.example".into());
    let code = code("482913");
    for letter in all(
        "Wolfeschlegelsteinhausenbergerdorff Wolfeschlegelsteinhausen",
        &code,
    ) {
        let text = render(&config, &letter, NOW).unwrap().text;
        for line in text.lines() {
            let is_link = line.starts_with("https://") && !line.contains(' ');
            assert!(is_link || !line.contains("://"), "{line}");
            assert!(is_link || line.chars().count() <= WIDTH, "{line}");
            assert_eq!(line, line.trim(), "{line:?}");
        }
        assert!(
            !text.contains("\n\n\n") && text.ends_with('\n') && !text.starts_with('\n'),
            "{text}"
        );
        assert!(text.contains("help@portal.example"), "{text}");
        assert!(text.contains("Do not reply"), "{text}");
        assert!(text.contains("Kind Regards,\nPortal Administrator\n"), "{text}");
    }
}

#[test]
fn every_html_is_one_column_without_anything_from_elsewhere() {
    // portal.md section 5, MAIL-7
    let code = code("482913");
    for letter in all("Jo", &code) {
        let Rendered { html, text, subject } = rendered(&letter);
        for foreign in [
            "<img", "<script", "<link", "<iframe", "<table", "src=", "url(", "@import", "http://",
        ] {
            assert!(!html.contains(foreign), "{foreign}: {html}");
        }
        assert!(html.contains(&format!("<title>{subject}</title>")), "{html}");
        assert!(
            html.contains("<html lang=\"en-GB\">") && html.contains("width=device-width"),
            "{html}"
        );
        // Real link text, and the URL spelled out.
        for link in links(&text) {
            assert!(link.starts_with("https://portal.example/"), "{link}");
            assert_eq!(html.matches(link).count(), 2, "{link}: {html}");
        }
        assert_eq!(html.matches("<a ").count(), links(&text).len(), "{html}");
    }
}

#[test]
fn the_text_and_the_html_say_the_same() {
    let code = code("482913");
    for letter in all("Jo", &code) {
        let Rendered { html, text, .. } = rendered(&letter);
        let mut plain = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => plain.push(c),
                _ => {}
            }
        }
        let squeezed: String = plain
            .replace("&#34;", "\"")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
            .split_whitespace()
            .collect();
        for line in text.lines() {
            let line: String = line.split_whitespace().collect();
            assert!(squeezed.contains(&line), "{line} is not in {plain}");
        }
    }
}

#[test]
fn subjects_are_constant_and_hold_no_code() {
    // MAIL-1
    let code = code("482913");
    let subjects: Vec<_> = all("Jo", &code).iter().map(|l| rendered(l).subject).collect();
    assert_eq!(
        subjects[..14],
        [
            "Complete your registration - Professional Portal",
            "Confirm your new email address",
            "An account was frozen by its owner",
            "Complete your registration - Professional Portal",
            "You already have an account",
            "Your account is ready",
            "Your Verification Code",
            "Two Step Verification was turned on",
            "Two Step Verification was turned off",
            "Your address was entered for another account",
            "Your email address is being changed",
            "Your email address was changed",
            "Your password was changed",
            "Your Secret Question was changed",
        ]
    );
    assert_eq!(subjects[14..18], subjects[10..14], "the same without their links");
    assert!(subjects[18..22].iter().all(|s| s == "Too many login attempts"));
    let changed = "Your account was changed by an administrator";
    assert!(subjects[22..28].iter().all(|s| s == changed));
    assert_eq!(subjects[28], "We have your change (CC-7F3K-92QD)");
    let recovery = [
        "Reset your password",
        "Reset your password",
        "Reset your password",
        "Someone asked to reset without the Secret Answer",
        "Resetting your password is paused",
        "Resetting your password is paused",
        "Resetting your password is paused",
    ];
    assert_eq!(subjects[29..36], recovery);
    let closed = "Your account will be closed on 17 May";
    let attempts = "Login attempts on your account";
    assert_eq!(
        subjects[36..41],
        ["New login to your account", closed, closed, attempts, attempts]
    );
    assert_eq!(subjects[41..], ["About your request"]);
}

#[test]
fn a_registration_mail_leads_with_its_link_and_tells_how_long_it_works() {
    // E1, MAIL-3: its letter has no place for anything that a person typed
    let mail = rendered(&registration());
    assert!(
        mail.text
            .starts_with("Hello,\n\nThank you for registering with Professional Portal.\n")
    );
    assert_eq!(
        links(&mail.text),
        [format!(
            "https://portal.example/account/complete-registration?t={TOKEN}"
        )]
    );
    assert!(
        mail.text
            .contains("The link lasts 12 hours. It works until 10:39 am on 4 May.")
    );
    assert!(mail.text.contains("If this was not you, do nothing"));
}

#[test]
fn a_prepared_registration_leads_to_a_password_of_ones_own() {
    // E1, I-01
    let mail = rendered(&prepared());
    let text = mail.text.replace('\n', " ");
    assert!(
        text.starts_with("Hello,  An administrator of Professional Portal has prepared an account for you")
    );
    for words in [
        "choose your own password",
        "The link lasts 12 hours",
        "sends you a new one",
        "none will be made",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("Thank you for registering"));
    assert_eq!(links(&mail.text).len(), 1);
    assert!(
        mail.text
            .lines()
            .all(|line| line.contains("://") || line.chars().count() <= WIDTH)
    );
    assert_eq!(mail.subject, "Complete your registration - Professional Portal");
    let html = mail.html.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        html.contains("choose your own password") && html.contains("none will be made"),
        "{html}"
    );
}

#[test]
fn an_owner_is_told_that_somebody_registered_again() {
    // E2
    let mail = rendered(&Letter::AlreadyRegistered {
        name: Some("Zoë"),
        asked_at: NOW,
    });
    assert!(mail.text.starts_with("Hello Zoë,\n"));
    assert!(mail.text.replace('\n', " ").contains("at 10:40 pm today"));
    assert_eq!(
        links(&mail.text),
        [
            "https://portal.example/account/login",
            "https://portal.example/account/forgotten-password"
        ]
    );
}

#[test]
fn a_ready_account_says_its_username_and_the_second_step_that_applies() {
    // E3
    let letter = Letter::AccountReady {
        name: None,
        username: "jo@school.example",
    };
    let with = |two_step| {
        let mut config = config();
        config.two_step = two_step;
        render(&config, &letter, NOW).unwrap().text
    };
    let areas = with(TwoStepPolicy::RequiredForAreas);
    assert!(areas.starts_with("Hello,\n") && areas.contains("\njo@school.example\n"));
    assert_eq!(links(&areas), ["https://portal.example/account/login"]);
    assert!(areas.contains("Some areas ask"));
    assert!(with(TwoStepPolicy::Optional).contains("You can make your account safer"));
    assert!(with(TwoStepPolicy::RequiredForAll).contains("Each time you log in"));
    assert!(!with(TwoStepPolicy::Off).contains("Verification"));
}

#[test]
fn a_code_mail_begins_and_ends_with_its_code_and_holds_no_link() {
    // E4
    let code = code("002913");
    let mail = rendered(&sign_in_code("Jo", &code));
    assert_eq!(
        mail.text.lines().next(),
        Some("002 913 is your Verification Code")
    );
    assert_eq!(mail.text.lines().last(), Some("@portal.example #002913"));
    let preheader = mail.html.find("002 913 is your Verification Code").unwrap();
    assert!(
        preheader < mail.html.find("<p").unwrap(),
        "the preheader comes before all that is shown"
    );
    assert!(!mail.html.contains("://") && !mail.html.contains("<a "));
    assert!(links(&mail.text).is_empty());
    let flat = mail.text.replace('\n', " ");
    assert!(flat.contains(
        "Enter the code to log in to Professional Portal. It works until 10:49 pm today (10 minutes)."
    ));
    assert!(flat.contains("It was asked for at 10:39 pm today. Browser: Firefox on Windows."));
    assert!(flat.contains("We never ask for it by phone"));
}

#[test]
fn a_code_mail_is_bound_to_the_host_of_the_base_url() {
    let config = Config::portal(Url::parse("http://127.0.0.1:8080").unwrap());
    let code = code("482913");
    let mut letter = sign_in_code("Jo", &code);
    if let Letter::SignInCode { purpose, .. } = &mut letter {
        *purpose = ChallengePurpose::Confirm;
    }
    let text = render(&config, &letter, NOW).unwrap().text;
    assert_eq!(text.lines().last(), Some("@127.0.0.1 #482913"));
    assert!(text.contains("Enter the code to confirm that it is you"));
}

#[test]
fn a_changed_second_step_is_told_with_a_way_out() {
    // E11, MAIL-6
    for (choice, word) in [(TwoStep::Email, "turned on"), (TwoStep::Off, "turned off")] {
        let text = rendered(&two_step("Jo", choice)).text;
        assert!(text.contains(word) && text.contains("Not you?"), "{text}");
        assert!(
            text.contains("This was done at 10:40 pm today. Browser: Safari on Mac."),
            "{text}"
        );
        let not_me = format!("https://portal.example/account/not-me?t={TOKEN}");
        assert_eq!(links(&text), [not_me]);
        assert!(text.replace('\n', " ").contains("works until 10:40 pm tomorrow") || text.contains("4 May"));
    }
}

#[test]
fn a_notice_whose_link_is_over_still_tells_and_leads_to_a_new_password() {
    // MAIL-6
    let without = Letter::PasswordChanged {
        name: Some("Jo"),
        changed_at: NOW,
        browser: "Safari on Mac",
        not_me: None,
    };
    let text = rendered(&without).text;
    assert!(
        text.contains("was changed") && text.contains("Not you?"),
        "{text}"
    );
    assert_eq!(
        links(&text),
        ["https://portal.example/account/forgotten-password"]
    );
}

#[test]
fn the_mails_of_a_change_of_address_carry_one_link_each_and_only_one_that_takes_something_back() {
    // E8, E9, E19, E20, MAIL-6, CHG-2
    let of = |letter: &Letter<'_>| rendered(letter).text;
    let page = |path: &str| format!("https://portal.example/account/{path}?t={TOKEN}");
    let confirm = of(&Letter::ConfirmEmail { link: link() });
    assert_eq!(links(&confirm), [page("confirm-email-address")]);
    assert!(confirm.starts_with("Hello,\n"), "{confirm}");
    let being = of(&being_changed("Jo", Some(link())));
    assert_eq!(
        links(&being),
        [
            page("cancel-email-change"),
            "https://portal.example/account/forgotten-password".to_owned()
        ]
    );
    assert!(being.contains("n•••@school.example"), "{being}");
    let to_former = of(&email_changed("Jo", Some(link())));
    assert_eq!(links(&to_former), [page("freeze")]);
    let to_new = of(&email_changed("Jo", None));
    assert!(
        links(&to_new).is_empty() && !to_new.contains("Not you?"),
        "{to_new}"
    );
    for text in [to_former, to_new] {
        let text = text.replace('\n', " ");
        assert!(
            text.contains("from o•••@school.example to n•••@school.example"),
            "{text}"
        );
    }
    let entered = of(&Letter::AddressEntered {
        name: Some("Jo"),
        asked_at: NOW,
    });
    assert!(
        links(&entered).is_empty() && entered.contains("nothing was changed"),
        "{entered}"
    );
}

#[test]
fn an_administrator_is_told_which_account_was_frozen_and_from_where() {
    // CHG-2
    let [_, _, frozen, _] = to_nobody_by_name();
    let text = rendered(&frozen).text;
    assert!(text.contains("\nAccount: thief@elsewhere.example\n"), "{text}");
    assert!(text.contains("\nFrozen from: jo@school.example\n"), "{text}");
}

#[test]
fn a_closed_account_is_told_until_when() {
    // E13
    let text = |closed| rendered(&too_many(closed)).text.replace('\n', " ");
    assert!(text(Closed::PasswordsUntil(NOW.plus(minutes(60)))).contains("paused until 11:40 pm today."));
    assert!(text(Closed::PasswordsUntil(NOW)).contains("You can log in again now."));
    assert!(text(Closed::PasswordsUntilReset).contains("paused until you choose a new password."));
    assert!(text(Closed::Codes).contains("closed until you choose a new password:"));
    let closed = rendered(&too_many(Closed::Codes)).text;
    assert_eq!(
        links(&closed),
        ["https://portal.example/account/forgotten-password"]
    );
}

#[test]
fn an_owner_is_told_what_an_administrator_did_and_whom_to_ask() {
    // E21
    for (act, done, next) in [
        (
            AdministratorAct::Disabled,
            "Your account was disabled",
            "You cannot log in until",
        ),
        (
            AdministratorAct::Enabled,
            "Your account was enabled",
            "You can log in with the password",
        ),
        (
            AdministratorAct::SessionsEnded,
            "You are logged out everywhere.",
            "still the same",
        ),
        (
            AdministratorAct::Unlocked,
            "The waits after too many tries were lifted",
            "at once",
        ),
        (
            AdministratorAct::TwoStepCleared,
            "Two Step Verification was turned off",
            "Log in again",
        ),
        (
            AdministratorAct::ResetStarted,
            "A reset of your password was started",
            "an email of its own",
        ),
    ] {
        let mut config = config();
        config.help_email = Some("help@portal.example".into());
        let text = render(&config, &acted("Jo", act), NOW)
            .unwrap()
            .text
            .replace('\n', " ");
        for words in [
            done,
            next,
            "at 10:40 pm today",
            "If you did not expect this",
            "help@portal.example",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(links(&text).is_empty(), "{text}");
    }
}

#[test]
fn what_a_host_quotes_keeps_its_mark_in_every_line_and_cannot_pass_for_the_services_words() {
    // MAIL-1, MAIL-3
    let long = "word ".repeat(40);
    let typed = format!(
        "\nWhat was typed:\n> {long}\n>\n> https://evil.example/{}\n> @evil.example #123456\n> <b>Kind Regards\u{202e}</b>\n\nThat is all.",
        "x".repeat(100)
    );
    let mail = rendered(&host(None, &typed));
    assert_eq!(mail.subject, "We have your change (CC-7F3K-92QD)");
    let (_, rest) = mail.text.split_once("What was typed:\n").unwrap();
    let (quoted, after) = rest.split_once("\n\nThat is all.\n").unwrap();
    assert!(quoted.lines().count() >= 8, "{quoted}");
    for line in quoted.lines() {
        assert!(line == ">" || line.starts_with("> "), "{line}");
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
    assert!(quoted.contains("> @evil.example #123456") && !quoted.contains('\u{202e}'));
    assert!(after.starts_with("\nKind Regards,"), "{after}");
    assert!(
        mail.text.starts_with("Hello,\n\nWhat was typed:\n"),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("<p>What was typed:<br>&#62; word") && !mail.html.contains("<b>"));
    assert!(!mail.html.contains("<a "), "{}", mail.html);
}

#[test]
fn what_people_typed_is_escaped_and_cannot_pass_for_text_of_the_mail() {
    // MAIL-3, P-43
    let code = code("482913");
    let hostile = "Jo & \"Co\"\r\nBcc: x@evil.example";
    for letter in &to_somebody(hostile, &code) {
        let mail = rendered(letter);
        assert!(!mail.text.contains("\nBcc"), "{}", mail.text);
        assert!(
            mail.html
                .contains("Hello Jo &#38; &#34;Co&#34; Bcc: x@evil.example,"),
            "{}",
            mail.html
        );
    }
    for shady in ["https://evil.example", "<script>alert(1)</script>"] {
        for letter in all(shady, &code) {
            let mail = rendered(&letter);
            assert!(
                !mail.text.contains("evil") && !mail.html.contains("script") && !mail.html.contains("evil")
            );
            assert!(mail.text.contains("Hello,\n"), "{}", mail.text);
        }
    }
}

#[test]
fn an_embedder_may_have_its_pages_elsewhere() {
    let mut config = config();
    config.paths.complete_registration = "/welcome".into();
    let text = render(&config, &registration(), NOW).unwrap().text;
    assert_eq!(
        links(&text),
        [format!("https://portal.example/welcome?t={TOKEN}")]
    );
}

#[test]
fn a_zone_that_does_not_exist_is_a_fault_and_no_mail() {
    let mut config = config();
    config.time_zone = "Moon/Base".into();
    assert!(!render(&config, &registration(), NOW).unwrap_err().is_transient());
}

#[test]
fn welsh_mails_keep_every_rule_that_english_ones_keep() {
    // portal.md R4 and section 5
    let mut config = config();
    config.help_email = Some("help@portal.example".into());
    let code = code("482913");
    let letters = all("Jo", &code);
    let translated: Vec<_> = letters
        .iter()
        .filter(|l| l.spoken(Spoken::Welsh) == Spoken::Welsh)
        .collect();
    assert_eq!(translated.len(), 10);
    for letter in translated {
        let ours = render(&config, letter, NOW).unwrap();
        let Rendered { subject, text, html } = render_in(Spoken::Welsh, &config, letter, NOW).unwrap();
        assert_ne!(subject, ours.subject);
        assert_eq!(links(&text), links(&ours.text));
        assert_eq!(html.matches("<a ").count(), ours.html.matches("<a ").count());
        assert_eq!(html.matches("<p").count(), ours.html.matches("<p").count());
        assert!(html.contains("<html lang=\"cy\">") && html.contains(&format!("<title>{subject}</title>")));
        assert!(!text.contains("\n\n\n") && !text.starts_with('\n'), "{text}");
        for line in text.lines() {
            assert!(
                line.starts_with("https://") || line.chars().count() <= WIDTH,
                "{line}"
            );
        }
        assert_eq!(
            text.lines().filter(|l| l.is_empty()).count(),
            ours.text.lines().filter(|l| l.is_empty()).count()
        );
        assert!(
            text.contains("Cofion gorau,\nGweinyddwr y Porth\nProfessional Portal\n"),
            "{text}"
        );
        assert!(text.contains("help@portal.example") && text.contains("Peidiwch ag ateb yr e-bost hwn"));
        assert!(
            text.starts_with("Helo") || text.starts_with("482 913 yw eich cod dilysu\n\nHelo Jo,\n"),
            "{text}"
        );
        for word in [
            " the ",
            "your account",
            "Verification",
            "Kind Regards",
            "today",
            "minutes",
        ] {
            assert!(
                !text.contains(word) && !html.contains(&format!(">{word}")),
                "{word}: {text}"
            );
        }
    }
}

#[test]
fn a_welsh_mail_tells_moments_spans_and_browsers_in_welsh() {
    let code = code("482913");
    let mail = render_in(Spoken::Welsh, &config(), &sign_in_code("Jo", &code), NOW).unwrap();
    let flat = mail.text.replace('\n', " ");
    assert!(
        flat.contains("Mae’n gweithio tan 10:49 pm heddiw (10 munud)."),
        "{flat}"
    );
    assert!(
        flat.contains("Gofynnwyd amdano am 10:39 pm heddiw. Porwr: Firefox ar Windows."),
        "{flat}"
    );
    assert_eq!(mail.text.lines().last(), Some("@portal.example #482913"));
    let link = render_in(Spoken::Welsh, &config(), &registration(), NOW)
        .unwrap()
        .text;
    assert!(
        link.contains("Mae’r ddolen yn para 12 awr. Mae’n gweithio tan 10:39 am ar 4 Mai."),
        "{link}"
    );
}

#[test]
fn a_kind_without_welsh_words_is_written_in_english() {
    let letter = Letter::AdministratorActed {
        name: None,
        act: AdministratorAct::Enabled,
        acted_at: NOW,
    };
    assert_eq!(letter.spoken(Spoken::Welsh), Spoken::English);
}

fn reset<'a>(name: &'a str, begun: ResetBegun<'a>) -> Letter<'a> {
    Letter::ResetPassword {
        name: Some(name),
        link: MailedLink {
            issued_at: NOW,
            expires_at: NOW.plus(minutes(60)),
            ..link()
        },
        begun,
        begun_at: NOW.minus(MINUTE),
        asks_answer: matches!(begun, ResetBegun::Asked(_)),
    }
}

fn about_recovery(name: &str) -> Vec<Letter<'_>> {
    let mut letters = vec![
        reset(name, ResetBegun::Asked("Firefox on Windows")),
        reset(name, ResetBegun::Waited),
        reset(name, ResetBegun::Administrator),
        Letter::RecoveryAsked {
            name: Some(name),
            asked_at: NOW,
            browser: "Firefox on Windows",
            due_at: NOW.plus(minutes(1440)),
            cancel: link(),
        },
    ];
    let pauses = [
        Paused::Until(NOW.plus(minutes(1440))),
        Paused::Until(NOW),
        Paused::UntilAdministrator,
    ];
    letters.extend(pauses.map(|paused| Letter::RecoveryPaused {
        name: Some(name),
        paused,
    }));
    letters
}

#[test]
fn a_reset_mail_leads_with_its_link_and_says_who_began_it() {
    // E5
    let text = |begun| rendered(&reset("Jo", begun)).text;
    let asked = text(ResetBegun::Asked("Firefox on Windows"));
    let flat = asked.replace('\n', " ");
    assert_eq!(
        links(&asked),
        [format!("https://portal.example/account/reset-password?t={TOKEN}")]
    );
    assert!(
        flat.contains("at 10:39 pm today. Browser: Firefox on Windows."),
        "{flat}"
    );
    assert!(
        flat.contains("The link lasts 1 hour. It works until 11:40 pm today."),
        "{flat}"
    );
    assert!(flat.contains("Secret Question first."), "{flat}");
    assert!(
        flat.contains("do nothing: your password stays as it is"),
        "{flat}"
    );
    let waited = text(ResetBegun::Waited);
    assert_eq!(links(&waited).len(), 2, "a login cancels it");
    let flat = waited.replace('\n', " ");
    assert!(flat.contains("That cancels the reset") && !flat.contains("Secret Question first"));
    assert!(text(ResetBegun::Administrator).contains("An administrator has started a reset"));
}

#[test]
fn an_address_without_an_account_is_told_so_without_anything_a_person_typed() {
    // E6, MAIL-3
    let mail = rendered(&Letter::NoAccount { asked_at: NOW });
    assert!(mail.text.starts_with("Hello,\n"));
    assert!(mail.text.contains("No account has this"));
    assert_eq!(links(&mail.text), ["https://portal.example/account/register"]);
}

#[test]
fn a_reset_without_the_answer_is_told_with_a_way_to_cancel_it() {
    // E16, MAIL-6
    let letters = about_recovery("Jo");
    let text = rendered(&letters[3]).text;
    let flat = text.replace('\n', " ");
    assert!(flat.contains("It takes effect at 10:40 pm on 4 May"), "{flat}");
    assert_eq!(
        links(&text),
        [format!(
            "https://portal.example/account/cancel-recovery?t={TOKEN}"
        )]
    );
    assert!(
        flat.contains("Logging in with your password cancels the reset too."),
        "{flat}"
    );
}

#[test]
fn a_paused_recovery_is_told_until_when_and_what_to_do() {
    // E17
    let flat: Vec<_> = about_recovery("Jo")[4..]
        .iter()
        .map(|letter| rendered(letter).text.replace('\n', " "))
        .collect();
    assert!(flat[0].contains("paused until 10:40 pm on 4 May."), "{}", flat[0]);
    assert!(
        flat[1].contains("You can ask for a new link again now."),
        "{}",
        flat[1]
    );
    assert!(
        flat[2].contains("until an administrator helps you."),
        "{}",
        flat[2]
    );
    for text in &flat {
        assert!(text.contains("https://portal.example/account/login"), "{text}");
    }
}

#[test]
fn the_mail_of_a_closing_names_the_day_and_leads_with_the_way_back() {
    // E15, CHG-5
    let closed = rendered(&closing("Jo", Some("Safari on Mac")));
    assert_eq!(closed.subject, "Your account will be closed on 17 May");
    let link = format!("https://portal.example/account/restore?t={TOKEN}");
    assert_eq!(links(&closed.text), [&*link]);
    let said = |letter: &Rendered, words: &str| {
        let text = letter.text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{text}");
    };
    said(&closed, "was closed at 10:39 pm today. Browser: Safari on Mac.");
    said(&closed, "At 10:39 pm on 17 May we remove it");
    let again = rendered(&closing("Jo", None));
    assert_eq!(links(&again.text), [&*link]);
    said(&again, "Somebody entered this address to register");
}

#[test]
fn a_mail_about_a_sign_in_says_what_happened_and_where_to_end_sessions() {
    // E12, E18, ASVS 6.3.5
    let sessions = "https://portal.example/account/sessions";
    let many = rendered(&unusual("Jo", Attempts::AfterFailures(7)));
    assert_eq!(many.subject, "Login attempts on your account");
    assert!(many.text.contains("after 7\nwrong ones.") || many.text.contains("7 wrong ones."));
    assert_eq!(links(&many.text)[0], sessions);
    let codes = rendered(&unusual("Jo", Attempts::CodeFailed));
    assert!(codes.text.contains("None of them was"), "{}", codes.text);
    let device = rendered(&Letter::NewDevice {
        name: None,
        at: NOW,
        browser: "Chrome on Linux",
        network: "",
    });
    assert_eq!(device.subject, "New login to your account");
    assert!(
        device
            .text
            .contains("Time: 10:40 pm today\nBrowser: Chrome on Linux\n\n")
    );
    assert!(!device.text.contains("Network:"));
    assert!(links(&device.text).contains(&sessions));
}
