//! What hostile bytes may take of the heap (I-34): a program of its own, since the count is of the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on has failed"
)]

use std::sync::{Mutex, PoisonError};

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use peak_alloc::PeakAlloc;
use portal_auth::account::email::EmailAddress;
use portal_auth::password::Password;
use portal_auth::password::hash::StoredHash;
use portal_auth::password::imported::ImportedHash;
use portal_auth::password::policy::{PasswordOwner, PasswordPolicy};
use portal_auth::secret::one_time_code::OneTimeCode;
use portal_auth_axum::client_address::TrustedProxies;
use portal_auth_axum::cookies::{CookieValue, Cookies};
use portal_auth_axum::form::Form;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The longest body of a form, and the longest head of a request, in bytes (LIM-1).
const LIMIT: usize = 16 * 1024;

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Of each some parser may keep one thing more.
const PIECES: [&str; 14] = [
    "a",
    "a=b&",
    "=",
    "&",
    "%41",
    "%00",
    "\u{e9}",
    "\u{202e}",
    ",",
    "a@",
    "10.0.0.1, ",
    "$m=4,",
    "<z>",
    "a; ",
];

fn hostile() -> impl Iterator<Item = Vec<u8>> {
    PIECES
        .iter()
        .map(|piece| piece.bytes().cycle().take(LIMIT).collect())
}

/// The most that the heap grew while `act` ran, in bytes.
fn taken(act: impl FnOnce()) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    act();
    HEAP.peak_usage().saturating_sub(before)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn header(name: HeaderName, bytes: &[u8]) -> HeaderMap {
    HeaderValue::from_bytes(bytes)
        .map(|value| HeaderMap::from_iter([(name, value)]))
        .unwrap_or_default()
}

#[test]
fn i_34_no_parser_takes_more_than_four_times_its_limit() {
    type Parse = fn(&[u8]);
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let parsers: [(&str, Parse); 9] = [
        ("form", |bytes| drop(Form::parse(bytes))),
        ("email", |bytes| drop(EmailAddress::parse(text(bytes)))),
        ("code", |bytes| drop(OneTimeCode::parse(text(bytes), 6))),
        ("new password", |bytes| {
            let password = Password::new(text(bytes));
            drop(PasswordPolicy::portal().check(&password, &PasswordOwner::unknown()));
        }),
        ("stored hash", |bytes| drop(StoredHash::parse(text(bytes)))),
        ("imported hash", |bytes| drop(ImportedHash::parse(text(bytes)))),
        ("token", |bytes| drop(CookieValue::parse(text(bytes)))),
        ("cookies", |bytes| drop(Cookies::read(&header(COOKIE, bytes)))),
        ("forwarded", |bytes| {
            let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
            let headers = header(HeaderName::from_static("x-forwarded-for"), bytes);
            let _client = proxies.client_address(Some("10.0.0.1".parse().unwrap()), &headers);
        }),
    ];
    for (name, parse) in parsers {
        // Once before it counts: what is set up for good is not the input's.
        hostile().for_each(|bytes| parse(&bytes));
        let most = hostile().map(|bytes| taken(|| parse(&bytes))).max().unwrap();
        println!("{name}: {most} bytes of heap for {LIMIT}");
        assert!(most <= 4 * LIMIT, "{name}: {most}");
    }
}

/// What was typed is shown again: five bytes for each `<`, in a buffer that doubles as it grows and beside its copy on
/// the way out. That is linear, and of one request.
#[test]
fn i_34_what_a_page_shows_again_takes_sixteen_times_what_was_sent_at_most() {
    const NAMES: [&str; 4] = ["email", "new-password", "forename", "code"];
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for page in b'a'..=b'l' {
        let send = |body: &[u8]| {
            let sent = [&[page, b'0'], body].concat();
            taken(|| {
                let _reached = portal_auth_fuzz::portal_forms(&sent);
            })
        };
        let much = || {
            let texts = ["a", "%41", "<z>"].map(|piece| piece.repeat(LIMIT / piece.len() - 80));
            let bodies = NAMES
                .iter()
                .flat_map(|name| texts.each_ref().map(|text| format!("{name}={text}")));
            bodies.map(|body| send(body.as_bytes())).max().unwrap()
        };
        // Once before it counts.
        let (_, _) = (send(b"email="), much());
        let (little, much) = (send(b"email="), much());
        let page = char::from(page);
        println!("{page}: {little} bytes of heap, {much} with {LIMIT} sent");
        assert!(much <= little + 16 * LIMIT, "{page}");
    }
}
