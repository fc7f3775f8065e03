//! Work Details in My Account (P19): a card for each role; adding, changing and removing one.
//!
//! Roles have no names of their own, so a page carries a digest of each role it shows ([`Seen`]). What a person presses
//! is done to the role they saw, wherever it stands by then, or not at all: two tabs may change two roles and both are
//! kept, and a page that is out of date never changes or removes another role than the one on it.

use axum::response::Response;
use portal_auth::SignedIn;
use portal_auth::account::professional_profile::{ProfessionalRole, WorkDetails as Section};
use portal_auth::account::profile::{Section as _, SectionVersion};
use portal_auth::account::snapshot::AccountRow;
use portal_auth::features::update_profile::{ProfileRefused, ProfileUpdate};
use portal_auth_axum::form::{Form, FormRejection};

use crate::pages::account::{menu, row};
use crate::pages::register::messages;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble};
use crate::views::account::SummaryRow;
use crate::views::layout::{Notice, Place};
use crate::views::messages::{
    NOTHING_CHANGED, ROLE_ADDED, ROLE_REMOVED, WORK_DETAILS_SAVED, message, roles_changed,
};
use crate::views::profile::{ProfessionalRoles, RemoveRole, RoleCard};

use super::personal_details::saved_at;
use super::seen_roles::{Seen, Stands};

pub(crate) const PATH: &str = "/account/work-details";
/// How often an edit is made again because something else was saved in between.
pub(crate) const ATTEMPTS: usize = 5;

/// The roles of an account at one moment.
pub(crate) struct Roles {
    pub(crate) account: AccountRow,
    pub(crate) section: Section,
    pub(crate) version: SectionVersion,
}

impl Roles {
    pub(crate) async fn of(ctx: &Ctx, signed_in: &SignedIn) -> Result<Self, Fail> {
        let account = ctx.app.auth.account(signed_in).await?;
        let profile = ctx.app.auth.profile(&account)?;
        Ok(Self {
            section: profile.get().unwrap_or_default(),
            version: profile.version(Section::NAME),
            account,
        })
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen::of(&self.section.roles)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.section.roles.len() >= usize::from(Section::MAX_ROLES)
    }

    fn cards(&self) -> Vec<RoleCard> {
        let cards = self.section.roles.iter().enumerate();
        cards
            .map(|(index, role)| card(index, role, index == self.section.main))
            .collect()
    }
}

fn card(index: usize, role: &ProfessionalRole, main: bool) -> RoleCard {
    RoleCard {
        number: index.saturating_add(1),
        role: role.role.clone(),
        organisation: role.organisation.clone(),
        rows: rows(role),
        main,
    }
}

/// The address of a role on one line.
pub(crate) fn address(role: &ProfessionalRole) -> String {
    let address = [
        &role.address_line1,
        &role.address_line2,
        &role.town,
        &role.county,
        &role.postcode,
        &role.country,
    ];
    let address: Vec<_> = address
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(String::as_str)
        .collect();
    address.join(", ")
}

/// What else is known of a role.
pub(crate) fn rows(role: &ProfessionalRole) -> Vec<SummaryRow> {
    [
        ("Organisation Name", role.organisation.clone()),
        ("Address", address(role)),
        ("Mobile Number", role.mobile.clone()),
        ("Work Phone", role.work_phone.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| row(key, &value, None))
    .collect()
}

/// P19 `/account/work-details`.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let roles = Roles::of(&ctx, &signed_in).await?;
    let notice = match ctx.query("notice") {
        Some("saved") => Some(Notice::done(WORK_DETAILS_SAVED)),
        Some("added") => Some(Notice::done(ROLE_ADDED)),
        Some("removed") => Some(Notice::done(ROLE_REMOVED)),
        Some("unchanged") => Some(Notice::done(NOTHING_CHANGED)),
        Some("full") => Some(Notice::attention(&too_many())),
        Some("last") => Some(Notice::attention(&message("roles.required", None, ""))),
        _ => None,
    };
    overview(ctx, &roles, Trouble::none(), notice)
}

pub(crate) fn too_many() -> String {
    message("roles.too_many", Some(u64::from(Section::MAX_ROLES)), "")
}

pub(crate) fn overview(
    mut ctx: Ctx,
    roles: &Roles,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .page("Work Details", Place::Account, trouble)?
        .noticing(notice)
        .split();
    let view = ProfessionalRoles {
        page,
        menu: menu(PATH),
        cards: roles.cards(),
        seen: roles.seen().to_form(),
    };
    ctx.render(shown, &view)
}

/// `POST /account/work-details`: another main role.
pub(crate) async fn choose_main(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["main", "seen"])?;
    let (chosen, seen) = (index(&form.take("main")), Seen::from_form(&form.take("seen")));
    edit(ctx, genuine, "saved", |section| match chosen {
        None => Edit::Refused("main.required"),
        Some(chosen) => match seen.find(chosen, &section.roles) {
            Stands::At(index) => {
                section.main = index;
                Edit::Done
            }
            Stands::Changed(_) | Stands::Removed | Stands::Unclear => Edit::Clash,
        },
    })
    .await
}

/// P19 `/account/work-details/remove`: asks first.
pub(crate) async fn ask_to_remove(ctx: Ctx) -> Result<Response, Fail> {
    let asked = ctx.query("role").and_then(index);
    question(ctx, asked, Trouble::none()).await
}

/// Whether the role at this index is to be removed.
async fn question(mut ctx: Ctx, asked: Option<usize>, trouble: Trouble) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    let roles = Roles::of(&ctx, &signed_in).await?;
    let found = asked.and_then(|asked| Some((asked, roles.section.roles.get(asked)?)));
    let Some((asked, role)) = found else {
        return ctx.see(PATH);
    };
    if roles.section.roles.len() == 1 {
        return ctx.see("/account/work-details?notice=last");
    }
    let card = card(asked, role, asked == roles.section.main);
    let title = "Remove this Professional Role?";
    let (page, shown) = ctx.page(title, Place::Account, trouble)?.split();
    let view = RemoveRole {
        page,
        menu: menu(PATH),
        card,
        seen: roles.seen().to_form(),
    };
    ctx.render(shown, &view)
}

/// `POST /account/work-details/remove`.
pub(crate) async fn remove(ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &["number", "seen"])?;
    let (asked, seen) = (index(&form.take("number")), Seen::from_form(&form.take("seen")));
    if !genuine {
        return question(ctx, asked, Trouble::stale()).await;
    }
    edit(ctx, genuine, "removed", |section| {
        let stands = asked.map_or(Stands::Unclear, |asked| seen.find(asked, &section.roles));
        match stands {
            Stands::At(_) if section.roles.len() == 1 => Edit::Refused("roles.required"),
            Stands::At(index) => {
                drop(section.remove(index));
                Edit::Done
            }
            // The button was pressed twice.
            Stands::Removed => Edit::DoneBefore,
            Stands::Changed(_) | Stands::Unclear => Edit::Clash,
        }
    })
    .await
}

/// "3" as an index, counted from 0.
pub(crate) fn index(number: &str) -> Option<usize> {
    number.parse::<usize>().ok()?.checked_sub(1)
}

/// What a button on the cards comes to.
enum Edit {
    Done,
    DoneBefore,
    /// Because of a reason that has a message.
    Refused(&'static str),
    /// The role is not what the page showed.
    Clash,
}

/// Makes an edit on the roles as they are now; whatever goes wrong is told above the cards.
async fn edit(
    ctx: Ctx,
    genuine: bool,
    done: &str,
    make: impl Fn(&mut Section) -> Edit + Send,
) -> Result<Response, Fail> {
    let signed_in = match ctx.signed_in() {
        Ok((signed_in, _)) => signed_in.clone(),
        Err(answer) => return Ok(answer),
    };
    for _ in 0..ATTEMPTS {
        let mut roles = Roles::of(&ctx, &signed_in).await?;
        if !genuine {
            return overview(ctx, &roles, Trouble::stale(), None);
        }
        let mut section = roles.section.clone();
        match make(&mut section) {
            Edit::Done => {}
            Edit::DoneBefore => return ctx.see(&format!("{PATH}?notice={done}")),
            Edit::Refused(reason) => {
                let trouble = Trouble::general(&message(reason, None, ""));
                return overview(ctx, &roles, trouble, None);
            }
            Edit::Clash => {
                let last = ctx.app.auth.last_change::<Section>(&roles.account).await?;
                let trouble = Trouble::general(&roles_changed(&saved_at(&ctx, &last)));
                return overview(ctx, &roles, trouble, None);
            }
        }
        match save(&ctx, &section, &roles.version).await? {
            Saved::Done(ProfileUpdate::Unchanged) => {
                return ctx.see("/account/work-details?notice=unchanged");
            }
            Saved::Done(_) => return ctx.see(&format!("{PATH}?notice={done}")),
            Saved::Overtaken => {}
            Saved::Wrong(trouble) => {
                roles.section = section;
                return overview(ctx, &roles, trouble, None);
            }
            Saved::SignedOut => return ctx.see(PATH),
        }
    }
    Err(Fail::Busy { seconds: 1 })
}

/// What became of roles that were saved as a whole.
pub(crate) enum Saved {
    Done(ProfileUpdate),
    /// Something else was saved in between: look again.
    Overtaken,
    Wrong(Trouble),
    /// The session ended in this very moment.
    SignedOut,
}

pub(crate) async fn save(ctx: &Ctx, section: &Section, version: &SectionVersion) -> Result<Saved, Fail> {
    let Some(token) = ctx.session() else {
        return Ok(Saved::SignedOut);
    };
    let saved = ctx.app.auth.update_profile(&ctx.visitor, token, section, version);
    Ok(match saved.await {
        Ok(update) => Saved::Done(update),
        Err(denied) => match refusal(denied)? {
            ProfileRefused::Changed(_) => Saved::Overtaken,
            // Fields of other roles than the one at hand, which a later rule of the service finds wrong.
            ProfileRefused::Fields(errors) => {
                let told: Vec<_> = messages(&errors).into_iter().map(|m| m.message).collect();
                Saved::Wrong(Trouble::general(&told.join(". ")))
            }
            _ => Saved::SignedOut,
        },
    })
}
