//! The bytes that a connection has yet to write, and in which pieces they go.

/// Bytes on their way out. Positions count from the connection's first byte.
#[derive(Debug, Default)]
pub(crate) struct Outflow {
    bytes: Vec<u8>,
    /// How many of `bytes` are written.
    sent: usize,
    /// The position of the first of `bytes`.
    base: u64,
    /// Bytes before this position go one at a time.
    split_until: u64,
    /// The position behind the last byte that goes at all.
    cut_at: Option<u64>,
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Outflow {
    /// Where the next bytes are appended.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How many bytes wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.next(usize::MAX).len()
    }

    /// What is to be written at once now.
    pub(crate) fn piece(&self) -> &[u8] {
        self.next(if self.is_split() { 1 } else { usize::MAX })
    }

    /// Whether the next bytes go one at a time.
    pub(crate) fn is_split(&self) -> bool {
        self.base + wide(self.sent) < self.split_until
    }

    fn next(&self, most: usize) -> &[u8] {
        let end = match self.cut_at {
            Some(cut_at) => usize::try_from(cut_at.saturating_sub(self.base)).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let end = end
            .min(self.bytes.len())
            .min(self.sent.saturating_add(most));
        self.bytes.get(self.sent..end).unwrap_or_default()
    }

    /// So many of those were written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.bytes.len() {
            self.base += wide(self.bytes.len());
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// The position behind the last byte.
    pub(crate) fn end(&self) -> u64 {
        self.base + wide(self.bytes.len())
    }

    /// Bytes before this position go one at a time.
    pub(crate) fn split_until(&mut self, position: u64) {
        self.split_until = position;
    }

    /// No byte from this position on goes.
    pub(crate) fn cut_at(&mut self, position: u64) {
        self.cut_at = Some(self.cut_at.map_or(position, |before| before.min(position)));
    }

    /// Whether everything before the cut is written.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut_at
            .is_some_and(|cut_at| self.base + wide(self.sent) >= cut_at)
    }

    /// Loses what is not written.
    pub(crate) fn discard(&mut self) {
        self.wrote(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(out: &mut Outflow) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        while !out.piece().is_empty() {
            let piece = out.piece().to_vec();
            out.wrote(piece.len());
            pieces.push(piece);
        }
        pieces
    }

    #[test]
    fn bytes_go_in_one_piece_unless_they_are_split() {
        let mut out = Outflow::default();
        out.buffer().extend_from_slice(b"abc");
        assert_eq!(drain(&mut out), [b"abc"]);
        out.buffer().extend_from_slice(b"de");
        out.split_until(out.end());
        out.buffer().extend_from_slice(b"fg");
        assert_eq!(drain(&mut out), [&b"d"[..], b"e", b"fg"]);
        assert_eq!(out.waiting(), 0);
    }

    #[test]
    fn nothing_goes_behind_the_cut() {
        let mut out = Outflow::default();
        out.buffer().extend_from_slice(b"abc");
        drain(&mut out);
        out.cut_at(out.end() + 2);
        assert!(!out.is_cut());
        out.buffer().extend_from_slice(b"defg");
        assert_eq!(out.waiting(), 2);
        assert_eq!(drain(&mut out), [b"de"]);
        assert!(out.is_cut());
        out.cut_at(100);
        assert!(out.is_cut(), "the first cut counts");
    }
}
