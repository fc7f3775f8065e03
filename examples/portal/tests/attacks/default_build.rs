//! Settings under which the portal would not be safe: it does not start.

use crate::chance::Chance;
use crate::report::{Figures, attack_cases};
use crate::rig::{Database, Person, Site};

attack_cases! {
    p_51_an_unsafe_setting_is_taken
}

const PUBLIC: (&str, &str) = ("PORTAL_BASE_URL", "https://portal.example");
const FROM: (&str, &str) = ("PORTAL_MAIL_FROM", "no-reply@portal.example");
const FAR: (&str, &str) = ("PORTAL_SMTP_URL", "smtp://mail.example");

/// What is set, the setting that is to blame, and a word of what to set instead.
type Refusal<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

/// CFG-1 to CFG-3, MAIL-4, THR-5, SES-3, OTP-2, CLK-3.
const REFUSED: &[Refusal<'_>] = &[
    (
        &[("PORTAL_BASE_URL", "http://portal.example")],
        "PORTAL_BASE_URL",
        "https",
    ),
    (
        &[("PORTAL_BASE_URL", "http://192.168.1.1")],
        "PORTAL_BASE_URL",
        "https",
    ),
    (
        &[("PORTAL_BASE_URL", "https://user:pass@portal.example")],
        "PORTAL_BASE_URL",
        "remove",
    ),
    (
        &[("PORTAL_BASE_URL", "https://portal.example/?next=")],
        "PORTAL_BASE_URL",
        "remove",
    ),
    (
        &[("PORTAL_ALLOWED_HOSTS", "*")],
        "PORTAL_ALLOWED_HOSTS",
        "write names like",
    ),
    (
        &[("PORTAL_ALLOWED_HOSTS", "*.portal.example")],
        "PORTAL_ALLOWED_HOSTS",
        "write names like",
    ),
    (&[PUBLIC], "PORTAL_SMTP_URL", "set it to your mail server"),
    (
        &[PUBLIC, ("PORTAL_MAIL_DIR", "mails")],
        "PORTAL_MAIL_DIR",
        "set PORTAL_SMTP_URL",
    ),
    (&[PUBLIC, FAR, FROM], "PORTAL_KEYS_FILE", "keys generate"),
    (
        &[PUBLIC, FAR, FROM, ("PORTAL_KEYS_FILE", "short.keys")],
        "PORTAL_KEYS_FILE",
        "32",
    ),
    (&[("PORTAL_KEYS_FILE", "short.keys")], "PORTAL_KEYS_FILE", "32"),
    (
        &[("PORTAL_KEYS_FILE", "zeros.keys")],
        "PORTAL_KEYS_FILE",
        "make a new key",
    ),
    (
        &[("PORTAL_KEYS_FILE", "words.keys")],
        "PORTAL_KEYS_FILE",
        "make a new key",
    ),
    (
        &[("PORTAL_KEYS_FILE", "empty.keys")],
        "PORTAL_KEYS_FILE",
        "exactly one key",
    ),
    (&[FAR], "PORTAL_MAIL_FROM", "set it to the address"),
    (
        &[FAR, FROM, ("PORTAL_DANGEROUS_SMTP_PLAINTEXT", "true")],
        "PORTAL_DANGEROUS_SMTP_PLAINTEXT",
        "set it to false",
    ),
    (
        &[("PORTAL_SMTP_URL", "http://mail.example"), FROM],
        "PORTAL_SMTP_URL",
        "set it to smtps://",
    ),
    (&[("PORTAL_CODE_LIFETIME", "11m")], "PORTAL_CODE_LIFETIME", "10m"),
    (&[("PORTAL_CODE_LIFETIME", "601s")], "PORTAL_CODE_LIFETIME", "10m"),
    (&[("PORTAL_CODE_LIFETIME", "0s")], "PORTAL_CODE_LIFETIME", "1m"),
    (&[("PORTAL_CODE_DIGITS", "5")], "PORTAL_CODE_DIGITS", "6"),
    (&[("PORTAL_CODE_DIGITS", "11")], "PORTAL_CODE_DIGITS", "10"),
    (
        &[("PORTAL_LINK_LIFETIME", "24h1s")],
        "PORTAL_LINK_LIFETIME",
        "1day",
    ),
    (
        &[("PORTAL_LINK_LIFETIME", "14m59s")],
        "PORTAL_LINK_LIFETIME",
        "15m",
    ),
    (&[("PORTAL_IDLE_TIMEOUT", "12h1s")], "PORTAL_IDLE_TIMEOUT", "12h"),
    (
        &[("PORTAL_IDLE_TIMEOUT", "1h"), ("PORTAL_SESSION_LIFETIME", "59m")],
        "PORTAL_IDLE_TIMEOUT",
        "59m",
    ),
    (&[("PORTAL_IDLE_TIMEOUT", "0s")], "PORTAL_IDLE_TIMEOUT", "1s"),
    (
        &[("PORTAL_SESSION_LIFETIME", "401d")],
        "PORTAL_SESSION_LIFETIME",
        "day",
    ),
    (
        &[("PORTAL_TRUSTED_PROXIES", "everybody")],
        "PORTAL_TRUSTED_PROXIES",
        "write networks like",
    ),
    (
        &[("PORTAL_TRUSTED_PROXIES", "0.0.0.0/0")],
        "PORTAL_TRUSTED_PROXIES",
        "your own proxies",
    ),
    (
        &[("PORTAL_TRUSTED_PROXIES", "::/0")],
        "PORTAL_TRUSTED_PROXIES",
        "your own proxies",
    ),
    (
        &[("PORTAL_TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1")],
        "PORTAL_TRUSTED_PROXIES",
        "your own proxies",
    ),
    (
        &[("PORTAL_TRUSTED_PROXIES", "2000::/3")],
        "PORTAL_TRUSTED_PROXIES",
        "your own proxies",
    ),
    (
        &[("PORTAL_TRUSTED_PROXIES", "::ffff:0:0/96")],
        "PORTAL_TRUSTED_PROXIES",
        "your own proxies",
    ),
    (&[("PORTAL_PRESET", "none")], "PORTAL_PRESET", "modern"),
    (&[("PORTAL_TWO_STEP", "none")], "PORTAL_TWO_STEP", "areas"),
    (&[("PORTAL_WORKERS", "0")], "PORTAL_WORKERS", "1"),
    (
        &[("PORTAL_DATABASE_URL", "sqlite::memory:")],
        "PORTAL_DATABASE_URL",
        "sqlite://",
    ),
];

/// Settings at their limits, which are safe: the honest twins of what is refused.
const TAKEN: &[&[(&str, &str)]] = &[
    &[],
    &[("PORTAL_BASE_URL", "http://localhost:8080")],
    &[("PORTAL_CODE_LIFETIME", "10m"), ("PORTAL_CODE_DIGITS", "10")],
    &[("PORTAL_LINK_LIFETIME", "24h")],
    &[("PORTAL_LINK_LIFETIME", "15m")],
    &[("PORTAL_IDLE_TIMEOUT", "12h")],
    &[("PORTAL_SESSION_LIFETIME", "400d")],
    &[(
        "PORTAL_TRUSTED_PROXIES",
        "10.0.0.0/8, 127.0.0.1, ::1, fc00::/7, ::ffff:10.0.0.0/104",
    )],
    &[
        ("PORTAL_SMTP_URL", "smtp://127.0.0.1"),
        FROM,
        ("PORTAL_DANGEROUS_SMTP_PLAINTEXT", "true"),
    ],
    &[("PORTAL_MAIL_DIR", "mails")],
];

/// Nothing starts, neither `serve` nor `check`, and one sentence says which setting it is and what to set.
async fn p_51_an_unsafe_setting_is_taken(database: Database, _: Chance) -> Figures {
    let mut site = Site::with_inbox(database);
    std::fs::create_dir(site.folder().join("mails")).unwrap();
    for (name, secret) in [
        ("short", "c2hvcnQ"),
        ("zeros", &"A".repeat(43)),
        ("words", &"changemechangeme".repeat(3)),
    ] {
        let keys = ["token", "pepper", "pseudonym"].map(|list| format!("{list} a signing {secret}\n"));
        std::fs::write(site.folder().join(format!("{name}.keys")), keys.concat()).unwrap();
    }
    std::fs::write(site.folder().join("empty.keys"), "").unwrap();
    let database_url = site.variable("PORTAL_DATABASE_URL").unwrap().to_owned();
    let mut wrong = Vec::new();
    for (variables, named, fix) in REFUSED {
        set(&mut site, variables);
        for command in ["serve", "check"] {
            // A portal that starts all the same would not end by itself.
            let Some(output) = site.run_briefly(&[command, "--listen", "127.0.0.1:0"]).await else {
                wrong.push(format!("{command} with {variables:?} starts"));
                continue;
            };
            let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            let is_refusal = output.status.code() == Some(2)
                && told.starts_with(&format!("{named} "))
                && told.contains(fix)
                && told.trim().lines().count() == 1
                && told.trim().ends_with('.');
            if !is_refusal {
                wrong.push(format!(
                    "{command} with {variables:?}: {:?} {told}",
                    output.status.code()
                ));
            }
        }
        unset(&mut site, variables, &database_url);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for variables in TAKEN {
        set(&mut site, variables);
        let output = site.run(&["check"]);
        assert!(
            output.status.success(),
            "{variables:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        unset(&mut site, variables, &database_url);
    }
    // Its clock has not stood still for as long.
    let site = Site::with_inbox(database);
    let portal = site.open().await;
    assert_eq!(Person::at(&portal).open("/readyz").await.status, 200);
    Figures::new()
        .with("refused", REFUSED.len() * 2)
        .with("taken", TAKEN.len() + 1)
}

fn set(site: &mut Site, variables: &[(&str, &str)]) {
    for (variable, value) in variables {
        site.set(variable, value);
    }
}

/// An empty variable counts as not set.
fn unset(site: &mut Site, variables: &[(&str, &str)], database_url: &str) {
    for (variable, _) in variables {
        site.set(variable, "");
    }
    site.set("PORTAL_DATABASE_URL", database_url);
}
