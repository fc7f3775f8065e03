//! The SMTP mailer against a real server, honest and otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what the tests share may fail them too"
)]

mod common;

use std::error::Error as _;
use std::time::Duration;

use common::{FROM, HEADERS, ID, TO, clock, mail, mail_with};
use portal_auth::mail::mailer::{MailError, Mailer as _};
use portal_auth_lettre::{RelayError, SmtpMailer, SmtpMailerBuilder, Stage};
use test_rig::{Fault, OtherSmtpServer, SmtpServer, TestCa, parse_mail};

fn mailer_for(server: &SmtpServer) -> SmtpMailerBuilder {
    SmtpMailer::builder(server.url())
        .from(FROM)
        .ca_pem(server.ca_pem())
        .clock(clock())
}

/// Long enough for a loaded machine to reach the fault, short enough to wait for.
fn impatient(server: &SmtpServer) -> SmtpMailer {
    mailer_for(server)
        .timeout(Duration::from_secs(4))
        .build()
        .unwrap()
}

async fn outcome_with(fault: Fault) -> MailError {
    let server = SmtpServer::builder().fault(fault).start();
    let error = impatient(&server)
        .send(&mail())
        .await
        .expect_err("the fault shows");
    let mut shown = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        shown += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    // LOG-2
    for secret in ["s3cret", TO, "Hello Ann"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    error
}

fn relay_error(error: &MailError) -> &RelayError {
    error
        .source()
        .and_then(|e| e.downcast_ref())
        .expect("the relay's error is inside")
}

#[tokio::test]
async fn a_mail_arrives_over_starttls_with_every_header_it_must_have() {
    let server = SmtpServer::start();
    let mailer = mailer_for(&server)
        .reply_to("help@portal.example")
        .build()
        .unwrap();
    mailer.send(&mail()).await.unwrap();

    let arrived = server.wait_for_mail_to(TO, 1).await.remove(0);
    assert!(arrived.encrypted);
    assert_eq!(arrived.user.as_deref(), Some("portal"));
    assert_eq!(
        (arrived.from.as_str(), arrived.to),
        ("no-reply@portal.example", vec![TO.to_owned()])
    );
    let parsed = parse_mail(&arrived.raw);
    let names: Vec<_> = parsed.headers.iter().map(|(n, _)| n.as_str()).collect();
    let mut expected = HEADERS.to_vec();
    expected.sort_unstable();
    assert_eq!(
        {
            let mut n = names;
            n.sort_unstable();
            n
        },
        expected
    );
    assert_eq!(parsed.header("Message-ID"), [format!("<{ID}@portal.example>")]);
    assert_eq!(parsed.header("Auto-Submitted"), ["auto-generated"]);
    assert_eq!(parsed.header("X-Auto-Response-Suppress"), ["All"]);
    assert_eq!(parsed.header("Content-Language"), ["en-GB"]);
    assert_eq!(parsed.header("Reply-To"), ["help@portal.example"]);
    assert_eq!(parsed.header("Date"), ["Tue, 14 Nov 2023 22:13:20 +0000"]);
    assert_eq!(parsed.parts, ["multipart/alternative", "text/plain", "text/html"]);
    assert_eq!(parsed.subject, "Complete your registration");
    assert_eq!(parsed.first_link(), Some("https://portal.example/a?t=x"));
}

#[tokio::test]
async fn a_server_of_others_takes_a_mail_over_starttls_from_whoever_has_the_password() {
    let server = OtherSmtpServer::start();
    let mailer = |url: String| {
        let builder = SmtpMailer::builder(url).from(FROM).ca_pem(server.ca_pem());
        builder.clock(clock()).build().unwrap()
    };
    let refused = mailer(server.url_with("wrong")).send(&mail()).await;
    assert!(refused.is_err(), "AUTH with a wrong password");
    mailer(server.url()).send(&mail()).await.unwrap();

    let arrived = server.wait_for_mail(1).await;
    assert!(arrived.encrypted);
    assert_eq!(arrived.user.as_deref(), Some("portal"));
    assert_eq!(arrived.from, "no-reply@portal.example");
    assert_eq!(arrived.to, [TO]);
    let parsed = parse_mail(&arrived.raw);
    assert_eq!(parsed.subject, "Complete your registration");
    assert_eq!(parsed.parts, ["multipart/alternative", "text/plain", "text/html"]);
    assert_eq!(parsed.first_link(), Some("https://portal.example/a?t=x"));
    assert_eq!(server.mails(), 1);
}

#[tokio::test]
async fn a_server_of_others_is_not_believed_under_another_authority() {
    // MAIL-4
    let server = OtherSmtpServer::start();
    let mailer = SmtpMailer::builder(server.url())
        .from(FROM)
        .ca_pem(TestCa::new().pem())
        .clock(clock())
        .build()
        .unwrap();
    assert!(mailer.send(&mail()).await.is_err());
    assert_eq!(server.mails(), 0);
}

// MAIL-4
#[tokio::test]
async fn nothing_but_greetings_goes_in_clear_before_starttls() {
    let server = SmtpServer::start();
    mailer_for(&server).build().unwrap().send(&mail()).await.unwrap();
    let clear = String::from_utf8(server.heard_in_clear()).unwrap();
    let verbs: Vec<_> = clear.lines().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["EHLO", "STARTTLS"]);
}

#[tokio::test]
async fn a_mail_arrives_over_implicit_tls_with_either_kind_of_auth() {
    for builder in [
        SmtpServer::builder().implicit_tls(),
        SmtpServer::builder().implicit_tls().login_only(),
    ] {
        let server = builder.start();
        mailer_for(&server).build().unwrap().send(&mail()).await.unwrap();
        assert_eq!(server.mails().len(), 1);
        assert!(server.mails()[0].encrypted);
        assert_eq!(server.heard_in_clear(), b"");
    }
}

#[tokio::test]
async fn an_encoded_password_signs_in() {
    let server = SmtpServer::builder().credentials("a@b", "p/:% é").start();
    let url = format!("smtp://a%40b:p%2F%3A%25%20%C3%A9@localhost:{}", server.port());
    let mailer = SmtpMailer::builder(url)
        .from(FROM)
        .ca_file(server.ca_file())
        .build()
        .unwrap();
    mailer.send(&mail()).await.unwrap();
    assert_eq!(server.mails()[0].user.as_deref(), Some("a@b"));
}

// MAIL-4
#[tokio::test]
async fn a_relay_whose_ca_is_not_known_gets_neither_password_nor_mail() {
    for builder in [SmtpServer::builder(), SmtpServer::builder().implicit_tls()] {
        let server = builder.start();
        let strange = mailer_for(&server).ca_pem(TestCa::new().pem()).build().unwrap();
        let public = SmtpMailer::builder(server.url()).from(FROM).build().unwrap();
        for mailer in [strange, public] {
            let error = mailer.send(&mail()).await.expect_err("not trusted");
            assert!(matches!(error, MailError::Unreachable(_)), "{error:?}");
            assert_eq!(relay_error(&error).stage(), Stage::Connect);
        }
        assert!(server.mails().is_empty());
        assert!(!String::from_utf8_lossy(&server.heard_in_clear()).contains("AUTH"));
    }
}

// MAIL-4
#[tokio::test]
async fn a_relay_without_starttls_gets_neither_password_nor_mail() {
    let server = SmtpServer::builder().fault(Fault::NoStartTls).start();
    let error = mailer_for(&server)
        .build()
        .unwrap()
        .send(&mail())
        .await
        .expect_err("no TLS");
    assert!(matches!(error, MailError::Unreachable(_)), "{error:?}");
    let clear = String::from_utf8(server.heard_in_clear()).unwrap();
    assert!(
        clear
            .lines()
            .all(|l| l.starts_with("EHLO") || l.starts_with("QUIT")),
        "{clear}"
    );
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn plain_text_works_on_loopback_when_asked_for_by_name() {
    let server = SmtpServer::builder()
        .without_credentials()
        .fault(Fault::NoStartTls)
        .start();
    let mailer = mailer_for(&server).dangerous_plaintext().build().unwrap();
    mailer.send(&mail()).await.unwrap();
    assert!(!server.mails()[0].encrypted);
}

#[tokio::test]
async fn a_relay_that_cannot_be_used_is_not_held_against_the_mail() {
    let cases = [
        (Fault::Refuse, Stage::Connect, None),
        (Fault::Greeting421, Stage::Connect, Some(421)),
        (Fault::HangAtConnect, Stage::Connect, None),
        (Fault::HangAfterGreeting, Stage::Connect, None),
        (Fault::Auth535, Stage::SignIn, Some(535)),
        (Fault::Mail550, Stage::Sender, Some(550)),
    ];
    for (fault, stage, code) in cases {
        let error = outcome_with(fault).await;
        assert!(matches!(error, MailError::Unreachable(_)), "{fault:?}: {error:?}");
        assert_eq!(
            (relay_error(&error).stage(), relay_error(&error).code()),
            (stage, code),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn what_may_pass_is_transient() {
    let cases = [
        (Fault::Rcpt451, Stage::Recipient, Some(451)),
        (Fault::HangAfterAuth, Stage::Sender, None),
        (Fault::HangAfterData, Stage::Content, None),
        (Fault::CloseMidData, Stage::Content, None),
        (Fault::CloseAfterData, Stage::Content, None),
    ];
    for (fault, stage, code) in cases {
        let error = outcome_with(fault).await;
        assert!(matches!(error, MailError::Transient(_)), "{fault:?}: {error:?}");
        assert_eq!(
            (relay_error(&error).stage(), relay_error(&error).code()),
            (stage, code),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_recipient_or_mail_is_permanent_and_says_its_codes() {
    for (fault, says) in [(Fault::Rcpt550, "550 (5.1.1)"), (Fault::Data554, "554 (5.6.0)")] {
        let error = outcome_with(fault).await;
        assert!(matches!(error, MailError::Permanent(_)), "{fault:?}: {error:?}");
        assert!(
            relay_error(&error).to_string().ends_with(says),
            "{}",
            relay_error(&error)
        );
    }
}

#[tokio::test]
async fn connections_are_reused_and_replaced_when_they_have_died() {
    let server = SmtpServer::start();
    let mailer = mailer_for(&server).build().unwrap();
    for _ in 0..5 {
        mailer.send(&mail()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    // A refusal leaves the connection in order.
    server.set_fault(Fault::Rcpt550);
    mailer.send(&mail()).await.expect_err("refused");
    assert_eq!(server.connections(), 1);
    // A lost connection is not used again.
    server.set_fault(Fault::CloseAfterData);
    mailer.send(&mail()).await.expect_err("closed");
    server.set_fault(Fault::None);
    mailer.send(&mail()).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_send_that_was_cut_off_never_lends_its_answers_to_the_next_mail() {
    let server = SmtpServer::builder().fault(Fault::HangAfterData).start();
    let mailer = impatient(&server);
    mailer.send(&mail()).await.expect_err("no answer");
    server.set_fault(Fault::Rcpt550);
    let next = mailer
        .send(&mail_with("ben@person.example", "for Ben\n", "<p>for Ben</p>"))
        .await;
    assert!(matches!(next, Err(MailError::Permanent(_))), "{next:?}");
    assert_eq!(server.connections(), 2);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn no_more_connections_are_opened_than_allowed() {
    let server = SmtpServer::start();
    let mailer = std::sync::Arc::new(mailer_for(&server).pool_size(2).build().unwrap());
    let sends: Vec<_> = (0..12)
        .map(|_| {
            let mailer = std::sync::Arc::clone(&mailer);
            tokio::spawn(async move { mailer.send(&mail()).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert_eq!(server.mails().len(), 12);
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[tokio::test]
async fn dots_long_lines_and_other_scripts_arrive_as_they_were_written() {
    let server = SmtpServer::start();
    let mailer = mailer_for(&server).build().unwrap();
    let long = "x".repeat(2000);
    let bodies = [
        ".\n..\n.dot\n\n.\n",
        "Grüße, Дима 👋\n.\nend\n",
        long.as_str(),
        "From me\nBcc: evil@x.example\n\n.\nMAIL FROM:<a@b.c>\n",
    ];
    for body in bodies {
        mailer.send(&mail_with(TO, body, "<p>ü</p>")).await.unwrap();
        let parsed = parse_mail(&server.mails().last().unwrap().raw);
        assert_eq!(parsed.text.trim_end(), body.trim_end());
        assert_eq!(parsed.html.trim_end(), "<p>ü</p>");
    }
    assert_eq!(server.mails().len(), bodies.len());
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let begin = || SmtpMailer::builder("smtp://u:hunter2@mail.example:587").from(FROM);
    let cases = [
        ("url", SmtpMailer::builder("mail.example").from(FROM)),
        ("url", begin().dangerous_plaintext()),
        ("from", SmtpMailer::builder("smtp://mail.example")),
        ("reply_to", begin().reply_to("nobody")),
        ("ca", begin().ca_pem("not a certificate")),
        ("ca", begin().ca_file("/nowhere/ca.pem")),
        ("pool_size", begin().pool_size(0)),
        ("timeout", begin().timeout(Duration::ZERO)),
        ("timeout", begin().timeout(Duration::from_secs(31))),
    ];
    for (field, builder) in cases {
        let shown = format!("{builder:?}");
        let error = builder.build().expect_err(field);
        assert_eq!(error.field(), field);
        assert!(!format!("{shown} {error} {error:?}").contains("hunter2"));
    }
    let mailer = begin().build().unwrap();
    assert!(!format!("{mailer:?}").contains("hunter2"));
}
