//! The form of title, names and gender (P5, P18): what was typed, as the section's JSON.

use portal_auth::account::professional_profile::Gender;
use portal_auth_axum::form::Form;
use serde_json::{Value, json};

use crate::views::details::AboutFields;

/// The names of the form's fields.
pub(crate) const FIELDS: [&str; 5] = ["title", "forename", "surname", "gender", "gender_other"];

/// What was typed, not checked yet.
pub(crate) fn typed(form: &mut Form) -> Value {
    let mut typed = json!({
        "title": form.take("title"),
        "forename": form.take("forename"),
        "surname": form.take("surname"),
        "gender_other": form.take("gender_other"),
    });
    let gender = form.take("gender");
    // A value that is none of the page's counts as no choice.
    if let (Some(fields), true) = (typed.as_object_mut(), Gender::from_word(&gender).is_some()) {
        fields.insert("gender".to_owned(), Value::String(gender));
    }
    typed
}

/// The form filled in.
pub(crate) fn fields(typed: &Value) -> AboutFields {
    let text = |name: &str| {
        let text = typed.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    AboutFields {
        title: text("title"),
        forename: text("forename"),
        surname: text("surname"),
        gender: text("gender"),
        gender_other: text("gender_other"),
    }
}
