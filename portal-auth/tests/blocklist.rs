//! The list of common passwords that satisfy the rules.

#[path = "../examples/generate_blocklist/rule.rs"]
mod rule;

use portal_auth::password::Password;
use portal_auth::password::blocklist;
use portal_auth::password::policy::{BrokenRule, PasswordOwner, PasswordPolicy};

fn verdict(policy: &PasswordPolicy, typed: &str) -> Vec<BrokenRule> {
    policy
        .check(&Password::from(typed), &PasswordOwner::unknown())
        .err()
        .unwrap_or_default()
}

#[test]
fn at_least_3000_entries_satisfy_the_rules_of_the_portal() {
    // PWD-2, ASVS 6.2.4: an entry that breaks another rule anyhow proves nothing.
    let portal = PasswordPolicy::portal();
    let fitting = blocklist::entries()
        .filter(|entry| verdict(&portal, entry) == [BrokenRule::Common])
        .count();
    assert!(fitting >= 3000, "only {fitting}");
}

#[test]
fn at_least_3000_entries_satisfy_the_rules_of_the_modern_preset() {
    let modern = PasswordPolicy::modern();
    let fitting = blocklist::entries()
        .filter(|entry| verdict(&modern, entry) == [BrokenRule::Common])
        .count();
    assert!(fitting >= 3000, "only {fitting}");
}

#[test]
fn every_entry_is_refused_as_common_by_both_presets_in_any_case() {
    for policy in [PasswordPolicy::portal(), PasswordPolicy::modern()] {
        for entry in blocklist::entries() {
            for typed in [entry, &entry.to_ascii_uppercase(), &entry.to_ascii_lowercase()] {
                assert!(verdict(&policy, typed).contains(&BrokenRule::Common), "{typed}");
            }
        }
    }
}

#[test]
fn every_entry_is_there_because_a_preset_would_accept_it_otherwise() {
    for entry in blocklist::entries() {
        let accepted = rule::is_accepted(entry, PasswordPolicy::portal())
            || rule::is_accepted(entry, PasswordPolicy::modern());
        assert!(accepted, "{entry}");
    }
}

#[test]
fn the_list_is_what_the_rule_makes_of_the_well_known_passwords() {
    let made = rule::blocklist(include_str!("../src/password/well_known.txt"));
    let kept = include_str!("../src/password/blocklist.txt");
    let first_difference = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
    assert_eq!(
        first_difference, None,
        "run `cargo run -p portal-auth --example generate_blocklist`"
    );
    assert_eq!(
        made.len(),
        kept.len(),
        "run `cargo run -p portal-auth --example generate_blocklist`"
    );
}

#[test]
fn what_people_do_to_a_password_to_satisfy_rules_is_on_the_list() {
    for typed in [
        "Password12!",
        "P@ssw0rd123!",
        "Summer2024!",
        "Welcome123!",
        "Manchester01!",
        "passwordpassword",
        "qwertyuiopasdfghjkl",
        "correcthorsebatterystaple",
        "aaaaaaaaaaaaaaa",
        "qwertyqwertyqwerty",
    ] {
        assert!(blocklist::contains(typed), "{typed}");
    }
}

#[test]
fn what_only_resembles_an_entry_is_not_refused() {
    for typed in [
        "",
        "Password12",
        "Password12! ",
        " Password12!",
        "Password12!x",
        "Pässword12!",
        "\u{212a}iller123!",
    ] {
        assert!(!blocklist::contains(typed), "{typed:?}");
    }
}
