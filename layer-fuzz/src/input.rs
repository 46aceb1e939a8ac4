//! A fuzzer's bytes as choices. What is missing at the end is zero, so that every input is a whole script.

/// Bytes to take choices from.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    pub(crate) fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(crate) fn int(&mut self) -> i32 {
        i32::from_le_bytes(self.array())
    }

    pub(crate) fn long(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    /// At most this many bytes.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes with their length before them: one byte, or 255 and two.
    pub(crate) fn piece(&mut self) -> &'a [u8] {
        let len = match self.byte() {
            255 => usize::from(self.short()),
            len => usize::from(len),
        };
        self.take(len)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// One of these, or the default where there is none.
    pub(crate) fn choose<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let at = usize::from(self.byte());
        if from.is_empty() {
            return T::default();
        }
        // From the end: what came last is most often meant.
        from[from.len() - 1 - at % from.len()]
    }
}
