//! The third step of a registration, with Find Address inside it (P6, P7).

use axum::response::Response;
use portal_auth::account::postcode::Postcode;
use portal_auth::account::professional_profile::{ProfessionalRole, WorkDetails as Section};
use portal_auth::account::profile::Section as _;
use portal_auth::features::register::{RegisterRefused, RegistrationProgress, Save, SubmitOutcome};
use portal_auth::registration::draft::Step as OpenStep;
use portal_auth_axum::form::{Form, FormRejection};
use portal_auth_axum::session_cookies::SessionCookies;
use serde_json::Value;

use crate::address_finder::FoundAddress;
use crate::pages::register::{ABOUT, Opened, SECURITY, SENT, WORK, done, messages, open, path_of};
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::layout::{FieldMessage, Place};
use crate::views::messages::{ADDRESS_SEARCH_DOWN, POSTCODE_NOT_FOUND, message};
use crate::views::register::{Addresses, Choice, ManualAddress, RoleOption, Step, WorkDetails};

/// P6 `/account/register/work-details`; `address` in the query says what stands below the postcode.
pub(crate) async fn show(mut ctx: Ctx) -> Result<Response, Fail> {
    let progress = match open(&mut ctx, 3).await? {
        Opened::Elsewhere(answer) => return Ok(answer),
        Opened::Progress(progress) => progress,
    };
    let typed = typed_before(&progress);
    let (addresses, trouble) = match ctx.query("address") {
        Some("find") => look_up(&ctx, &typed.postcode).await,
        Some("manual") => (Addresses::Manual { why: None }, Trouble::none()),
        _ if !typed.address_line1.is_empty() => (Addresses::Manual { why: None }, Trouble::none()),
        _ => (Addresses::NotAsked, Trouble::none()),
    };
    page(ctx, &progress, typed, addresses, trouble)
}

/// What the draft holds of this step, right or not.
fn typed_before(progress: &RegistrationProgress) -> ProfessionalRole {
    progress
        .sections
        .get(Section::NAME)
        .and_then(|value| serde_json::from_value::<Section>(value.clone()).ok())
        .and_then(|section| section.main_role().cloned())
        .unwrap_or_default()
}

/// The addresses at a postcode, or what is wrong with it, or why the fields for typing one opened by themselves.
async fn look_up(ctx: &Ctx, typed: &str) -> (Addresses, Trouble) {
    let postcode = match Postcode::parse(typed) {
        Ok(postcode) => postcode,
        Err(e) => {
            let text = message(e.reason().code(), None, "Postcode");
            return (Addresses::NotAsked, Trouble::field("postcode", &text));
        }
    };
    let addresses = match ctx.app.addresses.find(&postcode).await {
        Ok(found) if found.is_empty() => Addresses::Manual {
            why: Some(POSTCODE_NOT_FOUND.to_owned()),
        },
        Ok(found) => Addresses::Found {
            choices: choices(&found),
            chosen: String::new(),
        },
        Err(_) => Addresses::Manual {
            why: Some(ADDRESS_SEARCH_DOWN.to_owned()),
        },
    };
    (addresses, Trouble::none())
}

fn choices(found: &[FoundAddress]) -> Vec<Choice> {
    found
        .iter()
        .enumerate()
        .map(|(n, address)| Choice::new(&n.to_string(), &address.to_string()))
        .collect()
}

fn page(
    mut ctx: Ctx,
    progress: &RegistrationProgress,
    typed: ProfessionalRole,
    addresses: Addresses,
    trouble: Trouble,
) -> Result<Response, Fail> {
    let (page, shown) = ctx.page("Work Details", Place::Register, trouble)?.split();
    let roles = ctx
        .app
        .roles
        .iter()
        .map(|role| RoleOption {
            name: role.name.clone(),
            aliases: role.aliases.clone(),
        })
        .collect();
    let view = WorkDetails {
        page,
        steps: Step::list(3, done(progress)),
        role: typed.role,
        roles,
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
    };
    ctx.render(shown, &view)
}

/// The fields of the page, as they were typed.
#[expect(
    clippy::field_reassign_with_default,
    reason = "a non-exhaustive struct has no literal here"
)]
fn typed(form: &mut Form) -> ProfessionalRole {
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

const FIELDS: [&str; 12] = [
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

/// `POST /account/register/work-details`: one form, four buttons.
pub(crate) async fn submit(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &FIELDS)?;
    let pressed = button(&form, "submit");
    let manual_is_open = form.get("address_line1").is_some();
    let chosen = form.take("address");
    let mut role = typed(&mut form);
    let progress = match open(&mut ctx, 3).await? {
        Opened::Elsewhere(answer) => return Ok(answer),
        Opened::Progress(progress) => progress,
    };
    // An address typed before stays while its fields are not on the page.
    if !manual_is_open && pressed != "submit" {
        keep_address(&mut role, typed_before(&progress));
    }
    if !genuine {
        let addresses = if manual_is_open {
            Addresses::Manual { why: None }
        } else {
            Addresses::NotAsked
        };
        return page(ctx, &progress, role, addresses, Trouble::stale());
    }
    match pressed.as_str() {
        "find" => save_and_go(ctx, role, "/account/register/work-details?address=find").await,
        "manual" => save_and_go(ctx, role, "/account/register/work-details?address=manual").await,
        "previous" => save_and_go(ctx, role, ABOUT).await,
        _ => send_off(ctx, &progress, role, manual_is_open, &chosen).await,
    }
}

fn keep_address(role: &mut ProfessionalRole, before: ProfessionalRole) {
    role.address_line1 = before.address_line1;
    role.address_line2 = before.address_line2;
    role.town = before.town;
    role.county = before.county;
    role.not_uk = before.not_uk;
    role.country = before.country;
}

fn section(role: &ProfessionalRole) -> Value {
    serde_json::to_value(Section::single(role.clone())).unwrap_or(Value::Null)
}

/// Keeps what was typed without judging it, and goes on.
async fn save_and_go(ctx: Ctx, role: ProfessionalRole, path: &str) -> Result<Response, Fail> {
    let Some(token) = ctx.draft() else {
        return Ok(redirect(SECURITY));
    };
    match ctx
        .app
        .auth
        .save_section(&token, Section::NAME, section(&role), Save::AsItIs)
        .await
    {
        Ok(()) => ctx.see(path),
        Err(denied) => step_refused(ctx, refusal(denied)?),
    }
}

fn step_refused(ctx: Ctx, refused: RegisterRefused) -> Result<Response, Fail> {
    match refused {
        RegisterRefused::StepFirst(step) => ctx.see(path_of(Some(&step))),
        RegisterRefused::AlreadySent(_) => ctx.see(SENT),
        _ => ctx.see("/account/register/security-details?notice=expired"),
    }
}

/// "Submit Registration": this step must be right, then the whole draft is checked again.
async fn send_off(
    mut ctx: Ctx,
    progress: &RegistrationProgress,
    mut role: ProfessionalRole,
    manual_is_open: bool,
    chosen: &str,
) -> Result<Response, Fail> {
    let mut addresses = Addresses::Manual { why: None };
    let mut errors = Vec::new();
    if !manual_is_open {
        let (looked_up, wrong) = choose(&ctx, &mut role, chosen).await;
        addresses = looked_up;
        errors.extend(wrong);
    }
    let Some(token) = ctx.draft() else {
        return Ok(redirect(SECURITY));
    };
    match ctx
        .app
        .auth
        .save_section(&token, Section::NAME, section(&role), Save::Checked)
        .await
    {
        Ok(()) if errors.is_empty() => {}
        Ok(()) => return page(ctx, progress, role, addresses, Trouble::fields(errors)),
        Err(denied) => match refusal(denied)? {
            RegisterRefused::Fields(found) => {
                return page(
                    ctx,
                    progress,
                    role,
                    addresses.clone(),
                    all_errors(&messages(&found), &addresses, errors),
                );
            }
            refused => return step_refused(ctx, refused),
        },
    }
    match ctx.app.auth.submit_registration(&ctx.visitor, &token).await {
        Ok(SubmitOutcome::CheckEmail(_)) => ctx.see(SENT),
        Ok(SubmitOutcome::Activated { device, .. }) => {
            ctx.keep(SessionCookies::for_device(device.as_ref()));
            ctx.see("/account/registered")
        }
        Ok(_) => Err(Fail::NotFound),
        Err(denied) => match refusal(denied)? {
            RegisterRefused::StepFirst(OpenStep::Section(name)) if name == Section::NAME => ctx.see(WORK),
            refused => step_refused(ctx, refused),
        },
    }
}

/// The section's errors in the order of the page; those of address fields that are not shown give way to the one
/// about choosing an address.
fn all_errors(found: &[FieldMessage], addresses: &Addresses, of_choice: Vec<FieldMessage>) -> Trouble {
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
async fn choose(ctx: &Ctx, role: &mut ProfessionalRole, chosen: &str) -> (Addresses, Vec<FieldMessage>) {
    let (addresses, trouble) = look_up(ctx, &role.postcode).await;
    match addresses {
        Addresses::Found { choices, .. } => {
            if chosen == "none" {
                return (Addresses::Manual { why: None }, Vec::new());
            }
            if let Some(address) = found(ctx, role, chosen).await {
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
            let wrong = FieldMessage::new("address", "Choose an address, or My address is not listed");
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

async fn found(ctx: &Ctx, role: &ProfessionalRole, chosen: &str) -> Option<FoundAddress> {
    let postcode = Postcode::parse(&role.postcode).ok()?;
    let found = ctx.app.addresses.find(&postcode).await.ok()?;
    found.into_iter().nth(chosen.parse().ok()?)
}
