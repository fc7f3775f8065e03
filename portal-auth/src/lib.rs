//! Gives a Rust service the whole life of an account.
//!
//! Registration in steps, an activation link by email, sign-in, emailed codes for two-step verification, areas that demand
//! them, sessions with time-outs, and guessing limits that cannot lock an owner out. It is for services that keep their
//! own web framework and database: [`PortalAuth`] is asynchronous, has no type parameters, and reaches everything outside
//! through ports.
//!
//! It has no HTTP, no cookies and no HTML in it, and does not identify people by social networks, passkeys or SAML. For
//! axum there is `portal-auth-axum`; for PostgreSQL and SQLite, `portal-auth-sqlx`; for SMTP, `portal-auth-lettre`.
//!
//! # From registration to sign-in
//!
//! ```
//! use std::{error::Error, io::Write as _};
//!
//! use portal_auth::PortalAuth;
//! use portal_auth::config::Config;
//! use portal_auth::environment::SystemEntropy;
//! use portal_auth::features::{register::SecurityDetails, sign_in::SignInForm, sign_in::SignInOutcome};
//! use portal_auth::secret::{keyring::Keyring, token::LinkToken};
//! use portal_auth::store::in_memory::InMemoryStore;
//! use portal_auth::testkit::recording_mailer::{RecordingMailer, tokens_in};
//! use portal_auth::visitor::Visitor;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     let (email, password) = ("jo@school.example", "a heron on the gate");
//!     let config = Config::modern("http://127.0.0.1:8080".parse()?);
//!     let keyring = Keyring::random(&SystemEntropy::default())?;
//!     let mailer = RecordingMailer::new();
//!     let (auth, background) = PortalAuth::build(config, InMemoryStore::new(), mailer.clone(), keyring)?;
//!     let visitor = Visitor::unknown(); // a web host says here who calls: network, browser, device
//!
//!     let form = SecurityDetails::new(email, password);
//!     let draft = auth.save_security_details(&visitor, None, form).await?;
//!     auth.submit_registration(&visitor, &draft).await?;
//!     background.work_once().await?; // sends what waits in the outbox
//!
//!     let mail = mailer.latest(email, "complete-registration").ok_or("no mail")?;
//!     let token = tokens_in(&mail.text).first().copied().ok_or("no link")?;
//!     let link = LinkToken::parse(token).ok_or("no token")?;
//!     auth.activate(&visitor, &link, &password.into()).await?;
//!
//!     if let SignInOutcome::SignedIn(new) = auth.sign_in(&visitor, SignInForm::new(email, password)).await? {
//!         let person = auth.authenticate(&new.session).await?;
//!         let account = auth.account(&person).await?;
//!         writeln!(std::io::stdout(), "{} is signed in", account.email.as_str())?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Where to find what
//!
//! | A person wants to | Look at |
//! |---|---|
//! | register, step by step | [`features::register`], [`features::resend_registration`] |
//! | complete the registration by the mailed link | [`features::activate`] |
//! | sign in, and enter the emailed code | [`features::sign_in`], [`features::verify_code`] |
//! | stay signed in, sign out | [`features::authenticate`], [`features::sign_out`] |
//! | see where they are logged in and end it, see what happened | [`features::sessions`], [`features::account_activity`] |
//! | close the account, and take that back | [`features::close_account`] |
//! | take away everything that is kept about them | [`features::export_data`] |
//! | be written to in their language | [`features::choose_language`] |
//! | set a new password when they forgot theirs | [`features::request_reset`], [`features::answer_reset`], [`features::reset_password`] |
//! | do so without remembering the secret answer | [`features::recover_slowly`], [`features::start_reset`] |
//! | turn two-step verification on or off | [`features::two_step`] |
//! | choose another password, or another secret question | [`features::change_password`], [`features::change_security_question`] |
//! | use another address | [`features::change_email`], [`features::confirm_email`] |
//! | take back what somebody else has changed | [`features::not_me`], [`features::cancel_email_change`], [`features::freeze_account`] |
//! | change what the service keeps about them | [`features::update_profile`] |
//! | prove again who they are before a sensitive act | [`features::confirm_identity`] |
//! | find again what they had typed when their session ended | [`features::keep_form`] |
//!
//! | An operator or a host wants to | Look at |
//! |---|---|
//! | know or change a number | [`config`] |
//! | help people: find, unlock, disable, sign out, clear the second step | [`features::look_up_accounts`], [`features::administer`] |
//! | send the mails, remove what is over | [`Background`] |
//! | ask a profile of their own | [`account::profile`] |
//! | prepare registrations for people they know, send a link again | [`features::prepare_registration`] |
//! | tend the mails that wait or were given up | [`features::tend_outbox`] |
//! | mail something of its own | [`features::notify`] |
//! | keep the keys | [`secret::keyring`] |
//! | write another store or mailer | [`store`], [`mail::mailer`], [`testkit::conformance`] |
//! | understand an answer | [`error`]: refusals, limits, a full house, faults |
//! | test a host | [`testkit`] |
//!
//! # How it works
//!
//! Each thing a person can do is one file in [`features`]. Its method parses what was typed, reads one view from the
//! [`store`], and asks a plain function to decide; the decision is one [`UnitOfWork`](unit_of_work::UnitOfWork) that the
//! store applies in one transaction, with the change, the queued mail and the audit event in it, or not at all. Time and
//! randomness come in through [`environment`].
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `tokio` | yes | [`Background::run`], for hosts on tokio; without it, [`Background::work_once`] |
//! | `memory` | yes | [`store::in_memory`], for tests and trials: it forgets everything with the process |
//! | `professional-profile` | yes | [`account::professional_profile`]: About You and Work Details |
//! | `fast-argon2` | no | a faster Argon2id engine, compared with the default one when it starts |
//! | `breached-file` | no | [`password::breached_file`]: the list of Have I Been Pwned from a file or a folder |
//! | `imported-hashes` | no | [`password::imported`]: passwords that other services have hashed, replaced at their first use |
//! | `testkit` | no | [`testkit`]: the conformance suite, a manual clock, scripted randomness, a recording mailer |
//!
//! A feature adds API and never changes what the rest does.
//!
//! # Security
//!
//! - An emailed code is two-step verification; do not call it multi-factor authentication, MFA or AAL2.
//! - [`Config::portal`](config::Config::portal) follows a guide with composition rules and a secret question, and so departs
//!   from ASVS 5.0 Level 1; [`Config::modern`](config::Config::modern) has neither.
//! - What an outsider may not learn is not in the types: whether an address has an account is told by no method but the
//!   administrator's.
//! - Every method of the outside asks for a [`Visitor`](visitor::Visitor). Make it from the real client's network, never
//!   from a header that anybody can send.
//! - Nothing here panics by design; `unsafe` is forbidden in this crate.
//!
//! # Compatibility
//!
//! Rust 1.94 or newer; raising it is a minor release. Public enums and structs are non-exhaustive unless a caller must
//! handle every case.

pub mod account;
mod account_links;
mod administering;
mod alerting;
mod answer_step;
pub mod audit;
pub mod audit_seal;
mod breach_check;
pub mod challenge;
mod code_gate;
pub mod config;
mod config_check;
pub mod device;
mod drafting;
mod enrolling;
pub mod environment;
mod erasing;
pub mod error;
pub mod features;
mod guessing;
mod housekeeping;
mod issuing;
mod kept_forms;
mod key;
pub mod language;
mod last_seen;
pub mod link;
pub mod local_time;
pub mod mail;
mod new_password;
mod own_password;
mod page_paths;
pub mod password;
mod portal;
mod recovering;
pub mod registration;
mod reset_step;
pub mod secret;
mod security_details;
pub mod session;
mod session_gate;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod throttle;
pub mod unit_of_work;
pub mod visitor;

pub use account_links::TakeBackRefused;
pub use code_gate::{CodeRefused, ResendRefused};
pub use issuing::{CodeNotice, CodeSent, NewSession, RenewedSession};
pub use key::KeyFormat;
pub use mail::dispatch::Background;
pub use new_password::{NewPassword, NewPasswordRefused};
pub use page_paths::PagePaths;
pub use portal::{Counts, Environment, PortalAuth};
pub use session_gate::{Activity, SignedIn};
