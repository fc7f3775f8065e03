//! The keyring: every key the service has, what each may still be used for, and what is derived from them.
//!
//! Three lists. `token` keys sign tokens, codes and the form guard; `pepper` keys go into password and answer
//! hashes; `pseudonym` keys hide addresses and networks in throttle rows and logs, and sign the audit. A key is
//! announced, then signs, then only verifies, then is retired: announcing and promoting are two steps, so that
//! several processes can be restarted in between and always know each other's keys.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use crate::account::snapshot::AccountId;
use crate::challenge::{ChallengePurpose, ChallengeRow, CodeSeed};
use crate::environment::{Entropy, draw};
use crate::error::Fault;
use crate::secret::one_time_code::OneTimeCode;
use crate::secret::token::{Purpose, decode, encode};
use crate::throttle::BucketKey;

type HmacSha256 = Hmac<Sha256>;

/// The shortest secret a key may have, in bytes (CFG-1).
pub const SHORTEST_KEY: usize = 32;
/// The most token keys that may be live at once.
pub const MOST_TOKEN_KEYS: usize = 4;

/// Which list a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a keys file has exactly these lists")]
pub enum KeyList {
    /// Signs tokens and codes.
    Token,
    /// Goes into hashes.
    Pepper,
    /// Hides addresses and networks, and signs the audit.
    Pseudonym,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a key's life has exactly these stages")]
pub enum KeyState {
    /// Known, verifies, does not sign yet.
    Announced,
    /// Signs and verifies. Exactly one in each list.
    Signing,
    /// Verifies what it signed before.
    Verifying,
    /// Worth nothing any more; kept so that its id is not used again.
    Retired,
}

/// One key as it stands in a keys file.
#[non_exhaustive]
pub struct KeyLine {
    /// Its list.
    pub list: KeyList,
    /// Its id: 1 to 32 ASCII letters, digits, dashes and underscores; stored beside what it made.
    pub id: String,
    /// What it may be used for.
    pub state: KeyState,
    /// Its secret, 32 bytes or more.
    pub secret: Zeroizing<Vec<u8>>,
}

impl KeyLine {
    /// A key of `list`.
    #[must_use]
    pub const fn new(list: KeyList, id: String, state: KeyState, secret: Zeroizing<Vec<u8>>) -> Self {
        Self {
            list,
            id,
            state,
            secret,
        }
    }
}

impl fmt::Debug for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLine({:?} {} {:?})", self.list, self.id, self.state)
    }
}

/// Why a set of keys cannot be used. Each names the key and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// A key with fewer than 32 bytes.
    #[error("key `{0}` is shorter than 32 bytes: generate a new one")]
    TooShort(String),
    /// A key whose bytes are all the same, as a placeholder has.
    #[error("key `{0}` is a placeholder, not a secret: generate a new one")]
    Placeholder(String),
    /// An id that is empty, too long, or holds other characters.
    #[error("key id `{0}` must be 1 to 32 letters, digits, dashes or underscores")]
    BadId(String),
    /// Two keys of a list with one id.
    #[error("key id `{0}` stands twice in its list: remove one")]
    Twice(String),
    /// A list without exactly one signing key.
    #[error("list {0:?} must have exactly one signing key: promote one")]
    NoSigner(KeyList),
    /// More than four token keys that are not retired.
    #[error("more than four token keys are live: retire the oldest")]
    TooMany,
}

struct TokenKey {
    id: String,
    signing: bool,
    /// One HMAC per [`Purpose::ALL`], keyed once; then the one for codes.
    purposes: Vec<(Purpose, HmacSha256)>,
    codes: HmacSha256,
    root: Hkdf<Sha256>,
}

struct PseudonymKey {
    id: String,
    signing: bool,
    names: HmacSha256,
    audit: HmacSha256,
}

/// One pepper: its id stands in every hash it went into.
#[non_exhaustive]
pub struct Pepper {
    /// Its id.
    pub id: String,
    /// Whether new hashes use it.
    pub signing: bool,
    /// Its secret.
    pub secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({})", self.id)
    }
}

/// All keys of a service, ready for use.
pub struct Keyring {
    tokens: Vec<TokenKey>,
    peppers: Vec<Pepper>,
    pseudonyms: Vec<PseudonymKey>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("tokens", &self.tokens.iter().map(|k| &k.id).collect::<Vec<_>>())
            .field("peppers", &self.peppers)
            .field(
                "pseudonyms",
                &self.pseudonyms.iter().map(|k| &k.id).collect::<Vec<_>>(),
            )
            .finish()
    }
}

/// A token fresh from the keyring: the text for the browser, the random part for the row.
pub(crate) struct Minted {
    pub(crate) text: Zeroizing<String>,
    pub(crate) seed: [u8; 16],
}

impl Keyring {
    /// Takes over the keys of a keys file; retired ones are left out.
    ///
    /// # Errors
    /// The first [`KeyringError`] found.
    pub fn from_lines(lines: Vec<KeyLine>) -> Result<Self, KeyringError> {
        for (at, line) in lines.iter().enumerate() {
            check_line(line, lines.iter().take(at))?;
        }
        for list in [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym] {
            let signers = lines
                .iter()
                .filter(|l| l.list == list && l.state == KeyState::Signing)
                .count();
            if signers != 1 {
                return Err(KeyringError::NoSigner(list));
            }
        }
        let mut ring = Self {
            tokens: Vec::new(),
            peppers: Vec::new(),
            pseudonyms: Vec::new(),
        };
        for line in lines.into_iter().filter(|l| l.state != KeyState::Retired) {
            let signing = line.state == KeyState::Signing;
            match line.list {
                KeyList::Token => ring.tokens.push(TokenKey::derive(line.id, signing, &line.secret)),
                KeyList::Pepper => ring.peppers.push(Pepper {
                    id: line.id,
                    signing,
                    secret: line.secret,
                }),
                KeyList::Pseudonym => {
                    ring.pseudonyms
                        .push(PseudonymKey::derive(line.id, signing, &line.secret));
                }
            }
        }
        if ring.tokens.len() > MOST_TOKEN_KEYS {
            return Err(KeyringError::TooMany);
        }
        // The signing key first: it made most of what is verified.
        ring.tokens.sort_by_key(|k| !k.signing);
        ring.pseudonyms.sort_by_key(|k| !k.signing);
        Ok(ring)
    }

    /// Draws a fresh keyring, for tests and trials: what it made is lost with the process.
    ///
    /// # Errors
    /// The fault of the random source.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, Fault> {
        let mut lines = Vec::new();
        for list in [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym] {
            let secret = Zeroizing::new(draw::<32>(entropy)?.to_vec());
            lines.push(KeyLine {
                list,
                id: "1".into(),
                state: KeyState::Signing,
                secret,
            });
        }
        Self::from_lines(lines).map_err(|e| Fault::permanent("the random source repeats itself").because(e))
    }

    /// Draws a token for `purpose`, signed by the signing key.
    pub(crate) fn mint(&self, purpose: Purpose, entropy: &dyn Entropy) -> Result<Minted, Fault> {
        let seed = draw(entropy)?;
        Ok(Minted {
            text: self.remake(purpose, &seed)?,
            seed,
        })
    }

    /// Makes the token of a stored random part again, for a mail that is being rendered.
    pub(crate) fn remake(&self, purpose: Purpose, seed: &[u8; 16]) -> Result<Zeroizing<String>, Fault> {
        let key = self
            .tokens
            .first()
            .ok_or_else(|| Fault::permanent("the keyring has no signing key"))?;
        let tag = key.tag(purpose, seed)?;
        let mut bytes = Zeroizing::new([0; 32]);
        for (to, from) in bytes.iter_mut().zip(seed.iter().chain(&tag)) {
            *to = *from;
        }
        Ok(encode(&bytes))
    }

    /// The random part of a genuine token of `purpose`; `None` for every other text. No query is needed for that.
    pub(crate) fn open(&self, purpose: Purpose, text: &str) -> Option<[u8; 16]> {
        let bytes = decode(text)?;
        let (seed, tag) = bytes.split_at_checked(16)?;
        let seed: [u8; 16] = seed.try_into().ok()?;
        let mut genuine = Choice::from(0);
        for key in &self.tokens {
            genuine |= key.tag(purpose, &seed).ok()?.ct_eq(tag);
        }
        bool::from(genuine).then_some(seed)
    }

    /// Derives the current code of a challenge with `digits` digits.
    ///
    /// # Errors
    /// A [`Fault`] when the key named by the row is not in the ring any more.
    pub(crate) fn code(&self, challenge: &ChallengeRow, digits: u8) -> Result<OneTimeCode, Fault> {
        let key = self
            .tokens
            .iter()
            .find(|k| k.id == challenge.code_key)
            .ok_or_else(|| Fault::permanent("the key of this code is retired"))?;
        Ok(derive_code(
            &key.codes,
            &challenge.code_seed,
            challenge.account,
            challenge.purpose,
            challenge.code_no,
            digits,
        ))
    }

    /// The id of the key under which new codes are derived.
    pub(crate) fn code_key(&self) -> String {
        self.tokens.first().map_or_else(String::new, |k| k.id.clone())
    }

    /// The pseudonym of `value` as a `kind` of thing (THR-8).
    pub(crate) fn pseudonym(&self, kind: &str, value: &[u8]) -> BucketKey {
        let Some(key) = self.pseudonyms.first() else {
            return BucketKey::from_bytes([0; 16]);
        };
        let mut mac = key.names.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        BucketKey::from_bytes(first_half(&mac.finalize().into_bytes()))
    }

    /// The id of the key that signs audit rows.
    pub(crate) fn audit_key(&self) -> &str {
        self.pseudonyms.first().map_or("", |k| &k.id)
    }

    /// The MAC of an audit row's bytes under the key called `id`, or `None` where that key is gone.
    #[must_use]
    pub fn audit_mac(&self, id: &str, bytes: &[u8]) -> Option<[u8; 16]> {
        let mut mac = self.pseudonyms.iter().find(|k| k.id == id)?.audit.clone();
        mac.update(bytes);
        Some(first_half(&mac.finalize().into_bytes()))
    }

    /// As [`audit_mac`](Self::audit_mac), in full length: the chain of seals stands on it.
    pub(crate) fn audit_chain(&self, id: &str, bytes: &[u8]) -> Option<[u8; 32]> {
        let mut mac = self.pseudonyms.iter().find(|k| k.id == id)?.audit.clone();
        mac.update(bytes);
        Some(mac.finalize().into_bytes().into())
    }

    /// Derives 32 bytes for the host's own use under `label`, such as the key of its form guard.
    ///
    /// They change when another token key becomes the signing key.
    ///
    /// # Errors
    /// A [`Fault`] when there is no signing key, which [`from_lines`](Self::from_lines) never lets happen.
    pub fn host_key(&self, label: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
        let key = self
            .tokens
            .first()
            .ok_or_else(|| Fault::permanent("the keyring has no signing key"))?;
        Ok(expand(&key.root, &format!("host/{label}")))
    }

    /// The peppers, for the password hasher.
    pub(crate) fn peppers(&self) -> &[Pepper] {
        &self.peppers
    }
}

impl TokenKey {
    fn derive(id: String, signing: bool, secret: &[u8]) -> Self {
        let root = Hkdf::<Sha256>::new(Some(b"portal-auth/token/1"), secret);
        let purposes = Purpose::ALL
            .iter()
            .map(|p| (*p, keyed(&root, p.label())))
            .collect();
        Self {
            id,
            signing,
            purposes,
            codes: keyed(&root, "code"),
            root,
        }
    }

    fn tag(&self, purpose: Purpose, seed: &[u8; 16]) -> Result<[u8; 16], Fault> {
        let (_, mac) = self
            .purposes
            .iter()
            .find(|(p, _)| *p == purpose)
            .ok_or_else(|| Fault::permanent("a token purpose has no key"))?;
        let mut mac = mac.clone();
        mac.update(seed);
        Ok(first_half(&mac.finalize().into_bytes()))
    }
}

impl PseudonymKey {
    fn derive(id: String, signing: bool, secret: &[u8]) -> Self {
        let root = Hkdf::<Sha256>::new(Some(b"portal-auth/pseudonym/1"), secret);
        Self {
            id,
            signing,
            names: keyed(&root, "names"),
            audit: keyed(&root, "audit"),
        }
    }
}

/// The name under which the row of a token is kept: the database and the keyring together do not give the token
/// back (TOK-2).
pub(crate) fn row_key(purpose: Purpose, seed: &[u8; 16]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(purpose.label().as_bytes());
    hash.update([0]);
    hash.update(seed);
    first_half(&hash.finalize())
}

/// Uniform by rejection: of the 2^64 numbers an HMAC yields, those above the last whole multiple are drawn again.
fn derive_code(
    key: &HmacSha256,
    seed: &CodeSeed,
    account: AccountId,
    purpose: ChallengePurpose,
    code_no: u32,
    digits: u8,
) -> OneTimeCode {
    let codes = 10_u64.saturating_pow(u32::from(digits));
    let fair = u64::MAX.saturating_sub(u64::MAX.checked_rem(codes).unwrap_or(0));
    let mut draw_no = 0_u32;
    loop {
        let mut mac = key.clone();
        mac.update(seed.as_bytes());
        mac.update(account.as_bytes());
        mac.update(purpose.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(&code_no.to_be_bytes());
        mac.update(&draw_no.to_be_bytes());
        let bytes = mac.finalize().into_bytes();
        let number = bytes.iter().take(8).fold(0_u64, |n, b| (n << 8) | u64::from(*b));
        if number < fair {
            return OneTimeCode::derived(number.checked_rem(codes).unwrap_or(0), digits);
        }
        draw_no = draw_no.wrapping_add(1);
    }
}

fn check_line<'a>(line: &KeyLine, mut before: impl Iterator<Item = &'a KeyLine>) -> Result<(), KeyringError> {
    let id_ok = (1..=32).contains(&line.id.len())
        && line
            .id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !id_ok {
        return Err(KeyringError::BadId(line.id.clone()));
    }
    if before.any(|b| b.list == line.list && b.id == line.id) {
        return Err(KeyringError::Twice(line.id.clone()));
    }
    if line.state == KeyState::Retired {
        return Ok(());
    }
    if line.secret.len() < SHORTEST_KEY {
        return Err(KeyringError::TooShort(line.id.clone()));
    }
    if line.secret.iter().all(|b| Some(b) == line.secret.first()) {
        return Err(KeyringError::Placeholder(line.id.clone()));
    }
    Ok(())
}

fn expand(root: &Hkdf<Sha256>, label: &str) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    // Expanding fails only past 255 blocks of output; this is one.
    let expanded = root.expand(label.as_bytes(), &mut *bytes);
    debug_assert!(expanded.is_ok());
    bytes
}

fn keyed(root: &Hkdf<Sha256>, label: &str) -> HmacSha256 {
    let key = expand(root, label);
    HmacSha256::new(&(*key).into_block())
}

/// HMAC takes a whole block as its key; a shorter one is padded with zeros (RFC 2104).
trait IntoBlock {
    fn into_block(self) -> hmac::digest::Key<HmacSha256>;
}

impl IntoBlock for [u8; 32] {
    fn into_block(self) -> hmac::digest::Key<HmacSha256> {
        let mut block = hmac::digest::Key::<HmacSha256>::default();
        for (to, from) in block.iter_mut().zip(self) {
            *to = from;
        }
        block
    }
}

fn first_half(digest: &[u8]) -> [u8; 16] {
    let mut half = [0_u8; 16];
    for (to, from) in half.iter_mut().zip(digest) {
        *to = *from;
    }
    half
}
