use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, HOST};
use portal_auth::account::postcode::Postcode;
use portal_auth::account::professional_profile::{AboutYou, WorkDetails};
use portal_auth::account::profile::Section as _;
use portal_auth::features::register::{Save, SecurityDetails};
use portal_auth::secret::token::DraftToken;
use portal_auth::visitor::Visitor;
use portal_auth_axum::cookies::PortalCookie;
use serde_json::json;
use tower::ServiceExt as _;

use super::*;
use crate::address_finder::{FinderError, FoundAddress, Patience};
use crate::service::{build, open_store};
use crate::settings::{Given, load};

/// An app with a database of its own, and the folder it lives in.
pub(crate) async fn fresh_app() -> (tempfile::TempDir, Shared) {
    let folder = tempfile::tempdir().unwrap();
    let given = Given {
        database_url: Some(format!("sqlite://{}", folder.path().join("portal.db").display())),
        keys_file: Some(folder.path().join("portal.keys").display().to_string()),
        ..Given::default()
    };
    let (settings, content) = load(given).unwrap();
    let opened = open_store(&settings, true).await.unwrap();
    let app = build(&settings, &content, opened).unwrap().app;
    (folder, app)
}

#[derive(Debug)]
struct OutOfOrder;

#[async_trait]
impl AddressFinder for OutOfOrder {
    async fn find(&self, _: &Postcode) -> Result<Vec<FoundAddress>, FinderError> {
        Err(FinderError::OutOfOrder)
    }
}

#[derive(Debug)]
struct Silent;

#[async_trait]
impl AddressFinder for Silent {
    async fn find(&self, _: &Postcode) -> Result<Vec<FoundAddress>, FinderError> {
        std::future::pending().await
    }
}

/// A registration whose last step is half filled in.
async fn half_a_registration(auth: &PortalAuth) -> DraftToken {
    let (address, password) = ("jo@school.example", "Correct-Horse-42-battery");
    let details = SecurityDetails::new(address, password)
        .repeated(address, password)
        .with_question("first-car", "Morris Minor");
    let saved = auth
        .save_security_details(&Visitor::unknown(), None, details)
        .await;
    let draft = saved.unwrap();
    let about = json!({"title": "Dr", "forename": "Jo", "surname": "Bloggs", "gender": "undisclosed"});
    let work = json!({"roles": [{"role": "Forest School Leader", "postcode": "AA1 1AA"}]});
    for (section, typed, save) in [
        (AboutYou::NAME, about, Save::Checked),
        (WorkDetails::NAME, work, Save::AsItIs),
    ] {
        auth.save_section(&draft, section, typed, save).await.unwrap();
    }
    draft
}

#[tokio::test]
async fn where_the_address_search_fails_or_is_silent_the_address_is_typed() {
    // P7
    let (_folder, mut app) = fresh_app().await;
    let draft = half_a_registration(&app.auth).await;
    let finders: [Arc<dyn AddressFinder>; 2] =
        [Arc::new(OutOfOrder), Arc::new(Patience::two_seconds(Silent))];
    for finder in finders {
        let told = format!("{finder:?}");
        Arc::get_mut(&mut app.0).unwrap().addresses = finder;
        let request = Request::get("/account/register/work-details?address=find")
            .header(HOST, "127.0.0.1:8080")
            .header(
                COOKIE,
                format!("{}={}", PortalCookie::Draft.name(), draft.expose()),
            );
        let answer = router(&app).oneshot(request.body(Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{told}");
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        for words in [
            "Address search is not working. Enter the address yourself.",
            "name=\"address_line1\"",
            "value=\"Forest School Leader\"",
        ] {
            assert!(body.contains(words), "{told}: no {words} in {body}");
        }
    }
}
