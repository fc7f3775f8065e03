//! Work Details: the person's professional roles, each with an organisation, its address and phones.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::phone_number::dialled;
use super::text_field::{TextField, text_field};
use crate::account::postcode::{Postcode, PostcodeError};
use crate::account::profile::Section;
use crate::error::{FieldErrors, Reason};

/// The page "Work Details": one to ten roles, one of which is the main one.
///
/// The registration asks for one role, "My Account" lets people add more. While there is one, errors name its fields
/// as they are (`postcode`); with more, they say which is meant, counted from 0 (`roles[1].postcode`).
///
/// ```
/// use portal_auth::account::professional_profile::{ProfessionalRole, WorkDetails};
/// use portal_auth::account::profile::Section;
///
/// let typed = WorkDetails::single(ProfessionalRole {
///     role: "Teacher".into(),
///     organisation: "Anytown School".into(),
///     postcode: "s12hh".into(),
///     address_line1: "1 High Street".into(),
///     town: "Anytown".into(),
///     ..ProfessionalRole::default()
/// });
/// let kept = typed.check()?;
/// assert_eq!(kept.main_role().map(|r| r.postcode.as_str()), Some("S1 2HH"));
/// # Ok::<(), portal_auth::error::FieldErrors>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a page builds it from its fields; a new one must break the page"
)]
pub struct WorkDetails {
    /// The roles, in the order in which they were added.
    pub roles: Vec<ProfessionalRole>,
    /// Which of them is the main one, counted from 0.
    pub main: usize,
}

impl WorkDetails {
    /// The most roles.
    pub const MAX_ROLES: u8 = 10;

    /// One role, which is the main one: what a registration asks for.
    #[must_use]
    pub fn single(role: ProfessionalRole) -> Self {
        Self {
            roles: vec![role],
            main: 0,
        }
    }

    /// The main role; always there once the section was checked.
    #[must_use]
    pub fn main_role(&self) -> Option<&ProfessionalRole> {
        self.roles.get(self.main)
    }

    /// Takes the role at `index` out, and returns it where there was one. The main role stays the main one; when it
    /// is itself taken out, the first becomes it.
    pub fn remove(&mut self, index: usize) -> Option<ProfessionalRole> {
        if index >= self.roles.len() {
            return None;
        }
        self.main = match index.cmp(&self.main) {
            Ordering::Less => self.main.saturating_sub(1),
            Ordering::Equal => 0,
            Ordering::Greater => self.main,
        };
        Some(self.roles.remove(index))
    }
}

impl Section for WorkDetails {
    const NAME: &'static str = "work_details";

    fn check(self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let count = self.roles.len();
        if count == 0 {
            errors.add("roles", ROLES_REQUIRED);
            return Err(errors);
        }
        if count > usize::from(Self::MAX_ROLES) {
            errors.add_with_number("roles", ROLES_TOO_MANY, u64::from(Self::MAX_ROLES));
            return Err(errors);
        }
        let mut roles = Vec::with_capacity(count);
        for (index, role) in self.roles.into_iter().enumerate() {
            match role.check() {
                Ok(role) => roles.push(role),
                Err(wrong) if count == 1 => errors.extend(wrong),
                Err(wrong) => errors.extend(within_role(index, &wrong)),
            }
        }
        if self.main >= count {
            errors.add("main", MAIN_REQUIRED);
        }
        errors.or(Self {
            roles,
            main: self.main,
        })
    }
}

/// One professional role: what somebody does, for whom, and where they are found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a page builds it from its fields; a new one must break the page"
)]
pub struct ProfessionalRole {
    /// What they do; free text, whatever list the page offers.
    pub role: String,
    /// The organisation they do it for.
    pub organisation: String,
    /// A full UK postcode, kept in its normal form. For an address elsewhere any text, or none.
    pub postcode: String,
    /// Typically the building and street.
    pub address_line1: String,
    /// Optional.
    pub address_line2: String,
    /// Town or city.
    pub town: String,
    /// Optional.
    pub county: String,
    /// The country of an address outside the UK, where it is required. Checking clears it for an address in the UK.
    pub country: String,
    /// Whether the address is outside the UK.
    pub not_uk: bool,
    /// A mobile number, as typed; optional. Without a country code it is British.
    pub mobile: String,
    /// The same in the form of E.164, such as `+447700900982`: set by checking, whatever stood here.
    pub mobile_e164: String,
    /// A phone number at work, as typed, which may end in an extension such as `x123`; optional.
    pub work_phone: String,
    /// The same in the form of E.164, with its extension as in RFC 3966: `+441142734567;ext=123`. Set by checking.
    pub work_phone_e164: String,
}

impl ProfessionalRole {
    /// Its text fields, in the order of the page.
    pub const FIELDS: &'static [TextField] = &[
        ROLE,
        ORGANISATION,
        POSTCODE,
        ADDRESS_LINE1,
        ADDRESS_LINE2,
        TOWN,
        COUNTY,
        COUNTRY,
        MOBILE,
        WORK_PHONE,
    ];

    /// Tidies what was typed and checks it, for a page that shows one role of several.
    ///
    /// # Errors
    /// Every field that is wrong, at once, by its plain name.
    pub fn check(mut self) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        ROLE.tidy(&mut self.role, &mut errors);
        ORGANISATION.tidy(&mut self.organisation, &mut errors);
        if self.not_uk {
            POSTCODE_ABROAD.tidy(&mut self.postcode, &mut errors);
        } else {
            tidy_uk_postcode(&mut self.postcode, &mut errors);
        }
        ADDRESS_LINE1.tidy(&mut self.address_line1, &mut errors);
        ADDRESS_LINE2.tidy(&mut self.address_line2, &mut errors);
        TOWN.tidy(&mut self.town, &mut errors);
        COUNTY.tidy(&mut self.county, &mut errors);
        if self.not_uk {
            COUNTRY.tidy(&mut self.country, &mut errors);
        } else {
            self.country.clear();
        }
        MOBILE.tidy(&mut self.mobile, &mut errors);
        WORK_PHONE.tidy(&mut self.work_phone, &mut errors);
        self.mobile_e164 = dialled(&self.mobile);
        self.work_phone_e164 = dialled(&self.work_phone);
        errors.or(self)
    }
}

pub(super) fn reasons() -> impl Iterator<Item = Reason> {
    ProfessionalRole::FIELDS
        .iter()
        .flat_map(TextField::reasons)
        .chain([
            PostcodeError::Format.reason(),
            ROLES_REQUIRED,
            ROLES_TOO_MANY,
            MAIN_REQUIRED,
        ])
}

fn tidy_uk_postcode(text: &mut String, errors: &mut FieldErrors) {
    match Postcode::parse(text) {
        Ok(postcode) => postcode.as_str().clone_into(text),
        Err(problem) => errors.add(POSTCODE.name(), problem.reason()),
    }
}

fn within_role(index: usize, wrong: &FieldErrors) -> FieldErrors {
    let mut errors = FieldErrors::new();
    for error in wrong.iter() {
        let field = format!("roles[{index}].{}", error.field);
        match error.number {
            Some(number) => errors.add_with_number(field, error.reason, number),
            None => errors.add(field, error.reason),
        }
    }
    errors
}

const ROLE: TextField = text_field!("role", 100, Name).required();
const ORGANISATION: TextField = text_field!("organisation", 200, Name).required();
const POSTCODE_ABROAD: TextField = text_field!("postcode", 10, Text);
const POSTCODE: TextField = POSTCODE_ABROAD.required();
const ADDRESS_LINE1: TextField = text_field!("address_line1", 200, Text).required();
const ADDRESS_LINE2: TextField = text_field!("address_line2", 200, Text);
const TOWN: TextField = text_field!("town", 200, Text).required();
const COUNTY: TextField = text_field!("county", 200, Text);
const COUNTRY: TextField = text_field!("country", 200, Text).required();
const MOBILE: TextField = text_field!("mobile", 30, Phone);
const WORK_PHONE: TextField = text_field!("work_phone", 30, PhoneWithExtension);
const ROLES_REQUIRED: Reason = Reason::new("roles.required");
const ROLES_TOO_MANY: Reason = Reason::new("roles.too_many");
const MAIN_REQUIRED: Reason = Reason::new("main.required");
