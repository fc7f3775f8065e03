//! The profile of a professional: who they are and where they work, as a council's portal asks for it.
//!
//! Two sections, one page each: [`AboutYou`], by whose forename mails greet the person, and [`WorkDetails`], one or
//! more professional roles with address and phones, one of them the main one. A host that asks for something else
//! writes [`Section`](super::profile::Section)s of its own instead.
//!
//! Every text is trimmed and otherwise kept as it was typed; phone numbers also as machines dial them. It has a greatest length (LIM-2) and holds no control
//! or direction characters (LIM-3); names of people, roles and organisations also hold no markup and no link.
//! Fields that nobody asked for are refused.

mod about_you;
mod phone_number;
mod text_field;
mod work_details;

pub use about_you::{AboutYou, Gender};
pub use text_field::TextField;
pub use work_details::{ProfessionalRole, WorkDetails};

use crate::account::profile::Sections;
use crate::error::Reason;

/// The profile of [`AboutYou`] and [`WorkDetails`].
///
/// ```
/// use std::sync::Arc;
///
/// use portal_auth::account::professional_profile::ProfessionalProfile;
/// use portal_auth::account::profile::ProfileSchema;
///
/// let profile: Arc<dyn ProfileSchema> = Arc::new(ProfessionalProfile::schema());
/// assert_eq!(profile.sections(), ["about_you", "work_details"]);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ProfessionalProfile;

impl ProfessionalProfile {
    /// The version written beside every profile.
    pub const VERSION: u32 = 1;

    /// The schema to configure the registration with.
    #[must_use]
    pub fn schema() -> Sections<(AboutYou, WorkDetails)> {
        Sections::new(Self::VERSION)
    }

    /// Every reason that checking a section can give, each once: a catalogue of messages needs a sentence for each.
    ///
    /// [`WRONG_SHAPE`](super::profile::WRONG_SHAPE) is not among them. It cannot happen to a page that builds the
    /// structs of this module.
    pub fn reasons() -> impl Iterator<Item = Reason> {
        about_you::reasons().chain(work_details::reasons())
    }
}
