//! Change of Circumstances (P25): telling of one, what becomes of it, and what never does.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::rig::journey::{account, log_in, log_in_on};
use crate::rig::page::Form;
use crate::rig::program::Portal;
use crate::rig::{Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_change_is_kept_under_a_reference_and_told_by_mail
    every_wrong_answer_is_told_at_once_and_nothing_typed_is_lost
    a_form_sent_twice_is_one_report
    five_a_day_are_taken_even_when_all_come_at_once
    a_session_that_ends_under_the_form_loses_nothing
    another_person_sees_nothing_of_it
    reports_are_in_the_download_and_go_with_the_account
    what_a_killed_process_has_not_told_the_next_one_tells
    somebody_who_has_left_is_offered_to_close_the_account
}

const PATH: &str = "/account/change-of-circumstances";
const BOSS: &str = "boss@council.example";
const DAY: Duration = Duration::from_secs(86_400);
const SUBJECT: &str = "We have your change of circumstances";
const MARKUP: &str = "<b>bold</b> & \"more\"\n\nhttps://evil.example/";

struct Scene {
    site: Site,
    portal: Portal,
    database: Database,
    jo: Person,
    address: String,
}

/// Somebody logged in, of a portal with one administrator: 2 mails.
async fn scene(database: Database, name: &str) -> Scene {
    let mut site = Site::new(database);
    site.set("PORTAL_ADMINS", BOSS);
    // The same links at every process.
    site.set("PORTAL_BASE_URL", "http://localhost:8080");
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address(name);
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    Scene {
        site,
        portal,
        database,
        jo,
        address,
    }
}

impl Scene {
    async fn form(&mut self) -> Form {
        let page = self.jo.open(PATH).await;
        let today = today(&page);
        filled(&page, "new-role", today, "Head of Year")
    }

    /// Runs a statement on a connection of its own, as an operator could.
    async fn run(&self, statement: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        match self.database {
            Database::Postgres => {
                let mut conn = sqlx::PgConnection::connect(&self.site.database_url())
                    .await
                    .unwrap();
                statement.execute(&mut conn).await.unwrap();
            }
            Database::Sqlite => {
                let mut conn = sqlx::SqliteConnection::connect(&self.file()).await.unwrap();
                statement.execute(&mut conn).await.unwrap();
            }
        }
    }

    /// How many reports there are.
    async fn reports(&self) -> i64 {
        const COUNT: &str = "SELECT count(*) FROM host_circumstances";
        match self.database {
            Database::Postgres => {
                let mut conn = sqlx::PgConnection::connect(&self.site.database_url())
                    .await
                    .unwrap();
                sqlx::query(COUNT).fetch_one(&mut conn).await.unwrap().get(0)
            }
            Database::Sqlite => {
                let mut conn = sqlx::SqliteConnection::connect(&self.file()).await.unwrap();
                sqlx::query(COUNT).fetch_one(&mut conn).await.unwrap().get(0)
            }
        }
    }

    fn file(&self) -> String {
        self.site.folder().join("portal.db").display().to_string()
    }

    /// From here on the outbox takes no mail of the portal's own.
    async fn close_the_outbox(&self) {
        self.run(match self.database {
            Database::Postgres => {
                "ALTER TABLE portal_outbox ADD CONSTRAINT away CHECK (kind <> 'host') NOT VALID"
            }
            Database::Sqlite => {
                "CREATE TRIGGER away BEFORE INSERT ON portal_outbox WHEN NEW.kind = 'host' \
                 BEGIN SELECT RAISE(ABORT, 'away'); END"
            }
        })
        .await;
    }

    async fn open_the_outbox(&self) {
        self.run(match self.database {
            Database::Postgres => "ALTER TABLE portal_outbox DROP CONSTRAINT away",
            Database::Sqlite => "DROP TRIGGER away",
        })
        .await;
    }

    /// The process is killed, and another one starts.
    async fn restart(self) -> Self {
        let Self {
            site,
            portal,
            database,
            mut jo,
            address,
        } = self;
        portal.kill();
        let portal = site.open().await;
        jo.go_on_at(&portal);
        Self {
            site,
            portal,
            database,
            jo,
            address,
        }
    }
}

/// The day that the page gives as an example.
fn today(page: &Page) -> Date {
    let hint = page.text_of("#date-hint");
    let numbers: Vec<i16> = hint.split(' ').filter_map(|word| word.parse().ok()).collect();
    Date::new(numbers[2], numbers[1] as i8, numbers[0] as i8).unwrap()
}

fn filled(page: &Page, change: &str, on: Date, details: &str) -> Form {
    page.button("Save")
        .with("change", change)
        .with("date-day", &on.day().to_string())
        .with("date-month", &on.month().to_string())
        .with("date-year", &on.year().to_string())
        .with("details", details)
}

fn in_words(on: Date) -> String {
    on.strftime("%-d %B %Y").to_string()
}

/// The reference that the page tells after sending.
fn reference(page: &Page) -> String {
    let notice = page.notice();
    let told = notice.split("Your reference number is ").nth(1);
    let told = told.unwrap_or_else(|| panic!("no reference in {notice:?}, {:?}", page.errors()));
    told.split('.').next().unwrap().to_owned()
}

async fn a_change_is_kept_under_a_reference_and_told_by_mail(database: Database) {
    // P25, E14, MAIL-1
    let mut scene = scene(database, "told").await;
    let home = scene.jo.open("/account").await;
    let page = scene.jo.open(&home.link("Change of Circumstances")).await;
    assert_eq!(page.h1(), "Change of Circumstances");
    assert_eq!(
        page.attributes_of("input[name=change]", "value"),
        ["new-role", "new-organisation", "new-name", "left", "other"]
    );
    assert!(page.texts_of("#told-before").is_empty());
    let today = today(&page);
    let sent = scene
        .jo
        .send(&filled(&page, "new-organisation", today, MARKUP))
        .await;
    let reference = reference(&sent);
    assert_eq!(sent.path, format!("{PATH}?notice=sent&reference={reference}"));
    assert!(!sent.path.contains("bold"), "WEB-7");

    // What was told before, as text.
    assert_eq!(sent.texts_of(".told h3"), ["New organisation"]);
    let told = sent.texts_of(".told dd");
    assert_eq!(
        (told[0].as_str(), &told[2]),
        (reference.as_str(), &in_words(today))
    );
    assert_eq!(told[3], "<b>bold</b> & \"more\" https://evil.example/");
    assert!(!sent.body.contains("<b>bold"), "{}", sent.body);
    // The form is empty again, and is another one.
    assert_eq!(sent.value_of("details"), "");
    assert_ne!(sent.value_of("report"), page.value_of("report"));

    for (to, count, greeting) in [(scene.address.as_str(), 3, "Hello Jo,"), (BOSS, 1, "Hello,")] {
        let mail = scene.site.mail_to(to, count).await;
        assert_eq!(mail.subject, format!("{SUBJECT} ({reference})"));
        assert!(mail.text.starts_with(greeting), "{}", mail.text);
        for words in [
            "What has changed: New organisation",
            &format!("Date of the change: {}", in_words(today)),
            "> <b>bold</b> & \"more\"\n>\n> https://evil.example/",
        ] {
            assert!(
                mail.text.replace("\r\n", "\n").contains(words),
                "{words}: {}",
                mail.text
            );
        }
        assert!(!mail.html.contains("<b>bold"), "{}", mail.html);
        // Only the administrators need to be told who it was.
        let named = format!("> Jo Bloggs\n> {}", scene.address);
        assert_eq!(
            mail.text.replace("\r\n", "\n").contains(&named),
            to == BOSS,
            "{}",
            mail.text
        );
    }
    // Nothing tells it again: not the next process, not the next minutes.
    let scene = scene.restart().await;
    scene.site.clock().advance(DAY);
    let portal = scene.site.open().await;
    let mut jo = Person::at(&portal);
    log_in(&mut jo, &scene.address, PASSWORD).await;
    let again = jo.open(PATH).await;
    jo.send(&filled(&again, "new-name", today, "")).await;
    scene.site.mail_to(&scene.address, 4).await;
    scene.site.mail_to(BOSS, 2).await;
}

async fn every_wrong_answer_is_told_at_once_and_nothing_typed_is_lost(database: Database) {
    let mut scene = scene(database, "wrong").await;
    let page = scene.jo.open(PATH).await;
    let today = today(&page);
    let empty = scene.jo.send(&page.button("Save")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.title().starts_with("Error: "), "{}", empty.title());
    assert_eq!(
        empty.errors(),
        ["Choose what has changed", "Enter the date of the change"]
    );
    assert_eq!(
        empty.attributes_of(".summary a", "href"),
        ["#change", "#date-day"]
    );
    assert_eq!(empty.attributes_of("#date-day", "aria-invalid"), ["true"]);

    let right = filled(&page, "new-role", today, "Kept text");
    let far = today.checked_add(400.days()).unwrap();
    let long_ago = today.checked_sub(6.years()).unwrap();
    let long = "x".repeat(1001);
    for (form, field, message) in [
        (
            right.clone().with("date-day", "31").with("date-month", "2"),
            "date-day",
            "Enter a real date",
        ),
        (
            right.clone().with("date-month", "Nonsense"),
            "date-month",
            "Enter a real date",
        ),
        (
            right.clone().with("date-year", ""),
            "date-year",
            "The date must have a year",
        ),
        (filled(&page, "left", far, "Kept text"), "date-year", "or earlier"),
        (
            filled(&page, "left", long_ago, "Kept text"),
            "date-year",
            "or later",
        ),
        (
            right.clone().with("details", &long),
            "details",
            "1,000 characters or fewer: 1 too many",
        ),
        (
            right.clone().with("details", "Kept\u{202e}text"),
            "details",
            "hidden characters",
        ),
        (
            filled(&page, "other", today, " "),
            "details",
            "Tell us what has changed",
        ),
        (
            right.clone().without("change").forged("change", "sold"),
            "change",
            "Choose what has changed",
        ),
    ] {
        let wrong = scene.jo.send(&form).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{message}");
        let errors = wrong.errors();
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{message}: {errors:?}"
        );
        assert_eq!(wrong.attributes_of(".summary a", "href"), [format!("#{field}")]);
        for name in ["date-day", "date-month", "date-year", "report"] {
            assert_eq!(wrong.value_of(name), form.value(name).unwrap(), "{message}");
        }
        assert_eq!(
            wrong.value_of("details").trim(),
            form.value("details").unwrap().trim()
        );
    }
    // REG-1, R13
    let forged = right.clone().forged("account_id", "1");
    assert_eq!(scene.jo.send(&forged).await.status, StatusCode::BAD_REQUEST);
    let stale = scene.jo.send(&right.clone().without("form_token")).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (stale.value_of("details"), stale.value_of("change")),
        ("Kept text".into(), "new-role".into())
    );
    let foreign = scene
        .jo
        .post_with(&right, &[("sec-fetch-site".parse().unwrap(), "cross-site")])
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!(scene.reports().await, 0);
    assert_eq!(scene.site.mails_to(BOSS), 0);
    // The honest twin.
    reference(&scene.jo.send(&right).await);
    assert_eq!(scene.reports().await, 1);
}

async fn a_form_sent_twice_is_one_report(database: Database) {
    // R9
    let mut scene = scene(database, "twice").await;
    let form = scene.form().await;
    let (mut one, mut two) = (scene.jo.clone(), scene.jo.clone());
    let (one, two) = tokio::join!(one.send(&form), two.send(&form));
    let first = reference(&one);
    assert_eq!(reference(&two), first);
    let later = scene.jo.send(&form).await;
    assert_eq!(reference(&later), first);
    assert_eq!(scene.reports().await, 1);
    scene.site.mail_to(&scene.address, 3).await;
    scene.site.mail_to(BOSS, 1).await;
    // Back, and something else typed: nothing of it is taken for what was sent.
    let other = scene
        .jo
        .send(&form.with("details", "Head of Year, from June"))
        .await;
    assert_ne!(reference(&other), first);
    assert_eq!(scene.reports().await, 2);
    scene.site.mail_to(BOSS, 2).await;
}

async fn five_a_day_are_taken_even_when_all_come_at_once(database: Database) {
    let mut scene = scene(database, "many").await;
    let mut forms = Vec::new();
    for _ in 0..8 {
        forms.push(scene.form().await);
    }
    let sent = forms.iter().map(|form| {
        let (mut jo, form) = (scene.jo.clone(), form.clone());
        tokio::spawn(async move { jo.send(&form).await })
    });
    let mut refused = Vec::new();
    let mut taken = 0;
    for answer in sent.collect::<Vec<_>>() {
        let page = answer.await.unwrap();
        if page.status == StatusCode::OK {
            reference(&page);
            taken += 1;
        } else {
            refused.push(page);
        }
    }
    assert_eq!((taken, refused.len(), scene.reports().await), (5, 3, 5));
    for page in &refused {
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(
            page.errors()[0].starts_with("You have sent 5 changes within 24 hours"),
            "{:?}",
            page.errors()
        );
        assert_eq!(page.value_of("details"), "Head of Year", "nothing typed is lost");
    }
    // Exactly a day later there is room again.
    scene.site.clock().advance(DAY - Duration::from_secs(1));
    log_in(&mut scene.jo, &scene.address, PASSWORD).await;
    let form = scene.form().await;
    assert_eq!(scene.jo.send(&form).await.status, StatusCode::TOO_MANY_REQUESTS);
    scene.site.clock().advance(Duration::from_secs(1));
    reference(&scene.jo.send(&form).await);
    // Somebody else's are not counted.
    assert_eq!(
        scene.site.mail_to(BOSS, 6).await.subject.split(" (").next(),
        Some(SUBJECT)
    );
}

async fn a_session_that_ends_under_the_form_loses_nothing(database: Database) {
    // R11
    let mut scene = scene(database, "late").await;
    let form = scene
        .form()
        .await
        .with("change", "other")
        .with("details", "Two\r\nlines <b>");
    scene.site.clock().advance(Duration::from_secs(31 * 60));
    let out = scene.jo.send(&form).await;
    assert!(out.path.starts_with("/account/timed-out"), "{}", out.path);
    assert!(
        out.main().contains("What you had typed is saved for 24 hours."),
        "{}",
        out.main()
    );
    let back = log_in_on(&mut scene.jo, &out, &scene.address, PASSWORD).await;
    assert_eq!(back.path, PATH);
    assert_eq!(scene.reports().await, 0, "nothing is sent by itself");
    for name in ["change", "date-day", "date-month", "date-year", "report"] {
        assert_eq!(Some(back.value_of(name).as_str()), form.value(name), "{name}");
    }
    assert_eq!(back.value_of("details").replace("\r\n", "\n"), "Two\nlines <b>");
    let sent = scene.jo.send(&back.button("Save")).await;
    reference(&sent);
    assert_eq!(scene.reports().await, 1);
    assert_eq!(
        scene.jo.open(PATH).await.value_of("details"),
        "",
        "it is kept no longer"
    );
}

async fn another_person_sees_nothing_of_it(database: Database) {
    let mut scene = scene(database, "private").await;
    let form = scene.form().await;
    let sent = scene.jo.send(&form).await;
    let reference = reference(&sent);
    let olas = fresh_address("ola");
    let mut ola = Person::at(&scene.portal);
    account(&scene.site, &mut ola, &olas).await;
    log_in(&mut ola, &olas, PASSWORD).await;
    let page = ola.open(&sent.path).await;
    assert_eq!(page.texts_of(".notice"), Vec::<String>::new());
    assert!(!page.main().contains(&reference), "{}", page.main());
    // The same form, in another person's hands, is another report.
    let theirs = page.button("Save");
    let mut copied = form;
    copied = copied.without("form_token");
    copied = copied.forged("form_token", theirs.value("form_token").unwrap());
    assert!(!ola.send(&copied).await.notice().contains(&reference));
    assert_eq!(scene.reports().await, 2);
    // Nobody at all sees anything.
    let mut nobody = Person::at(&scene.portal);
    assert_eq!(nobody.open(&sent.path).await.h1(), "Login");
    // An address cannot make the page say what was never sent.
    let forged = scene
        .jo
        .open(&format!("{PATH}?notice=sent&reference=CC-0000-0000"))
        .await;
    assert_eq!(forged.texts_of(".notice"), Vec::<String>::new());
}

async fn reports_are_in_the_download_and_go_with_the_account(database: Database) {
    // CHG-5
    let mut scene = scene(database, "gone").await;
    let form = scene.form().await.with("details", "<i>mine</i>");
    let reference = reference(&scene.jo.send(&form).await);
    let page = scene.jo.open("/account/your-data").await;
    let file = scene.jo.post(&page.button("Download as JSON")).await;
    let data: Value = serde_json::from_str(&file.body).unwrap();
    let told = data["changes_of_circumstances"].as_array().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["reference"], reference);
    assert_eq!(told[0]["details"], "<i>mine</i>");
    assert!(told[0]["emailed_at"].is_string(), "{told:?}");
    let html = scene.jo.post(&page.button("Download as HTML")).await;
    assert!(
        html.body.contains("<h2>Changes of circumstances</h2>"),
        "{}",
        html.body
    );
    assert!(html.body.contains("&lt;i&gt;mine"), "{}", html.body);

    // One goes by the owner's wish when the grace is over, another at once by the operator's.
    let olas = fresh_address("erased");
    let mut ola = Person::at(&scene.portal);
    account(&scene.site, &mut ola, &olas).await;
    log_in(&mut ola, &olas, PASSWORD).await;
    let page = ola.open(PATH).await;
    ola.send(&filled(&page, "left", today(&page), "")).await;
    assert_eq!(scene.reports().await, 2);
    let erased = scene.site.run(&["accounts", "erase", &olas]);
    assert!(
        erased.status.success(),
        "{}",
        String::from_utf8_lossy(&erased.stderr)
    );
    assert_eq!(scene.reports().await, 1);

    let page = scene.jo.open("/account/close").await;
    let close = page.button("Close my account").with("password", PASSWORD);
    scene.jo.send(&close).await;
    assert!(scene.site.run(&["purge"]).status.success());
    assert_eq!(
        scene.reports().await,
        1,
        "until the grace is over it can be brought back"
    );
    scene.site.clock().advance(DAY * 14);
    assert!(scene.site.run(&["purge"]).status.success());
    assert_eq!(scene.reports().await, 0);
}

async fn what_a_killed_process_has_not_told_the_next_one_tells(database: Database) {
    let mut scene = scene(database, "killed").await;
    scene.close_the_outbox().await;
    let form = scene.form().await;
    let sent = scene.jo.send(&form).await;
    // It is kept, whatever becomes of its mails.
    let reference = reference(&sent);
    assert_eq!(scene.reports().await, 1);
    // A process that starts while it cannot tell serves all the same.
    let scene = scene.restart().await;
    scene
        .portal
        .wait_for_log("a change of circumstances is still to be told")
        .await;
    assert_eq!(scene.site.mails_to(BOSS), 0);
    scene.open_the_outbox().await;
    let scene = scene.restart().await;
    for (to, count) in [(scene.address.as_str(), 3), (BOSS, 1)] {
        let mail = scene.site.mail_to(to, count).await;
        assert_eq!(mail.subject, format!("{SUBJECT} ({reference})"));
    }
    // Two more processes, and each still arrived once.
    let scene = scene.restart().await;
    let other = scene.site.open().await;
    let mut jo = Person::at(&other);
    log_in(&mut jo, &scene.address, PASSWORD).await;
    let page = jo.open(PATH).await;
    jo.send(&filled(&page, "new-role", today(&page), "")).await;
    scene.site.mail_to(&scene.address, 4).await;
    scene.site.mail_to(BOSS, 2).await;
}

async fn somebody_who_has_left_is_offered_to_close_the_account(database: Database) {
    let mut scene = scene(database, "left").await;
    let page = scene.jo.open(PATH).await;
    let today = today(&page);
    let left = scene.jo.send(&filled(&page, "left", today, "")).await;
    assert_eq!(left.link("Close your account"), "/account/close");
    let mail = scene.site.mail_to(&scene.address, 3).await;
    assert!(
        mail.text.contains("http://localhost:8080/account/close"),
        "{}",
        mail.text
    );

    // Who leaves later is offered it on that day, and not before.
    let page = scene.jo.open(PATH).await;
    let later = today.checked_add(10.days()).unwrap();
    let leaving = scene.jo.send(&filled(&page, "left", later, "")).await;
    let promised = format!(
        "On {} we will email you how to close your account.",
        in_words(later)
    );
    assert!(leaving.notice().contains(&promised), "{}", leaving.notice());
    let mail = scene.site.mail_to(&scene.address, 4).await;
    assert!(!mail.text.contains("/account/close"), "{}", mail.text);
    // Both have arrived before the time in which mails are sent is over.
    scene.site.mail_to(BOSS, 2).await;
    scene.site.clock().advance(DAY * 9);
    let scene = scene.restart().await;
    scene.site.clock().advance(DAY * 2);
    let scene = scene.restart().await;
    let mail = scene.site.mail_to(&scene.address, 5).await;
    assert!(
        mail.subject.starts_with("You can close your account now"),
        "{}",
        mail.subject
    );
    assert!(
        mail.text.contains("http://localhost:8080/account/close"),
        "{}",
        mail.text
    );
    scene.site.mail_to(BOSS, 2).await;
}

#[tokio::test]
async fn while_the_database_is_down_the_page_holds_what_was_told() {
    let mut site = Site::new(Database::Postgres);
    let cable = site.database_cable();
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("down");
    account(&site, &mut jo, &address).await;
    log_in(&mut jo, &address, PASSWORD).await;
    let page = jo.open(PATH).await;
    let form = filled(&page, "other", today(&page), "Still here");
    cable.cut();
    let mut page = jo.send(&form).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    cable.mend();
    for _ in 0..8 {
        if page.status != StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        page = jo.send(&page.button("Try again")).await;
    }
    reference(&page);
    assert_eq!(page.texts_of(".told dd")[3], "Still here");
}
