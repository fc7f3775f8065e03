//! What a person can do, one file for each ability: its input, its outcome, its refusals, and the pure decision.
//!
//! Features never import each other, never name the mailer, and write only by a unit of work.

pub mod account_activity;
pub mod activate;
pub mod administer;
pub mod answer_reset;
pub mod audit_trail;
pub mod authenticate;
pub mod cancel_email_change;
pub mod change_email;
pub mod change_password;
pub mod change_security_question;
pub mod choose_language;
pub mod close_account;
pub mod confirm_email;
pub mod confirm_identity;
pub mod export_data;
pub mod freeze_account;
pub mod keep_form;
pub mod look_up_accounts;
pub mod not_me;
pub mod notify;
pub mod prepare_registration;
pub mod recover_slowly;
pub mod register;
pub mod request_reset;
pub mod resend_registration;
pub mod reset_password;
pub mod sessions;
pub mod sign_in;
pub mod sign_out;
pub mod start_reset;
pub mod tend_outbox;
pub mod two_step;
pub mod update_profile;
pub mod verify_code;
