//! What can be wrong with a key or with what was encrypted to it.

use std::fmt;

/// A key that is no good, or data that does not fit or does not decrypt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RsaError {
    /// The text is not a PEM key of a kind we read.
    Pem {
        /// What was expected and what came instead.
        reason: String,
    },
    /// The modulus has not exactly 2048 bits, or is even.
    Modulus {
        /// How many bits it has.
        bits: u64,
    },
    /// The public exponent is not an odd number from 3 to 2^64.
    Exponent,
    /// The numbers of a private key do not belong together.
    Inconsistent,
    /// Too much data for the scheme.
    DataTooLong {
        /// The length that came, in bytes.
        len: usize,
        /// The most that fits.
        max: usize,
    },
    /// The ciphertext is not a number below the modulus of at most 256 bytes.
    Ciphertext {
        /// The length that came, in bytes.
        len: usize,
    },
    /// The padding or the hash inside is wrong: another key, another scheme, or damage.
    Padding,
    /// The random source gave nothing usable for far too long.
    Random,
}

impl fmt::Display for RsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem { reason } => write!(f, "not a usable RSA key in PEM: {reason}"),
            Self::Modulus { bits } => write!(
                f,
                "an RSA modulus must be odd and have exactly 2048 bits, but one of {bits} bits came"
            ),
            Self::Exponent => f.write_str(
                "an RSA public exponent must be odd, more than 1 and at most 64 bits long",
            ),
            Self::Inconsistent => f.write_str(
                "the numbers of the RSA private key do not belong together (n = p q, e d = 1)",
            ),
            Self::DataTooLong { len, max } => {
                write!(f, "at most {max} bytes fit, but {len} came")
            }
            Self::Ciphertext { len } => write!(
                f,
                "an RSA ciphertext is a number of at most 256 bytes below the modulus, \
                 but the {len} bytes that came are not"
            ),
            Self::Padding => f.write_str(
                "the RSA ciphertext does not decrypt to valid padding: was it made for this key?",
            ),
            Self::Random => f.write_str("the random source gives no usable numbers"),
        }
    }
}

impl std::error::Error for RsaError {}
