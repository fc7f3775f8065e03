//! Registers, activates and signs in, on the in-memory store and with a mailer that keeps its mails.

use std::{error::Error, io::Write as _};

use portal_auth::PortalAuth;
use portal_auth::config::Config;
use portal_auth::environment::SystemEntropy;
use portal_auth::features::{register::SecurityDetails, sign_in::SignInForm, sign_in::SignInOutcome};
use portal_auth::secret::{keyring::Keyring, token::LinkToken};
use portal_auth::store::in_memory::InMemoryStore;
use portal_auth::testkit::recording_mailer::{RecordingMailer, tokens_in};
use portal_auth::visitor::Visitor;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (email, password) = ("jo@school.example", "a heron on the gate");
    let config = Config::modern("http://127.0.0.1:8080".parse()?);
    let keyring = Keyring::random(&SystemEntropy::default())?;
    let mailer = RecordingMailer::new();
    let (auth, background) = PortalAuth::build(config, InMemoryStore::new(), mailer.clone(), keyring)?;
    let visitor = Visitor::unknown(); // a web host says here who calls: network, browser, device

    let form = SecurityDetails::new(email, password);
    let draft = auth.save_security_details(&visitor, None, form).await?;
    auth.submit_registration(&visitor, &draft).await?;
    background.work_once().await?; // sends what waits in the outbox

    let mail = mailer.latest(email, "complete-registration").ok_or("no mail")?;
    let token = tokens_in(&mail.text).first().copied().ok_or("no link")?;
    let link = LinkToken::parse(token).ok_or("no token")?;
    auth.activate(&visitor, &link, &password.into()).await?;

    if let SignInOutcome::SignedIn(new) = auth.sign_in(&visitor, SignInForm::new(email, password)).await? {
        let person = auth.authenticate(&new.session).await?;
        let account = auth.account(&person).await?;
        writeln!(std::io::stdout(), "{} is signed in", account.email.as_str())?;
    }
    Ok(())
}
