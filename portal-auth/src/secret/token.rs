//! Tokens: 43 characters that a browser or a mail carries, and the names under which their rows are kept (TOK-1,
//! SES-1).
//!
//! A token is 16 random bytes and a 16-byte tag under a key derived for its purpose, in strict base64url. The tag is
//! checked before any query, so a forged token or one of another purpose costs the database nothing.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::link::LinkPurpose;

/// The length of every token in characters.
pub const TOKEN_LENGTH: usize = 43;

/// What a token is for; each has its own key, so none passes for another (I-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A session.
    Session,
    /// A registration's draft.
    Draft,
    /// What a signed-in person typed into forms.
    KeptForm,
    /// A half-done sign-in or confirmation.
    Challenge,
    /// A familiar device.
    Device,
    /// The browser that gave the secret answer of a reset.
    Answer,
    /// A mailed link.
    Link(LinkPurpose),
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 14] = [
        Self::Session,
        Self::Draft,
        Self::KeptForm,
        Self::Challenge,
        Self::Device,
        Self::Answer,
        Self::Link(LinkPurpose::Activate),
        Self::Link(LinkPurpose::ResetPassword),
        Self::Link(LinkPurpose::ConfirmEmail),
        Self::Link(LinkPurpose::CancelEmailChange),
        Self::Link(LinkPurpose::FreezeAccount),
        Self::Link(LinkPurpose::NotMe),
        Self::Link(LinkPurpose::CancelRecovery),
        Self::Link(LinkPurpose::RestoreAccount),
    ];

    /// The label under which the purpose's key is derived; changing one ends all its tokens.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Session => "token/session",
            Self::Draft => "token/draft",
            Self::KeptForm => "token/kept_form",
            Self::Challenge => "token/challenge",
            Self::Device => "token/device",
            Self::Answer => "token/answer",
            Self::Link(LinkPurpose::Activate) => "token/link/activate",
            Self::Link(LinkPurpose::ResetPassword) => "token/link/reset_password",
            Self::Link(LinkPurpose::ConfirmEmail) => "token/link/confirm_email",
            Self::Link(LinkPurpose::CancelEmailChange) => "token/link/cancel_email_change",
            Self::Link(LinkPurpose::FreezeAccount) => "token/link/freeze_account",
            Self::Link(LinkPurpose::NotMe) => "token/link/not_me",
            Self::Link(LinkPurpose::CancelRecovery) => "token/link/cancel_recovery",
            Self::Link(LinkPurpose::RestoreAccount) => "token/link/restore_account",
        }
    }
}

/// Reads the 32 bytes of a token; anything but their one strict encoding is refused.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() != TOKEN_LENGTH {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    let decoded = Base64UrlUnpadded::decode(text, &mut *bytes).ok()?.len();
    // The last character holds two bits that say nothing: only the encoding with both zero is the token.
    let mut again = encode(&bytes);
    let same = decoded == 32 && *again == *text;
    again.zeroize();
    same.then_some(bytes)
}

/// Writes 32 bytes as a token.
pub(crate) fn encode(bytes: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(Base64UrlUnpadded::encode_string(bytes))
}

/// Declares a token type: redacted, wiped, and readable only by its own door.
macro_rules! token_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes over what a cookie or a link held, if it has a token's shape: 43 characters of strict
            /// base64url. Whether it is genuine shows only when it is used.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                decode(text).map(|_| Self(Zeroizing::new(text.to_owned())))
            }

            /// The 43 characters.
            ///
            /// # Security
            /// Put them into the cookie or the link they are meant for, and nowhere else.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            #[expect(clippy::allow_attributes, reason = "not every kind of token is minted by a feature")]
            #[allow(dead_code, reason = "not every kind of token is minted by a feature")]
            pub(crate) const fn minted(text: Zeroizing<String>) -> Self {
                Self(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

token_type! {
    /// Holds a session; belongs into a cookie that scripts cannot read.
    SessionToken
}
token_type! {
    /// Holds a registration's draft.
    DraftToken
}
token_type! {
    /// Holds what a signed-in person typed into forms; shares its cookie with the registration's draft, never its key.
    KeptFormToken
}
token_type! {
    /// Holds a half-done sign-in or confirmation.
    ChallengeToken
}
token_type! {
    /// Names a browser; makes it familiar once its person has fully signed in there.
    DeviceToken
}
token_type! {
    /// Shows that this browser gave the secret answer of a reset.
    AnswerToken
}
token_type! {
    /// Came out of a mailed link.
    LinkToken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_strict_encoding_is_read() {
        // TOK-1, P-05
        let token = encode(&[0xA5; 32]);
        assert_eq!(token.len(), TOKEN_LENGTH);
        assert!(SessionToken::parse(&token).is_some());
        let mut loose = token.to_string();
        let last = loose.pop().unwrap();
        let next = char::from(last as u8 + 1);
        assert!(SessionToken::parse(&format!("{loose}{next}")).is_none());
        for wrong in [
            String::new(),
            format!("{}=", *token),
            format!("{} ", *token),
            loose.clone(),
            format!("{loose}+"),
            token.to_uppercase() + "x",
            "é".repeat(21) + "a",
        ] {
            assert!(SessionToken::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_token_does_not_show_itself() {
        // HASH-7
        let token = SessionToken::parse(&encode(&[7; 32])).unwrap();
        assert_eq!(format!("{token:?}"), "SessionToken(..)");
    }
}
