//! P18 and P19: Personal Details and Work Details in My Account.

use askama::Template;

use super::account::SummaryRow;
use super::details::{AboutFields, RoleFields};
use super::layout::{MenuItem, Page};

/// What somebody else saved meanwhile, above the person's own version.
#[derive(Clone)]
pub(crate) struct SavedMeanwhile {
    /// "Saved at 10:41 am with Firefox on Windows".
    pub(crate) heading: String,
    pub(crate) rows: Vec<SummaryRow>,
}

/// P18 `/account/personal-details`; `do=save`.
#[derive(Template)]
#[template(path = "personal_details.html")]
pub(crate) struct PersonalDetails {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) about: AboutFields,
    /// What the form was made from.
    pub(crate) version: String,
    pub(crate) saved: Option<SavedMeanwhile>,
}

/// P19 `/account/work-details`; `do=main`.
#[derive(Template)]
#[template(path = "professional_roles.html")]
pub(crate) struct ProfessionalRoles {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) cards: Vec<RoleCard>,
    /// The roles as they are shown here.
    pub(crate) seen: String,
}

/// A role on its card.
#[derive(Clone)]
pub(crate) struct RoleCard {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) role: String,
    pub(crate) organisation: String,
    /// What else is known of it.
    pub(crate) rows: Vec<SummaryRow>,
    pub(crate) main: bool,
}

/// P19 `/account/work-details/add` and `/change`; `do=find`, `manual`, `save`.
#[derive(Template)]
#[template(path = "role_form.html")]
pub(crate) struct RoleForm {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    /// The role that is changed, counted from 1; `None` where one is added.
    pub(crate) number: Option<usize>,
    pub(crate) work: RoleFields,
    pub(crate) seen: String,
    pub(crate) saved: Option<SavedMeanwhile>,
}

/// P19 `/account/work-details/remove`; `do=remove`.
#[derive(Template)]
#[template(path = "remove_role.html")]
pub(crate) struct RemoveRole {
    pub(crate) page: Page,
    pub(crate) menu: Vec<MenuItem>,
    pub(crate) card: RoleCard,
    pub(crate) seen: String,
}

impl RoleForm {
    pub(crate) fn action(&self) -> &'static str {
        match self.number {
            Some(_) => "/account/work-details/change",
            None => "/account/work-details/add",
        }
    }
}
