//! The fields of P5 and P6, which P18 and P19 show again.

use super::register::Choice;

/// Title, names and gender (P5, P18).
#[derive(Clone, Default)]
pub(crate) struct AboutFields {
    pub(crate) title: String,
    pub(crate) forename: String,
    pub(crate) surname: String,
    /// `female`, `male`, `another`, `undisclosed` or empty.
    pub(crate) gender: String,
    pub(crate) gender_other: String,
}

/// One professional role with address and phones (P6, P7, P19).
#[derive(Clone)]
pub(crate) struct RoleFields {
    pub(crate) role: String,
    pub(crate) roles: Vec<RoleOption>,
    pub(crate) organisation: String,
    pub(crate) postcode: String,
    pub(crate) addresses: Addresses,
    pub(crate) manual: ManualAddress,
    pub(crate) mobile: String,
    pub(crate) work_phone: String,
}

/// A role and the short forms by which people look for it.
#[derive(Clone)]
pub(crate) struct RoleOption {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
}

/// What stands below the postcode.
#[derive(Clone)]
pub(crate) enum Addresses {
    NotAsked,
    /// Radios `address`; the last one is `none`. `chosen` is a value or empty.
    Found {
        choices: Vec<Choice>,
        chosen: String,
    },
    /// The typed address; `why` is the sentence that explains why it opened by itself.
    Manual {
        why: Option<String>,
    },
}

/// The address fields; kept in every state, so that nothing typed is lost.
#[derive(Clone, Default)]
pub(crate) struct ManualAddress {
    pub(crate) line1: String,
    pub(crate) line2: String,
    pub(crate) town: String,
    pub(crate) county: String,
    pub(crate) not_uk: bool,
    pub(crate) country: String,
}

impl Addresses {
    pub(crate) fn is_manual(&self) -> bool {
        matches!(self, Self::Manual { .. })
    }
}
