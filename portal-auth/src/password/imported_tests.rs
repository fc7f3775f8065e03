//! Known answers, made by the libraries that wrote such hashes, and what is refused.
//!
//! bcrypt 5.0.0: `bcrypt.hashpw(password, b"$2b$05$abcdefghijklmnopqrstuu")`. Django 5.2:
//! `PBKDF2PasswordHasher().encode(password, "seasalt2seasalt2", 1000)` and its SHA-1 sister; `_sha512` by
//! `hashlib.pbkdf2_hmac`. Identity: `hashlib.pbkdf2_hmac` over salt `bytes(range(16))`, packed as `read_identity` says,
//! and one record of the tests of ASP.NET Core's own `PasswordHasher`.

#![expect(clippy::string_slice, reason = "the texts are ASCII")]

use std::sync::Arc;

use super::*;
use crate::environment::{SystemClock, SystemEntropy};
use crate::password::argon2id::Argon2id;
use crate::password::hash::{HashParams, Line, PasswordHasher as _, Pepper, Verdict};
use crate::password::watched_engine::watched;

const PASSWORD: &str = "Quiet-Meadow-42";
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuEFOXIAfGBRY6GWLBaNHWZnRQmOoVGu.";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt2seasalt2$i8+fId2FKsPhD5yMn9A5EXigHv2soLiUtGPjDUYDbRU=";
const IDENTITY_3: &str =
    "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+449c6abE60DjdBEyEM+3fl2J9CBjsyzixr6hMpjEeeQ==";
const IDENTITY_2: &str = "AAABAgMEBQYHCAkKCwwNDg/9/FKAqwYaj62zwJR7mz2gwfC7e22qRVukaDcEjmAWKw==";

fn fits(hash: &str, password: &str) -> bool {
    Foreign::read(hash).unwrap().matches(&SecretBytes::from(password))
}

#[test]
fn each_form_gives_the_answer_of_the_library_that_wrote_it() {
    for (hash, password) in [
        (BCRYPT, PASSWORD),
        (DJANGO, PASSWORD),
        (IDENTITY_2, PASSWORD),
        (IDENTITY_3, PASSWORD),
        (
            "$2b$04$abcdefghijklmnopqrstuuI5RgsbbNcevtRUb10Id4ISvIsO433ga",
            "pässwörd-Ω",
        ),
        ("$2a$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq", ""),
        (
            "pbkdf2_sha1$1000$seasalt2seasalt2$CuLMyQ5bE28N1tMgiz2Uox7Ohq8=",
            PASSWORD,
        ),
        (
            "pbkdf2_sha512$1000$seasalt2seasalt2$BOx+2o36mOpTTC9Rh2wDdbBt1eGy4p4wg7mFOqKJcGrfSRHb3RCDevPHSfaEF/GHAJ2ulwRyqyIxIsl7aLPXlA==",
            PASSWORD,
        ),
        (
            "AQAAAAIAAYagAAAAEAABAgMEBQYHCAkKCwwNDg9HP6BBLoG5FVoNmmQx/AzjxUt6kff9M7FF5z/lLUWnIA==",
            PASSWORD,
        ),
        (
            "AQAAAAAAAAPoAAAAEAABAgMEBQYHCAkKCwwNDg/9/FKAqwYaj62zwJR7mz2gwfC7ew==",
            PASSWORD,
        ),
        (
            "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
            "my password",
        ),
    ] {
        assert!(fits(hash, password), "{hash}");
        assert!(!fits(hash, &format!("{password}x")), "{hash}");
        assert!(!fits(hash, "quiet-meadow-42"), "{hash}");
    }
    for mark in ["$2a$", "$2y$"] {
        assert!(fits(&BCRYPT.replace("$2b$", mark), PASSWORD));
    }
}

#[test]
fn what_bcrypt_never_looked_at_does_not_become_a_password() {
    // HASH-6, I-30: 72 bytes are taken as they are; the byte after them, or after a NUL, was never checked
    let hash = "$2b$04$abcdefghijklmnopqrstuuY66UVVnmn2MXpruyZxBoAxqVyjNdtTy";
    let whole = format!("{}Z", "a".repeat(71));
    assert!(fits(hash, &whole));
    assert!(!fits(hash, &format!("{whole}b")), "73 bytes");
    assert!(!fits(hash, &whole[..71]));
    assert!(
        !fits(hash, &format!("{}é", "a".repeat(71))),
        "73 bytes in 72 characters"
    );
    assert!(!fits(BCRYPT, &format!("{PASSWORD}\0")));
    assert!(!fits(BCRYPT, &format!("{PASSWORD}\0anything")));
    assert!(!fits(
        "$2a$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq",
        "\0"
    ));
}

#[test]
fn costs_above_the_ceiling_are_refused_while_they_are_still_numbers() {
    // HASH-4
    let refused = |text: &str| Foreign::read(text).err();
    for (cost, expected) in [
        ("03", Some(ImportError::Cost)),
        ("04", None),
        ("14", None),
        ("15", Some(ImportError::Cost)),
        ("99", Some(ImportError::Cost)),
    ] {
        assert_eq!(
            refused(&BCRYPT.replace("$05$", &format!("${cost}$"))),
            expected,
            "{cost}"
        );
    }
    for (count, expected) in [
        ("1", None),
        ("2000000", None),
        ("2000001", Some(ImportError::Iterations)),
        ("4294967296", Some(ImportError::Iterations)),
        ("0", Some(ImportError::Damaged)),
        ("01000", Some(ImportError::Damaged)),
        ("-1", Some(ImportError::Damaged)),
        ("", Some(ImportError::Damaged)),
    ] {
        assert_eq!(
            refused(&DJANGO.replace("$1000$", &format!("${count}$"))),
            expected,
            "{count}"
        );
    }
    let identity = |digest: u32, iterations: u32, length: u32, rest: usize| {
        let mut record = vec![1];
        for number in [digest, iterations, length] {
            record.extend_from_slice(&number.to_be_bytes());
        }
        record.resize(13 + rest, 7);
        refused(&Base64::encode_string(&record))
    };
    assert_eq!(identity(1, 2_000_000, 16, 48), None);
    assert_eq!(identity(1, 2_000_001, 16, 48), Some(ImportError::Iterations));
    assert_eq!(identity(1, 0, 16, 48), Some(ImportError::Iterations));
    assert_eq!(identity(3, 1000, 16, 48), Some(ImportError::Damaged));
    assert_eq!(identity(1, 1000, u32::MAX, 48), Some(ImportError::Damaged));
    assert_eq!(identity(1, 1000, 7, 48), Some(ImportError::Length));
    assert_eq!(identity(1, 1000, 16, 31), Some(ImportError::Length));
    assert_eq!(identity(1, 1000, 64, 128), None);
    assert_eq!(identity(1, 1000, 65, 129), Some(ImportError::Length));
}

#[test]
fn anything_damaged_is_refused_with_a_sentence_and_shows_nothing() {
    let mut bad = vec![
        String::new(),
        "$".to_owned(),
        BCRYPT.replace("$2b$", "$2x$"),
        BCRYPT.replace("$2b$", "$2$"),
        BCRYPT.replace("$05$", "$5$"),
        BCRYPT.replace("$05$", "$+5$"),
        BCRYPT.replace('E', "é"),
        format!("{BCRYPT}."),
        format!("{BCRYPT}\n"),
        DJANGO.replace("seasalt2seasalt2", "salt"),
        DJANGO.replace("seasalt2seasalt2", &"s".repeat(65)),
        DJANGO.replace("seasalt2seasalt2", "sea salt with blanks"),
        DJANGO.replace("sha256", "md5"),
        DJANGO.replace("_sha256", "_sha512"),
        format!("{DJANGO}$"),
        format!("{IDENTITY_2}A"),
        IDENTITY_2.replace('=', ""),
        "A".repeat(300),
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI"
            .to_owned(),
    ];
    for good in [BCRYPT, DJANGO, IDENTITY_2] {
        bad.extend((0..good.len()).map(|end| good[..end].to_owned()));
    }
    for text in bad {
        let refused = ImportedHash::parse(&text).unwrap_err();
        assert!(refused.to_string().starts_with("the "), "{text}: {refused}");
    }
    let hash = ImportedHash::parse(BCRYPT).unwrap();
    assert_eq!(
        format!("{hash:?} {:?}", hash.as_stored()),
        "ImportedHash(..) StoredHash(..)"
    );
    assert_eq!(hash.as_stored().as_str(), BCRYPT);
    assert!(hash.as_stored().is_imported());
}

#[tokio::test]
async fn a_wrong_password_costs_an_argon2id_hash_whatever_the_record() {
    // ENU-2, HASH-7: with `imported_like`, both kinds of work are done for everybody
    let builder = Argon2id::builder(Arc::new(SystemClock), Arc::new(SystemEntropy))
        .params(HashParams::cheapest())
        .permits(1)
        .imported_like(ImportedHash::parse(BCRYPT).unwrap());
    let (hasher, watch) = watched(builder);
    let mut slot = hasher.enter(Line::Stranger).await.unwrap();
    let imported = ImportedHash::parse(DJANGO).unwrap();
    let own = slot
        .hash(SecretBytes::from(PASSWORD), Pepper::None)
        .await
        .unwrap();
    watch.reset();
    let mut verify = async |stored: Option<&StoredHash>, typed: &str| {
        let secret = SecretBytes::from(typed);
        let verdict = match stored {
            Some(stored) => slot.verify(stored, secret, Pepper::None).await,
            None => slot.verify_dummy(secret).await,
        };
        (verdict.unwrap(), watch.take_costs().len())
    };
    assert_eq!(verify(None, PASSWORD).await, (Verdict::Wrong, 1));
    assert_eq!(verify(Some(&own), "wrong").await, (Verdict::Wrong, 1));
    assert_eq!(
        verify(Some(imported.as_stored()), "wrong").await,
        (Verdict::Wrong, 1)
    );
    let right = Verdict::Right { needs_rehash: true };
    assert_eq!(verify(Some(imported.as_stored()), PASSWORD).await, (right, 0));
    let long = "x".repeat(513);
    assert_eq!(
        verify(Some(imported.as_stored()), &long).await,
        (Verdict::Wrong, 1)
    );
}
