//! portal-auth
pub mod account;
pub mod environment;
pub mod error;
pub mod password;
/// Mail.
pub mod mail {
    pub mod mailer;
}
