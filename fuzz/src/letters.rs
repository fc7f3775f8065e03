//! Mails: whatever stands in the rows, the mail is one mail to one person.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use portal_auth::account::email::EmailAddress;
use portal_auth::account::profile::StoredProfile;
use portal_auth::account::snapshot::AccountRow;
use portal_auth::config::Config;
use portal_auth::mail::mailer::Mailer as _;
use portal_auth::mail::outbox::{MailKind, OutboxRow};
use portal_auth::secret::keyring::Keyring;
use portal_auth::store::AccountStore as _;
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::testkit::{ManualClock, RecordingMailer, ScriptedEntropy, rows};
use portal_auth::unit_of_work::UnitOfWork;
use portal_auth::{Environment, PortalAuth};
use portal_auth_lettre::FileMailer;
use serde_json::{Map, Value, json};
use test_rig::{ParsedMail, parse_mail};

use crate::Reached;
use crate::browser::wait_for;

/// A mail has the headers of its template and one recipient, the stored address (I-28, MAIL-3).
///
/// The lines are the address, a forename, and a browser, as a row might hold them; an independent parser reads the
/// mails back.
#[must_use]
pub fn mail(data: &[u8]) -> Reached {
    static USUAL: LazyLock<Vec<ParsedMail>> = LazyLock::new(|| {
        let address = EmailAddress::parse("jo@school.example").expect("an address");
        wait_for(letters(&address, "Jo", "Firefox on Windows"))
    });
    let Ok(text) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let Ok(address) = EmailAddress::parse(line()) else {
        return Reached::Refused;
    };
    let (forename, browser) = (line(), line());
    let found = wait_for(letters(&address, forename, browser));
    assert_eq!(
        found.len(),
        USUAL.len(),
        "a row with an odd value still makes its mail"
    );
    for (mail, usual) in found.iter().zip(USUAL.iter()) {
        assert_eq!(mail.recipients, [address.as_str()]);
        assert_eq!(mail.subject, usual.subject);
        assert_eq!(mail.parts, usual.parts);
        let names = |mail: &ParsedMail| {
            mail.headers
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(mail), names(usual));
        // No element of ours begins so: it would be what somebody typed.
        assert!(!mail.html.contains("<z"), "typed markup stands in a mail");
    }
    Reached::Accepted
}

/// The mails that hold something of the person's own: the greeting by forename, the browser of a change.
async fn letters(address: &EmailAddress, forename: &str, browser: &str) -> Vec<ParsedMail> {
    let mut sections = Map::new();
    let about_you = json!({ "title": "Ms", "forename": forename, "surname": "B", "gender": "female" });
    sections.insert("about_you".to_owned(), about_you);
    let account = AccountRow {
        email: address.clone(),
        profile: StoredProfile::new(1, sections),
        ..rows::account(1)
    };
    let mails = [
        (MailKind::AccountReady, json!({})),
        (
            MailKind::TwoStepChanged,
            json!({ "choice": "email", "browser": browser }),
        ),
    ];
    let mails = mails
        .into_iter()
        .zip(1..)
        .map(|((kind, facts), n)| row(kind, &facts, n, &account));
    let work = mails.fold(rows::work_with(&account), UnitOfWork::mail);

    let (store, recorder) = (Arc::new(InMemoryStore::new()), RecordingMailer::new());
    store.commit(work).await.expect("an empty store");
    let entropy = ScriptedEntropy::new(7);
    let keyring = Keyring::random(&entropy).expect("keys");
    let mut environment = Environment::default();
    environment.clock = Arc::new(ManualClock::default());
    environment.entropy = Arc::new(entropy);
    environment.hasher = Some(crate::browser::hasher());
    let mut config = Config::portal("https://portal.example".parse().expect("an address"));
    config.registration.profile = Arc::new(profile());
    let built = PortalAuth::build_in(environment, config, store, recorder.clone(), keyring);
    let (_, background) = built.expect("a configuration");
    background.work_once().await.expect("mail goes out");

    let mut read = Vec::new();
    for mail in recorder.sent() {
        FILES.send(&mail).await.expect("a mail that can be written");
        let file = folder().join(format!("{}.eml", mail.id));
        read.push(parse_mail(&std::fs::read(file).expect("the file of the mail")));
    }
    read
}

fn profile() -> impl portal_auth::account::profile::ProfileSchema + 'static {
    portal_auth::account::professional_profile::ProfessionalProfile::schema()
}

fn row(kind: MailKind, facts: &Value, n: u32, account: &AccountRow) -> OutboxRow {
    OutboxRow {
        to: account.email.clone(),
        account: Some(account.id),
        facts: facts.to_string(),
        expires_at: rows::at(7 * 86_400),
        ..rows::mail(n, kind)
    }
}

static FILES: LazyLock<FileMailer> = LazyLock::new(|| {
    let mailer = FileMailer::builder(folder())
        .from("Portal <no-reply@portal.example>")
        .clock(Arc::new(ManualClock::default()));
    mailer.build().expect("a folder")
});

/// In memory where the system has such a folder: each mail is on the disk before it counts as written.
fn folder() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    let base = if shared.is_dir() {
        shared
    } else {
        std::env::temp_dir()
    };
    base.join(format!("portal-auth-fuzz-{}", std::process::id()))
}
