//! What the operator uses: commands, probes, the development inbox.

use std::time::Duration;

use axum::http::header::FORWARDED;
use axum::http::{HeaderName, Method, StatusCode};
use serde_json::Value;

use crate::rig::journey::{account, complete, log_in, register};
use crate::rig::{Database, PASSWORD, Person, Site, fresh_address, on_both_databases};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

on_both_databases! {
    an_operator_looks_after_accounts_from_the_command_line
    a_schema_is_migrated_only_where_that_is_allowed
    probes_and_counters_answer_without_a_person
}

fn told(output: &std::process::Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

async fn an_operator_looks_after_accounts_from_the_command_line(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("operator");
    account(&site, &mut jo, &address).await;
    let accounts = |command: &str, address: &str| {
        let output = site.run(&["accounts", command, address]);
        (output.status.code(), told(&output))
    };

    let (code, found) = accounts("find", &address.to_uppercase());
    assert_eq!(code, Some(0), "{found}");
    assert!(found.contains(&address) && found.contains("two step"), "{found}");
    assert!(!found.contains("argon2"), "{found}");
    let (code, none) = accounts("find", "nobody@school.example");
    assert_eq!(code, Some(1), "{none}");
    assert_eq!(accounts("find", "nobody").0, Some(2));

    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    assert_eq!(accounts("end-sessions", &address).0, Some(0));
    assert_eq!(jo.open("/home").await.h1(), "Login");

    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    assert_eq!(accounts("disable", &address).0, Some(0));
    assert_eq!(jo.open("/home").await.h1(), "Login");
    let refused = log_in(&mut jo, &address, PASSWORD).await;
    assert_eq!(refused.errors(), ["Email Address or Password is not correct."]);
    assert_eq!(accounts("enable", &address).0, Some(0));
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");

    let mut guesser = Person::at(&portal);
    let mut status = StatusCode::OK;
    for _ in 0..30 {
        status = log_in(&mut guesser, &address, "Wrong-Horse-42-battery")
            .await
            .status;
        if status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(accounts("unlock", &address).0, Some(0));
    assert_eq!(log_in(&mut guesser, &address, PASSWORD).await.path, "/home");

    let (code, listed) = accounts("list", address.split('@').next().unwrap());
    assert_eq!(code, Some(0), "{listed}");
    assert!(listed.contains(&format!("{address} active off")), "{listed}");
    assert_eq!(accounts("clear-two-step", &address).0, Some(1), "it is off");
    assert_eq!(accounts("start-reset", &address).0, Some(0));
    let outbox = |arguments: &[&str]| {
        let output = site.run(&[&["outbox"], arguments].concat());
        (output.status.code(), told(&output))
    };
    let (code, mails) = outbox(&["list", "--to", &address]);
    assert_eq!(code, Some(0), "{mails}");
    let reset = mails.lines().find(|line| line.contains("reset-password"));
    let id = reset.and_then(|line| line.split(' ').next()).unwrap();
    assert_eq!(outbox(&["retry", id]).0, Some(1), "it is not dead");
    assert_eq!(outbox(&["list", "--status", "lost"]).0, Some(2));
    assert_eq!(accounts("erase", &address).0, Some(0));
    assert_eq!(accounts("find", &address).0, Some(1));
    let gone = log_in(&mut guesser, &address, PASSWORD).await;
    assert_eq!(gone.errors(), ["Email Address or Password is not correct."]);

    let output = site.run(&["purge"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

async fn a_schema_is_migrated_only_where_that_is_allowed(database: Database) {
    let mut site = Site::new(database);
    site.set("PORTAL_MIGRATE", "false");
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["accounts", "find", "jo@school.example"],
    ] {
        let output = site.run(command);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(told(&output).contains("portal migrate"), "{}", told(&output));
    }
    assert!(site.run(&["migrate"]).status.success());
    assert!(
        site.run(&["migrate"]).status.success(),
        "a second time is harmless"
    );
    let portal = site.open().await;
    assert_eq!(Person::at(&portal).open("/readyz").await.status, 200);
}

async fn probes_and_counters_answer_without_a_person(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("probe");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    log_in(&mut Person::at(&portal), &address, "Wrong-Horse-42-battery").await;

    let mut probe = Person::at(&portal);
    let alive = probe.open("/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (StatusCode::OK, "ok\n"));
    let ready = probe.open("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    assert!(ready.body.starts_with("ready\n"));
    // A mail that has arrived is settled a moment later.
    let mut metrics = probe.open("/metrics").await;
    for _ in 0..400 {
        if metrics.body.contains("portal_outbox_due 0\n") {
            break;
        }
        metrics = probe.open("/metrics").await;
    }
    let value = |name: &str| {
        let line = metrics
            .body
            .lines()
            .find(|l| l.starts_with(&format!("portal_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", metrics.body))
            .split(' ')
            .nth(1)
            .unwrap()
            .to_owned()
    };
    assert_eq!(value("sign_ins_total"), "1");
    assert_eq!(value("sign_ins_refused_total"), "1");
    assert_eq!(value("mails_sent_total"), "2");
    assert_eq!(value("outbox_due"), "0");
    assert!(probe.cookies().is_empty(), "a probe is given no cookie");
    // A probe asks by address, not by the portal's name.
    let mut request = probe.request(Method::GET, "/readyz", &[]);
    request
        .headers_mut()
        .insert("host", "10.0.0.7:8080".parse().unwrap());
    assert_eq!(probe.exchange(request).await.status, 200);
}

#[tokio::test]
async fn metrics_are_for_the_peers_that_may_read_them() {
    let mut site = Site::with_inbox(Database::Sqlite);
    site.set("PORTAL_METRICS_FROM", "10.0.0.0/8");
    let portal = site.open().await;
    let mut probe = Person::at(&portal);
    assert_eq!(probe.open("/metrics").await.status, StatusCode::NOT_FOUND);
    // What a client says about itself changes nothing (THR-5).
    let claims = [(FORWARDED_FOR, "10.0.0.1")];
    assert_eq!(
        probe.ask(Method::GET, "/metrics", &claims).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn metrics_are_not_for_what_a_proxy_on_the_same_machine_passes_on() {
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let mut probe = Person::at(&portal);
    assert_eq!(probe.open("/metrics").await.status, StatusCode::OK);
    // Nobody has told the portal of this proxy.
    for header in [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x-forwarded-proto",
        "via",
    ] {
        let passed_on = [(HeaderName::from_static(header), "127.0.0.1")];
        let answer = probe.ask(Method::GET, "/metrics", &passed_on).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{header}");
        assert_eq!(probe.ask(Method::GET, "/readyz", &passed_on).await.status, 200);
    }
}

#[tokio::test]
async fn metrics_behind_a_trusted_proxy_are_for_the_visitors_that_may_read_them() {
    let mut site = Site::with_inbox(Database::Sqlite).behind_a_proxy();
    site.set("PORTAL_METRICS_FROM", "loopback, 198.51.100.7");
    let portal = site.open().await;
    let answer = async |headers: &[(HeaderName, &str)]| {
        let page = Person::at(&portal).ask(Method::GET, "/metrics", headers).await;
        page.status
    };
    assert_eq!(answer(&[]).await, StatusCode::OK, "not through the proxy");
    assert_eq!(answer(&[(FORWARDED_FOR, "198.51.100.7")]).await, StatusCode::OK);
    for visitor in ["192.0.2.1", "127.0.0.1, 192.0.2.1", "198.51.100.7, 192.0.2.1"] {
        let status = answer(&[(FORWARDED_FOR, visitor)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{visitor}");
    }
    // The proxy's own address stands where headers contradict each other or cannot be read.
    let forged = [(FORWARDED_FOR, "192.0.2.1"), (FORWARDED, "for=127.0.0.1")];
    assert_eq!(answer(&forged).await, StatusCode::NOT_FOUND);
    for unreadable in ["nobody", "127.0.0.1"] {
        let status = answer(&[(FORWARDED_FOR, unreadable)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{unreadable}");
    }
}

#[tokio::test]
async fn the_development_inbox_shows_each_mail_to_people_and_to_tests() {
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("inbox");
    let none = jo.open(&format!("/dev/mail/latest?to={address}")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    register(&mut jo, &address).await;
    let all = mails(&mut jo, &address, 1).await;
    let mut fields: Vec<_> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "at", "codes", "html", "id", "kind", "links", "subject", "text", "to"
        ]
    );
    assert_eq!(all[0]["to"], address.as_str());
    assert_eq!(
        all[0]["subject"],
        "Complete your registration - Professional Portal"
    );
    let link = first_link(&all[0]);
    let kind = all[0]["kind"].as_str().unwrap().to_owned();
    let latest = jo
        .open(&format!("/dev/mail/latest?to={address}&kind={kind}"))
        .await;
    assert_eq!(serde_json::from_str::<Value>(&latest.body).unwrap(), all[0]);
    let page = complete(&mut jo, &link, PASSWORD).await;
    assert_eq!(page.h1(), "Thank you for registering");
    let all = mails(&mut jo, &address, 2).await;
    assert_eq!(
        all[0]["subject"], "Your account is ready",
        "the newest comes first"
    );

    let list = jo.open(&format!("/dev/mail?to={address}")).await;
    assert!(list.main().contains("Your account is ready"));
    let id = all[1]["id"].as_str().unwrap();
    for tab in ["", "?tab=html", "?tab=headers", "?tab=source"] {
        let shown = jo.open(&format!("/dev/mail/{id}{tab}")).await;
        assert_eq!(shown.status, 200, "{tab}");
    }
    let html = jo.open(&format!("/dev/mail/{id}/html")).await;
    assert_eq!(
        html.headers["content-security-policy"],
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    );
    assert_eq!(
        jo.open("/dev/mail/no-such-mail").await.status,
        StatusCode::NOT_FOUND
    );
}

/// The mails to an address in the development inbox, as soon as there are so many.
async fn mails(person: &mut Person, address: &str, count: usize) -> Vec<Value> {
    for _ in 0..400 {
        let page = person.open(&format!("/dev/mail.json?to={address}")).await;
        let mails: Vec<Value> = serde_json::from_str(&page.body).unwrap();
        if mails.len() >= count {
            assert_eq!(mails.len(), count);
            return mails;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no {count} mails to {address} in the inbox");
}

/// The path and query of the first link in a mail of the development inbox.
fn first_link(mail: &Value) -> String {
    let link = url::Url::parse(mail["links"][0].as_str().unwrap()).unwrap();
    format!("{}?{}", link.path(), link.query().unwrap())
}

/// Waits until the only mail to an address has come to stand there in the outbox.
async fn mail_is(site: &Site, address: &str, status: &str) {
    let mut listed = String::new();
    for _ in 0..400 {
        listed = told(&site.run(&["outbox", "list", "--to", address]));
        if listed.split(' ').nth(1) == Some(status) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the mail to {address} is not {status}: {listed}");
}

#[tokio::test]
async fn the_development_inbox_lets_the_next_mails_go_wrong() {
    // P30
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let mut developer = Person::at(&portal);
    for (delivery, status, at_once, after_30_seconds) in [
        ("bounce", "dead", 0, 0),
        ("drop", "sent", 0, 0),
        ("delay", "sent", 0, 1),
        ("normal", "sent", 1, 1),
    ] {
        let page = developer.open("/dev/mail").await;
        let form = page.button("Save").with("delivery", delivery);
        let page = developer.send(&form).await;
        assert_eq!(
            (&*page.path, &*page.value_of("delivery")),
            ("/dev/mail", delivery)
        );
        let address = fresh_address(delivery);
        register(&mut Person::at(&portal), &address).await;
        mail_is(&site, &address, status).await;
        site.clock().advance(Duration::from_secs(29));
        mails(&mut developer, &address, at_once).await;
        site.clock().advance(Duration::from_secs(1));
        mails(&mut developer, &address, after_30_seconds).await;
    }
}

#[tokio::test]
async fn the_development_inbox_moves_the_clock_to_show_what_expires() {
    // P30
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("half-a-day");
    register(&mut jo, &address).await;
    let link = first_link(&mails(&mut jo, &address, 1).await[0]);
    assert_eq!(jo.open(&link).await.status, StatusCode::OK);
    let page = jo.open("/dev/mail").await;
    let page = jo.send(&page.button("Move the clock 12 hours")).await;
    assert_eq!(page.path, "/dev/mail");
    assert!(page.main().contains("12 hours ago"), "{}", page.main());
    let over = jo.open(&link).await;
    assert_eq!(over.status, StatusCode::GONE);
    assert!(over.main().contains("Links last 12 hours."), "{}", over.main());
}

#[tokio::test]
async fn the_development_inbox_is_closed_wherever_mail_goes_somewhere() {
    // TST-2, P-51
    for how in ["smtp", "directory", "open socket"] {
        let mut site = if how == "smtp" {
            Site::new(Database::Sqlite)
        } else {
            Site::with_inbox(Database::Sqlite)
        };
        match how {
            "directory" => {
                std::fs::create_dir(site.folder().join("mails")).unwrap();
                site.set("PORTAL_MAIL_DIR", "mails");
            }
            "open socket" => site.listen_everywhere(),
            _ => {}
        }
        let portal = site.open().await;
        let mut jo = Person::at(&portal);
        for path in [
            "/dev/mail",
            "/dev/mail.json",
            "/dev/mail/latest",
            "/dev/mail/x",
            "/dev/mail/x/html",
        ] {
            let page = jo.open(path).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{how}: {path}");
            assert_eq!(
                page.h1(),
                "Page not found",
                "nothing tells that there is such a page"
            );
        }
    }
}
