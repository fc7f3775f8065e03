//! The sentence for a reason code, from the catalogue (R4).

use portal_auth::account::chosen_question::AskedQuestion;

use super::catalogue::Language;

// What pages in English only say; the others have it in the catalogue.
pub(crate) const SESSION_LOGGED_OUT: &str = "That browser is logged out.";
pub(crate) const OTHERS_LOGGED_OUT: &str = "You are logged out everywhere else.";
pub(crate) const SESSION_GONE: &str = "That browser was logged out already.";
pub(crate) const CONFIRMED_CHOOSE_AGAIN: &str = "You have confirmed who you are. Choose again what to do.";
pub(crate) const NOTHING_CHANGED: &str = "Nothing was changed.";
pub(crate) const PASSWORD_CHANGED: &str =
    "Your password has been changed. You are logged out everywhere else.";
pub(crate) const QUESTION_CHANGED: &str =
    "Your Secret Question has been changed. You are logged out everywhere else.";
pub(crate) const EMAIL_CHANGED: &str =
    "Your email address has been changed. You are logged out everywhere else.";
pub(crate) const PASSWORD_NOT_CORRECT: &str = "Password is not correct.";
pub(crate) const PERSONAL_DETAILS_SAVED: &str = "Your personal details have been saved.";
pub(crate) const WORK_DETAILS_SAVED: &str = "Your work details have been saved.";
pub(crate) const ROLE_ADDED: &str = "Your Professional Role has been added.";
pub(crate) const ROLE_REMOVED: &str = "Your Professional Role has been removed.";

/// The sentence for a reason code in English; see [`Language::message`].
#[allow(dead_code, reason = "for pages in English only")]
pub(crate) fn message(reason: &str, number: Option<u64>, label: &str) -> String {
    Language::ENGLISH.message(reason, number, label)
}

impl Language {
    /// The sentence for a reason code.
    ///
    /// `number` is the number the sentence states, where it states one: digits of a code, tries left, seconds to wait,
    /// the longest length allowed. `label` names the field in sentences that any field can have. A code that is not in
    /// the catalogue gets a sentence that still says which field to look at.
    pub(crate) fn message(self, reason: &str, number: Option<u64>, label: &str) -> String {
        let id = reason.replace('.', "-");
        if let Some(text) = self.find(&id) {
            return text.to_owned();
        }
        if let Some(n) = number.filter(|_| self.has(&id)) {
            return self.fill(id).set("n", n).to_string();
        }
        let problem = reason.rsplit_once('.').map_or(reason, |(_, problem)| problem);
        let about = match (problem, number) {
            ("required", _) => self.fill("any-required"),
            ("too_long", Some(n)) => self.fill("any-too-long-by").set("n", n),
            ("too_long", None) => self.fill("any-too-long"),
            ("too_short", Some(n)) => self.fill("any-too-short-by").set("n", n),
            ("too_short", None) => self.fill("any-too-short"),
            ("hidden_characters", _) => self.fill("any-hidden-characters"),
            ("format", _) => self.fill("any-format"),
            _ => self.fill("any-check"),
        };
        about.set("label", label).to_string()
    }

    /// The label of a field, for sentences that any field can have.
    pub(crate) fn label(self, field: &str) -> &'static str {
        // Its own label is part of the question above it.
        let field = if field == "gender_other" { "gender" } else { field };
        self.find(&format!("label-{field}"))
            .unwrap_or_else(|| self.t("label-any"))
    }

    /// A secret question as it is asked; one that its owner has made up is in their language already.
    pub(crate) fn asked(self, asked: &AskedQuestion) -> &str {
        match &asked.id {
            Some(id) => self.question(id.as_str(), &asked.text),
            None => &asked.text,
        }
    }

    /// A secret question. The operator's own text is shown as it stands; one that came with the portal is translated.
    pub(crate) fn question<'a>(self, id: &str, text: &'a str) -> &'a str
    where
        'static: 'a,
    {
        let id = format!("ask-{id}");
        match Self::ENGLISH.find(&id) {
            Some(known) if known == text => self.find(&id).unwrap_or(text),
            _ => text,
        }
    }
}

/// Two people, or two tabs, saved the same form (P18, P19); `at` is "10:41 am" or "10:41 am on 3 May".
pub(crate) fn saved_meanwhile(at: &str) -> String {
    format!("Someone saved these details at {at}. Your version is below; compare and Save again.")
}

/// The role of a form is not there any more (P19).
pub(crate) fn role_gone(at: &str) -> String {
    format!(
        "Someone changed your roles at {at}, and this one is not among them. Your version is below; Save adds it."
    )
}

/// A button was pressed on a page that is out of date (P19).
pub(crate) fn roles_changed(at: &str) -> String {
    format!("Someone changed your roles at {at}. Nothing was changed now; look at them and choose again.")
}
