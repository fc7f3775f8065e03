//! Several processes on one database, and processes that end in the middle of things.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use test_rig::{Fault, OtherSmtpServer, parse_mail};

use crate::rig::journey::{account, complete, log_in, register, turn_two_step_on};
use crate::rig::site::{code_in, link_in};
use crate::rig::{Database, PASSWORD, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    a_killed_process_loses_no_mail
    sigterm_finishes_what_was_begun_within_ten_seconds
    a_mail_server_that_is_away_is_tried_again
    a_mail_server_that_others_have_written_brings_the_link
}

#[tokio::test]
async fn two_processes_serve_one_database_as_one_portal() {
    let site = Site::new(Database::Postgres);
    // Both start at once on an empty database, and both bring it up to date.
    let (one, two) = tokio::join!(site.open(), site.open());
    let mut jo = Person::at(&one);
    let address = fresh_address("both");
    register(&mut jo, &address).await;
    let link = link_in(&site.mail_to(&address, 1).await);

    jo.go_on_at(&two);
    let page = jo.open(&link).await;
    jo.go_on_at(&one);
    let form = page.button("Complete registration").with("password", PASSWORD);
    assert_eq!(jo.send(&form).await.h1(), "Thank you for registering");
    site.mail_to(&address, 2).await;

    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
    jo.go_on_at(&two);
    turn_two_step_on(&mut jo).await;
    site.mail_to(&address, 3).await;
    let ask = log_in(&mut jo, &address, PASSWORD).await;
    let code = code_in(&site.mail_to(&address, 4).await);
    jo.go_on_at(&one);
    let home = jo.send(&ask.button("Verify").with("code", &code)).await;
    assert_eq!(home.path, "/home");
    // Logged out at one, nobody at the other.
    let mut copy = jo.clone();
    copy.go_on_at(&two);
    assert_eq!(copy.open("/areas/send-ehat").await.path, "/areas/send-ehat");
    jo.send(&home.button("Logout")).await;
    assert_eq!(copy.open("/home").await.h1(), "Login");
}

#[tokio::test]
async fn first_starts_at_the_same_moment_all_bring_the_database_up_to_date() {
    for database in [Database::Sqlite, Database::Postgres] {
        let site = Site::new(database);
        let portals = tokio::join!(site.open(), site.open(), site.open());
        for portal in [&portals.0, &portals.1, &portals.2] {
            assert_eq!(Person::at(portal).open("/readyz").await.status, 200);
        }
    }
}

async fn a_killed_process_loses_no_mail(database: Database) {
    let mut site = Site::new(database);
    site.set("PORTAL_BASE_URL", "http://localhost:8080");
    site.smtp().set_fault(Fault::Refuse);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("killed");
    let sent = register(&mut jo, &address).await;
    assert_eq!(sent.h1(), "Check your email");
    portal.kill();
    assert_eq!(site.mails_to(&address), 0);

    site.smtp().set_fault(Fault::None);
    // Longer than the dead process's lease on the mail, shorter than the link's life.
    site.clock().advance(Duration::from_secs(3600));
    let portal = site.open().await;
    let link = link_in(&site.mail_to(&address, 1).await);
    jo.go_on_at(&portal);
    let thanks = complete(&mut jo, &link, PASSWORD).await;
    assert_eq!(thanks.h1(), "Thank you for registering");
    site.mail_to(&address, 2).await;
    assert_eq!(log_in(&mut jo, &address, PASSWORD).await.path, "/home");
}

async fn a_mail_server_that_is_away_is_tried_again(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    site.smtp().set_fault(Fault::Greeting421);
    let address = fresh_address("retried");
    // ENU-3: the person sees nothing of it.
    let sent = register(&mut Person::at(&portal), &address).await;
    assert_eq!(sent.h1(), "Check your email");
    // The hour would begin after the clock has moved, were the first try still under way.
    portal.wait_for_log("mail not sent yet").await;
    site.smtp().set_fault(Fault::None);
    site.clock().advance(Duration::from_secs(3600));
    let mail = site.mail_to(&address, 1).await;
    assert!(link_in(&mail).starts_with("/account/complete-registration?t="));
}

async fn a_mail_server_that_others_have_written_brings_the_link(database: Database) {
    let server = OtherSmtpServer::start();
    let mut site = Site::with_inbox(database);
    site.set("PORTAL_SMTP_URL", &server.url());
    site.set("PORTAL_SMTP_CA_FILE", &server.ca_file().display().to_string());
    site.set("PORTAL_MAIL_FROM", "no-reply@portal.example");
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("foreign");
    register(&mut jo, &address).await;
    let mail = server.wait_for_mail(1).await;
    assert!(mail.encrypted);
    assert_eq!(mail.to, [address]);
    let page = complete(&mut jo, &link_in(&parse_mail(&mail.raw)), PASSWORD).await;
    assert_eq!(page.h1(), "Thank you for registering");
}

async fn sigterm_finishes_what_was_begun_within_ten_seconds(database: Database) {
    let site = Site::new(database);
    let portal = site.open().await;
    let mut jo = Person::at(&portal);
    let address = fresh_address("term");
    account(&site, &mut jo, &address).await;
    let page = jo.open("/account/login").await;
    let form = page
        .button("Login")
        .with("email", &address)
        .with("password", PASSWORD);

    // A request of which everything but the last byte has arrived when the signal comes.
    let body = form.encoded();
    let (most, last) = body.split_at(body.len() - 1);
    let cookies: Vec<_> = jo.cookies().iter().map(|(n, v)| format!("{n}={v}")).collect();
    let mut wire = TcpStream::connect(("127.0.0.1", portal.port())).unwrap();
    write!(
        wire,
        "POST /account/login HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{most}",
        portal.port(),
        cookies.join("; "),
        body.len(),
    )
    .unwrap();
    // A connection that says nothing must not hold the process up.
    let _silent = TcpStream::connect(("127.0.0.1", portal.port())).unwrap();
    assert_eq!(
        jo.open("/healthz").await.status,
        200,
        "both connections have been taken by now"
    );
    portal.send_sigterm();
    portal
        .wait_for_log("ending: finishing running requests and mails")
        .await;
    wire.write_all(last.as_bytes()).unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("__Host-portal_session="), "{answer}");
    let (status, log) = portal.stop().await;
    assert!(status.success(), "{status}:\n{log}");
}
