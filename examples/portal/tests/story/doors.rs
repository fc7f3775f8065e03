//! What every answer carries, what a browser is given to keep, and what never gets into the log.

use axum::http::header::SET_COOKIE;
use axum::http::{Method, StatusCode};

use crate::rig::journey::{account, complete, log_in, log_in_on, register, turn_two_step_on};
use crate::rig::site::{code_in, link_in, not};
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    every_session_cookie_is_new_and_a_planted_one_is_worth_nothing
    no_secret_gets_into_the_log_even_at_trace
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

fn header<'a>(page: &'a Page, name: &str) -> &'a str {
    let all: Vec<_> = page.headers.get_all(name).iter().collect();
    assert_eq!(all.len(), 1, "{name} on {}", page.path);
    all[0].to_str().unwrap()
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_a_browser_strict() {
    let site = Site::with_inbox(Database::Sqlite);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let pages = [
        "/",
        "/help",
        "/account/login",
        "/account/register/security-details",
        "/account/register/sent",
    ];
    let others = [
        "/no/such/page",
        "/healthz",
        "/account/timed-out",
        "/home",
        "/dev/mail",
        "/account/complete-registration",
    ];
    for path in pages.iter().chain(&others) {
        let page = jo.ask(Method::GET, path, &[]).await;
        // A4: 3.4.1 to 3.4.8
        assert_eq!(header(&page, "content-security-policy"), POLICY, "{path}");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert_eq!(header(&page, "x-frame-options"), "DENY");
        assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin");
        let referrer = if *path == "/account/complete-registration" {
            "no-referrer"
        } else {
            "same-origin"
        };
        assert_eq!(header(&page, "referrer-policy"), referrer, "{path}");
        assert_eq!(header(&page, "cache-control"), "no-store", "WEB-6: {path}");
        assert!(
            page.headers.get("strict-transport-security").is_none(),
            "plain http is for this machine only"
        );
        assert!(page.headers.get("server").is_none());
        // No code inline, nothing from elsewhere.
        assert!(
            !page.body.contains(" style=") && !page.body.contains(" onclick="),
            "{path}"
        );
        for source in page.attributes_of("script, img, link[rel=stylesheet]", "src") {
            assert!(source.starts_with('/'), "{path}: {source}");
        }
    }
    // R1: a first visit loads less than 60 kB.
    let home = jo.open("/").await;
    let mut bytes = home.body.len();
    let mut assets = home.attributes_of("script, img", "src");
    assets.extend(home.attributes_of("link", "href"));
    assets.sort_unstable();
    assets.dedup();
    for asset in &assets {
        let asset = jo.open(asset).await;
        assert_eq!(asset.status, 200, "{}", asset.path);
        assert!(
            header(&asset, "cache-control").contains("immutable"),
            "{}",
            asset.path
        );
        bytes += asset.body.len();
    }
    assert!(bytes < 60 * 1024, "{bytes}");
}

#[tokio::test]
async fn a_public_portal_is_reached_by_https_only() {
    let mut site = Site::new(Database::Sqlite);
    site.set("PORTAL_BASE_URL", "https://portal.example");
    assert!(site.run(&["keys", "generate"]).status.success());
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let mut request = jo.request(Method::GET, "/", &[]);
    request
        .headers_mut()
        .insert("host", "portal.example".parse().unwrap());
    let page = jo.exchange(request).await;
    assert_eq!(page.status, 200);
    let transport = header(&page, "strict-transport-security");
    assert_eq!(transport, "max-age=63072000; includeSubDomains");
    // Loopback hosts belong to a portal whose base URL is loopback.
    assert_eq!(jo.open("/").await.status, StatusCode::MISDIRECTED_REQUEST);
}

/// The `Set-Cookie` lines of an answer, each checked as WEB-1 wants it; names without prefix, and values.
fn set_cookies(page: &Page) -> Vec<(String, String)> {
    let lines = page.headers.get_all(SET_COOKIE).iter();
    lines
        .map(|line| {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let name = name
                .strip_prefix("__Host-portal_")
                .unwrap_or_else(|| panic!("{line}"));
            let attributes: Vec<_> = attributes.split(';').map(str::trim).collect();
            // P-35
            for needed in ["Secure", "HttpOnly", "Path=/"] {
                assert!(attributes.contains(&needed), "{line}");
            }
            let same_site = if name == "verify" {
                "SameSite=Strict"
            } else {
                "SameSite=Lax"
            };
            assert!(attributes.contains(&same_site), "{line}");
            assert!(!attributes.iter().any(|a| a.starts_with("Domain")), "{line}");
            let age = attributes.iter().find_map(|a| a.strip_prefix("Max-Age="));
            let expected = match name {
                "link" => Some("900"),
                "device" => Some("15552000"),
                _ => None,
            };
            assert!(value.is_empty() || age == expected, "{line}");
            assert!(value.is_empty() || value.len() == 43, "{line}");
            assert!(line.len() <= 4096);
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

async fn every_session_cookie_is_new_and_a_planted_one_is_worth_nothing(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("fixed");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    let first = jo.cookie("session").unwrap().to_owned();
    let first_form = jo.open("/account").await.value_of("form_token");

    // P-36: a login in the same browser, over the old session and over planted cookies.
    let page = Person::at(&portal).open("/account/login").await;
    assert!(set_cookies(&page).iter().any(|(name, _)| name == "form"));
    let mut planted = Person::at(&portal);
    let forged = "A".repeat(43);
    for name in ["session", "draft", "verify", "device", "link"] {
        planted.plant(name, &forged);
    }
    let login = planted.open("/account/login").await;
    let answer = planted
        .post(
            &login
                .button("Login")
                .with("email", &address)
                .with("password", PASSWORD),
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let given = set_cookies(&answer);
    let session = given.iter().find(|(name, _)| name == "session").unwrap();
    assert!(session.1 != forged && session.1 != first);
    let mut thief = Person::at(&portal);
    thief.plant("session", &forged);
    assert_eq!(thief.open("/home").await.h1(), "Login");

    // Confirming the password renews the session, and the old value dies at once (SES-2).
    turn_two_step_on(&mut jo).await;
    site.mail_to(&address, 3).await;
    thief.plant("session", &first);
    assert_eq!(thief.open("/home").await.h1(), "Login");
    let login = jo.open("/account/login").await;
    let answer = jo
        .post(
            &login
                .button("Login")
                .with("email", &address)
                .with("password", PASSWORD),
        )
        .await;
    let given = set_cookies(&answer);
    assert!(
        given
            .iter()
            .any(|(name, value)| name == "verify" && value.len() == 43)
    );
    assert!(
        !given
            .iter()
            .any(|(name, value)| name == "session" && !value.is_empty()),
        "OTP-8"
    );
    let code = code_in(&site.mail_to(&address, 4).await);
    let ask = jo.follow(answer).await;
    let verify = jo.cookie("verify").unwrap().to_owned();
    // OTP-8, P-29: between password and code nobody is signed in.
    for path in [
        "/home",
        "/account",
        "/areas/send-ehat",
        "/account/two-step-verification",
    ] {
        let mut half = jo.clone();
        assert_ne!(half.open(path).await.path, path, "{path}");
    }
    let answer = jo.post(&ask.button("Verify").with("code", &code)).await;
    set_cookies(&answer);
    let home = jo.follow(answer).await;
    assert_eq!(home.path, "/home");
    assert_ne!(jo.cookie("session").unwrap(), first);
    assert_ne!(
        home.value_of("form_token"),
        first_form,
        "WEB-2: the form token goes with its session"
    );
    // P-27: the code and its half-done sign-in are used up.
    let mut again = Person::at(&portal);
    again.plant("verify", &verify);
    let refused = again.open("/account/verify").await;
    assert_eq!(refused.h1(), "Login");
    // SES-4: what is logged out stays out.
    let session = jo.cookie("session").unwrap().to_owned();
    let answer = jo.post(&home.button("Logout")).await;
    assert!(
        set_cookies(&answer)
            .iter()
            .any(|(name, value)| name == "session" && value.is_empty())
    );
    thief.plant("session", &session);
    assert_eq!(thief.open("/home").await.h1(), "Login");
}

async fn no_secret_gets_into_the_log_even_at_trace(database: Database) {
    let mut site = Site::new(database);
    site.set("RUST_LOG", "trace");
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("logged");
    register(&mut jo, &address).await;
    let mut secrets = vec![PASSWORD.to_owned(), ANSWER.to_owned(), "morris minor".to_owned()];
    let link = link_in(&site.mail_to(&address, 1).await);
    secrets.push(link.split_once("t=").unwrap().1.to_owned());
    keep(&mut secrets, &jo);
    jo.open(&link).await;
    keep(&mut secrets, &jo);
    complete(&mut jo, &link, PASSWORD).await;
    keep(&mut secrets, &jo);
    site.mail_to(&address, 2).await;
    log_in(&mut jo, &address, "Wrong-Horse-99-canary").await;
    secrets.push("Wrong-Horse-99-canary".to_owned());
    log_in(&mut jo, &address, PASSWORD).await;
    keep(&mut secrets, &jo);
    let out = turn_two_step_on(&mut jo).await;
    keep(&mut secrets, &jo);
    site.mail_to(&address, 3).await;
    let ask = log_in_on(&mut jo, &out, &address, PASSWORD).await;
    keep(&mut secrets, &jo);
    let code = code_in(&site.mail_to(&address, 4).await);
    jo.send(&ask.button("Verify").with("code", &not(&code))).await;
    let form = ask.button("Verify").with("code", &code);
    secrets.push(form.value("form_token").unwrap().to_owned());
    let home = jo.send(&form).await;
    assert_eq!(home.path, "/areas/send-ehat");
    keep(&mut secrets, &jo);
    jo.send(&home.button("Logout")).await;
    // The relay's password is a secret as well.
    secrets.push("s3cret".to_owned());

    let (status, log) = portal.stop().await;
    assert!(status.success());
    assert!(log.contains("TRACE"), "nothing was logged at trace");
    secrets.sort_unstable();
    secrets.dedup();
    assert!(secrets.len() > 12, "too few canaries: {}", secrets.len());
    // LOG-2, LOG-3, P-46: as they are, and in the forms that a library might print.
    for secret in &secrets {
        for form in forms(secret) {
            if let Some(line) = log.lines().find(|line| line.contains(&form)) {
                panic!("{form} is in the log:\n{line}");
            }
        }
    }
    // Six digits can stand in a time or a length by chance; the code is looked for as a word of its own.
    let lines = log.lines().filter(|line| {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '.' && c != ':');
        words.into_iter().any(|word| word == code)
    });
    assert_eq!(lines.collect::<Vec<_>>(), Vec::<&str>::new());
    // LOG-4
    assert!(log.chars().all(|c| c == '\n' || !c.is_control()));
    // Nor do addresses stand there in clear.
    let named: Vec<_> = log
        .lines()
        .filter(|line| line.contains(&address))
        .take(3)
        .collect();
    assert_eq!(named, Vec::<&str>::new());
}

fn keep(secrets: &mut Vec<String>, person: &Person) {
    secrets.extend(person.cookies().values().filter(|v| !v.is_empty()).cloned());
}

/// A secret as it is, in base64, in hex, as bytes are printed, and as it stands in a form.
fn forms(secret: &str) -> Vec<String> {
    use base64ct::{Base64, Encoding as _};
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let listed: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(bytes).collect();
    vec![
        secret.to_owned(),
        // Without the last characters, which depend on what follows.
        Base64::encode_string(&bytes[..bytes.len() / 3 * 3]),
        hex,
        listed.join(", "),
        encoded,
    ]
}
