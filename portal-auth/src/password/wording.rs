//! A policy in words and data: rule lines and one sentence for people, a description for scripts, and a hint for
//! password managers. All of it is generated from the same [`PasswordPolicy`] that judges.

use serde::Serialize;

use super::policy::{BrokenRule, PasswordPolicy};

/// A line of the list that stands above a password field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuleLine {
    /// The stable name by which a page ticks the line: `length`, `digits`, `lower`, `upper`, `special`, `username`,
    /// or `case`, which is a reminder and nothing to tick.
    pub id: &'static str,
    /// What a person reads.
    pub text: String,
    /// The codes of the refusals that this line explains.
    pub reasons: Vec<&'static str>,
    /// The fewest characters of this kind, where the line counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
    /// The most characters, where the line has a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// The kind of characters that the line counts, as a class of a JavaScript regular expression with flag `u`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub characters: Option<&'static str>,
}

/// A policy as data, to be handed to a page's script as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyDescription {
    /// The lines, in order.
    pub rules: Vec<RuleLine>,
    /// The most bytes in UTF-8.
    pub max_bytes: u32,
    /// The value of the `passwordrules` attribute.
    pub password_rules: String,
}

impl PasswordPolicy {
    /// The rules as lines for people, in the words of the portal's guide.
    #[must_use]
    pub fn lines(&self) -> Vec<RuleLine> {
        let length = RuleLine {
            least: Some(self.min_length),
            most: Some(self.max_length),
            reasons: vec!["password.too_short", "password.too_long"],
            ..line(
                "length",
                format!(
                    "Minimum {} and not longer than {}",
                    counted(self.min_length, "character"),
                    self.max_length
                ),
            )
        };
        let kinds = [
            ("digits", self.min_digits, "number", "password.digits", r"\p{Nd}"),
            (
                "lower",
                self.min_lower,
                "lower case character",
                "password.lower",
                r"\p{Lowercase}",
            ),
            (
                "upper",
                self.min_upper,
                "upper case character",
                "password.upper",
                r"\p{Uppercase}",
            ),
            (
                "special",
                self.min_special,
                "special character",
                "password.special",
                r"[^\p{Alphabetic}\p{N}\p{Cc}]",
            ),
        ];
        let kinds = kinds.into_iter().filter(|(_, least, ..)| *least > 0).map(
            |(id, least, noun, reason, characters)| RuleLine {
                least: Some(least),
                characters: Some(characters),
                reasons: vec![reason],
                ..line(id, format!("Minimum {}", counted(least, noun)))
            },
        );
        let username = RuleLine {
            reasons: vec!["password.is_username"],
            ..line("username", "Must not be the same as the username".to_owned())
        };
        let case = line("case", "Passwords are case sensitive".to_owned());
        std::iter::once(length)
            .chain(kinds)
            .chain([username, case])
            .collect()
    }

    /// Everything that a page's script needs to tick the lines while somebody types.
    #[must_use]
    pub fn description(&self) -> PolicyDescription {
        PolicyDescription {
            rules: self.lines(),
            max_bytes: self.max_bytes,
            password_rules: self.password_rules(),
        }
    }

    /// The value of the `passwordrules` attribute, which tells password generators what will be accepted.
    ///
    /// A suggestion, not the rule: it asks for at least 16 characters where the policy allows them, and asks for
    /// several digits by as many disjoint classes, since generators give one character of each class.
    #[must_use]
    pub fn password_rules(&self) -> String {
        let mut parts = vec![
            format!(
                "minlength: {}",
                GENERATED_LENGTH.max(self.min_length).min(self.max_length)
            ),
            format!("maxlength: {}", self.max_length),
        ];
        let mut require = |class: &str| parts.push(format!("required: {class}"));
        if self.min_lower > 0 {
            require("lower");
        }
        if self.min_upper > 0 {
            require("upper");
        }
        if let Some(per_class) = 10_usize.checked_div(self.min_digits.min(10) as usize) {
            let digits: Vec<char> = ('0'..='9').collect();
            let classes = digits.chunks(per_class).take(self.min_digits as usize);
            classes.for_each(|class| require(&format!("[{}]", class.iter().collect::<String>())));
        }
        if self.min_special > 0 {
            require("[-!#$%&*+=?@_]");
        }
        format!("{};", parts.join("; "))
    }
}

/// All broken rules in one sentence, such as "Password must have at least 2 numbers and 1 upper case letter".
///
/// Empty when nothing is broken. No full stop: the portal's messages have none.
#[must_use]
pub fn sentence(broken: &[BrokenRule]) -> String {
    if broken.contains(&BrokenRule::Required) {
        return "Password is required".to_owned();
    }
    if broken.contains(&BrokenRule::Reused) {
        return "Choose a password you have not used here before".to_owned();
    }
    if broken == [BrokenRule::Unchecked] {
        return "Your password could not be checked against known data breaches. Try again in a few minutes"
            .to_owned();
    }
    let missing: Vec<String> = broken.iter().filter_map(|rule| missing(*rule)).collect();
    let mut demands = Vec::new();
    if !missing.is_empty() {
        demands.push(format!("have at least {}", listed(&missing, "and")));
    }
    let barred: Vec<String> = broken.iter().filter_map(|rule| barred(*rule)).collect();
    if !barred.is_empty() {
        demands.push(format!("not {}", listed(&barred, "or")));
    }
    if demands.is_empty() {
        String::new()
    } else {
        format!("Password must {}", demands.join(", and must "))
    }
}

/// Generators cost nobody any typing, so they are asked for more than people.
const GENERATED_LENGTH: u32 = 16;

fn line(id: &'static str, text: String) -> RuleLine {
    RuleLine {
        id,
        text,
        reasons: Vec::new(),
        least: None,
        most: None,
        characters: None,
    }
}

/// What there is too little of.
fn missing(rule: BrokenRule) -> Option<String> {
    Some(match rule {
        BrokenRule::TooShort { least } => counted(least, "character"),
        BrokenRule::Digits { least } => counted(least, "number"),
        BrokenRule::Lower { least } => counted(least, "lower case letter"),
        BrokenRule::Upper { least } => counted(least, "upper case letter"),
        BrokenRule::Special { least } => counted(least, "special character"),
        BrokenRule::Required
        | BrokenRule::TooLong { .. }
        | BrokenRule::TooManyBytes { .. }
        | BrokenRule::Control
        | BrokenRule::IsUsername
        | BrokenRule::Context
        | BrokenRule::Common
        | BrokenRule::Breached
        | BrokenRule::Unchecked
        | BrokenRule::Reused => return None,
    })
}

/// What must not be; read after "Password must not".
fn barred(rule: BrokenRule) -> Option<String> {
    Some(match rule {
        BrokenRule::TooLong { most } => format!("be longer than {}", counted(most, "character")),
        BrokenRule::TooManyBytes { most } => format!("be longer than {}", counted(most, "byte")),
        BrokenRule::Control => "contain hidden characters".to_owned(),
        BrokenRule::IsUsername => "be the same as the username".to_owned(),
        BrokenRule::Context => {
            "contain your name, your email address, the name of the service or another barred word".to_owned()
        }
        BrokenRule::Common => "be a commonly used password".to_owned(),
        BrokenRule::Breached => "be a password that is known from a data breach".to_owned(),
        BrokenRule::Required
        | BrokenRule::Unchecked
        | BrokenRule::Reused
        | BrokenRule::TooShort { .. }
        | BrokenRule::Digits { .. }
        | BrokenRule::Lower { .. }
        | BrokenRule::Upper { .. }
        | BrokenRule::Special { .. } => return None,
    })
}

fn counted(count: u32, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String], joint: &str) -> String {
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} {joint} {last}", before.join(", ")),
    }
}
