//! What may be wrong with an address that is right in form (R6): a question or advice, never a refusal.

use portal_auth::account::email::EmailAddress;

/// Domains of personal addresses.
const DOMAINS: &str = include_str!("../content/email-domains.txt");

/// What to say about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EmailAdvice {
    /// "Did you mean ...?": the domain is nearly a well-known one.
    DidYouMean(String),
    /// It looks like a personal address.
    Personal,
}

/// The advice about an address, for the page after the one on which it was typed.
pub(crate) fn advice(address: &EmailAddress) -> Option<EmailAdvice> {
    let (local, domain) = address.as_str().rsplit_once('@')?;
    if domains().any(|known| known == domain) {
        return Some(EmailAdvice::Personal);
    }
    let near = domains()
        .filter(|known| slips_allowed(known) > 0)
        .map(|known| (strsim::osa_distance(known, domain), known))
        .filter(|(slips, known)| *slips <= slips_allowed(known));
    let (_, meant) = near.min()?;
    Some(EmailAdvice::DidYouMean(format!("{local}@{meant}")))
}

/// A well-known domain, for a page that is told its name by a query.
pub(crate) fn well_known(domain: &str) -> Option<&'static str> {
    domains().find(|known| *known == domain)
}

fn domains() -> impl Iterator<Item = &'static str> {
    DOMAINS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// How many letters may be missing, added, wrong or swapped: in a short name every other one would be a typo.
fn slips_allowed(domain: &str) -> usize {
    match domain.split('.').next().map_or(0, str::len) {
        0..=4 => 0,
        5 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(address: &str) -> Option<EmailAdvice> {
        advice(&EmailAddress::parse(address).unwrap())
    }

    #[test]
    fn a_typo_in_a_well_known_domain_is_asked_about() {
        // R6
        for (typed, meant) in [
            ("jo@hotmial.com", "jo@hotmail.com"),
            ("jo@hotmail.con", "jo@hotmail.com"),
            ("jo@hotmail.co", "jo@hotmail.com"),
            ("jo@hotmal.co.uk", "jo@hotmail.co.uk"),
            ("jo@gmial.com", "jo@gmail.com"),
            ("jo@gmail.co", "jo@gmail.com"),
            ("jo@outlok.com", "jo@outlook.com"),
        ] {
            let expected = Some(EmailAdvice::DidYouMean(meant.to_owned()));
            assert_eq!(about(typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_personal_domain_is_advised_against_and_work_is_left_alone() {
        assert_eq!(about("jo@gmail.com"), Some(EmailAdvice::Personal));
        assert_eq!(about("jo@OUTLOOK.com"), Some(EmailAdvice::Personal));
        for address in [
            "jo@school.example",
            "jo@sheffield.gov.uk",
            "jo@nhs.net",
            "jo@five.com",
            "jo@ski.com",
            "jo@mail.hotmail.example",
            "jo@portal.example",
        ] {
            assert_eq!(about(address), None, "{address}");
        }
    }
}
