//! A host with a profile of its own: a sailing club asks for a member, and for a boat where there is one.
//!
//! The core needs no change for it. Two structs implement [`Section`]; joined, they are the profile. A person registers
//! with the first, adds the second later, and two tabs that edit the same section lose nobody's text.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use portal_auth::PortalAuth;
use portal_auth::account::profile::{Section, Sections};
use portal_auth::config::Config;
use portal_auth::environment::SystemEntropy;
use portal_auth::error::{Denied, FieldErrors, Reason};
use portal_auth::features::register::{Save, SecurityDetails};
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::features::update_profile::ProfileRefused;
use portal_auth::secret::{keyring::Keyring, token::LinkToken};
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::testkit::recording_mailer::{RecordingMailer, tokens_in};
use portal_auth::visitor::Visitor;
use serde::{Deserialize, Serialize};

/// Who the member is. `deny_unknown_fields` refuses a field that no page of the club has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    name: String,
}

impl Section for Member {
    const NAME: &'static str = "member";

    fn check(mut self) -> Result<Self, FieldErrors> {
        self.name = self.name.trim().to_owned();
        let mut errors = FieldErrors::new();
        if self.name.is_empty() {
            errors.add("name", Reason::new("name.required"));
        }
        errors.or(self)
    }

    /// Mails say "Hello Robin".
    fn greeting(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

/// The boat of a member who has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Boat {
    name: String,
    metres: u32,
}

impl Section for Boat {
    const NAME: &'static str = "boat";
    const OPTIONAL: bool = true;

    fn check(self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        if !(2..=30).contains(&self.metres) {
            errors.add_with_number("metres", Reason::new("metres.too_long"), 30);
        }
        errors.or(self)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    let (email, password) = ("robin@club.example", "a heron on the gate");
    let mut config = Config::modern("http://127.0.0.1:8080".parse()?);
    config.registration.profile = Arc::new(Sections::<(Member, Boat)>::new(1));
    let keyring = Keyring::random(&SystemEntropy::default())?;
    let mailer = RecordingMailer::new();
    let (auth, background) = PortalAuth::build(config, InMemoryStore::new(), mailer.clone(), keyring)?;
    let visitor = Visitor::unknown();

    // Registration asks for the member alone.
    let form = SecurityDetails::new(email, password);
    let draft = auth.save_security_details(&visitor, None, form).await?;
    let typed = serde_json::json!({ "name": " Robin " });
    auth.save_section(&draft, Member::NAME, typed, Save::Checked)
        .await?;
    auth.submit_registration(&visitor, &draft).await?;
    background.work_once().await?;
    let mail = mailer.latest(email, "complete-registration").ok_or("no mail")?;
    let token = tokens_in(&mail.text).first().copied().ok_or("no link")?;
    let link = LinkToken::parse(token).ok_or("no token")?;
    auth.activate(&visitor, &link, &password.into()).await?;
    let SignInOutcome::SignedIn(new) = auth.sign_in(&visitor, SignInForm::new(email, password)).await? else {
        return Err("this club asks for no code".into());
    };
    let session = new.session;

    // The page of the boat is made from what is kept, which is nothing yet.
    let profile = auth.profile(&auth.account(&auth.authenticate(&session).await?).await?)?;
    writeln!(out, "registered: {:?}", profile.get::<Member>())?;
    writeln!(
        out,
        "boat: {:?}, missing: {}",
        profile.get::<Boat>(),
        profile.missing().len()
    )?;
    let boat = Boat {
        name: "Heron".to_owned(),
        metres: 6,
    };
    let seen = profile.version(Boat::NAME);
    auth.update_profile(&visitor, &session, &boat, &seen).await?;
    writeln!(out, "first tab saves: {boat:?}")?;

    // A second tab was opened before: it is shown the other version, and saves again once the person has seen it.
    let other = Boat {
        name: "Egret".to_owned(),
        ..boat
    };
    match auth.update_profile(&visitor, &session, &other, &seen).await {
        Err(Denied::Refused(ProfileRefused::Changed(changed))) => {
            writeln!(out, "second tab is shown: {:?}", changed.get::<Boat>())?;
            auth.update_profile(&visitor, &session, &other, &changed.version)
                .await?;
        }
        answer => return Err(format!("nobody was asked: {answer:?}").into()),
    }
    let account = auth.account(&auth.authenticate(&session).await?).await?;
    writeln!(out, "second tab saves: {:?}", account.profile.get::<Boat>())?;
    Ok(())
}
