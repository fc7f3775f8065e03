//! How keys come and go: announced, then signing, then verifying, then retired.
//!
//! Announcing and promoting are two commands, so that every process can be restarted in between: no process then
//! ever meets a token that it cannot check.

use portal_auth::environment::{Entropy, draw};
use zeroize::Zeroizing;

use super::{KeyLine, KeyList, KeyState, KeysError, MOST_LIVE_TOKEN_KEYS};

/// How sure the operator is that a key can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retirement {
    /// Not a pepper: nothing has been looked up.
    Plain,
    /// The operator has made sure that no stored hash names the pepper.
    NoHashNamesIt,
}

/// The keys of a new portal: one signing key in each list.
///
/// # Errors
/// [`KeysError::Entropy`].
pub fn new_keys(entropy: &dyn Entropy) -> Result<Vec<KeyLine>, KeysError> {
    let lists = [KeyList::Token, KeyList::Pepper, KeyList::Pseudonym];
    lists
        .into_iter()
        .map(|list| new_key(list, KeyState::Signing, entropy))
        .collect()
}

/// Adds a new key to `list`, announced; returns its id.
///
/// # Errors
/// [`KeysError::Refused`] where the token list has four live keys already; [`KeysError::Entropy`].
pub fn announce(keys: &mut Vec<KeyLine>, list: KeyList, entropy: &dyn Entropy) -> Result<String, KeysError> {
    let live = keys
        .iter()
        .filter(|key| key.list == list && key.is_live())
        .count();
    if list == KeyList::Token && live >= MOST_LIVE_TOKEN_KEYS {
        return Err(refused(format!(
            "there are {live} live token keys and at most {MOST_LIVE_TOKEN_KEYS} may be; retire the oldest first"
        )));
    }
    let key = new_key(list, KeyState::Announced, entropy)?;
    let id = key.id.clone();
    keys.push(key);
    Ok(id)
}

/// Makes the announced key `id` sign; the one that signed until now goes on verifying.
///
/// # Errors
/// [`KeysError::Refused`] where there is no such key or it is not announced.
pub fn promote(keys: &mut [KeyLine], id: &str) -> Result<(), KeysError> {
    let key = find(keys, id)?;
    if key.state != KeyState::Announced {
        return Err(refused(format!(
            "the key `{id}` is {}; only an announced key can be promoted",
            key.state.word()
        )));
    }
    let list = key.list;
    for key in keys.iter_mut().filter(|key| key.list == list) {
        if key.id == id {
            key.state = KeyState::Signing;
        } else if key.state == KeyState::Signing {
            key.state = KeyState::Verifying;
        }
    }
    Ok(())
}

/// Ends the key `id`: nothing that was made with it counts any more.
///
/// # Errors
/// [`KeysError::Refused`] where there is no such key, it signs, it is retired already, or it is a pepper and
/// nobody vouched that no hash names it: such a person could never sign in again.
pub fn retire(keys: &mut [KeyLine], id: &str, how: Retirement) -> Result<(), KeysError> {
    let key = find(keys, id)?;
    match key.state {
        KeyState::Signing => {
            return Err(refused(format!(
                "the key `{id}` is signing; announce and promote another one first"
            )));
        }
        KeyState::Retired => return Err(refused(format!("the key `{id}` is retired already"))),
        KeyState::Announced | KeyState::Verifying => {}
    }
    if key.list == KeyList::Pepper && key.state == KeyState::Verifying && how == Retirement::Plain {
        return Err(refused(format!(
            "the key `{id}` is a pepper: whoever's password hash or secret answer names it could never use it again; \
             make sure that none does and add --no-hash-names-it"
        )));
    }
    key.state = KeyState::Retired;
    Ok(())
}

fn find<'a>(keys: &'a mut [KeyLine], id: &str) -> Result<&'a mut KeyLine, KeysError> {
    let found = keys.iter_mut().find(|key| key.id == id);
    found.ok_or_else(|| refused(format!("there is no key `{id}`; `portal keys list` shows them")))
}

fn new_key(list: KeyList, state: KeyState, entropy: &dyn Entropy) -> Result<KeyLine, KeysError> {
    let name = u64::from_be_bytes(draw(entropy)?);
    let bytes = Zeroizing::new(draw::<32>(entropy)?);
    let secret = Zeroizing::new(bytes.to_vec());
    Ok(KeyLine {
        list,
        id: format!("{}-{name:016x}", list.word()),
        state,
        secret,
    })
}

fn refused(why: String) -> KeysError {
    KeysError::Refused(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portal_auth::environment::SystemEntropy;

    fn states(keys: &[KeyLine], list: KeyList) -> Vec<KeyState> {
        keys.iter()
            .filter(|key| key.list == list)
            .map(|key| key.state)
            .collect()
    }

    #[test]
    fn a_key_is_announced_then_signs_then_verifies_then_is_retired() {
        use KeyState::{Announced, Retired, Signing, Verifying};
        let mut keys = new_keys(&SystemEntropy::default()).unwrap();
        let first = keys[0].id.clone();
        let second = announce(&mut keys, KeyList::Token, &SystemEntropy::default()).unwrap();
        assert_eq!(states(&keys, KeyList::Token), [Signing, Announced]);
        promote(&mut keys, &second).unwrap();
        assert_eq!(states(&keys, KeyList::Token), [Verifying, Signing]);
        retire(&mut keys, &first, Retirement::Plain).unwrap();
        assert_eq!(states(&keys, KeyList::Token), [Retired, Signing]);
        assert_eq!(states(&keys, KeyList::Pepper), [Signing]);
        assert_eq!(states(&keys, KeyList::Pseudonym), [Signing]);
    }

    #[test]
    fn the_signing_key_and_unknown_keys_are_not_retired() {
        let mut keys = new_keys(&SystemEntropy::default()).unwrap();
        let first = keys[0].id.clone();
        let before = keys.clone();
        for id in [first.as_str(), "nobody"] {
            assert!(matches!(
                retire(&mut keys, id, Retirement::NoHashNamesIt),
                Err(KeysError::Refused(_))
            ));
        }
        assert!(matches!(promote(&mut keys, &first), Err(KeysError::Refused(_))));
        assert_eq!(keys, before);
    }

    #[test]
    fn a_pepper_goes_only_when_no_hash_names_it() {
        let mut keys = new_keys(&SystemEntropy::default()).unwrap();
        let old = keys[1].id.clone();
        let new = announce(&mut keys, KeyList::Pepper, &SystemEntropy::default()).unwrap();
        promote(&mut keys, &new).unwrap();
        let told = retire(&mut keys, &old, Retirement::Plain)
            .unwrap_err()
            .to_string();
        assert!(told.contains("--no-hash-names-it"), "{told}");
        retire(&mut keys, &old, Retirement::NoHashNamesIt).unwrap();
    }

    #[test]
    fn at_most_four_token_keys_are_live() {
        let mut keys = new_keys(&SystemEntropy::default()).unwrap();
        let ids: Vec<_> = (0..3)
            .map(|_| announce(&mut keys, KeyList::Token, &SystemEntropy::default()).unwrap())
            .collect();
        assert!(announce(&mut keys, KeyList::Token, &SystemEntropy::default()).is_err());
        retire(&mut keys, &ids[0], Retirement::Plain).unwrap();
        announce(&mut keys, KeyList::Token, &SystemEntropy::default()).unwrap();
    }
}
