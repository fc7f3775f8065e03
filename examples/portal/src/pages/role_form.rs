//! The form of one professional role with Find Address inside it (P6, P7, P19): what was typed, and what to show below
//! the postcode.

use portal_auth::account::postcode::Postcode;
use portal_auth::account::professional_profile::ProfessionalRole;
use portal_auth_axum::form::Form;

use crate::address_finder::FoundAddress;
use crate::request::{Ctx, Trouble};
use crate::views::details::{Addresses, ManualAddress, RoleFields, RoleOption};
use crate::views::layout::FieldMessage;
use crate::views::register::Choice;

/// The names of the form's fields.
pub(crate) const FIELDS: [&str; 12] = [
    "role",
    "organisation",
    "postcode",
    "address",
    "address_line1",
    "address_line2",
    "town",
    "county",
    "not_uk",
    "country",
    "mobile",
    "work_phone",
];

/// The last value of the list: the address is typed instead.
pub(crate) const NOT_LISTED: &str = "none";

/// The fields of the page, as they were typed.
#[expect(
    clippy::field_reassign_with_default,
    reason = "a non-exhaustive struct has no literal here"
)]
pub(crate) fn typed(form: &mut Form) -> ProfessionalRole {
    let mut role = ProfessionalRole::default();
    role.role = form.take("role");
    role.organisation = form.take("organisation");
    role.postcode = form.take("postcode");
    role.address_line1 = form.take("address_line1");
    role.address_line2 = form.take("address_line2");
    role.town = form.take("town");
    role.county = form.take("county");
    role.not_uk = !form.take("not_uk").is_empty();
    role.country = form.take("country");
    role.mobile = form.take("mobile");
    role.work_phone = form.take("work_phone");
    role
}

/// What stands below the postcode when the form is opened: an address that is there is shown.
pub(crate) fn shown_first(role: &ProfessionalRole) -> Addresses {
    if role.address_line1.is_empty() {
        Addresses::NotAsked
    } else {
        Addresses::Manual { why: None }
    }
}

/// The form filled in.
pub(crate) fn fields(ctx: &Ctx, typed: ProfessionalRole, addresses: Addresses) -> RoleFields {
    let roles = ctx.app.roles.iter().map(|role| RoleOption {
        name: role.name.clone(),
        aliases: role.aliases.clone(),
    });
    RoleFields {
        role: typed.role,
        roles: roles.collect(),
        organisation: typed.organisation,
        postcode: typed.postcode,
        addresses,
        manual: ManualAddress {
            line1: typed.address_line1,
            line2: typed.address_line2,
            town: typed.town,
            county: typed.county,
            not_uk: typed.not_uk,
            country: typed.country,
        },
        mobile: typed.mobile,
        work_phone: typed.work_phone,
    }
}

/// An address typed before, which stays while its fields are not on the page.
pub(crate) fn keep_address(role: &mut ProfessionalRole, before: ProfessionalRole) {
    role.address_line1 = before.address_line1;
    role.address_line2 = before.address_line2;
    role.town = before.town;
    role.county = before.county;
    role.not_uk = before.not_uk;
    role.country = before.country;
}

/// The addresses at a postcode, or what is wrong with it, or why the fields for typing one opened by themselves.
pub(crate) async fn look_up(ctx: &Ctx, typed: &str) -> (Addresses, Trouble) {
    let postcode = match Postcode::parse(typed) {
        Ok(postcode) => postcode,
        Err(e) => {
            let text = ctx
                .language()
                .message(e.reason().code(), None, ctx.t("label-postcode"));
            return (Addresses::NotAsked, Trouble::field("postcode", &text));
        }
    };
    let addresses = match ctx.app.addresses.find(&postcode).await {
        Ok(found) if found.is_empty() => Addresses::Manual {
            why: Some(ctx.t("work-not-found").to_owned()),
        },
        Ok(found) => Addresses::Found {
            choices: choices(&postcode, &found),
            chosen: String::new(),
        },
        Err(_) => Addresses::Manual {
            why: Some(ctx.t("work-search-down").to_owned()),
        },
    };
    (addresses, Trouble::none())
}

/// The list of a postcode. Each value names the postcode, so that it is none of another one's list.
fn choices(postcode: &Postcode, found: &[FoundAddress]) -> Vec<Choice> {
    found
        .iter()
        .enumerate()
        .map(|(n, address)| Choice::new(&format!("{postcode}-{n}"), &address.to_string()))
        .collect()
}

/// The section's errors in the order of the page; those of address fields that are not shown give way to the one
/// about choosing an address.
pub(crate) fn all_errors(
    found: &[FieldMessage],
    addresses: &Addresses,
    of_choice: Vec<FieldMessage>,
) -> Trouble {
    let hidden = |field: &str| {
        matches!(
            field,
            "address_line1" | "address_line2" | "town" | "county" | "country"
        )
    };
    let mut errors: Vec<_> = found
        .iter()
        .filter(|m| addresses.is_manual() || !hidden(&m.field))
        .cloned()
        .collect();
    let at = errors
        .iter()
        .position(|m| matches!(m.field.as_str(), "mobile" | "work_phone"))
        .unwrap_or(errors.len());
    let of_choice = of_choice
        .into_iter()
        .filter(|m| !found.iter().any(|f| f.field == m.field));
    let tail = errors.split_off(at);
    errors.extend(of_choice);
    errors.extend(tail);
    Trouble::fields(errors)
}

/// Takes the chosen address over, or says what to do about it.
pub(crate) async fn choose(
    ctx: &Ctx,
    role: &mut ProfessionalRole,
    chosen: &str,
) -> (Addresses, Vec<FieldMessage>) {
    let (addresses, trouble) = look_up(ctx, &role.postcode).await;
    match addresses {
        Addresses::Found { choices, .. } => {
            if chosen == NOT_LISTED {
                return (Addresses::Manual { why: None }, Vec::new());
            }
            if let Some(address) = found(ctx, role, &choices, chosen).await {
                role.address_line1 = address.line1;
                role.address_line2 = address.line2;
                role.town = address.town;
                role.county = address.county;
                role.not_uk = false;
                return (
                    Addresses::Found {
                        choices,
                        chosen: chosen.to_owned(),
                    },
                    Vec::new(),
                );
            }
            let wrong = FieldMessage::new("address", ctx.t("address-required"));
            (
                Addresses::Found {
                    choices,
                    chosen: String::new(),
                },
                vec![wrong],
            )
        }
        other => (other, trouble.into_fields()),
    }
}

/// What stands below the postcode where the form is shown again as it was sent: the list, where an address was chosen
/// from it.
pub(crate) async fn listed_again(ctx: &Ctx, role: &ProfessionalRole, chosen: &str) -> Option<Addresses> {
    if chosen.is_empty() {
        return None;
    }
    let (addresses, _) = choose(ctx, &mut role.clone(), chosen).await;
    Some(addresses)
}

/// The address behind a value of the list; a value of no or another list is no choice.
async fn found(ctx: &Ctx, role: &ProfessionalRole, choices: &[Choice], chosen: &str) -> Option<FoundAddress> {
    let at = choices.iter().position(|choice| choice.value == chosen)?;
    let postcode = Postcode::parse(&role.postcode).ok()?;
    let found = ctx.app.addresses.find(&postcode).await.ok()?;
    found.into_iter().nth(at)
}
