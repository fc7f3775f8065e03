//! What each page needs to be shown: plain values in, escaped HTML out.
//!
//! A view knows nothing of accounts, clocks or requests. A handler fills the struct, and askama renders the template of the
//! same name. None of them derives `Debug`, because they carry form tokens and what people typed.

pub(crate) mod account;
pub(crate) mod activate;
pub(crate) mod administration;
pub(crate) mod catalogue;
pub(crate) mod change;
pub(crate) mod circumstances;
pub(crate) mod data_file;
pub(crate) mod details;
pub(crate) mod errors;
pub(crate) mod help;
pub(crate) mod home;
pub(crate) mod inbox;
pub(crate) mod language;
pub(crate) mod layout;
pub(crate) mod mailed_link;
pub(crate) mod menu;
pub(crate) mod messages;
pub(crate) mod own_account;
pub(crate) mod password_words;
pub(crate) mod profile;
pub(crate) mod readable;
pub(crate) mod recovery;
pub(crate) mod register;
pub(crate) mod sent;
pub(crate) mod sign_in;
pub(crate) mod take_back;
pub(crate) mod times;
pub(crate) mod two_step;
