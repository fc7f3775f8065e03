//! What stands for a person: tokens, mailed codes, and the text of a stored hash.

use std::sync::OnceLock;

use portal_auth::error::Denied;
use portal_auth::password::hash::{HashParams, StoredHash};
use portal_auth::password::imported::ImportedHash;
use portal_auth::secret::one_time_code::OneTimeCode;
use portal_auth::secret::token::{
    ChallengeToken, DeviceToken, DraftToken, KeptFormToken, LinkToken, SessionToken, TOKEN_LENGTH,
};
use portal_auth_axum::cookies::PortalCookie;

use crate::Reached;
use crate::browser::{Browser, State, wait_for};

/// A token opens its own door, unchanged, and no other (I-12, TOK-1).
///
/// The first byte says whose token: `s`ession, `d`raft, `c`hallenge, `l`ink, de`v`ice, and the rest, in pairs of a
/// position and a character, is written over the genuine one. After any other byte the rest is the token itself.
#[must_use]
pub fn tokens(data: &[u8]) -> Reached {
    static GENUINE: OnceLock<Vec<Door>> = OnceLock::new();
    let doors = GENUINE.get_or_init(doors);
    let Some((kind, rest)) = data.split_first() else {
        return Reached::Refused;
    };
    let text = match doors.iter().find(|door| door.letter == *kind) {
        Some(door) => overwritten(&door.token, rest),
        None => String::from_utf8_lossy(rest).into_owned(),
    };
    has_the_right_shape(&text);
    let mut opened = false;
    for door in doors {
        let opens = wait_for(door.opens(&text));
        assert_eq!(
            opens,
            door.can_open && text == door.token,
            "{}: {text}",
            char::from(door.letter)
        );
        opened |= opens;
    }
    Reached::accepted(opened)
}

/// A door that one kind of token opens, and the one token that does.
struct Door {
    letter: u8,
    token: String,
    browser: Browser,
    /// A device token opens nothing by itself.
    can_open: bool,
}

fn doors() -> Vec<Door> {
    let door = |letter, cookie, state| {
        let browser = wait_for(Browser::new(state));
        Door {
            letter,
            token: browser.cookie(cookie).expect("this browser has the cookie"),
            browser,
            can_open: letter != b'v',
        }
    };
    vec![
        door(b's', PortalCookie::Session, State::SignedIn),
        door(b'd', PortalCookie::Draft, State::FirstStepDone),
        door(b'c', PortalCookie::Verify, State::HalfSignedIn),
        door(b'l', PortalCookie::Link, State::LinkOpened),
        door(b'v', PortalCookie::Device, State::SignedIn),
    ]
}

impl Door {
    async fn opens(&self, text: &str) -> bool {
        let auth = self.browser.auth();
        match self.letter {
            b's' => match SessionToken::parse(text) {
                Some(token) => is_open(auth.peek(&token).await),
                None => false,
            },
            b'd' => match DraftToken::parse(text) {
                Some(token) => auth.registration(&token).await.expect("no fault").is_some(),
                None => false,
            },
            b'c' => match ChallengeToken::parse(text) {
                Some(token) => auth.code_notice(&token).await.expect("no fault").is_some(),
                None => false,
            },
            b'l' => match LinkToken::parse(text) {
                Some(token) => is_open(auth.activation_page(&token).await),
                None => false,
            },
            _ => false,
        }
    }
}

fn is_open<T, R: std::fmt::Debug>(answer: Result<T, Denied<R>>) -> bool {
    match answer {
        Ok(_) => true,
        Err(Denied::Refused(_)) => false,
        Err(denied) => panic!("a token is taken or refused, never {denied:?}"),
    }
}

fn overwritten(token: &str, pairs: &[u8]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    for pair in pairs.chunks_exact(2) {
        if let [at, byte] = pair
            && let Some(slot) = bytes.get_mut(usize::from(*at) % TOKEN_LENGTH)
        {
            *slot = *byte;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// 43 characters of which the last leaves two bits unused: one text for each 32 bytes.
fn has_the_right_shape(text: &str) {
    let shape = text.len() == TOKEN_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && text.ends_with(|c: char| "AEIMQUYcgkosw048".contains(c));
    let read = [
        SessionToken::parse(text).map(|t| t.expose() == text),
        DraftToken::parse(text).map(|t| t.expose() == text),
        KeptFormToken::parse(text).map(|t| t.expose() == text),
        ChallengeToken::parse(text).map(|t| t.expose() == text),
        DeviceToken::parse(text).map(|t| t.expose() == text),
        LinkToken::parse(text).map(|t| t.expose() == text),
    ];
    assert_eq!(read, [shape.then_some(true); 6], "{text:?}");
}

/// What is read as a code has exactly its digits, whatever else was typed (OTP-1, I-34).
///
/// The first byte says how many digits a code has.
#[must_use]
pub fn code(data: &[u8]) -> Reached {
    let Some((digits, typed)) = data.split_first() else {
        return Reached::Refused;
    };
    let digits = 6_u8.saturating_add(digits % 5);
    let Ok(typed) = std::str::from_utf8(typed) else {
        return Reached::Refused;
    };
    let Ok(code) = OneTimeCode::parse(typed, digits) else {
        return Reached::Refused;
    };
    assert_eq!(code.expose().len(), usize::from(digits));
    assert!(code.expose().bytes().all(|b| b.is_ascii_digit()));
    let again = OneTimeCode::parse(code.expose(), digits).expect("a code is a code");
    assert!(again.matches(&code));
    for other in (6..=10).filter(|n| *n != digits) {
        assert!(OneTimeCode::parse(typed, other).is_err());
    }
    Reached::Accepted
}

/// A hash of another service is read within the ceilings and kept as it is, or refused (HASH-4, I-34).
#[must_use]
pub fn imported_hash(data: &[u8]) -> Reached {
    let text = String::from_utf8_lossy(data);
    let stored = StoredHash::from_column(text.clone().into_owned());
    let read = ImportedHash::parse(&text);
    assert_eq!(read.is_ok(), stored.is_imported());
    let Ok(hash) = read else {
        return Reached::Refused;
    };
    assert_eq!(hash.as_stored().as_str(), text);
    assert!(text.len() <= 256 && text.is_ascii());
    assert!(StoredHash::parse(&text).is_err(), "one text, one form");
    Reached::Accepted
}

/// A stored hash is the one spelling of a record within the bounds, or it is broken (HASH-4, HASH-7, I-34).
#[must_use]
pub fn stored_hash(data: &[u8]) -> Reached {
    let text = String::from_utf8_lossy(data);
    let column = StoredHash::from_column(text.clone().into_owned());
    let read = StoredHash::parse(&text);
    assert_eq!(read.is_ok(), column.pepper().is_ok());
    let Ok(stored) = read else {
        assert!(column.needs_rehash(&HashParams::DEFAULT, None).is_err());
        return Reached::Refused;
    };
    assert_eq!(stored.as_str(), text);
    assert!(text.len() <= 256 && text.is_ascii());
    assert!(text.contains("$argon2id$v=19$m="));
    let pepper = stored.pepper().expect("a readable hash");
    assert_eq!(pepper.is_some(), !text.starts_with('$'));
    let as_it_is = stored.needs_rehash(&HashParams::new(8, 1, 1), pepper.as_ref());
    let costlier = stored.needs_rehash(&HashParams::new(1_048_576, 16, 8), pepper.as_ref());
    assert!(!as_it_is.expect("a readable hash") || costlier.expect("a readable hash"));
    Reached::Accepted
}
