//! What people type about themselves: addresses and new passwords.

use portal_auth::account::email::EmailAddress;
use portal_auth::password::Password;
use portal_auth::password::policy::{BrokenRule, PasswordOwner, PasswordPolicy};
use portal_auth::password::wording;

use crate::Reached;

/// An address has one canonical form, and the form has one address (I-27, I-28, I-34).
#[must_use]
pub fn email(data: &[u8]) -> Reached {
    let Ok(typed) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    let Ok(address) = EmailAddress::parse(typed) else {
        assert!(EmailAddress::from_canonical(typed).is_err());
        return Reached::Refused;
    };
    let canonical = address.as_str();
    assert!(canonical.is_ascii() && canonical.len() <= EmailAddress::MAX_BYTES);
    assert_eq!(canonical.matches('@').count(), 1);
    // One recipient: nothing that a mail server could read as a list, a comment or a second line.
    let odd = |c: char| c.is_ascii_control() || c.is_ascii_uppercase() || " ,;:<>()[]\"\\".contains(c);
    assert!(!canonical.contains(odd), "{canonical:?}");
    assert_eq!(EmailAddress::parse(canonical), Ok(address.clone()));
    assert_eq!(EmailAddress::from_canonical(canonical), Ok(address.clone()));
    assert_eq!(
        EmailAddress::from_canonical(typed).is_ok(),
        typed == canonical,
        "only the canonical text is taken from a row"
    );
    assert_eq!(
        format!("{}@{}", address.local_part(), address.domain()),
        canonical
    );
    let before_at = typed.trim().split('@').next().unwrap_or_default();
    assert!(
        address.local_part().eq_ignore_ascii_case(before_at),
        "two spellings of one address differ in case and in the form of the domain only"
    );
    let shown = address.masked();
    assert!(shown.ends_with(address.domain()));
    assert!(address.local_part().len() < 2 || !shown.starts_with(address.local_part()));
    Reached::Accepted
}

/// A policy tells every rule that a password breaks, the same each time (PWD-1 to PWD-3, I-34).
///
/// The first line is the owner's address, the rest the password.
#[must_use]
pub fn password(data: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    let (owner, typed) = text.split_once('\n').unwrap_or(("", text));
    let email = EmailAddress::parse(owner).ok();
    let owner = email
        .as_ref()
        .map_or_else(PasswordOwner::unknown, PasswordOwner::with_email);
    let mut accepted = false;
    for policy in [PasswordPolicy::portal(), PasswordPolicy::modern()] {
        let password = Password::new(typed);
        let verdict = policy.check(&password, &owner);
        assert_eq!(verdict, policy.check(&password, &owner));
        match verdict {
            Ok(()) => {
                holds(&policy, typed, email.as_ref());
                accepted = true;
            }
            Err(broken) => is_told_well(&broken, typed),
        }
    }
    Reached::accepted(accepted)
}

fn holds(policy: &PasswordPolicy, typed: &str, email: Option<&EmailAddress>) {
    let length = u32::try_from(typed.chars().count()).unwrap_or(u32::MAX);
    assert!((policy.min_length..=policy.max_length).contains(&length));
    assert!(u32::try_from(typed.len()).unwrap_or(u32::MAX) <= policy.max_bytes);
    assert!(!typed.chars().any(char::is_control));
    let count = |is: fn(&char) -> bool| u32::try_from(typed.chars().filter(is).count()).unwrap_or(u32::MAX);
    assert!(count(|c| c.is_numeric()) >= policy.min_digits);
    assert!(count(|c| c.is_lowercase()) >= policy.min_lower);
    assert!(count(|c| c.is_uppercase()) >= policy.min_upper);
    assert!(!email.is_some_and(|email| typed.eq_ignore_ascii_case(email.as_str())));
}

fn is_told_well(broken: &[BrokenRule], typed: &str) {
    assert!(
        !broken.is_empty() && broken.is_sorted_by(|a, b| a < b),
        "{broken:?}"
    );
    assert_eq!(typed.is_empty(), broken == [BrokenRule::Required]);
    let sentence = wording::sentence(broken);
    assert!((1..1_000).contains(&sentence.len()), "{sentence}");
    let is_a_secret = typed.chars().count() > 20;
    assert!(
        !is_a_secret || !sentence.contains(typed),
        "a message never shows a password"
    );
}
