//! The names under which rows are kept: fixed numbers of random or derived bytes, one type per kind of row.

/// Declares a newtype over `[u8; N]` that a store can bind and read back.
macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Takes over bytes read from a store or derived from a secret.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes, as a store keeps them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Draws a new random one.
            ///
            /// # Errors
            /// The fault of the random source.
            pub fn draw(
                entropy: &dyn $crate::environment::Entropy,
            ) -> Result<Self, $crate::error::Fault> {
                Ok(Self($crate::environment::draw(entropy)?))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = std::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::key::KeyFormat;

            fn from_str(hex: &str) -> Result<Self, Self::Err> {
                $crate::key::parse_hex(hex).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let hex = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                hex.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use key_type;

/// The text is not the lower-case hexadecimal form of a key of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key: a fixed number of hexadecimal digits was expected")]
#[non_exhaustive]
pub struct KeyFormat;

/// Reads `2 * N` hexadecimal digits.
pub(crate) fn parse_hex<const N: usize>(hex: &str) -> Result<[u8; N], KeyFormat> {
    let digits = hex.as_bytes();
    if Some(digits.len()) != N.checked_mul(2) {
        return Err(KeyFormat);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| KeyFormat)?;
        if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(KeyFormat);
        }
        *byte = u8::from_str_radix(pair, 16).map_err(|_| KeyFormat)?;
    }
    Ok(bytes)
}
