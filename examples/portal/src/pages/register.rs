//! The first two steps of a registration (P4, P5), and the way into it.

use axum::response::Response;
use portal_auth::account::chosen_question::{ChosenQuestion, OwnQuestion};
use portal_auth::account::professional_profile::AboutYou as Section;
use portal_auth::account::profile::Section as _;
use portal_auth::error::{FieldError, FieldErrors};
use portal_auth::features::register::{
    RegisterRefused, RegistrationProgress, Save, SecurityDetails as Details,
};
use portal_auth::password::policy::BrokenRule;
use portal_auth::registration::draft::Step as OpenStep;
use portal_auth_axum::cookies::PortalCookie;
use portal_auth_axum::form::{Form, FormRejection};
use serde_json::Value;

use crate::email_advice::{self, EmailAdvice};
use crate::pages::about_form;
use crate::problem::{Fail, refusal};
use crate::request::{Ctx, Trouble, button, redirect};
use crate::views::catalogue::Language;
use crate::views::layout::{FieldMessage, Notice, Place};
use crate::views::register::{AboutYou, AddressAdvice, AlreadySent, Choice, SecurityDetails, Step};

pub(crate) const SECURITY: &str = "/account/register/security-details";
pub(crate) const ABOUT: &str = "/account/register/about-you";
pub(crate) const WORK: &str = "/account/register/work-details";
pub(crate) const CHECK: &str = "/account/register/check";
pub(crate) const SENT: &str = "/account/register/sent";

/// `/account/register`: on to the first step that is not done.
pub(crate) async fn start(ctx: Ctx) -> Result<Response, Fail> {
    if ctx.is_signed_in() {
        return Ok(redirect("/home"));
    }
    let progress = progress(&ctx).await?;
    let path = match &progress {
        Some(p) if p.sent.is_some() => SENT,
        Some(p) if is_checked_next(&ctx, p) => CHECK,
        Some(p) => path_of(p.open_step.as_ref()),
        None => SECURITY,
    };
    Ok(redirect(path))
}

/// The page of a step; where all are done, the last one, from which the registration is sent off.
pub(crate) fn path_of(step: Option<&OpenStep>) -> &'static str {
    match step {
        Some(OpenStep::SecurityDetails) => SECURITY,
        Some(OpenStep::Section(name)) if name == Section::NAME => ABOUT,
        _ => WORK,
    }
}

/// Where to go from a step that is done: on to `next`, or back to P8, where everything stood already.
async fn after(ctx: &Ctx, next: &'static str) -> Result<&'static str, Fail> {
    if !ctx.app.settings.check_answers {
        return Ok(next);
    }
    let progress = progress(ctx).await?;
    let is_complete = progress.is_some_and(|progress| is_checked_next(ctx, &progress));
    Ok(if is_complete { CHECK } else { next })
}

/// Whether every step is done, and the answers are shown once more before they are sent off.
fn is_checked_next(ctx: &Ctx, progress: &RegistrationProgress) -> bool {
    ctx.app.settings.check_answers && progress.open_step.is_none()
}

/// How far this browser's draft is.
pub(crate) async fn progress(ctx: &Ctx) -> Result<Option<RegistrationProgress>, Fail> {
    match ctx.draft() {
        Some(token) => Ok(ctx.app.auth.registration(&token).await?),
        None => Ok(None),
    }
}

/// What a step needs to be opened: a draft in which the steps before are done.
pub(crate) enum Opened {
    Progress(Box<RegistrationProgress>),
    Elsewhere(Response),
}

/// Opens step `number` (2 or 3, or 4 for P8), or says where to go first (REG-1).
pub(crate) async fn open(ctx: &mut Ctx, number: usize) -> Result<Opened, Fail> {
    let Some(progress) = progress(ctx).await? else {
        let path = if ctx.draft().is_some() {
            "/account/register/security-details?notice=expired"
        } else {
            SECURITY
        };
        return Ok(Opened::Elsewhere(redirect(path)));
    };
    if progress.sent.is_some() {
        return Ok(Opened::Elsewhere(already_sent(ctx, &progress)?));
    }
    if done(&progress) < number.saturating_sub(1) {
        let path = path_of(progress.open_step.as_ref());
        // Left by "Previous" half filled in: it tells what keeps the later step from being sent.
        if ctx.acts() && path == ABOUT && progress.sections.contains_key(Section::NAME) {
            return Ok(Opened::Elsewhere(redirect(
                "/account/register/about-you?notice=check",
            )));
        }
        return Ok(Opened::Elsewhere(redirect(path)));
    }
    Ok(Opened::Progress(Box::new(progress)))
}

/// How many steps are done, counted from the first.
pub(crate) fn done(progress: &RegistrationProgress) -> usize {
    match &progress.open_step {
        Some(OpenStep::SecurityDetails) => 0,
        Some(OpenStep::Section(name)) if name == Section::NAME => 1,
        Some(_) => 2,
        None => 3,
    }
}

/// "You have already sent this registration" with the right next link (R12).
fn already_sent(ctx: &mut Ctx, progress: &RegistrationProgress) -> Result<Response, Fail> {
    let activated = progress.sent.as_ref().is_some_and(|s| s.activated);
    let (next_href, next_text) = if activated {
        ("/account/registered", "already-sent-login")
    } else {
        (SENT, "already-sent-next")
    };
    let title = "already-sent-title";
    let (page, shown) = ctx
        .translated_page(title, Place::Register, Trouble::none())?
        .split();
    let view = AlreadySent {
        page,
        next_href: next_href.to_owned(),
        next_text: ctx.t(next_text).to_owned(),
    };
    ctx.render_here(shown, &view)
}

/// P4 `/account/register/security-details`.
pub(crate) async fn show_security(mut ctx: Ctx) -> Result<Response, Fail> {
    let progress = progress(&ctx).await?;
    if let Some(progress) = progress.as_ref().filter(|p| p.sent.is_some()) {
        return already_sent(&mut ctx, progress);
    }
    let expired = ctx.query("notice") == Some("expired") || (progress.is_none() && ctx.draft().is_some());
    let notice = expired.then(|| Notice::attention(ctx.t("draft-expired")));
    let typed = Typed::from_progress(progress.as_ref());
    security_page(ctx, progress.as_ref(), typed, Trouble::none(), notice)
}

/// The fields of P4 that are shown again; secrets never are.
struct Typed {
    email: String,
    email2: String,
    question: String,
    own_question: String,
}

impl Typed {
    fn from_progress(progress: Option<&RegistrationProgress>) -> Self {
        let email = progress.and_then(|p| p.email.as_ref().or(p.proven.as_ref()));
        let email = email.map_or_else(String::new, |e| e.as_str().to_owned());
        let (question, own_question) = match progress.and_then(|p| p.question.as_ref()) {
            Some(ChosenQuestion::Listed(id)) => (id.as_str(), ""),
            Some(ChosenQuestion::Own(own)) => (OwnQuestion::CHOICE, own.as_str()),
            None => ("", ""),
        };
        Self {
            email2: email.clone(),
            email,
            question: question.to_owned(),
            own_question: own_question.to_owned(),
        }
    }
}

fn security_page(
    mut ctx: Ctx,
    progress: Option<&RegistrationProgress>,
    typed: Typed,
    trouble: Trouble,
    notice: Option<Notice>,
) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("security-title", Place::Register, trouble)?
        .noticing(notice)
        .split();
    let language = ctx.language();
    let config = ctx.app.auth.config();
    let asks = ctx.app.auth.asks_secret_question();
    let questions = if asks {
        question_choices(&ctx, language)
    } else {
        Vec::new()
    };
    let view = SecurityDetails {
        page,
        steps: Step::list_in(language, 1, progress.map_or(0, done)),
        email: typed.email,
        email2: ctx.app.settings.confirm_email.then_some(typed.email2),
        ask_password_twice: ctx.app.settings.confirm_password,
        rules: language.rule_lines(config.passwords.policy.lines()),
        password_rules: config.passwords.policy.password_rules(),
        question: typed.question,
        own_question: ctx.app.auth.allows_own_question().then_some(typed.own_question),
        questions,
        secrets_are_set: progress.is_some_and(|p| p.password_set),
    };
    ctx.render(shown, &view)
}

/// The questions to choose from, and where the setting allows it one in the person's own words.
pub(crate) fn question_choices(ctx: &Ctx, language: Language) -> Vec<Choice> {
    let listed = ctx.app.auth.config().registration.questions.iter();
    let mut choices: Vec<_> = listed
        .map(|q| Choice::new(q.id().as_str(), language.question(q.id().as_str(), q.text())))
        .collect();
    if ctx.app.auth.allows_own_question() {
        choices.push(Choice::new(OwnQuestion::CHOICE, language.t("question-own")));
    }
    choices
}

/// `POST /account/register/security-details`.
pub(crate) async fn submit_security(
    mut ctx: Ctx,
    form: Result<Form, FormRejection>,
) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &SECURITY_FIELDS)?;
    let typed = Typed {
        email: form.take("email"),
        email2: form.take("email2"),
        question: form.take("question"),
        own_question: form.take("own_question"),
    };
    let progress = progress(&ctx).await?;
    if let Some(progress) = progress.as_ref().filter(|p| p.sent.is_some()) {
        return already_sent(&mut ctx, progress);
    }
    if !genuine {
        return security_page(ctx, progress.as_ref(), typed, Trouble::stale(), None);
    }
    let password = form.take_secret("new-password");
    let again = form.take_secret("new-password2");
    let answer = form.take_secret("answer");
    let mut details = Details::new(typed.email.as_str(), password.as_str())
        .with_question(typed.question.as_str(), answer.as_str());
    details.own_question.clone_from(&typed.own_question);
    let settings = &ctx.app.settings;
    details.email2 = settings.confirm_email.then(|| typed.email2.clone());
    details.password2 = settings.confirm_password.then(|| again.as_str().into());
    let token = ctx.draft();
    match ctx
        .app
        .auth
        .save_security_details(&ctx.visitor, token.as_ref(), details)
        .await
    {
        Ok(token) => {
            ctx.set_cookie(PortalCookie::Draft, (&token).into());
            let next = after(&ctx, ABOUT).await?;
            ctx.see(next)
        }
        Err(denied) => match refusal(denied)? {
            RegisterRefused::Fields(errors) => {
                let messages = security_messages(&ctx, &errors);
                security_page(ctx, progress.as_ref(), typed, Trouble::fields(messages), None)
            }
            _ => ctx.see(SENT),
        },
    }
}

/// All that is wrong with a password in one sentence; the other fields one by one (R3, R7).
fn security_messages(ctx: &Ctx, errors: &FieldErrors) -> Vec<FieldMessage> {
    let language = ctx.language();
    let mut messages = Vec::new();
    for error in errors.iter() {
        let text = if error.field == "new-password" {
            if messages.iter().any(|m: &FieldMessage| m.field == "new-password") {
                continue;
            }
            let broken: Vec<_> = errors.of("new-password").filter_map(BrokenRule::of).collect();
            if broken.is_empty() || broken == [BrokenRule::Required] {
                language.message(error.reason.code(), error.number, language.label("new-password"))
            } else {
                language.broken_rules(&broken)
            }
        } else {
            language.message(error.reason.code(), error.number, language.label(&error.field))
        };
        messages.push(FieldMessage::new(&error.field, &text));
    }
    messages.sort_by_key(|m| SECURITY_FIELDS.iter().position(|field| *field == m.field));
    messages
}

/// The fields of P4 in the order of the page.
const SECURITY_FIELDS: [&str; 7] = [
    "email",
    "email2",
    "new-password",
    "new-password2",
    "question",
    "own_question",
    "answer",
];

/// Messages in English in the order of a page's fields.
pub(crate) fn messages(errors: &FieldErrors) -> Vec<FieldMessage> {
    messages_in(Language::ENGLISH, errors)
}

/// Messages in the order of a page's fields.
pub(crate) fn messages_in(language: Language, errors: &FieldErrors) -> Vec<FieldMessage> {
    let text = |e: &FieldError| language.message(e.reason.code(), e.number, language.label(&e.field));
    errors
        .iter()
        .map(|e| FieldMessage::new(&e.field, &text(e)))
        .collect()
}

/// P5 `/account/register/about-you`.
pub(crate) async fn show_about(mut ctx: Ctx) -> Result<Response, Fail> {
    match open(&mut ctx, 2).await? {
        Opened::Elsewhere(answer) => Ok(answer),
        Opened::Progress(progress) => {
            let typed = progress
                .sections
                .get(Section::NAME)
                .cloned()
                .unwrap_or(Value::Null);
            let trouble = if ctx.query("notice") == Some("check") {
                wrong_about(&ctx, &typed)
            } else {
                Trouble::none()
            };
            about_page(ctx, &progress, &typed, trouble)
        }
    }
}

/// What is wrong with a step that was left by "Previous" and has to be right before a later one is sent.
fn wrong_about(ctx: &Ctx, typed: &Value) -> Trouble {
    let profile = &ctx.app.auth.config().registration.profile;
    match profile.check(Section::NAME, typed.clone()) {
        Err(errors) if !typed.is_null() => Trouble::fields(messages_in(ctx.language(), &errors)),
        _ => Trouble::none(),
    }
}

fn about_page(
    mut ctx: Ctx,
    progress: &RegistrationProgress,
    typed: &Value,
    trouble: Trouble,
) -> Result<Response, Fail> {
    let (page, shown) = ctx
        .translated_page("about-title", Place::Register, trouble)?
        .split();
    let view = AboutYou {
        page,
        steps: Step::list_in(ctx.language(), 2, done(progress)),
        about: about_form::fields(typed),
        advice: advice_about(&ctx, progress),
        address_kept: ctx.query("address") == Some("kept"),
    };
    ctx.render(shown, &view)
}

/// What may be wrong with the address of the first step (R6). Nobody is kept from going on.
fn advice_about(ctx: &Ctx, progress: &RegistrationProgress) -> Option<AddressAdvice> {
    if ctx.query("address") == Some("kept") {
        return None;
    }
    let text = match email_advice::advice(progress.email.as_ref()?)? {
        EmailAdvice::DidYouMean(meant) => ctx
            .fill("address-did-you-mean")
            .set("address", meant.as_str())
            .to_string(),
        // Whoever has passed this step before has read it.
        EmailAdvice::Personal if done(progress) > 1 => return None,
        EmailAdvice::Personal => ctx.t("address-personal").to_owned(),
    };
    Some(AddressAdvice {
        text,
        change: SECURITY.to_owned(),
        keep: format!("{ABOUT}?address=kept"),
    })
}

/// `POST /account/register/about-you`.
pub(crate) async fn submit_about(mut ctx: Ctx, form: Result<Form, FormRejection>) -> Result<Response, Fail> {
    let mut form = form?;
    let genuine = ctx.is_genuine(&form, &about_form::FIELDS)?;
    let back = button(&form, "next") == "previous";
    let typed = about_form::typed(&mut form);
    let progress = match open(&mut ctx, 2).await? {
        Opened::Elsewhere(answer) => return Ok(answer),
        Opened::Progress(progress) => progress,
    };
    if !genuine {
        return about_page(ctx, &progress, &typed, Trouble::stale());
    }
    let Some(token) = ctx.draft() else {
        return Ok(redirect(SECURITY));
    };
    let save = if back { Save::AsItIs } else { Save::Checked };
    match ctx
        .app
        .auth
        .save_section(&token, Section::NAME, typed.clone(), save)
        .await
    {
        Ok(()) if back => ctx.see(SECURITY),
        Ok(()) => {
            let next = after(&ctx, WORK).await?;
            ctx.see(next)
        }
        Err(denied) => match refusal(denied)? {
            RegisterRefused::Fields(errors) => {
                let language = ctx.language();
                about_page(
                    ctx,
                    &progress,
                    &typed,
                    Trouble::fields(messages_in(language, &errors)),
                )
            }
            RegisterRefused::StepFirst(step) => ctx.see(path_of(Some(&step))),
            RegisterRefused::AlreadySent(_) => ctx.see(SENT),
            _ => ctx.see("/account/register/security-details?notice=expired"),
        },
    }
}
