//! Passwords that another service has hashed: bcrypt, and PBKDF2 as Django and ASP.NET Identity keep it.
//!
//! They are read strictly, within ceilings, and verified on the hashing threads like any other; the first right
//! password puts Argon2id in their place (HASH-4). No new hash is ever made in these forms.

use std::fmt;

use base64ct::{Base64, Base64Bcrypt, Encoding as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::hash::SecretBytes;
use super::stored_hash::StoredHash;

/// A password's hash from another service, read and found usable.
///
/// | Form | Looks like | Accepted |
/// |---|---|---|
/// | bcrypt | `$2b$12$…` (also `$2a$`, `$2y$`) | cost 4 to 14 |
/// | Django | `pbkdf2_sha256$600000$salt$hash` (also `_sha1`, `_sha512`) | up to 2,000,000 iterations, salt of 8 to 64 characters |
/// | ASP.NET Identity, versions 2 and 3 | base64 of the record | the same; hash of 16 to 64 bytes |
///
/// `$2x$`, the mark of a broken implementation, is refused.
///
/// # Security
/// bcrypt looks at no more than 72 bytes, and its C implementations stop at a NUL. A longer password, or one with a NUL,
/// is therefore *wrong* here even where the other service took it: what follows was never checked by anybody, and must
/// not become the password. Such a person resets it by mail.
///
/// # Examples
/// ```
/// use portal_auth::password::imported::ImportedHash;
///
/// let hash = ImportedHash::parse("$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW")?;
/// assert!(ImportedHash::parse("$2b$31$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW").is_err());
/// # Ok::<(), portal_auth::password::imported::ImportError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedHash(StoredHash);

impl ImportedHash {
    /// Reads a hash in one of the forms above.
    ///
    /// # Errors
    /// See [`ImportError`]; each says what is accepted.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        Foreign::read(text).map(|_| Self(StoredHash::from_column(text.to_owned())))
    }

    /// The text as a store keeps it, which is the text as it was given.
    #[must_use]
    pub const fn as_stored(&self) -> &StoredHash {
        &self.0
    }
}

impl fmt::Debug for ImportedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportedHash(..)")
    }
}

/// Why a hash cannot be imported. It shows nothing of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is in no form that is read here.
    #[error(
        "the hash is neither bcrypt ($2a$, $2b$ or $2y$), nor Django's pbkdf2_sha1, pbkdf2_sha256 or pbkdf2_sha512, nor \
         ASP.NET Identity's version 2 or 3"
    )]
    Unknown,
    /// It begins like one of the forms, and the rest is damaged.
    #[error(
        "the hash is damaged: it is cut, has characters too many, or is not written as its library writes it"
    )]
    Damaged,
    /// bcrypt with a cost that is not accepted.
    #[error("the bcrypt cost is not between 4 and 14")]
    Cost,
    /// PBKDF2 with a number of iterations that is not accepted.
    #[error("the number of iterations is not between 1 and 2,000,000")]
    Iterations,
    /// A salt or a hash of a length that is not accepted.
    #[error("the salt does not have 8 to 64 bytes, or the hash not 16 to 64")]
    Length,
}

/// A foreign record's parts, all within their bounds.
#[derive(Clone)]
pub(super) struct Foreign {
    scheme: Scheme,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Scheme {
    Bcrypt { cost: u32 },
    Pbkdf2 { digest: Digest, iterations: u32 },
}

#[derive(Clone, Copy)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Foreign {
    pub(super) fn read(text: &str) -> Result<Self, ImportError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ImportError::Damaged);
        }
        if let Some(rest) = ["$2a$", "$2b$", "$2y$"]
            .iter()
            .find_map(|mark| text.strip_prefix(mark))
        {
            return read_bcrypt(rest);
        }
        let django = [
            ("pbkdf2_sha1$", Digest::Sha1),
            ("pbkdf2_sha256$", Digest::Sha256),
            ("pbkdf2_sha512$", Digest::Sha512),
        ];
        for (mark, digest) in django {
            if let Some(rest) = text.strip_prefix(mark) {
                return read_django(rest, digest);
            }
        }
        read_identity(text)
    }

    /// Whether `secret` is the one that was hashed; costs the same for every secret.
    pub(super) fn matches(&self, secret: &SecretBytes) -> bool {
        let secret = secret.expose();
        match self.scheme {
            Scheme::Bcrypt { cost } => {
                let comparable = secret.len() <= BCRYPT_BYTES && !secret.contains(&0);
                let mut key = Zeroizing::new(Vec::with_capacity(BCRYPT_BYTES.saturating_add(1)));
                if comparable {
                    key.extend_from_slice(secret);
                }
                key.push(0);
                key.truncate(BCRYPT_BYTES);
                let Ok(salt) = <[u8; BCRYPT_SALT]>::try_from(self.salt.as_slice()) else {
                    return false;
                };
                let tag = Zeroizing::new(bcrypt::bcrypt(cost, salt, &key));
                let same: bool = tag.get(..BCRYPT_TAG).unwrap_or_default().ct_eq(&self.tag).into();
                same && comparable
            }
            Scheme::Pbkdf2 { digest, iterations } => {
                let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
                match digest {
                    Digest::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(secret, &self.salt, iterations, &mut tag),
                    Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(secret, &self.salt, iterations, &mut tag),
                    Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(secret, &self.salt, iterations, &mut tag),
                }
                tag.ct_eq(&self.tag).into()
            }
        }
    }
}

/// `12$<22 characters of salt><31 of hash>`.
fn read_bcrypt(rest: &str) -> Result<Foreign, ImportError> {
    let (cost, rest) = rest.split_once('$').ok_or(ImportError::Damaged)?;
    if cost.len() != 2 || !cost.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ImportError::Damaged);
    }
    let cost = cost.parse().map_err(|_| ImportError::Damaged)?;
    if !(4..=MAX_BCRYPT_COST).contains(&cost) {
        return Err(ImportError::Cost);
    }
    let (salt, tag) = rest.split_at_checked(22).ok_or(ImportError::Damaged)?;
    let decode = |text: &str| Base64Bcrypt::decode_vec(text).map_err(|_| ImportError::Damaged);
    let (salt, tag) = (decode(salt)?, decode(tag)?);
    if salt.len() != BCRYPT_SALT || tag.len() != BCRYPT_TAG {
        return Err(ImportError::Damaged);
    }
    Ok(Foreign {
        scheme: Scheme::Bcrypt { cost },
        salt,
        tag,
    })
}

/// `600000$salt$<base64 of the hash>`; the salt counts as it stands.
fn read_django(rest: &str, digest: Digest) -> Result<Foreign, ImportError> {
    let mut parts = rest.split('$');
    let (Some(iterations), Some(salt), Some(tag), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ImportError::Damaged);
    };
    if iterations.starts_with('0') || !iterations.bytes().all(|b| b.is_ascii_digit()) || iterations.is_empty()
    {
        return Err(ImportError::Damaged);
    }
    let iterations = iterations.parse().map_err(|_| ImportError::Iterations)?;
    if !salt.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ImportError::Damaged);
    }
    let tag = Base64::decode_vec(tag).map_err(|_| ImportError::Damaged)?;
    if tag.len() != digest.bytes() {
        return Err(ImportError::Damaged);
    }
    pbkdf2_record(digest, iterations, salt.as_bytes().to_vec(), tag)
}

/// Version 2: `00`, 16 bytes of salt, 32 of PBKDF2-SHA1 with 1,000 iterations. Version 3: `01`, then the digest, the
/// iterations and the salt's length in four bytes each, the salt, the hash.
fn read_identity(text: &str) -> Result<Foreign, ImportError> {
    let record = Base64::decode_vec(text).map_err(|_| ImportError::Unknown)?;
    match record.split_first() {
        Some((0, rest)) => match rest.split_at_checked(16) {
            Some((salt, tag)) if tag.len() == 32 => {
                pbkdf2_record(Digest::Sha1, IDENTITY_V2_ITERATIONS, salt.to_vec(), tag.to_vec())
            }
            _ => Err(ImportError::Damaged),
        },
        Some((1, rest)) => {
            let (digest, rest) = number(rest)?;
            let (iterations, rest) = number(rest)?;
            let (length, rest) = number(rest)?;
            let digest = match digest {
                0 => Digest::Sha1,
                1 => Digest::Sha256,
                2 => Digest::Sha512,
                _ => return Err(ImportError::Damaged),
            };
            let length = usize::try_from(length).map_err(|_| ImportError::Length)?;
            let (salt, tag) = rest.split_at_checked(length).ok_or(ImportError::Damaged)?;
            pbkdf2_record(digest, iterations, salt.to_vec(), tag.to_vec())
        }
        _ => Err(ImportError::Unknown),
    }
}

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), ImportError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(ImportError::Damaged)?;
    Ok((u32::from_be_bytes(*number), rest))
}

fn pbkdf2_record(
    digest: Digest,
    iterations: u32,
    salt: Vec<u8>,
    tag: Vec<u8>,
) -> Result<Foreign, ImportError> {
    if !(1..=MAX_ITERATIONS).contains(&iterations) {
        return Err(ImportError::Iterations);
    }
    if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&tag.len()) {
        return Err(ImportError::Length);
    }
    Ok(Foreign {
        scheme: Scheme::Pbkdf2 { digest, iterations },
        salt,
        tag,
    })
}

/// About a second of one core, which is what a hashing thread may be kept from others by one record.
const MAX_BCRYPT_COST: u32 = 14;
/// The same; Django 6 writes 1,200,000.
const MAX_ITERATIONS: u32 = 2_000_000;
const IDENTITY_V2_ITERATIONS: u32 = 1_000;
const BCRYPT_BYTES: usize = 72;
const BCRYPT_SALT: usize = 16;
/// bcrypt leaves out the last of its 24 bytes.
const BCRYPT_TAG: usize = 23;
/// Longer than the longest text in bounds: version 3 with 64 bytes of salt and of hash is 188 characters.
const MAX_TEXT_BYTES: usize = 256;

#[cfg(test)]
#[path = "imported_tests.rs"]
mod tests;
