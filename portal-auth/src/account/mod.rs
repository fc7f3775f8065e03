//! Who somebody is: the account's row, its status, its address, its secret question and its profile.

pub mod chosen_question;
pub mod email;
pub mod plain_text;
#[cfg(feature = "professional-profile")]
pub mod postcode;
#[cfg(feature = "professional-profile")]
pub mod professional_profile;
pub mod profile;
pub mod recovery;
pub mod security_question;
pub mod snapshot;
pub mod status;
