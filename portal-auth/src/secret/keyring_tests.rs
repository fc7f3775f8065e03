//! What a keyring promises: purposes apart, rotation without a break, fair codes.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::keyring::*;
use super::token::{Purpose, decode, encode};
use crate::account::snapshot::AccountId;
use crate::account::status::AuthEpoch;
use crate::challenge::ChallengeKey;
use crate::challenge::{ChallengePurpose, ChallengeRow, CodeSeed};
use crate::environment::{SystemEntropy, Timestamp};

fn line(list: KeyList, id: &str, state: KeyState, fill: u8) -> KeyLine {
    let secret = (0..32).map(|i| fill.wrapping_add(i)).collect::<Vec<_>>();
    KeyLine::new(list, id.into(), state, Zeroizing::new(secret))
}

fn ring(tokens: &[(&str, KeyState, u8)]) -> Result<Keyring, KeyringError> {
    let mut lines: Vec<_> = tokens
        .iter()
        .map(|(id, state, fill)| line(KeyList::Token, id, *state, *fill))
        .collect();
    lines.push(line(KeyList::Pepper, "p", KeyState::Signing, 100));
    lines.push(line(KeyList::Pseudonym, "n", KeyState::Signing, 150));
    Keyring::from_lines(lines)
}

fn challenge(no: u32) -> ChallengeRow {
    let t = Timestamp::from_micros(0);
    ChallengeRow {
        key: ChallengeKey::from_bytes([1; 16]),
        version: 1,
        purpose: ChallengePurpose::SignIn,
        account: AccountId::from_bytes([2; 16]),
        epoch: AuthEpoch::from_bytes([3; 8]),
        session: None,
        code_seed: CodeSeed::from_bytes([4; 16]),
        code_no: no,
        code_key: "a".into(),
        code_issued_at: t,
        code_expires_at: t,
        tries: 0,
        mails: 0,
        mailed_at: t,
        created_at: t,
        expires_at: t,
    }
}

proptest! {
    #[test]
    fn a_token_of_one_purpose_is_refused_for_every_other(seed: [u8; 16]) {
        // I-12
        let ring = ring(&[("a", KeyState::Signing, 1)]).unwrap();
        for made_for in Purpose::ALL {
            let text = ring.remake(made_for, &seed).unwrap();
            for used_for in Purpose::ALL {
                let opened = ring.open(used_for, &text);
                prop_assert_eq!(opened, (made_for == used_for).then_some(seed));
            }
        }
    }

    #[test]
    fn a_text_that_was_not_minted_opens_nothing(text in "[A-Za-z0-9_-]{43}|\\PC{0,60}") {
        // I-12, TOK-1
        let ring = ring(&[("a", KeyState::Signing, 1)]).unwrap();
        for purpose in Purpose::ALL {
            prop_assert_eq!(ring.open(purpose, &text), None);
        }
    }
}

#[test]
fn one_changed_bit_makes_a_token_worthless() {
    // TOK-1
    let ring = Keyring::random(&SystemEntropy).unwrap();
    let minted = ring.mint(Purpose::Session, &SystemEntropy).unwrap();
    let genuine = *decode(&minted.text).unwrap();
    for bit in 0..256 {
        let mut forged = genuine;
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(ring.open(Purpose::Session, &encode(&forged)), None, "bit {bit}");
    }
}

#[test]
fn keys_rotate_in_steps_that_never_break_a_token() {
    let before = ring(&[("a", KeyState::Signing, 1)]).unwrap();
    let announced = ring(&[("a", KeyState::Signing, 1), ("b", KeyState::Announced, 2)]).unwrap();
    let promoted = ring(&[("a", KeyState::Verifying, 1), ("b", KeyState::Signing, 2)]).unwrap();
    let retired = ring(&[("a", KeyState::Retired, 1), ("b", KeyState::Signing, 2)]).unwrap();
    let old = before.mint(Purpose::Session, &SystemEntropy).unwrap();
    let new = promoted.mint(Purpose::Session, &SystemEntropy).unwrap();
    assert!(announced.open(Purpose::Session, &old.text).is_some());
    assert!(promoted.open(Purpose::Session, &old.text).is_some());
    assert!(announced.open(Purpose::Session, &new.text).is_some());
    assert!(retired.open(Purpose::Session, &old.text).is_none());
    assert!(retired.open(Purpose::Session, &new.text).is_some());
    assert_eq!(promoted.code_key(), "b");
    assert!(
        promoted
            .code(&challenge(1), 6)
            .unwrap()
            .matches(&before.code(&challenge(1), 6).unwrap())
    );
    assert!(retired.code(&challenge(1), 6).is_err());
}

#[test]
fn a_code_belongs_to_its_challenge_account_purpose_and_number() {
    // OTP-5, I-14
    let ring = ring(&[("a", KeyState::Signing, 1)]).unwrap();
    let code = ring.code(&challenge(1), 10).unwrap();
    assert!(code.matches(&ring.code(&challenge(1), 10).unwrap()));
    assert!(!code.matches(&ring.code(&challenge(2), 10).unwrap()));
    let others = [
        ChallengeRow {
            code_seed: CodeSeed::from_bytes([5; 16]),
            ..challenge(1)
        },
        ChallengeRow {
            account: AccountId::from_bytes([5; 16]),
            ..challenge(1)
        },
        ChallengeRow {
            purpose: ChallengePurpose::Confirm,
            ..challenge(1)
        },
    ];
    for other in others {
        assert!(!code.matches(&ring.code(&other, 10).unwrap()));
    }
}

#[test]
fn codes_spread_evenly_and_keep_their_zeros() {
    // OTP-1, ASVS 6.5.3: chi squared over 100 cells, 99 degrees of freedom, p about 1e-6 at 180
    let ring = ring(&[("a", KeyState::Signing, 1)]).unwrap();
    let mut cells = [0_u32; 100];
    for no in 0..50_000 {
        let code = ring.code(&challenge(no), 6).unwrap();
        assert_eq!(code.expose().len(), 6);
        cells[code.expose().get(..2).unwrap().parse::<usize>().unwrap()] += 1;
    }
    let chi: f64 = cells
        .iter()
        .map(|n| (f64::from(*n) - 500.0).powi(2) / 500.0)
        .sum();
    assert!(chi < 180.0, "{chi}");
}

#[test]
fn keys_that_are_no_secrets_are_refused() {
    // CFG-1
    let short = |n: usize| {
        KeyLine::new(
            KeyList::Token,
            "a".into(),
            KeyState::Signing,
            Zeroizing::new(vec![1; n]),
        )
    };
    assert_eq!(
        Keyring::from_lines(vec![short(31)]).unwrap_err(),
        KeyringError::TooShort("a".into())
    );
    assert_eq!(
        Keyring::from_lines(vec![short(32)]).unwrap_err(),
        KeyringError::Placeholder("a".into())
    );
    assert_eq!(
        ring(&[("a", KeyState::Signing, 1), ("a", KeyState::Verifying, 2)]).unwrap_err(),
        KeyringError::Twice("a".into())
    );
    assert_eq!(
        ring(&[("a b", KeyState::Signing, 1)]).unwrap_err(),
        KeyringError::BadId("a b".into())
    );
    assert_eq!(
        ring(&[("a", KeyState::Announced, 1)]).unwrap_err(),
        KeyringError::NoSigner(KeyList::Token)
    );
    let five = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)].map(|(id, n)| {
        (
            id,
            if id == "a" {
                KeyState::Signing
            } else {
                KeyState::Verifying
            },
            n,
        )
    });
    assert_eq!(ring(&five).unwrap_err(), KeyringError::TooMany);
    assert!(ring(&five[..4]).is_ok());
}

#[test]
fn pseudonyms_tell_kinds_apart_and_show_nothing() {
    // THR-8
    let ring = ring(&[("a", KeyState::Signing, 1)]).unwrap();
    assert_eq!(ring.pseudonym("address", b"x"), ring.pseudonym("address", b"x"));
    assert_ne!(ring.pseudonym("address", b"x"), ring.pseudonym("network", b"x"));
    assert!(format!("{ring:?}").len() < 120);
}
