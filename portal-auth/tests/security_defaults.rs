//! `docs/security-defaults.md` says every number of the two presets, and says it right (ASVS 6.1.1, 7.1.1).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portal_auth::config::Config;

const PAGE: &str = include_str!("../../docs/security-defaults.md");

#[test]
fn the_page_says_the_numbers_of_both_presets() {
    let page = numbers_on_page();
    let base = "https://portal.example";
    let portal = numbers(&Config::portal(base.parse().unwrap()));
    let modern = numbers(&Config::modern(base.parse().unwrap()));
    for (setting, portal) in &portal {
        let told = page.get(*setting).map(String::as_str);
        let modern = &modern[setting];
        let right = if portal == modern {
            portal.clone()
        } else {
            format!("portal {portal}, modern {modern}")
        };
        assert_eq!(told, Some(right.as_str()), "{setting}");
    }
    let stale: BTreeSet<_> = page.keys().filter(|s| !portal.contains_key(s.as_str())).collect();
    assert!(stale.is_empty(), "no such settings: {stale:?}");
}

/// Every setting with a number or a switch, as the page writes it.
fn numbers(config: &Config) -> BTreeMap<&'static str, String> {
    let Config {
        registration: r,
        passwords: p,
        recovery: f,
        codes: c,
        sessions: s,
        guessing: g,
        mail: m,
        notices: n,
        ..
    } = config;
    let l = &g.ladder;
    BTreeMap::from([
        ("two_step", format!("{:?}", config.two_step)),
        ("clock_skew", span(config.clock_skew)),
        ("answer_step", span(config.answer_step)),
        ("links_kept", span(config.links_kept)),
        ("devices_kept", span(config.devices_kept)),
        ("audit_kept", span(config.audit_kept)),
        ("registration.link_lifetime", span(r.link_lifetime)),
        ("registration.kept_after_expiry", span(r.kept_after_expiry)),
        ("registration.prepared_kept", span(r.prepared_kept)),
        ("registration.draft_lifetime", span(r.draft_lifetime)),
        ("registration.wrong_passwords", r.wrong_passwords.to_string()),
        ("registration.resend_pause", span(r.resend_pause)),
        ("registration.secret_question", format!("{:?}", r.secret_question)),
        ("registration.own_question", r.own_question.to_string()),
        ("passwords.policy.min_length", p.policy.min_length.to_string()),
        ("passwords.policy.max_length", p.policy.max_length.to_string()),
        ("passwords.policy.max_bytes", p.policy.max_bytes.to_string()),
        ("passwords.policy.min_digits", p.policy.min_digits.to_string()),
        ("passwords.policy.min_lower", p.policy.min_lower.to_string()),
        ("passwords.policy.min_upper", p.policy.min_upper.to_string()),
        ("passwords.policy.min_special", p.policy.min_special.to_string()),
        (
            "passwords.policy.refuse_common",
            p.policy.refuse_common.to_string(),
        ),
        (
            "passwords.policy.refuse_personal",
            p.policy.refuse_personal.to_string(),
        ),
        (
            "passwords.hash",
            format!(
                "m={} KiB, t={}, p={}",
                p.hash.memory_kib(),
                p.hash.passes(),
                p.hash.lanes()
            ),
        ),
        ("passwords.refuse_current", p.refuse_current.to_string()),
        ("passwords.pepper", p.pepper.to_string()),
        ("recovery.link_lifetime", span(f.link_lifetime)),
        ("recovery.answered_for", span(f.answered_for)),
        ("recovery.answer_tries", f.answer_tries.to_string()),
        ("recovery.failures_in_a_row", f.failures_in_a_row.to_string()),
        ("recovery.pause", span(f.pause)),
        ("recovery.last_pause", f.last_pause.to_string()),
        ("recovery.fallback", format!("{:?}", f.fallback)),
        ("recovery.delay", span(f.delay)),
        (
            "recovery.notices",
            f.notices.iter().map(|d| span(*d)).collect::<Vec<_>>().join(", "),
        ),
        ("recovery.delayed_lifetime", span(f.delayed_lifetime)),
        (
            "recovery.closed_after_email_change",
            span(f.closed_after_email_change),
        ),
        (
            "recovery.delayed_with_two_step",
            f.delayed_with_two_step.to_string(),
        ),
        ("recovery.tell_unknown", f.tell_unknown.to_string()),
        ("recovery.tell_unknown_every", span(f.tell_unknown_every)),
        ("codes.digits", c.digits.to_string()),
        ("codes.lifetime", span(c.lifetime)),
        ("codes.challenge_lifetime", span(c.challenge_lifetime)),
        ("codes.tries", c.tries.to_string()),
        ("codes.failures_in_a_row", c.failures_in_a_row.to_string()),
        ("codes.resend_pause", span(c.resend_pause)),
        ("codes.mails", c.mails.to_string()),
        ("codes.live", c.live.to_string()),
        ("codes.mails_an_hour", c.mails_an_hour.to_string()),
        ("codes.mails_a_day", c.mails_a_day.to_string()),
        ("sessions.idle", span(s.idle)),
        ("sessions.absolute", span(s.absolute)),
        ("sessions.most", s.most.to_string()),
        ("sessions.confirm_age", span(s.confirm_age)),
        ("sessions.touch_after", span(s.touch_after)),
        ("sessions.forms_kept", span(s.forms_kept)),
        ("guessing.ladder.free", l.free.to_string()),
        ("guessing.ladder.first_wait", span(l.first_wait)),
        ("guessing.ladder.longest_wait", span(l.longest_wait)),
        ("guessing.ladder.cap", l.cap.to_string()),
        ("guessing.ladder.quiet", span(l.quiet)),
        ("guessing.ladder.hashes", l.hashes.to_string()),
        ("guessing.ladder.hash_window", span(l.hash_window)),
        ("guessing.network_failures", g.network_failures.to_string()),
        ("guessing.network_window", span(g.network_window)),
        ("guessing.devices", g.devices.to_string()),
        ("closing.grace", span(config.closing.grace)),
        (
            "closing.wrong_passwords",
            config.closing.wrong_passwords.to_string(),
        ),
        ("alerts.new_device", config.alerts.new_device.to_string()),
        ("alerts.failures", config.alerts.failures.to_string()),
        ("alerts.pause", span(config.alerts.pause)),
        ("mail.per_address", lines(&m.per_address)),
        ("mail.per_network", lines(&m.per_network)),
        ("mail.an_hour_over_all", m.an_hour_over_all.to_string()),
        ("mail.kept", span(m.kept)),
        ("notices.not_me", span(n.not_me)),
        ("notices.freeze", span(n.freeze)),
    ])
}

/// A duration in the largest unit that divides it, seconds for a minute or less.
fn span(d: Duration) -> String {
    let seconds = d.as_secs();
    assert_eq!(Duration::from_secs(seconds), d, "a whole number of seconds");
    if seconds > 60 {
        for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "min")] {
            if let (Some(count), Some(0)) = (seconds.checked_div(unit), seconds.checked_rem(unit)) {
                return format!("{count} {name}");
            }
        }
    }
    format!("{seconds} s")
}

fn lines(lines: &[(u32, Duration)]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|(n, within)| format!("{n} in {}", span(*within)))
        .collect();
    lines.join(", ")
}

/// The first two cells of every row whose first cell is a setting.
fn numbers_on_page() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in PAGE.lines() {
        let Some((setting, rest)) = line.strip_prefix("| `").and_then(|l| l.split_once("` | ")) else {
            continue;
        };
        let number = rest.split(" | ").next().unwrap_or_default();
        let again = found.insert(setting.to_owned(), number.to_owned());
        assert_eq!(again, None, "{setting} stands twice");
    }
    found
}
