//! What a client tells about its key exchange while it goes on.

use layer_crypto::AuthKey;

/// What happened in a client's key exchange.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// One step was made. For those who want to watch; nothing needs to be done.
    Step(Step),
    /// The key is there.
    Done(Box<Outcome>),
}

/// One step of the exchange, with the values that went over the wire or followed from it. What must stay
/// secret is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// We ask for pq.
    PqRequested {
        /// Our random number that names this exchange.
        nonce: [u8; 16],
    },
    /// The server answered.
    PqReceived {
        /// The server's random number that names this exchange.
        server_nonce: [u8; 16],
        /// The product of two primes.
        pq: u64,
        /// The RSA keys that the server has.
        fingerprints: Vec<i64>,
    },
    /// We found the factors: the proof of work that keeps idle clients away.
    PqFactored {
        /// The smaller one.
        p: u64,
        /// The larger one.
        q: u64,
    },
    /// We ask for the Diffie-Hellman parameters. Our new_nonce goes with it, encrypted with RSA.
    DhParamsRequested {
        /// The RSA key chosen.
        fingerprint: i64,
        /// The DC named, if it is.
        dc_id: Option<i32>,
        /// The life of a temporary key in seconds.
        expires_in: Option<i32>,
    },
    /// The server's half of the exchange came, and passed every check.
    DhParamsReceived {
        /// The generator.
        g: i32,
        /// The prime, big-endian.
        dh_prime: Vec<u8>,
        /// Whether the prime is the well-known one; another one was tested.
        prime_known: bool,
        /// The server's public number, big-endian.
        g_a: Vec<u8>,
        /// The server's time, since 1970.
        server_time: i32,
        /// How many seconds the server is ahead of us.
        time_offset: i64,
    },
    /// We sent our half.
    DhGenRequested {
        /// 0 at first, then the number of keys that the server did not like.
        retry: u8,
        /// Our public number, big-endian.
        g_b: Vec<u8>,
    },
    /// The server asks for another key.
    RetryWanted {
        /// How often it has by now.
        retry: u8,
    },
    /// The server confirmed the key.
    KeyConfirmed {
        /// The name of the key.
        auth_key_id: i64,
        /// The salt that goes with the first messages.
        first_salt: i64,
    },
}

/// A finished key exchange.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The key.
    pub auth_key: AuthKey,
    /// The salt that goes with the first messages.
    pub first_salt: i64,
    /// How many seconds the server is ahead of our wall time.
    pub time_offset_secs: i64,
    /// The server's time during the exchange, since 1970.
    pub server_time: i32,
    /// When a temporary key ends, in server time since 1970; `None` for a permanent key.
    pub expires_at: Option<i32>,
}
