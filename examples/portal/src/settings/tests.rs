//! Every rule that refuses a configuration, and the defaults.

use super::*;

fn given(pairs: &[(&str, &str)]) -> Given {
    let mut given = Given::default();
    for (key, value) in pairs {
        *given.slot(key).unwrap_or_else(|| panic!("no setting {key}")) = Some((*value).to_owned());
    }
    given
}

fn read(pairs: &[(&str, &str)]) -> Settings {
    load(given(pairs))
        .unwrap_or_else(|problems| panic!("{pairs:?}: {problems}"))
        .0
}

fn refused(pairs: &[(&str, &str)]) -> Problems {
    load(given(pairs)).expect_err("refused")
}

/// The settings of a portal that people really use.
const PUBLIC: [(&str, &str); 3] = [
    ("base_url", "https://portal.example"),
    ("smtp_url", "smtps://portal:hunter2@mail.example"),
    ("mail_from", "no-reply@portal.example"),
];

fn public(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    PUBLIC.iter().chain(more).copied().collect()
}

#[test]
fn nothing_set_is_a_portal_on_this_machine() {
    let settings = read(&[]);
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.base_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(settings.database.expose(), "sqlite://portal.db");
    assert_eq!(settings.keys_file, Path::new("portal.keys"));
    assert!(settings.migrate && settings.inbox_is_open());
    assert_eq!(
        (settings.preset, settings.two_step),
        (Preset::Portal, TwoStepRule::Areas)
    );
    assert_eq!(settings.recovery_fallback, RecoveryFallback::Delayed);
    assert!(settings.tell_unknown && settings.confirm_email && settings.confirm_password);
    assert!(!settings.check_answers && !settings.own_question);
    assert_eq!(settings.link_lifetime, Duration::from_secs(12 * 3600));
    assert_eq!(settings.code_lifetime, Duration::from_secs(600));
    assert_eq!(settings.code_digits, 6);
    assert_eq!(settings.idle_timeout, Duration::from_secs(1800));
    assert_eq!(settings.session_lifetime, Duration::from_secs(12 * 3600));
    assert_eq!(settings.service_name, "Professional Portal");
    assert_eq!(settings.time_zone_name, "Europe/London");
    assert_eq!(settings.metrics_from.len(), 2);
    assert_eq!(
        (settings.log_format, settings.log_filter.as_str()),
        (LogFormat::Text, "info")
    );
}

#[test]
fn the_documented_default_of_each_setting_is_the_real_one() {
    let defaults = Given::ALL
        .iter()
        .filter(|s| !["none", "built-in sample", "one per core"].contains(&s.default));
    let typed: Vec<_> = defaults
        .map(|s| (s.key, s.default.replace("<listen>", "127.0.0.1:8080")))
        .collect();
    let typed: Vec<_> = typed.iter().map(|(key, value)| (*key, value.as_str())).collect();
    assert_eq!(format!("{:?}", read(&typed)), format!("{:?}", read(&[])));
    assert!(typed.len() > 15, "{typed:?}");
}

#[test]
fn a_public_portal_with_a_mail_server_is_fine() {
    let settings = read(&public(&[
        ("trusted_proxies", "10.0.0.0/8, 192.0.2.7"),
        ("admins", "a@b.example,c@d.example"),
    ]));
    assert!(!settings.base_is_loopback() && !settings.inbox_is_open());
    assert_eq!(settings.trusted_proxies.len(), 2);
    assert_eq!(settings.admins.len(), 2);
    let MailRoute::Smtp(server) = &settings.mail else {
        panic!("{:?}", settings.mail)
    };
    assert_eq!((server.host.as_str(), server.port), ("mail.example", 465));
}

#[test]
fn every_unsafe_or_wrong_setting_is_refused_by_its_name_and_with_its_fix() {
    // CFG-2, CFG-3, MAIL-4, THR-5, P-51
    for (pairs, setting, fix) in [
        (
            vec![("base_url", "http://portal.example")],
            "PORTAL_BASE_URL",
            "set it to the public https address",
        ),
        (
            vec![("listen", "0.0.0.0:8080")],
            "PORTAL_BASE_URL",
            "set it to the public https address",
        ),
        (
            vec![("base_url", "portal.example")],
            "PORTAL_BASE_URL",
            "such as https://portal.example",
        ),
        (
            vec![("base_url", "ftp://localhost")],
            "PORTAL_BASE_URL",
            "such as https://portal.example",
        ),
        (
            public(&[("base_url", "https://portal.example/app")]),
            "PORTAL_BASE_URL",
            "remove user, path",
        ),
        (
            public(&[("base_url", "https://u:p@portal.example")]),
            "PORTAL_BASE_URL",
            "remove user",
        ),
        (
            vec![("base_url", "https://portal.example")],
            "PORTAL_SMTP_URL",
            "set it to your mail server",
        ),
        (
            vec![("base_url", "https://portal.example"), ("mail_dir", "/tmp")],
            "PORTAL_MAIL_DIR",
            "set PORTAL_SMTP_URL",
        ),
        (
            public(&[("mail_dir", "/tmp")]),
            "PORTAL_MAIL_DIR",
            "unset one of them",
        ),
        (
            vec![("mail_dir", "/nonexistent")],
            "PORTAL_MAIL_DIR",
            "make it or name another",
        ),
        (
            vec![("smtp_url", "smtp://localhost")],
            "PORTAL_MAIL_FROM",
            "set it to the address",
        ),
        (
            public(&[("mail_from", "nobody")]),
            "PORTAL_MAIL_FROM",
            "name@example.com",
        ),
        (
            public(&[("smtp_url", "http://mail.example")]),
            "PORTAL_SMTP_URL",
            "smtps://user:pass@host:465",
        ),
        (
            public(&[
                ("smtp_url", "smtp://mail.example"),
                ("dangerous_smtp_plaintext", "true"),
            ]),
            "PORTAL_DANGEROUS_SMTP_PLAINTEXT",
            "set it to false",
        ),
        (
            public(&[("smtp_ca_file", "/nonexistent")]),
            "PORTAL_SMTP_CA_FILE",
            "name a readable PEM file",
        ),
        (
            public(&[("smtp_ca_file", "/etc/hostname")]),
            "PORTAL_SMTP_CA_FILE",
            "BEGIN CERTIFICATE",
        ),
        (
            vec![("code_lifetime", "11m")],
            "PORTAL_CODE_LIFETIME",
            "between 1m and 10m",
        ),
        (
            vec![("answer_step", "2001ms")],
            "PORTAL_ANSWER_STEP",
            "between 0s and 2s",
        ),
        (vec![("code_digits", "5")], "PORTAL_CODE_DIGITS", "from 6 to 10"),
        (vec![("code_digits", "11")], "PORTAL_CODE_DIGITS", "from 6 to 10"),
        (
            vec![("link_lifetime", "14m")],
            "PORTAL_LINK_LIFETIME",
            "between 15m and 1day",
        ),
        (
            vec![("link_lifetime", "25h")],
            "PORTAL_LINK_LIFETIME",
            "between 15m and 1day",
        ),
        (
            vec![("idle_timeout", "13h")],
            "PORTAL_IDLE_TIMEOUT",
            "set it to 12h or less",
        ),
        (
            vec![("session_lifetime", "401d")],
            "PORTAL_SESSION_LIFETIME",
            "set it between",
        ),
        (
            vec![("idle_timeout", "0s")],
            "PORTAL_IDLE_TIMEOUT",
            "set it between 1s",
        ),
        (
            vec![("trusted_proxies", "0.0.0.0/0")],
            "PORTAL_TRUSTED_PROXIES",
            "your own proxies",
        ),
        (
            vec![("trusted_proxies", "10.0.0.1,::/0")],
            "PORTAL_TRUSTED_PROXIES",
            "your own proxies",
        ),
        (
            vec![("trusted_proxies", "proxy")],
            "PORTAL_TRUSTED_PROXIES",
            "10.0.0.0/8",
        ),
        (
            vec![("metrics_from", "everybody")],
            "PORTAL_METRICS_FROM",
            "10.0.0.0/8",
        ),
        (
            vec![("allowed_hosts", "https://x.example")],
            "PORTAL_ALLOWED_HOSTS",
            "names like portal.example",
        ),
        (vec![("listen", "8080")], "PORTAL_LISTEN", "127.0.0.1:8080"),
        (
            vec![("database_url", "mysql://h/d")],
            "PORTAL_DATABASE_URL",
            "sqlite://FILE",
        ),
        (vec![("migrate", "perhaps")], "PORTAL_MIGRATE", "true or false"),
        (vec![("preset", "strict")], "PORTAL_PRESET", "portal, modern"),
        (
            vec![("two_step", "always")],
            "PORTAL_TWO_STEP",
            "off, optional, areas, all",
        ),
        (
            vec![("recovery_fallback", "ask")],
            "PORTAL_RECOVERY_FALLBACK",
            "delayed, administrator, none",
        ),
        (
            vec![("tell_unknown", "perhaps")],
            "PORTAL_TELL_UNKNOWN",
            "true or false",
        ),
        (
            vec![("confirm_email", "once")],
            "PORTAL_CONFIRM_EMAIL",
            "true or false",
        ),
        (
            vec![("confirm_password", "once")],
            "PORTAL_CONFIRM_PASSWORD",
            "true or false",
        ),
        (
            vec![("check_answers", "twice")],
            "PORTAL_CHECK_ANSWERS",
            "true or false",
        ),
        (
            vec![("own_question", "maybe")],
            "PORTAL_OWN_QUESTION",
            "true or false",
        ),
        (vec![("workers", "0")], "PORTAL_WORKERS", "from 1 to 256"),
        (vec![("service_name", "a\nb")], "PORTAL_SERVICE_NAME", "one line"),
        (
            vec![("help_email", "help")],
            "PORTAL_HELP_EMAIL",
            "name@example.com",
        ),
        (
            vec![("admins", "a@b.example,root")],
            "PORTAL_ADMINS",
            "name@example.com",
        ),
        (
            vec![("time_zone", "Europe/Sheffield")],
            "PORTAL_TIME_ZONE",
            "Europe/London",
        ),
        (vec![("log_format", "xml")], "PORTAL_LOG_FORMAT", "text, json"),
        (vec![("rust_log", "portal=[[[")], "RUST_LOG", "target=level"),
        (
            vec![("roles_file", "/nonexistent")],
            "PORTAL_ROLES_FILE",
            "name a readable file",
        ),
        (
            vec![("config", "/nonexistent")],
            "PORTAL_CONFIG",
            "name a readable TOML file",
        ),
    ] {
        let problems = refused(&pairs);
        let told: Vec<_> = problems.iter().collect();
        assert_eq!(told.len(), 1, "{pairs:?}: {problems}");
        assert_eq!(told[0].setting, setting, "{pairs:?}: {problems}");
        let sentence = &told[0].sentence;
        assert!(
            sentence.starts_with(setting) && sentence.ends_with('.'),
            "{sentence}"
        );
        assert!(sentence.contains(fix), "{pairs:?}: {sentence}");
        assert!(
            !sentence.contains("hunter2") && sentence.matches('\n').count() == 0,
            "{sentence}"
        );
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = refused(&[
        ("listen", "x"),
        ("code_digits", "5"),
        ("preset", "y"),
        ("home_file", "/nonexistent"),
    ]);
    let settings: Vec<_> = problems.iter().map(|p| p.setting.as_str()).collect();
    assert_eq!(
        settings,
        [
            "PORTAL_LISTEN",
            "PORTAL_PRESET",
            "PORTAL_CODE_DIGITS",
            "PORTAL_HOME_FILE"
        ]
    );
}

#[test]
fn no_form_of_the_settings_shows_a_password() {
    let settings = read(&public(&[(
        "database_url",
        "postgres://portal:hunter2@db/portal",
    )]));
    let shown = format!("{settings:?} {settings:#?} {:?}", settings.shown());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_inbox_is_open_only_where_nothing_else_takes_mail_on_a_loopback_socket() {
    // TST-2
    assert!(read(&[]).inbox_is_open());
    for closed in [
        vec![("mail_dir", "/tmp")],
        vec![("smtp_url", "smtp://localhost"), ("mail_from", "a@b.example")],
        vec![("listen", "0.0.0.0:8080"), ("base_url", "http://localhost:8080")],
    ] {
        assert!(!read(&closed).inbox_is_open(), "{closed:?}");
    }
}

#[test]
fn the_file_fills_in_what_is_not_typed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("portal.toml");
    std::fs::write(&path, "code_digits = 8\nlink_lifetime = '1h'\n").unwrap();
    let path = path.to_str().unwrap();
    let settings = read(&[("config", path), ("link_lifetime", "2h")]);
    assert_eq!(
        (settings.code_digits, settings.link_lifetime.as_secs()),
        (8, 7200)
    );
    assert_eq!(settings.idle_timeout, Duration::from_secs(1800));
}
