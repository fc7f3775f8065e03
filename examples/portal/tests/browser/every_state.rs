//! Every page in every state, as the gallery renders it, for everyone: checked by axe-core and by what WCAG 2.2 AA asks
//! beyond it, light and dark, 320 pixels wide, and with text of twice the size.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::get};
use portal_auth_axum::security_headers::{SecurityHeaders, set_security_headers};
use serde_json::{Value, json};

use crate::gallery;
use crate::screen::{Hands, Screen, pictures};
use crate::states::{DARK, LARGE_TEXT, LIGHT, NARROW, State, View, shown};

/// R1, in bytes: the page, and all that it loads.
const FIRST_LOAD: u64 = 60_000;

#[tokio::test]
async fn every_page_is_for_everyone_by_day() {
    look_at_every_page(LIGHT, "en-GB").await;
}

#[tokio::test]
async fn every_page_is_for_everyone_in_the_dark() {
    look_at_every_page(DARK, "en-GB").await;
}

#[tokio::test]
async fn every_page_is_for_everyone_at_320_pixels() {
    look_at_every_page(NARROW, "en-GB").await;
}

#[tokio::test]
async fn every_page_is_for_everyone_with_text_of_twice_the_size() {
    look_at_every_page(LARGE_TEXT, "en-GB").await;
}

#[tokio::test]
async fn welsh_has_room_at_320_pixels() {
    look_at_every_page(NARROW, "cy").await;
}

/// Says all that is wrong at once.
async fn look_at_every_page(view: View, language: &str) {
    let origin = serve(language).await;
    let screen = Screen::before(&origin, Hands::Mouse, true).await;
    let mut wrong = Vec::new();
    for (name, state) in shown() {
        screen.set_view(view.width, view.dark).await;
        screen.open(&format!("/{name}.html")).await;
        let mut found = Vec::new();
        if view.large_text {
            let mut small = texts(&screen.look(LARGER).await);
            // A busy browser may give a button its new size a moment later.
            for _ in 0..80 {
                if small.is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
                small = texts(&screen.look(LARGER).await);
            }
            found.extend(small);
        }
        found.extend(texts(&screen.look(FAULTS).await));
        // The language of the words is nothing to what it looks at.
        if language == "en-GB" {
            found.extend(texts(&screen.barriers().await));
        }
        let weight = screen.look(WEIGHT).await.as_f64().unwrap_or(f64::MAX);
        if weight <= 0.0 || weight > FIRST_LOAD as f64 {
            found.push(format!("its first load is {weight} bytes"));
        }
        if state == State::Errors && screen.look(ON_SUMMARY).await != true {
            found.push("the error summary has not got the focus".to_owned());
        }
        wrong.extend(found.into_iter().map(|what| format!("{name}: {what}")));
        let file = pictures().join(format!("gallery-{name}-{}-{language}.png", view.name));
        std::fs::write(file, screen.picture().await).unwrap();
    }
    screen.close().await;
    assert!(
        wrong.is_empty(),
        "{} faults, {}:\n{}",
        wrong.len(),
        view.name,
        wrong.join("\n")
    );
}

fn texts(found: &Value) -> Vec<String> {
    let all = found.as_array().expect("a list");
    all.iter()
        .map(|text| text.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Makes all text twice as large, as a browser's own setting does, and lists what stayed small. Sizes are kept by
/// element: which of them can be seen may change as they grow.
const LARGER: &str = "
    const seen = e => e.checkVisibility() && !e.closest('.vh') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const all = [...document.querySelectorAll('body *')];
    const size = e => parseFloat(getComputedStyle(e).fontSize);
    const before = window.sizesBefore ??= new Map(all.map(e => [e, size(e)]));
    const s = new CSSStyleSheet(); s.replaceSync('html { font-size: 200% !important }');
    document.adoptedStyleSheets = [s];
    // Headings may grow less where they were large already.
    return all.filter(seen).filter(e => size(e) < before.get(e) * (/^H/.test(e.tagName) ? 1.5 : 1.99))
      .map(e => `its text stays small, ${size(e)} after ${before.get(e)} pixels: ${e.outerHTML.slice(0, 90)}`);
";

/// What is wrong with the page, apart from what axe-core knows.
const FAULTS: &str = "
    const bad = [], all = css => [...document.querySelectorAll(css)], show = e => e.outerHTML.slice(0, 90);
    const h1 = all('h1').length;
    if (h1 !== 1) bad.push(`it has ${h1} h1`);
    if (!document.title.includes(' - ')) bad.push(`its title is ${document.title}`);
    const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wider > 0) bad.push(`it is ${wider} pixels too wide: ` + all('body *').filter(e => e.checkVisibility()
      && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(show).join(' '));
    // A field shows what fits and scrolls.
    for (const e of all('main :not(input)')) {
      const cut = ['hidden', 'clip'].includes(getComputedStyle(e).overflowX) && !e.closest('.vh') && e.scrollWidth > e.clientWidth + 1;
      if (cut && e.checkVisibility()) bad.push(`it cuts something off: ${show(e)}`);
    }
    for (const e of all('input:not([type=hidden]), select, textarea')) {
      if (!e.labels?.length && !e.hasAttribute('aria-label') && !e.closest('[aria-hidden=true]')) bad.push(`no label: ${show(e)}`);
    }
    for (const e of all('[style], style, script:not([src])')) bad.push(`inline: ${show(e)}`);
    for (const e of all('*')) {
      const on = e.getAttributeNames().find(n => n.startsWith('on'));
      if (on) bad.push(`inline: ${on} of ${show(e)}`);
    }
    for (const e of performance.getEntriesByType('resource')) {
      if (!e.name.startsWith(location.origin + '/')) bad.push(`it asks ${e.name}`);
    }
    return bad;
";

/// Bytes of the page and of what it names, each once, as they are before any compression.
const WEIGHT: &str = "
    const names = e => e.getAttribute('href') || e.getAttribute('src');
    const all = new Set([...document.querySelectorAll('link[href], script[src], img[src]')].map(names));
    const sizes = Object.fromEntries(performance.getEntriesByType('resource').map(e => [e.name, e.decodedBodySize]));
    const page = performance.getEntriesByType('navigation')[0].decodedBodySize;
    return [...all].map(n => sizes[new URL(n, location)] ?? NaN).reduce((sum, size) => sum + size, page);
";

const ON_SUMMARY: &str = "return document.activeElement.classList.contains('summary')";

/// Serves the gallery in this language with the headers of the portal; answers where.
pub async fn serve(language: &str) -> String {
    let mut files: HashMap<String, (&'static str, String)> = gallery::pages(language)
        .unwrap()
        .into_iter()
        .map(|page| {
            let html = "text/html; charset=utf-8";
            (format!("/{}.html", page.name), (html, page.html))
        })
        .collect();
    for (name, kind, text) in [
        ("portal.css", "text/css", include_str!("../../assets/portal.css")),
        (
            "portal.js",
            "text/javascript",
            include_str!("../../assets/portal.js"),
        ),
        (
            "signed-in.js",
            "text/javascript",
            include_str!("../../assets/signed-in.js"),
        ),
        (
            "favicon.svg",
            "image/svg+xml",
            include_str!("../../assets/favicon.svg"),
        ),
    ] {
        files.insert(format!("/assets/{name}"), (kind, text.to_owned()));
    }
    let files = Arc::new(files);
    let answer = move |uri: Uri| {
        let files = Arc::clone(&files);
        async move { file(&files, uri.path()) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let headers = SecurityHeaders::for_base_url(&origin);
    let router = Router::new()
        .fallback(get(answer))
        .layer(from_fn_with_state(headers, set_security_headers));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

fn file(files: &HashMap<String, (&'static str, String)>, path: &str) -> Response {
    match files.get(path) {
        Some((kind, text)) => ([(CONTENT_TYPE, *kind)], text.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[tokio::test]
async fn the_checks_find_what_is_put_in_the_way() {
    let origin = serve("en-GB").await;
    let screen = Screen::before(&origin, Hands::Mouse, true).await;
    screen.open("/login-empty.html").await;
    assert_eq!(screen.look(FAULTS).await, json!([]));
    screen
        .look(
            "document.querySelector('label[for=email]').remove(); \
             document.querySelector('main').append(document.createElement('h1')); \
             document.querySelector('main p').setAttribute('onclick', 'x'); \
             const card = document.querySelector('.card').style; card.width = card.maxWidth = card.minWidth = '3000px'",
        )
        .await;
    let found = texts(&screen.look(FAULTS).await).join("\n");
    for fault in [
        "it has 2 h1",
        "pixels too wide",
        "no label: <input id=\"email\"",
        "inline: onclick",
        "inline: <div",
    ] {
        assert!(found.contains(fault), "{fault} in\n{found}");
    }
    screen.close().await;
}
