//! Adding and changing a professional role in My Account (P19).

use axum::response::Response;
use portal_auth::account::professional_profile::{ProfessionalRole, WorkDetails as Section};
use portal_auth::features::update_profile::ProfileUpdate;
use portal_auth_axum::form::{Form, FormRejection};

use crate::pages::account::{menu, row};
use crate::pages::personal_details::{meanwhile, saved_at};
use crate::pages::professional_roles::{ATTEMPTS, PATH, Roles, Saved, index, rows, save, too_many};
use crate::pages::register::messages;
use crate::pages::role_form::{
    NOT_LISTED, all_errors, choose, fields, keep_address, listed_again, look_up, shown_first, typed,
};
use crate::pages::seen_roles::{Seen, Stands};
use crate::problem::Fail;
use crate::request::{Ctx, Trouble, button};
use crate::views::details::Addresses;
use crate::views::layout::{Notice, Place};
use crate::views::messages::{role_gone, saved_meanwhile};
use crate::views::profile::{RoleForm, SavedMeanwhile};

/// The names of the form's fields: those of [`role_form`](super::role_form), which role it is, what was seen, and an
/// address whose fields are not on the page.
pub(crate) const FIELDS: [&str; 20] = [
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
    "number",
    "seen",
    "was_line1",
    "was_line2",
    "was_town",
    "was_county",
    "was_country",
    "was_not_uk",
];

/// The form as it is shown.
struct Shown {
    /// The role that is changed; `None` where one is added.
    changes: Option<usize>,
    seen: Seen,
    role: ProfessionalRole,
    addresses: Addresses,
    saved: Option<SavedMeanwhile>,
}

/// P19 `/account/work-details/add`.
pub(crate) async fn add(ctx: Ctx) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let roles = Roles::of(&ctx, &signed_in).await?;
    if roles.is_full() {
        return ctx.see("/account/work-details?notice=full");
    }
    let kept = ctx.kept_form().await?;
    let shown = match kept.form() {
        Some(mut form) => Sent::read(&mut form, false).shown_again(&ctx).await,
        None => Shown {
            changes: None,
            seen: roles.seen(),
            role: ProfessionalRole::default(),
            addresses: Addresses::NotAsked,
            saved: None,
        },
    };
    page(ctx, shown, Trouble::none(), kept.notice())
}

/// P19 `/account/work-details/change`.
pub(crate) async fn change(ctx: Ctx) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let roles = Roles::of(&ctx, &signed_in).await?;
    let kept = ctx.kept_form().await?;
    let asked = ctx.query("role").and_then(index);
    if let Some(mut form) = kept.form() {
        let typed = Sent::read(&mut form, true).shown_again(&ctx).await;
        // What was typed belongs to one role; where none is asked for, a login in between has lost which.
        if typed.changes.is_some() && (asked.is_none() || asked == typed.changes) {
            return page(ctx, typed, Trouble::none(), kept.notice());
        }
    }
    let found = asked.and_then(|asked| roles.section.roles.get(asked));
    let Some(role) = found.cloned() else {
        return ctx.see(PATH);
    };
    let shown = Shown {
        changes: asked,
        seen: roles.seen(),
        addresses: shown_first(&role),
        role,
        saved: None,
    };
    page(ctx, shown, Trouble::none(), None)
}

fn page(mut ctx: Ctx, form: Shown, trouble: Trouble, notice: Option<Notice>) -> Result<Response, Fail> {
    let title = match form.changes {
        Some(_) => "Change a Professional Role",
        None => "Add another Professional Role",
    };
    let (page, shown) = ctx.page(title, Place::Account, trouble)?.noticing(notice).split();
    let view = RoleForm {
        page,
        menu: menu(PATH),
        number: form.changes.map(|index| index.saturating_add(1)),
        work: fields(&ctx, form.role, form.addresses),
        seen: form.seen.to_form(),
        saved: form.saved,
    };
    ctx.render(shown, &view)
}

/// `POST /account/work-details/add`.
pub(crate) async fn submit_new(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    submit(ctx, form?, false).await
}

/// `POST /account/work-details/change`.
pub(crate) async fn submit_changed(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    submit(ctx, form?, true).await
}

/// One form, three buttons; the first two show it again with what they found.
async fn submit(ctx: Ctx, mut form: Form, is_change: bool) -> Result<Response, Fail> {
    let genuine = ctx.is_genuine(&form, &FIELDS)?;
    let pressed = button(&form, "save");
    let sent = Sent::read(&mut form, is_change);
    if let Err(answer) = ctx.signed_in() {
        return Ok(answer);
    }
    if is_change && sent.shown.changes.is_none() {
        return ctx.see(PATH);
    }
    if !genuine {
        let shown = sent.shown_again(&ctx).await;
        return page(ctx, shown, Trouble::stale(), None);
    }
    let Sent {
        mut shown,
        manual_is_open,
        chosen,
    } = sent;
    match pressed.as_str() {
        "find" => {
            let (addresses, trouble) = look_up(&ctx, &shown.role.postcode).await;
            shown.addresses = addresses;
            page(ctx, shown, trouble, None)
        }
        // Fields that open only now have not been seen, and are not judged.
        pressed if pressed == "manual" || chosen == NOT_LISTED => {
            shown.addresses = Addresses::Manual { why: None };
            page(ctx, shown, Trouble::none(), None)
        }
        _ => judge(ctx, shown, manual_is_open, &chosen).await,
    }
}

/// The form as it was sent.
struct Sent {
    shown: Shown,
    manual_is_open: bool,
    /// The address that was chosen from the list.
    chosen: String,
}

impl Sent {
    fn read(form: &mut Form, is_change: bool) -> Self {
        let manual_is_open = form.get("address_line1").is_some();
        let chosen = form.take("address");
        let number = index(&form.take("number"));
        let seen = Seen::from_form(&form.take("seen"));
        let mut role = typed(form);
        if !manual_is_open {
            keep_address(&mut role, address_before(form));
        }
        let shown = Shown {
            changes: number.filter(|_| is_change),
            seen,
            addresses: if manual_is_open {
                Addresses::Manual { why: None }
            } else {
                shown_first(&role)
            },
            role,
            saved: None,
        };
        Self {
            shown,
            manual_is_open,
            chosen,
        }
    }

    /// The form as it was sent, with the list of addresses where one was chosen from it.
    async fn shown_again(self, ctx: &Ctx) -> Shown {
        let mut shown = self.shown;
        if !self.manual_is_open
            && let Some(list) = listed_again(ctx, &shown.role, &self.chosen).await
        {
            shown.addresses = list;
        }
        shown
    }
}

/// The address that was typed before its fields gave way to a list.
#[expect(
    clippy::field_reassign_with_default,
    reason = "a non-exhaustive struct has no literal here"
)]
fn address_before(form: &mut Form) -> ProfessionalRole {
    let mut before = ProfessionalRole::default();
    before.address_line1 = form.take("was_line1");
    before.address_line2 = form.take("was_line2");
    before.town = form.take("was_town");
    before.county = form.take("was_county");
    before.country = form.take("was_country");
    before.not_uk = !form.take("was_not_uk").is_empty();
    before
}

/// "Save": the role must be right by itself before it is put among the others.
async fn judge(ctx: Ctx, mut shown: Shown, manual_is_open: bool, chosen: &str) -> Result<Response, Fail> {
    let mut of_choice = Vec::new();
    // The chosen address does not displace one that was typed before: another may be chosen yet.
    let mut role = shown.role.clone();
    if !manual_is_open {
        (shown.addresses, of_choice) = choose(&ctx, &mut role, chosen).await;
    }
    // Address fields that open only now must be looked at first.
    let opens = !manual_is_open && shown.addresses.is_manual();
    match role.check() {
        Ok(role) if of_choice.is_empty() && !opens => put(ctx, shown, role).await,
        Ok(_) => page(ctx, shown, Trouble::fields(of_choice), None),
        Err(found) => {
            let trouble = all_errors(&messages(&found), &shown.addresses, of_choice);
            page(ctx, shown, trouble, None)
        }
    }
}

/// Puts a role that is right in its place among the roles of now, and saves them.
async fn put(ctx: Ctx, shown: Shown, role: ProfessionalRole) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let done = match shown.changes {
        Some(_) => "/account/work-details?notice=saved",
        None => "/account/work-details?notice=added",
    };
    for _ in 0..ATTEMPTS {
        let roles = Roles::of(&ctx, &signed_in).await?;
        let mut section = roles.section.clone();
        let stands = shown.changes.map(|index| shown.seen.find(index, &section.roles));
        match stands {
            // The button was pressed twice.
            None if section.roles.contains(&role) && !shown.seen.has(&role) => return ctx.see(done),
            None if roles.is_full() => return page(ctx, shown, Trouble::general(&too_many()), None),
            None => section.roles.push(role.clone()),
            Some(Stands::At(index)) => {
                if let Some(place) = section.roles.get_mut(index) {
                    place.clone_from(&role);
                }
            }
            Some(Stands::Changed(index)) if section.roles.get(index) == Some(&role) => return ctx.see(done),
            Some(stands) => return compare(ctx, &roles, shown, stands).await,
        }
        match save(&ctx, &section, &roles.version).await? {
            Saved::Done(ProfileUpdate::Unchanged) => {
                return ctx.see("/account/work-details?notice=unchanged");
            }
            Saved::Done(_) => return ctx.see(done),
            Saved::Overtaken => {}
            Saved::Wrong(trouble) => return page(ctx, shown, trouble, None),
            Saved::SignedOut => return ctx.see(PATH),
        }
    }
    Err(Fail::Busy { seconds: 1 })
}

/// Shows what somebody else saved beside what was typed; saving again is then no accident. A role that cannot be
/// found any more is added instead, so that no other one is overwritten.
async fn compare(ctx: Ctx, roles: &Roles, mut shown: Shown, stands: Stands) -> Result<Response, Fail> {
    let last = ctx.app.auth.last_change::<Section>(&roles.account).await?;
    let at = saved_at(&ctx, &last);
    shown.seen = roles.seen();
    let there = match stands {
        Stands::Changed(index) => roles.section.roles.get(index),
        Stands::At(_) | Stands::Removed | Stands::Unclear => None,
    };
    let (told, compared) = if let Some(role) = there {
        let mut compared = vec![row("Professional Role", &role.role, None)];
        compared.extend(rows(role));
        (saved_meanwhile(&at), compared)
    } else {
        shown.changes = None;
        let there = roles.section.roles.iter();
        let compared = there.map(|role| row(&role.role, &role.organisation, None));
        (role_gone(&at), compared.collect())
    };
    shown.saved = Some(meanwhile(&ctx, &last, compared));
    page(ctx, shown, Trouble::general(&told), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::role_form;

    #[test]
    fn the_form_has_every_field_of_a_role() {
        assert!(role_form::FIELDS.iter().all(|field| FIELDS.contains(field)));
    }
}
