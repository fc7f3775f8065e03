//! Forms with more in them than the page has: fields that would help an attacker, fields twice, other encodings.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};

use crate::chance::Chance;
use crate::forms::{self, Ready};
use crate::people::owner;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::log_in;
use crate::rig::page::Form;
use crate::rig::program::Portal;
use crate::rig::{Database, PASSWORD, Person, Site};
use crate::settled::settled;
use crate::tour::{self, Tour};

attack_cases! {
    p_09_forms_carry_fields_that_would_raise_their_sender
    p_10_fields_come_twice_and_forms_in_other_encodings
}

/// Every form of the portal, each with a browser whose form it is.
async fn every_form(site: &Site, portal: &Portal, chance: Chance) -> Vec<Ready> {
    let tour = Tour::walk(site, portal, chance).await;
    let forms = forms::all(&tour).await;
    assert!(forms.len() > 40, "only {} forms were found", forms.len());
    forms
}

/// REG-1; ASVS 8.2.
async fn p_09_forms_carry_fields_that_would_raise_their_sender(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = tour::site(database, &mut chance);
    let portal = site.open().await;
    let (mut val, victims) = owner(&site, &portal, &mut chance, "victim").await;
    let forms = every_form(&site, &portal, chance).await;
    // Two browsers, so that one shows the handle of the other.
    let mut elsewhere = Person::at(&portal);
    for victim in [&mut val, &mut elsewhere] {
        assert_eq!(log_in(victim, &victims, PASSWORD).await.path, "/home");
    }
    let list = val.open("/account/sessions").await;
    let handles = list.attributes_of("[name=session]", "value");
    let handle = handles.first().expect("the handle of the other session");

    let before = settled(&site).await;
    let mut sent = 0;
    for Ready { person, form, .. } in &forms {
        for (field, value) in [
            ("verified", "1"),
            ("id", "1"),
            ("level", "two"),
            ("role", "admin"),
            ("two_step", "off"),
            ("account_id", &victims),
            ("is_admin", "true"),
        ] {
            // A page that has such a field of its own reads it as what it is there.
            if form.value(field).is_some() {
                continue;
            }
            let page = person.clone().post(&form.clone().forged(field, value)).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{field} at {}", form.action);
            sent += 1;
        }
    }

    // Somebody else's session cannot be ended by its handle, even where it is known.
    let sessions = forms
        .iter()
        .find(|ready| ready.form.action == "/account/sessions")
        .unwrap();
    let mut thief = sessions.person.clone();
    let forged = Form::to("/account/sessions")
        .forged("form_token", sessions.form.value("form_token").unwrap())
        .forged("do", "end")
        .forged("session", handle);
    let refused = thief.send(&forged).await;
    assert_eq!(refused.path, "/account/sessions?notice=gone");
    let changes = settled(&site).await.changes_since(&before);
    assert_eq!(changes, Vec::<String>::new(), "a forged field had an effect");
    for victim in [&mut val, &mut elsewhere] {
        let account = victim.open("/account").await;
        assert!(account.path == "/account" && account.body.contains(&victims));
    }
    assert!(!thief.open("/account").await.body.contains(&victims));

    // The honest twins: the same handle from its owner, and a form without the extras.
    val.send(&list.button("Log out")).await;
    assert_eq!(elsewhere.open("/account").await.h1(), "Login");
    let page = thief.open("/account/personal-details").await;
    let saved = thief.send(&page.button("Save").with("forename", "Kim")).await;
    assert_eq!(saved.status, StatusCode::OK, "{:?}", saved.errors());
    assert!(thief.open("/account").await.body.contains("Kim"));
    Figures::new()
        .with("forms", forms.len())
        .with("forged fields", sent)
        .with("changes", 0)
}

/// LIM-1: no layer reads another form than the next.
async fn p_10_fields_come_twice_and_forms_in_other_encodings(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = tour::site(database, &mut chance);
    let portal = site.open().await;
    let forms = every_form(&site, &portal, chance).await;
    let before = settled(&site).await;
    let mut sent = 0;
    for Ready { person, form, .. } in &forms {
        let body = form.encoded();
        // What somebody types, where there is such a field.
        let typed = form.fields.iter().find(|(name, _)| name != "form_token");
        let (name, value) = typed.unwrap_or(&form.fields[0]);
        let twice = format!("{body}&{}", Form::to("").forged(name, value).encoded());
        let first = format!("{name}=other&{body}");
        let escaped: String = name.bytes().map(|b| format!("%{b:02x}")).collect();
        let listed = format!("{body}&{name}[]=other");
        let json = serde_json::json!({ "email": "a@b.example", "password": PASSWORD }).to_string();
        let parts =
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--x--\r\n");
        const FORM: &str = "application/x-www-form-urlencoded";
        let attempts = [
            (String::new(), FORM, twice),
            (String::new(), FORM, first),
            (String::new(), FORM, format!("{body}&{escaped}=other")),
            (format!("?{name}=other"), FORM, body.clone()),
            (String::new(), FORM, listed),
            (String::new(), FORM, format!("{body}&x=%00")),
            (String::new(), FORM, format!("{body}&x=%ff")),
            (String::new(), "application/json", json),
            (String::new(), "multipart/form-data; boundary=x", parts),
            (String::new(), "text/plain", body.clone()),
            (
                String::new(),
                "application/x-www-form-urlencoded; charset=utf-16",
                body.clone(),
            ),
        ];
        for (query, kind, body) in attempts {
            let mut person = person.clone();
            let mut request = person.posting(&Form::to(&format!("{}{query}", form.action)));
            request
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
            *request.body_mut() = Body::from(body.clone());
            let page = person.exchange(request).await;
            assert!(
                page.status.is_client_error(),
                "{} {query} {kind}: {} for {body}",
                form.action,
                page.status
            );
            assert_ne!(
                page.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{} read {kind} {body}",
                form.action
            );
            sent += 1;
        }
    }
    let changes = settled(&site).await.changes_since(&before);
    assert_eq!(
        changes,
        Vec::<String>::new(),
        "a form in another shape had an effect"
    );
    // The honest twin: each of these forms, as it is, is read.
    for Ready { person, form, .. } in &forms {
        let page = person.clone().post(form).await;
        let read =
            page.status != StatusCode::BAD_REQUEST && page.status != StatusCode::UNSUPPORTED_MEDIA_TYPE;
        assert!(read, "{}: {}", form.action, page.status);
    }
    Figures::new()
        .with("forms", forms.len())
        .with("requests", sent)
        .with("changes", 0)
}
