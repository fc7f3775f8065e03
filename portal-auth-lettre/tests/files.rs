//! The file mailer, and what hostile values can do to a mail: nothing.
#![allow(clippy::unwrap_used, reason = "what the tests share may fail them too")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use common::{FROM, HEADERS, ID, TO, clock, mail, mail_with};
use portal_auth::mail::mailer::{MailError, Mailer as _, RenderedMail};
use portal_auth_lettre::FileMailer;
use proptest::prelude::*;
use test_rig::{ParsedMail, parse_mail};

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("portal-eml-{}-{name}", std::process::id())))
    }

    fn names(&self) -> Vec<String> {
        fs::read_dir(&self.0)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn mailer(&self) -> FileMailer {
        FileMailer::builder(&self.0)
            .from(FROM)
            .reply_to("help@portal.example")
            .clock(clock())
            .build()
            .unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn a_mail_becomes_one_complete_file_that_only_its_owner_reads() {
    let folder = Folder::new("complete");
    folder.mailer().send(&mail()).await.unwrap();
    assert_eq!(folder.names(), [format!("{ID}.eml")]);
    let file = folder.0.join(format!("{ID}.eml"));
    let mode = |p: &PathBuf| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.0), mode(&file)), (0o700, 0o600));
    let parsed = parse_mail(&fs::read(file).unwrap());
    assert_eq!(parsed.recipients, [TO]);
    assert_eq!(parsed.html.trim_end(), "<p>Hello Ann.</p>");
}

#[tokio::test]
async fn whoever_looks_while_mails_are_written_never_sees_half_of_one() {
    let folder = Folder::new("atomic");
    let mailer = Arc::new(folder.mailer());
    let body = "a line of some length\n".repeat(20_000);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (mailer, body) = (Arc::clone(&mailer), body.clone());
            tokio::spawn(async move {
                for _ in 0..5 {
                    mailer.send(&mail_with(TO, &body, "<p>end</p>")).await.unwrap();
                }
            })
        })
        .collect();
    let file = folder.0.join(format!("{ID}.eml"));
    let mut looks = 0_u32;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) || looks == 0 {
        if let Ok(raw) = fs::read(&file) {
            assert!(raw.ends_with(b"--\r\n"), "half a mail of {} bytes", raw.len());
            looks += 1;
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(folder.names(), [format!("{ID}.eml")]);
}

#[tokio::test]
async fn a_folder_that_went_away_is_not_held_against_the_mail() {
    let folder = Folder::new("gone");
    let mailer = folder.mailer();
    fs::remove_dir_all(&folder.0).unwrap();
    assert!(matches!(
        mailer.send(&mail()).await,
        Err(MailError::Unreachable(_))
    ));
}

#[tokio::test]
async fn an_id_cannot_lead_out_of_the_folder() {
    let folder = Folder::new("escape");
    let mailer = folder.mailer();
    for id in [
        "",
        "../../../../tmp/x",
        "0123456789abcdef0123456789abcde/",
        "0123456789abcdef\r\nBcc: a@b.de",
    ] {
        let mail = RenderedMail::new(id.into(), TO.into(), "s", "k", "t".into(), "h".into());
        assert!(
            matches!(mailer.send(&mail).await, Err(MailError::Permanent(_))),
            "{id:?}"
        );
    }
    assert!(folder.names().is_empty());
}

/// Sends by file and reads back with the independent parser.
fn round_trip(folder: &Folder, mail: &RenderedMail) -> Result<ParsedMail, MailError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(folder.mailer().send(mail))?;
    Ok(parse_mail(&fs::read(folder.0.join(format!("{ID}.eml"))).unwrap()))
}

fn assert_only_our_headers(parsed: &ParsedMail, to: &str) {
    let mut names: Vec<_> = parsed.headers.iter().map(|(n, _)| n.as_str()).collect();
    names.sort_unstable();
    let mut expected = HEADERS.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(parsed.recipients, [to]);
    assert_eq!(parsed.parts, ["multipart/alternative", "text/plain", "text/html"]);
}

// I-28, P-43
#[test]
fn i_28_an_address_that_smuggles_a_second_one_or_a_header_is_refused_for_good() {
    let folder = Folder::new("smuggle");
    let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(998));
    let hostile = [
        "a@b.example\r\nBcc: evil@x.example",
        "a@b.example\nBcc:evil@x.example",
        "a@b.example, evil@x.example",
        "a@b.example;evil@x.example",
        "\"a@b.example> RCPT TO:<evil\"@x.example",
        "a@b.example>",
        "<evil@x.example>",
        "=?utf-8?q?a=0d=0aBcc:_e@x.example?=@b.example\0",
        "a b@c.example",
        "a@b.example ",
        "",
        long.as_str(),
    ];
    for to in hostile {
        let sent = round_trip(&folder, &mail_with(to, "t\n", "<p>h</p>\n"));
        assert!(matches!(sent, Err(MailError::Permanent(_))), "{to:?}");
    }
}

fn hostile_body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,90}",
        "\\PC{0,40}",
        Just("\r\n\r\nBcc: evil@x.example\r\n".to_owned()),
        Just("\r\n.\r\nMAIL FROM:<a@b.c>\r\n".to_owned()),
        Just("\n.\n".to_owned()),
        Just("\r".to_owned()),
        Just("--\r\nContent-Type: text/html\r\n\r\n".to_owned()),
        Just("Content-Transfer-Encoding: base64\n".to_owned()),
        Just("\0\u{85}\u{2028}".to_owned()),
        Just("=0D=0A=\n".to_owned()),
        Just("y".repeat(1200)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    // I-28
    #[test]
    fn i_28_whatever_the_bodies_hold_the_mail_has_one_recipient_and_our_headers_only(
        text in hostile_body(),
        html in hostile_body(),
        local in "[a-z0-9!#$%&'*+/=?^_`{|}~]([a-z0-9!#$%&'*+/=?^_`{|}~.-]{0,40}[a-z0-9])?",
        domain in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\\.[a-z]{2,10}",
    ) {
        prop_assume!(!local.contains("..") && !domain.contains("--"));
        let folder = Folder::new("prop");
        let to = format!("{local}@{domain}");
        let parsed = round_trip(&folder, &mail_with(&to, &text, &html)).unwrap();
        assert_only_our_headers(&parsed, &to);
        let kept = |body: &str| {
            let lines = body.replace("\r\n", "\n").replace('\r', "\n");
            lines.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect::<String>()
        };
        prop_assert_eq!(parsed.text.trim_end_matches('\n'), kept(&text).trim_end_matches('\n').to_owned());
        prop_assert_eq!(parsed.html.trim_end_matches('\n'), kept(&html).trim_end_matches('\n').to_owned());
    }
}
