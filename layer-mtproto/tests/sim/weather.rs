//! What is to go wrong in a run.

use std::time::Duration;

/// Chances are of 1000: `cut` to `hold` for each packet or piece, the others for each step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    // -- the network --
    /// The connection is cut.
    pub(crate) cut: u32,
    /// A byte on its way is changed.
    pub(crate) corrupt: u32,
    /// A packet is taken out.
    pub(crate) lose: u32,
    /// A packet comes twice, or is kept and comes again later.
    pub(crate) repeat: u32,
    /// A packet comes after the next one.
    pub(crate) reorder: u32,
    /// Bytes are stuck for some seconds.
    pub(crate) stall: u32,
    /// A connection is made and leads nowhere.
    pub(crate) deaf: u32,

    // -- the server --
    /// A packet is refused with some code.
    pub(crate) refuse: u32,
    /// The salts are thrown away.
    pub(crate) rotate: u32,
    /// All sessions are forgotten.
    pub(crate) forget: u32,
    /// A key is forgotten: a temporary one, or the permanent one.
    pub(crate) forget_key: u32,
    /// Something uncalled for is sent.
    pub(crate) nonsense: u32,
    /// A call takes seconds.
    pub(crate) slow: u32,
    /// The key exchange is asked for another key.
    pub(crate) retry_keys: u32,

    // -- clocks --
    /// The server's clock jumps.
    pub(crate) jump: u32,
    /// The client's computer sleeps.
    pub(crate) sleep: u32,
    /// How far the client's wall clock is off at first, in seconds.
    pub(crate) skew: i64,

    // -- the client --
    /// Whether keys are made by key exchanges; otherwise they fall from the sky.
    pub(crate) exchange: bool,
    /// After how long temporary keys end; `None`: the permanent key is used itself.
    pub(crate) temporary: Option<Duration>,
    /// A request is given up.
    pub(crate) cancel: u32,
    /// A request has a deadline.
    pub(crate) deadline: u32,
    /// A request comes after others.
    pub(crate) chain: u32,
    /// A request must not be repeated, or not before the server was asked about it.
    pub(crate) forbid: u32,
    /// A request is long enough to be compressed.
    pub(crate) long: u32,
}

/// Nothing goes wrong, but requests are of every kind.
pub(crate) const FAIR: Weather = Weather {
    cut: 0,
    corrupt: 0,
    lose: 0,
    repeat: 0,
    reorder: 0,
    stall: 0,
    deaf: 0,
    refuse: 0,
    rotate: 0,
    forget: 0,
    forget_key: 0,
    nonsense: 0,
    slow: 50,
    retry_keys: 0,
    jump: 0,
    sleep: 0,
    skew: 0,
    exchange: false,
    temporary: None,
    cancel: 30,
    deadline: 100,
    chain: 200,
    forbid: 200,
    long: 60,
};

impl Weather {
    /// The sky clears: what the run is made of stays as it is.
    pub(crate) fn cleared(self) -> Self {
        Self {
            exchange: self.exchange,
            temporary: self.temporary,
            ..FAIR
        }
    }
}
