//! seqno: twice the number of content-related messages so far, plus one for such a message itself.

/// Counts the content-related messages of one direction of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seqno {
    content: i32,
}

impl Seqno {
    /// The seqno of the next message. Content-related messages are those that ask to be acknowledged.
    pub(crate) fn next(&mut self, content_related: bool) -> i32 {
        let seqno = self.content.wrapping_mul(2);
        if content_related {
            self.content = self.content.wrapping_add(1);
            seqno | 1
        } else {
            seqno
        }
    }

    /// Leaves some numbers out, when the other side says that ours are too low.
    pub(crate) fn skip(&mut self) {
        self.content = self.content.wrapping_add(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seqno_is_odd_for_content_and_counts_it() {
        let mut seqno = Seqno::default();
        let made = [true, true, false, false, true].map(|content| seqno.next(content));
        assert_eq!(made, [1, 3, 4, 4, 5]);
    }
}
