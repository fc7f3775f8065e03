//! The rules of a password in the person's language; in English exactly the library's own words.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule that the library adds has no words here yet"
)]

use portal_auth::password::policy::BrokenRule;
use portal_auth::password::wording::RuleLine;

use super::catalogue::Language;

impl Language {
    /// The lines above a password field.
    pub(crate) fn rule_lines(self, lines: Vec<RuleLine>) -> Vec<RuleLine> {
        let worded = |mut line: RuleLine| {
            if let Some(text) = self.rule(&line) {
                line.text = text;
            }
            line
        };
        lines.into_iter().map(worded).collect()
    }

    /// `None` for a line that the library has and the catalogue does not know.
    fn rule(self, line: &RuleLine) -> Option<String> {
        let id = format!("rule-{}", line.id);
        if let Some(text) = self.find(&id) {
            return Some(text.to_owned());
        }
        let mut text = self.has(&id).then(|| self.fill(id))?;
        if let Some(least) = line.least {
            text = text.set("least", least);
        }
        if let Some(most) = line.most {
            text = text.set("most", most);
        }
        Some(text.to_string())
    }

    /// All broken rules in one sentence; empty when nothing is broken.
    pub(crate) fn broken_rules(self, broken: &[BrokenRule]) -> String {
        if broken.contains(&BrokenRule::Required) {
            return self.t("password-required").to_owned();
        }
        if broken.contains(&BrokenRule::Reused) {
            return self.t("password-reused").to_owned();
        }
        if broken == [BrokenRule::Unchecked] {
            return self.t("password-unchecked").to_owned();
        }
        let missing: Vec<String> = broken.iter().filter_map(|rule| self.missing(*rule)).collect();
        let barred: Vec<String> = broken.iter().filter_map(|rule| self.barred(*rule)).collect();
        let missing = self.listed(&missing, "list-and");
        let barred = self.listed(&barred, "list-or");
        let sentence = match (missing, barred) {
            (None, None) => return String::new(),
            (Some(missing), None) => self.fill("broken-too-little").set("missing", missing),
            (None, Some(barred)) => self.fill("broken-barred").set("barred", barred),
            (Some(missing), Some(barred)) => self
                .fill("broken-both")
                .set("missing", missing)
                .set("barred", barred),
        };
        sentence.to_string()
    }

    /// What there is too little of.
    fn missing(self, rule: BrokenRule) -> Option<String> {
        let (text, least) = match rule {
            BrokenRule::TooShort { least } => (self.fill("missing-characters"), least),
            BrokenRule::Digits { least } => (self.fill("missing-digits"), least),
            BrokenRule::Lower { least } => (self.fill("missing-lower"), least),
            BrokenRule::Upper { least } => (self.fill("missing-upper"), least),
            BrokenRule::Special { least } => (self.fill("missing-special"), least),
            _ => return None,
        };
        Some(text.set("n", least).to_string())
    }

    /// What must not be.
    fn barred(self, rule: BrokenRule) -> Option<String> {
        Some(match rule {
            BrokenRule::TooLong { most } => self.fill("barred-too_long").set("n", most).to_string(),
            BrokenRule::TooManyBytes { most } => {
                self.fill("barred-too_many_bytes").set("n", most).to_string()
            }
            BrokenRule::Control => self.t("barred-control").to_owned(),
            BrokenRule::IsUsername => self.t("barred-is_username").to_owned(),
            BrokenRule::Context => self.t("barred-context").to_owned(),
            BrokenRule::Common => self.t("barred-common").to_owned(),
            BrokenRule::Breached => self.t("barred-breached").to_owned(),
            _ => return None,
        })
    }

    /// `a`, `a and b`, `a, b and c`.
    fn listed(self, items: &[String], joint: &'static str) -> Option<String> {
        let (last, before) = items.split_last()?;
        if before.is_empty() {
            return Some(last.clone());
        }
        let joined = self.fill(joint).set("items", before.join(", ")).set("last", last);
        Some(joined.to_string())
    }
}
