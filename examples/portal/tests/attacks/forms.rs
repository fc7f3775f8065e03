//! Every form of the portal, filled in as its person would.

use std::collections::{BTreeMap, BTreeSet};

use crate::rig::journey::Registrant;
use crate::rig::page::Form;
use crate::rig::{Page, Person};
use crate::tour::{Stop, Tour, scripts_of};

/// What is typed where a new password is asked for.
pub const NEW_PASSWORD: &str = "Another-Lantern-58-harbour";

/// A form that would have an effect, and who would send it.
#[derive(Debug, Clone)]
pub struct Ready {
    pub person: Person,
    pub form: Form,
    /// Sent by a page's script, so that nobody sees the answer.
    pub by_script: bool,
}

/// Every form of a tour, once for each of its fields and buttons, and what the scripts send.
pub async fn all(tour: &Tour<'_>) -> Vec<Ready> {
    let mut found = BTreeMap::new();
    // Whoever came last stands behind the freshest proof.
    for stop in tour.stops.iter().rev() {
        for form in stop.page.presses() {
            let pressed = form.value("do").map(str::to_owned);
            let key = (form.action.clone(), form.names(), pressed);
            found.entry(key).or_insert_with(|| ready(stop, &form));
        }
    }
    let mut all: Vec<_> = found.into_values().collect();
    all.extend(of_scripts(tour).await);
    // Who has logged out can send nothing afterwards.
    all.sort_by_key(|ready| ready.form.action.ends_with("/logout"));
    all
}

fn ready(stop: &Stop, form: &Form) -> Ready {
    Ready {
        person: stop.person.clone(),
        form: filled(form, &stop.who),
        by_script: false,
    }
}

/// Fills in every field that is empty: what is asked of this person, and a word everywhere else.
fn filled(form: &Form, who: &Registrant) -> Form {
    let mut form = form.clone();
    for name in form.names() {
        let stands = form.value(&name).is_some_and(|value| !value.is_empty());
        if stands || name == "do" {
            continue;
        }
        let offered = form.offered(&name);
        let value = match name.as_str() {
            _ if !offered.is_empty() => offered.last().cloned().unwrap_or_default(),
            "email" | "email2" => who.address.clone(),
            "password" => who.password.clone(),
            "answer" => who.answer.clone(),
            "new-password" | "new-password2" => NEW_PASSWORD.to_owned(),
            "postcode" => "S1 2HH".to_owned(),
            name if name.contains("phone") || name == "mobile" => "01632 960 001".to_owned(),
            name if name.ends_with("day") || name.ends_with("month") => "2".to_owned(),
            name if name.ends_with("year") => "2027".to_owned(),
            // Where to go on, and which list an administrator has come from: empty is what the page sends.
            "next" | "back" | "to" | "after" => continue,
            _ => "Words".to_owned(),
        };
        form = form.forced(&name, &value);
    }
    form
}

/// What the scripts of pages send by themselves, as a body that is taken.
async fn of_scripts(tour: &Tour<'_>) -> Vec<Ready> {
    let of_pages: BTreeSet<_> = tour
        .stops
        .iter()
        .flat_map(|stop| stop.page.presses())
        .map(|form| form.action)
        .collect();
    let mut found: Vec<Ready> = Vec::new();
    for stop in tour.stops.iter().rev() {
        for path in scripts_of(&mut stop.person.clone(), &stop.page).await {
            if of_pages.contains(&path) || found.iter().any(|ready| ready.form.action == path) {
                continue;
            }
            for form in by_script(&stop.page, &path) {
                let mut person = stop.person.clone();
                if person.post(&form).await.status.is_success() {
                    let (person, by_script) = (stop.person.clone(), true);
                    found.push(Ready {
                        person,
                        form,
                        by_script,
                    });
                    break;
                }
            }
        }
    }
    found
}

/// The bodies that a page's script may send: the token alone, or with it what stands in the form that is kept.
fn by_script(page: &Page, path: &str) -> Vec<Form> {
    let mut bodies = Vec::new();
    for form in page.presses() {
        let mut bare = form.clone();
        path.clone_into(&mut bare.action);
        bare.fields.retain(|(name, _)| name == "form_token");
        let kept = page.attributes_of("[data-keep]", "data-keep");
        if kept.first() == Some(&form.action) {
            let fields = page.attributes_of("[data-keep]", "data-fields").concat();
            let typed = fields
                .split(' ')
                .filter_map(|name| Some((name, form.value(name)?)));
            let whole = typed.fold(bare.clone(), |body, (name, value)| body.forged(name, value));
            bodies.push(whole.forged("kept-path", &form.action));
        }
        bodies.push(bare);
    }
    bodies
}
