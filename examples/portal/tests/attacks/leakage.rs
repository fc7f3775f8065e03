//! The whole life of accounts with secrets that nobody else has, and then a look into everything that was written down.

use std::process::Output;

use axum::http::StatusCode;
use axum::http::header::LOCATION;

use crate::canaries::{ALL, Kind, Search};
use crate::chance::Chance;
use crate::forms;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{log_in, log_in_on};
use crate::rig::program::Portal;
use crate::rig::site::{code_in, not};
use crate::rig::{Database, Page, Person, Site};
use crate::settled::{mails_are_out, settled};
use crate::tables::{Tables, files_of};
use crate::tour::{self, Tour};

attack_cases! {
    p_46_a_secret_is_in_a_log_a_url_or_an_answer
    p_47_a_secret_is_in_a_table_or_a_file
}

/// What administrators do at the command line; the last one ends the account.
const COMMANDS: [&str; 9] = [
    "find",
    "list",
    "end-sessions",
    "unlock",
    "disable",
    "enable",
    "start-reset",
    "clear-two-step",
    "erase",
];

/// Everything that happened, and what the commands said about it.
struct Life<'a> {
    tour: Tour<'a>,
    /// Tables while all of it was going on.
    meanwhile: Tables,
    /// What commands wrote.
    told: String,
    metrics: String,
}

impl<'a> Life<'a> {
    async fn of(site: &'a Site, portal: &Portal, chance: Chance) -> Self {
        let mut tour = Tour::walk(site, portal, chance).await;
        wrong_guesses(&mut tour).await;
        let meanwhile = settled(site).await;
        // Every form there is, sent as its person would.
        let mut by_path = 0;
        for ready in forms::all(&tour).await {
            let mut person = ready.person;
            let answer = person.post(&ready.form).await;
            assert_ne!(answer.status, StatusCode::FORBIDDEN, "{}", answer.path);
            tour.secrets.of_browser(&person);
            by_path += 1;
        }
        assert!(by_path > 40, "only {by_path} forms");
        tour.secrets.keep(Kind::Password, forms::NEW_PASSWORD);
        mails_are_out(site).await;
        let metrics = tour.browser().open("/metrics").await.body;
        let told = commands(&mut tour).await;
        mails_are_out(site).await;
        collect(&mut tour);
        Self {
            tour,
            meanwhile,
            told,
            metrics,
        }
    }
}

/// Passwords, answers and codes that are wrong are somebody's secrets as well.
async fn wrong_guesses(tour: &mut Tour<'_>) {
    let stops = tour.stops.clone();
    for stop in stops {
        for form in stop.page.presses() {
            let secrets = ["password", "new-password", "answer", "code"];
            if form.action == "/account/logout"
                || !form.names().iter().any(|name| secrets.contains(&name.as_str()))
            {
                continue;
            }
            let mut form = form;
            for name in form.names() {
                form = match name.as_str() {
                    "password" | "new-password" | "new-password2" => {
                        form.forced(&name, &tour.secrets.password())
                    }
                    "answer" => form.forced(&name, &tour.secrets.answer()),
                    "code" => {
                        let code = tour.secrets.chance.text("0123456789", 6);
                        tour.secrets.code(&code);
                        form.forced(&name, &code)
                    }
                    _ => form,
                };
            }
            stop.person.clone().post(&form).await;
            break;
        }
    }
}

/// Acts on a new account from the command line; what the commands said.
async fn commands(tour: &mut Tour<'_>) -> String {
    let who = tour.registrant("commanded");
    let mut owner = tour.owner(who).await;
    log_in(&mut owner.person, &owner.who.address, &owner.who.password).await;
    let page = owner.person.open("/account/two-step-verification").await;
    let out = owner
        .person
        .send(&page.button("Save").with("preferred_method", "email"))
        .await;
    let ask = log_in_on(&mut owner.person, &out, &owner.who.address, &owner.who.password).await;
    let code = code_in(&tour.site.mail_to(&owner.who.address, 4).await);
    tour.secrets.code(&code);
    tour.secrets.code(&not(&code));
    owner
        .person
        .send(&ask.button("Verify").with("code", &not(&code)))
        .await;
    let home = owner.person.send(&ask.button("Verify").with("code", &code)).await;
    assert_eq!(home.path, "/home", "{:?}", home.errors());
    tour.secrets.of_browser(&owner.person);
    let mut told = String::new();
    for command in COMMANDS {
        let output = tour.site.run(&["accounts", command, &owner.who.address]);
        assert!(output.status.success(), "{command}: {}", text(&output));
        told.push_str(&text(&output));
    }
    for command in [
        &["outbox", "list"][..],
        &["keys", "list"],
        &["audit", "verify"],
        &["check"],
        &["purge"],
    ] {
        told.push_str(&text(&tour.site.run(command)));
    }
    told
}

fn text(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(bytes).unwrap()
}

/// Every cookie and token that was ever given, and every link and code that was ever mailed.
fn collect(tour: &mut Tour<'_>) {
    for page in tour.heard.lock().unwrap().iter() {
        for line in page.headers.get_all("set-cookie") {
            let value = line.to_str().unwrap().split(['=', ';']).nth(1).unwrap();
            if value.len() == 43 {
                tour.secrets.keep(Kind::Cookie, value);
            }
        }
        for token in page.attributes_of("[name=form_token]", "value") {
            tour.secrets.keep(Kind::Form, &token);
        }
    }
    for mail in tour.site.smtp().mails() {
        let mail = test_rig::parse_mail(&mail.raw);
        for link in mail.text.split_whitespace().filter(|word| word.contains("?t=")) {
            tour.secrets.link(link);
        }
        if mail.subject == "Your Verification Code" {
            tour.secrets.code(&code_in(&mail));
        }
    }
}

async fn trace(database: Database, chance: &mut Chance) -> Site {
    let mut site = tour::site(database, chance);
    site.set("RUST_LOG", "trace");
    site
}

/// LOG-2, LOG-3, ASVS 14.2.1 and 16.2.5: not even at TRACE for all crates, in any form.
async fn p_46_a_secret_is_in_a_log_a_url_or_an_answer(database: Database, mut chance: Chance) -> Figures {
    let site = trace(database, &mut chance).await;
    let portal = site.open().await;
    let life = Life::of(&site, &portal, chance).await;
    // The relay's own password is a secret as well.
    let mut secrets = life.tour.secrets;
    secrets.keep(Kind::Password, "s3cret");
    let (status, log) = portal.stop().await;
    assert!(status.success());
    assert!(
        log.contains("TRACE") && log.lines().count() > 500,
        "nothing was logged at trace"
    );
    let all = Search::new(&secrets, &ALL);
    for (place, text) in [
        ("the log", &log),
        ("a command's words", &life.told),
        ("the metrics", &life.metrics),
    ] {
        assert_eq!(all.found_in(text), None, "in {place}");
    }
    // LOG-4
    assert!(
        log.chars().all(|c| c == '\n' || !c.is_control()),
        "a control character in the log"
    );
    // LOG-2: addresses are masked.
    let line = log
        .lines()
        .find(|line| line.contains("@school.example") && !line.contains('\u{2022}'));
    assert_eq!(line, None, "an address in clear");

    // Nothing that was typed or is held comes back in a page or stands in a URL.
    let typed = Search::new(
        &secrets,
        &[Kind::Password, Kind::Answer, Kind::Code, Kind::Cookie],
    );
    let held = Search::new(
        &secrets,
        &[Kind::Password, Kind::Answer, Kind::Link, Kind::Cookie],
    );
    let heard = life.tour.heard.lock().unwrap();
    for Page {
        path, headers, body, ..
    } in heard.iter()
    {
        assert_eq!(typed.found_in(path), None, "in a URL");
        let location = headers.get(LOCATION).map_or("", |to| to.to_str().unwrap());
        assert_eq!(Search::found_in(&all, location), None, "in a redirect of {path}");
        // What an administrator or an owner is shown of accounts holds none either.
        assert_eq!(held.found_in(body), None, "on {path}");
    }
    assert!(
        secrets.count(Kind::Code) >= 4 && secrets.count(Kind::Link) >= 12,
        "too few secrets"
    );
    Figures::new()
        .with("secrets", secrets.len())
        .with("forms of each", all.forms_of_each())
        .with("bytes of log", log.len())
        .with("answers", heard.len())
}

/// TOK-2, OTP-3, I-12b, ASVS 6.5.2: no token, code, password, answer or cookie lies in clear, in any form.
async fn p_47_a_secret_is_in_a_table_or_a_file(database: Database, mut chance: Chance) -> Figures {
    let site = trace(database, &mut chance).await;
    let portal = site.open().await;
    let life = Life::of(&site, &portal, chance).await;
    let secrets = &life.tour.secrets;
    let all = Search::new(secrets, &ALL);
    // The bytes that a browser holds, either half of them; of a mailed link all of them, since its row may keep the
    // random half until it is used.
    let browsers = Search::of_texts(
        secrets
            .token_bytes(Kind::Cookie)
            .into_iter()
            .flat_map(|(random, tag)| [random, tag]),
    );
    let links = Search::of_texts(secrets.token_bytes(Kind::Link).into_iter().map(|(_, tag)| tag));
    let after = settled(&site).await;
    let mut rows = 0;
    for tables in [&life.meanwhile, &after] {
        for (table, row) in tables.all_rows() {
            for search in [&all, &browsers, &links] {
                assert_eq!(search.found_in(row), None, "in {table}");
            }
            rows += 1;
        }
    }
    for table in [
        "portal_accounts",
        "portal_registrations",
        "portal_links",
        "portal_challenges",
        "portal_sessions",
        "portal_devices",
        "portal_drafts",
        "portal_outbox",
        "portal_audit",
    ] {
        assert!(
            !life.meanwhile.rows(table).is_empty(),
            "{table} was empty all the time"
        );
    }
    // TOK-2: after its use nothing of a link is left.
    let used = after
        .rows("portal_links")
        .iter()
        .filter(|row| row.contains("state=used") || row.contains("state='used'"));
    let mut wiped = 0;
    for row in used {
        assert!(row.contains("seed=NULL"), "{row}");
        wiped += 1;
    }
    assert!(wiped > 5, "only {wiped} used links");

    let raw = |half: &str| -> Vec<u8> {
        half.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    };
    let cookies = secrets
        .token_bytes(Kind::Cookie)
        .into_iter()
        .flat_map(|(random, tag)| [raw(&random), raw(&tag)]);
    let bytes: Vec<_> = cookies
        .chain(secrets.token_bytes(Kind::Link).iter().map(|(_, tag)| raw(tag)))
        .collect();
    let raw = Search::of_bytes(&bytes);
    let mut written = 0;
    drop(Person::at(&portal).open("/healthz").await);
    for (path, content) in files_of(&site) {
        assert_eq!(all.found_in_bytes(&content), None, "in {}", path.display());
        assert_eq!(raw.found_in_bytes(&content), None, "in {}", path.display());
        written += content.len();
    }
    Figures::new()
        .with("secrets", secrets.len())
        .with("tables", after.names().count())
        .with("rows", rows)
        .with("bytes of files", written)
        .with("used links wiped", wiped)
}
