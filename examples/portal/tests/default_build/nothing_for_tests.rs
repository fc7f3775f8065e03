//! No door of the tests is left open, no account waits, and nothing is cheaper than it looks.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::chance::Chance;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{account, log_in};
use crate::rig::{Database, PASSWORD, Person, Site};
use crate::routes::routes;
use crate::tables::Tables;

attack_cases! {
    p_51_the_default_build_has_a_door_for_tests
}

/// ASVS 6.3.2, 13.4.2, TST-2, TST-3, HASH-1: the variables of test builds are set here, and do nothing.
async fn p_51_the_default_build_has_a_door_for_tests(database: Database, mut chance: Chance) -> Figures {
    let mut site = Site::new(database);
    // Every page that a setting adds.
    site.set("PORTAL_CHECK_ANSWERS", "true");
    let help = site.run(&["--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(!help.to_lowercase().contains("test"), "{help}");
    assert!(site.run(&["migrate"]).status.success());
    let empty = Tables::of(&site).await;
    for (table, row) in empty.all_rows() {
        let is_empty = !table.starts_with("portal_") || table == "portal_schema";
        assert!(is_empty, "{table} begins with {row}");
    }
    // A clock that is a year ahead, and the cheapest hash, where a test build would take them.
    site.clock().advance(Duration::from_secs(365 * 86_400));
    let portal = site.open().await;
    let mut visitor = Person::at(&portal);
    let mut answered = 0;
    for route in routes() {
        let path = route.path.replace("{id}", "1");
        let page = visitor.clone().ask(Method::GET, &path, &[]).await;
        // Mail goes out, and nobody is named an administrator.
        if path.starts_with("/dev") || path.starts_with("/admin") {
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        } else {
            // Pages behind links say 404 too, about the link.
            let is_missing = page.status == StatusCode::NOT_FOUND && page.body.contains("Page not found");
            assert!(!is_missing, "{path} is in the sources and not there");
        }
        for method in ["TRACE", "PUT", "DELETE", "PATCH"] {
            let answer = visitor
                .clone()
                .ask(Method::from_bytes(method.as_bytes()).unwrap(), &path, &[])
                .await;
            assert!(
                answer.status.is_client_error(),
                "{method} {path}: {}",
                answer.status
            );
        }
        answered += 1;
    }
    for path in [
        "/dev",
        "/dev/clock",
        "/dev/panic",
        "/debug",
        "/test",
        "/panic",
        "/metrics/",
        "/.env",
        "/.git/config",
        "/portal.db",
        "/portal.keys",
    ] {
        assert_eq!(
            visitor.ask(Method::GET, path, &[]).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    for name in ["server", "x-powered-by"] {
        assert!(visitor.open("/").await.headers.get(name).is_none(), "{name}");
    }

    // The honest twin: an account is made and logged in to, at the whole price and in today's time.
    let address = chance.address("first");
    account(&site, &mut visitor, &address).await;
    let row = Tables::of(&site).await.rows("portal_accounts")[0].clone();
    assert!(row.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{row}");
    assert_eq!(log_in(&mut visitor, &address, PASSWORD).await.path, "/home");
    let made = row
        .split("created_at=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let made = Duration::from_micros(made.parse().unwrap());
    assert!(
        made < today() + Duration::from_secs(86_400),
        "the clock's file was read"
    );
    let inbox = inbox(database).await;
    Figures::new()
        .with("routes", answered)
        .with("accounts at first", 0)
        .with("ways to the inbox", inbox)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the portal's own clock is what is judged here"
)]
fn today() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
}

/// Where nothing else takes mail and everything is on this machine the inbox answers, without a clock to move.
async fn inbox(database: Database) -> usize {
    let paths = [
        "/dev/mail",
        "/dev/mail.json",
        "/dev/mail/latest",
        "/dev/mail/x",
        "/dev/mail/x/html",
    ];
    let open = Site::with_inbox(database);
    let portal = open.open().await;
    let list = Person::at(&portal).open("/dev/mail").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(
        !list.body.contains("advance"),
        "a default build has no clock to move"
    );
    for how in ["directory", "open socket", "public base URL"] {
        let mut site = if how == "public base URL" {
            Site::new(database)
        } else {
            Site::with_inbox(database)
        };
        match how {
            "directory" => {
                std::fs::create_dir(site.folder().join("mails")).unwrap();
                site.set("PORTAL_MAIL_DIR", "mails");
            }
            "open socket" => site.listen_everywhere(),
            _ => {
                site.set("PORTAL_BASE_URL", "https://portal.example");
                assert!(site.run(&["keys", "generate"]).status.success());
            }
        }
        let portal = site.open().await;
        for path in paths {
            let mut request = Person::at(&portal).request(Method::GET, path, &[]);
            if how == "public base URL" {
                request
                    .headers_mut()
                    .insert("host", "portal.example".parse().unwrap());
            }
            let page = Person::at(&portal).exchange(request).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{how}: {path}");
            assert_eq!(
                page.h1(),
                "Page not found",
                "nothing tells that there is such a page"
            );
        }
    }
    paths.len() * 3
}
