//! What is to go wrong in a run.

/// Chances are of 1000.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    // -- each push --
    /// It is lost.
    pub(super) lose: u32,
    /// It comes twice.
    pub(super) repeat: u32,
    /// It comes late, after others.
    pub(super) delay: u32,
    /// It cannot be read.
    pub(super) garble: u32,
    /// The server says "too long" in its place.
    pub(super) too_long: u32,
    /// It is short, and of someone who may be a stranger.
    pub(super) short: u32,

    // -- each answer --
    /// It is an error that may pass.
    pub(super) fail: u32,
    /// The state is refused (`PERSISTENT_TIMESTAMP_…`).
    pub(super) refuse: u32,
    /// It comes of a replica that lags behind.
    pub(super) lag: u32,
    /// A hole of more than a few events is too long to tell.
    pub(super) skip: u32,

    // -- each step --
    /// The connection is cut for a while.
    pub(super) cut: u32,
    /// The computer sleeps for minutes to days.
    pub(super) sleep: u32,
    /// One is thrown out of a channel, leaves it, or comes back.
    pub(super) member: u32,
    /// Many things happen at once.
    pub(super) burst: u32,
    /// The process dies and starts again.
    pub(super) crash: u32,
    /// The reader does not read for a while.
    pub(super) stuck: u32,
    /// A reader comes for a while.
    pub(super) guest: u32,
    /// All readers leave, and come back.
    pub(super) walk_out: u32,
    /// A channel is looked at, or no longer.
    pub(super) open: u32,
    /// A reader passes its turn.
    pub(super) slow: u32,

    // -- the run --
    /// The clock that is handed in goes back a little now and then.
    pub(super) jitter: bool,
    /// The account is new here: nothing is known of its state.
    pub(super) fresh: bool,
    /// There is a second reader, much slower than the first.
    pub(super) second: bool,
}

/// Nothing goes wrong.
pub(super) const FAIR: Weather = Weather {
    lose: 0,
    repeat: 0,
    delay: 0,
    garble: 0,
    too_long: 0,
    short: 0,
    fail: 0,
    refuse: 0,
    lag: 0,
    skip: 0,
    cut: 0,
    sleep: 0,
    member: 0,
    burst: 0,
    crash: 0,
    stuck: 0,
    guest: 0,
    walk_out: 0,
    open: 0,
    slow: 0,
    jitter: false,
    fresh: false,
    second: false,
};

impl Weather {
    /// The sky clears: what the run is made of stays as it is.
    pub(super) fn cleared(self) -> Self {
        Self {
            jitter: self.jitter,
            fresh: self.fresh,
            second: self.second,
            ..FAIR
        }
    }

    /// Whether nothing is ever missing but what no difference brings.
    pub(super) fn keeps_all(self) -> bool {
        let losing = [self.skip, self.refuse, self.member, self.lag];
        losing.iter().all(|&chance| chance == 0)
    }

    /// Whether every push comes at once and once, and is taken.
    pub(super) fn is_fair(self) -> bool {
        let Self {
            jitter,
            fresh,
            second,
            ..
        } = self;
        let gentle = Self {
            jitter,
            fresh,
            second,
            short: self.short,
            open: self.open,
            ..FAIR
        };
        format!("{self:?}") == format!("{gentle:?}")
    }
}
