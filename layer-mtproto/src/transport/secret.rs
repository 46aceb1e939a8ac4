//! The secret of an MTProxy, in the forms that links have it in.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use layer_crypto::constant_time_eq;
use zeroize::Zeroizing;

use super::TransportKind;

/// The longest domain that an `ee` secret may name, in bytes; official clients use no more of it.
pub const MAX_DOMAIN: usize = 182;

/// The secret of an MTProxy: 16 bytes, and how the connection is to be disguised
/// (`mtproto/mtproto-transports#transport-obfuscation`, `api/links#mtproxy-links`).
///
/// Its text is what stands in a link: hexadecimal or base64 (either alphabet, padded or not) of
///
/// - 16 bytes: obfuscated, any framing;
/// - `dd` and 16 bytes: obfuscated, padded intermediate;
/// - `ee`, 16 bytes and a domain: the same inside of records that look like TLS with that domain
///   ([`faketls`](crate::faketls)).
///
/// The bytes are wiped when it is dropped, compared in constant time, and never printed by `Debug`.
#[derive(Clone)]
pub struct ProxySecret {
    key: Zeroizing<[u8; 16]>,
    disguise: Disguise,
}

#[derive(Clone, PartialEq, Eq)]
enum Disguise {
    Obfuscated,
    Padded,
    Tls { domain: String },
}

impl ProxySecret {
    /// The secret of 16 bytes that leaves the framing open.
    #[must_use]
    pub fn plain(key: [u8; 16]) -> Self {
        Self {
            key: Zeroizing::new(key),
            disguise: Disguise::Obfuscated,
        }
    }

    /// The `dd` secret: packets are padded.
    #[must_use]
    pub fn padded(key: [u8; 16]) -> Self {
        Self {
            key: Zeroizing::new(key),
            disguise: Disguise::Padded,
        }
    }

    /// The `ee` secret: the connection looks like TLS with `domain`.
    ///
    /// # Errors
    /// If the domain is empty, longer than [`MAX_DOMAIN`], or not of printable ASCII characters.
    pub fn fake_tls(key: [u8; 16], domain: &str) -> Result<Self, ProxySecretError> {
        if domain.is_empty() {
            return Err(ProxySecretError::NoDomain);
        }
        if domain.len() > MAX_DOMAIN {
            return Err(ProxySecretError::DomainTooLong { len: domain.len() });
        }
        if !domain.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ProxySecretError::DomainCharacters);
        }
        Ok(Self {
            key: Zeroizing::new(key),
            disguise: Disguise::Tls {
                domain: domain.to_owned(),
            },
        })
    }

    /// From the bytes that a link's text stands for.
    ///
    /// # Errors
    /// If they are none of the three forms.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProxySecretError> {
        if let Ok(key) = bytes.try_into() {
            return Ok(Self::plain(key));
        }
        let (Some(&mark), Some((key, domain))) = (
            bytes.first(),
            bytes.get(1..).and_then(|rest| rest.split_first_chunk()),
        ) else {
            return Err(ProxySecretError::Length { len: bytes.len() });
        };
        match (mark, domain) {
            (0xee, domain) => {
                let domain =
                    std::str::from_utf8(domain).map_err(|_| ProxySecretError::DomainCharacters)?;
                Self::fake_tls(*key, domain)
            }
            // The documentation: any other byte in front means padding, though it is usually dd.
            (_, []) => Ok(Self::padded(*key)),
            (mark, _) => Err(ProxySecretError::Mark { mark }),
        }
    }

    /// The 16 bytes that go into the connection's keys.
    #[must_use]
    pub fn key(&self) -> &[u8; 16] {
        &self.key
    }

    /// The domain of an `ee` secret.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        match &self.disguise {
            Disguise::Tls { domain } => Some(domain),
            Disguise::Obfuscated | Disguise::Padded => None,
        }
    }

    /// The framing that the secret demands, if it demands one.
    #[must_use]
    pub fn framing(&self) -> Option<TransportKind> {
        match self.disguise {
            Disguise::Obfuscated => None,
            Disguise::Padded | Disguise::Tls { .. } => Some(TransportKind::PaddedIntermediate),
        }
    }

    /// The text for a link, hexadecimal. Whoever reads it knows the secret.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let (mark, domain): (&[u8], &[u8]) = match &self.disguise {
            Disguise::Obfuscated => (&[], &[]),
            Disguise::Padded => (&[0xdd], &[]),
            Disguise::Tls { domain } => (&[0xee], domain.as_bytes()),
        };
        // As long as it will be, so that no shorter copy stays behind.
        let mut text = String::with_capacity(2 * (mark.len() + 16 + domain.len()));
        for byte in mark.iter().chain(&*self.key).chain(domain) {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
            }
        }
        Zeroizing::new(text)
    }
}

impl From<[u8; 16]> for ProxySecret {
    /// As [`ProxySecret::plain`].
    fn from(key: [u8; 16]) -> Self {
        Self::plain(key)
    }
}

impl PartialEq for ProxySecret {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&*self.key, &*other.key) && self.disguise == other.disguise
    }
}

impl Eq for ProxySecret {}

impl fmt::Debug for ProxySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.disguise {
            Disguise::Obfuscated => f.write_str("ProxySecret(plain)"),
            Disguise::Padded => f.write_str("ProxySecret(dd)"),
            Disguise::Tls { domain } => write!(f, "ProxySecret(ee, {domain:?})"),
        }
    }
}

impl FromStr for ProxySecret {
    type Err = ProxySecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Hexadecimal digits are base64 too; all clients take them for hexadecimal.
        if let Some(bytes) = from_hex(text) {
            return Self::from_bytes(&bytes);
        }
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        for alphabet in [&URL_SAFE, &STANDARD] {
            if let Ok(bytes) = GeneralPurpose::new(alphabet, config).decode(text) {
                return Self::from_bytes(&Zeroizing::new(bytes));
            }
        }
        Err(ProxySecretError::Text)
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
}

/// Why something is no secret of an MTProxy. None of it is repeated in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxySecretError {
    /// The text is neither hexadecimal nor base64.
    Text,
    /// Too few bytes.
    Length {
        /// How many came.
        len: usize,
    },
    /// More than 17 bytes that do not begin with `ee`.
    Mark {
        /// The byte that they begin with.
        mark: u8,
    },
    /// `ee` and 16 bytes, and no domain after them.
    NoDomain,
    /// The domain is longer than [`MAX_DOMAIN`].
    DomainTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The domain has characters that no domain has.
    DomainCharacters,
}

impl fmt::Display for ProxySecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the secret of an MTProxy: ")?;
        match self {
            Self::Text => f.write_str(
                "expected hexadecimal digits or base64, found other characters; copy it again from the proxy's link",
            ),
            Self::Length { len } => write!(
                f,
                "expected at least 16 bytes (32 hexadecimal digits), found {len}; was it cut off?"
            ),
            Self::Mark { mark } => write!(
                f,
                "a long one must begin with ee, and this begins with {mark:02x}; it may be of a kind newer than this program"
            ),
            Self::NoDomain => f.write_str(
                "after ee and 16 bytes a domain is expected, and nothing follows; was it cut off?",
            ),
            Self::DomainTooLong { len } => write!(
                f,
                "its domain has {len} bytes, expected {MAX_DOMAIN} at most"
            ),
            Self::DomainCharacters => f.write_str(
                "its domain has characters that are not printable ASCII; write international names as xn--…",
            ),
        }
    }
}

impl std::error::Error for ProxySecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff";
    const KEY: [u8; 16] = [
        0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
    ];

    fn parse(text: &str) -> ProxySecret {
        text.parse().unwrap()
    }

    #[test]
    fn secrets_are_read_as_links_have_them() {
        let tls = ProxySecret::fake_tls(KEY, "www.example.com").unwrap();
        for (text, secret) in [
            (HEX, ProxySecret::plain(KEY)),
            ("00112233445566778899AABBCCDDEEFF", ProxySecret::plain(KEY)),
            ("ABEiM0RVZneImaq7zN3u_w", ProxySecret::plain(KEY)),
            ("ABEiM0RVZneImaq7zN3u_w==", ProxySecret::plain(KEY)),
            ("ABEiM0RVZneImaq7zN3u/w==", ProxySecret::plain(KEY)),
            (&format!("dd{HEX}"), ProxySecret::padded(KEY)),
            ("3QARIjNEVWZ3iJmqu8zd7v8", ProxySecret::padded(KEY)),
            // Any other byte in front means padding as well.
            (&format!("ab{HEX}"), ProxySecret::padded(KEY)),
            (
                &format!("ee{HEX}7777772e6578616d706c652e636f6d"),
                tls.clone(),
            ),
            ("7gARIjNEVWZ3iJmqu8zd7v93d3cuZXhhbXBsZS5jb20", tls.clone()),
            ("7gARIjNEVWZ3iJmqu8zd7v93d3cuZXhhbXBsZS5jb20=", tls),
        ] {
            assert_eq!(parse(text), secret, "{text}");
            assert_eq!(parse(&secret.expose()), secret, "{text}");
        }
        // A plain secret may itself begin with dd or ee.
        for tricky in [
            "dd112233445566778899aabbccddeeff",
            "ee112233445566778899aabbccddeeff",
        ] {
            assert!(parse(tricky).framing().is_none());
        }
    }

    #[test]
    fn what_is_no_secret_is_told_apart() {
        use ProxySecretError as E;
        for (text, error) in [
            ("", E::Length { len: 0 }),
            ("00", E::Length { len: 1 }),
            (&HEX[2..], E::Length { len: 15 }),
            ("not a secret!", E::Text),
            ("éééééééééééééééé", E::Text),
            (&format!("ee{HEX}"), E::NoDomain),
            (&format!("dd{HEX}00"), E::Mark { mark: 0xdd }),
            (&format!("ee{HEX}00"), E::DomainCharacters),
            (&format!("ee{HEX}ff"), E::DomainCharacters),
            (
                &format!("ee{HEX}{}", "61".repeat(MAX_DOMAIN + 1)),
                E::DomainTooLong { len: 183 },
            ),
        ] {
            assert_eq!(text.parse::<ProxySecret>(), Err(error), "{text}");
        }
        assert!(
            parse(&format!("ee{HEX}{}", "61".repeat(MAX_DOMAIN)))
                .domain()
                .is_some()
        );
    }

    #[test]
    fn a_secret_is_not_printed() {
        for secret in [
            ProxySecret::plain([0xab; 16]),
            ProxySecret::padded([0xab; 16]),
            ProxySecret::fake_tls([0xab; 16], "a.b").unwrap(),
        ] {
            let text = format!("{secret:?}").to_lowercase();
            assert!(!text.contains("abab") && !text.contains("171"), "{text}");
        }
    }

    #[test]
    fn secrets_differ_by_key_and_by_disguise() {
        let mut other = KEY;
        other[15] = 0;
        assert_ne!(ProxySecret::plain(KEY), ProxySecret::plain(other));
        assert_ne!(ProxySecret::plain(KEY), ProxySecret::padded(KEY));
        assert_ne!(
            ProxySecret::fake_tls(KEY, "a.b"),
            ProxySecret::fake_tls(KEY, "a.c")
        );
    }
}
