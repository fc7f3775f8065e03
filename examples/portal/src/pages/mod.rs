//! The portal's pages, one file for each, named like the abilities they show.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "refusals are non-exhaustive; one that a page does not know gets the page's general answer"
)]

pub(crate) mod about_form;
pub(crate) mod account;
pub(crate) mod activate;
pub(crate) mod activity;
pub(crate) mod administer;
pub(crate) mod administrator;
pub(crate) mod cancel_recovery;
pub(crate) mod change_email;
pub(crate) mod change_password;
pub(crate) mod change_secret_question;
pub(crate) mod check_answers;
pub(crate) mod circumstances;
pub(crate) mod close_account;
pub(crate) mod confirm;
pub(crate) mod confirm_email;
pub(crate) mod forgotten_password;
pub(crate) mod help;
pub(crate) mod home;
pub(crate) mod inbox;
pub(crate) mod language;
pub(crate) mod look_up_accounts;
pub(crate) mod mailed_link;
pub(crate) mod personal_details;
pub(crate) mod professional_roles;
pub(crate) mod register;
pub(crate) mod reset_password;
pub(crate) mod role_editor;
pub(crate) mod role_form;
pub(crate) mod seen_roles;
pub(crate) mod sent;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod take_back;
pub(crate) mod tend_outbox;
pub(crate) mod two_step;
pub(crate) mod verify;
pub(crate) mod waiting_registration;
pub(crate) mod work_details;
pub(crate) mod your_data;
