//! Login codes: made, "sent", read by tests, checked and spent.

use std::collections::{HashMap, VecDeque};

/// Codes that wait for an answer at most; beyond it the oldest are forgotten.
const MAX_WAITING: usize = 10_000;
/// A code is good for this many seconds.
const LIFETIME: i32 = 600;
/// Wrong answers before a code is spent.
const MAX_ATTEMPTS: u32 = 10;

/// One code on its way.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// Digits only, without the plus.
    pub(crate) phone: String,
    pub(crate) code: String,
    /// Unix time at which it was sent.
    pub(crate) sent: i32,
    /// The person proved to hold the number and may sign up.
    pub(crate) verified: bool,
    attempts: u32,
}

/// Why a code was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeError {
    /// There is no such code, or no longer.
    Expired,
    /// It is another one.
    Wrong,
}

/// All codes, by their `phone_code_hash`.
#[derive(Debug, Default)]
pub(crate) struct CodeBook {
    waiting: HashMap<String, Code>,
    order: VecDeque<String>,
    latest: HashMap<String, String>,
}

impl CodeBook {
    /// Notes that `code` went to `phone`, under the name `hash`.
    pub(crate) fn sent(&mut self, phone: &str, code: String, hash: String, now: i32) {
        while self.order.len() >= MAX_WAITING {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(gone) = self.waiting.remove(&oldest)
                && self.latest.get(&gone.phone) == Some(&gone.code)
            {
                self.latest.remove(&gone.phone);
            }
        }
        self.latest.insert(phone.to_owned(), code.clone());
        self.order.push_back(hash.clone());
        let code = Code {
            phone: phone.to_owned(),
            code,
            sent: now,
            verified: false,
            attempts: 0,
        };
        self.waiting.insert(hash, code);
    }

    /// The code that was last sent to a number (digits only).
    pub(crate) fn latest(&self, phone: &str) -> Option<&str> {
        self.latest.get(phone).map(String::as_str)
    }

    /// The code of that name, if it belongs to the number and still holds.
    pub(crate) fn find(&self, phone: &str, hash: &str, now: i32) -> Result<&Code, CodeError> {
        self.waiting
            .get(hash)
            .filter(|code| code.phone == phone && now.saturating_sub(code.sent) <= LIFETIME)
            .ok_or(CodeError::Expired)
    }

    /// Compares an answer. After too many wrong ones the code is spent.
    pub(crate) fn check(
        &mut self,
        phone: &str,
        hash: &str,
        answer: &str,
        now: i32,
    ) -> Result<(), CodeError> {
        self.find(phone, hash, now)?;
        let code = self.waiting.get_mut(hash).ok_or(CodeError::Expired)?;
        if code.code == answer {
            code.verified = true;
            return Ok(());
        }
        code.attempts += 1;
        if code.attempts >= MAX_ATTEMPTS {
            self.spend(hash);
            return Err(CodeError::Expired);
        }
        Err(CodeError::Wrong)
    }

    /// Forgets the waiting codes of a number that are among `codes`, as after telling them to somebody.
    pub(crate) fn invalidate(&mut self, phone: &str, codes: &[String]) {
        self.waiting
            .retain(|_, code| code.phone != phone || !codes.contains(&code.code));
        let waiting = &self.waiting;
        self.order.retain(|hash| waiting.contains_key(hash));
    }

    /// Forgets a code; false when there was none.
    pub(crate) fn spend(&mut self, hash: &str) -> bool {
        self.order.retain(|known| known != hash);
        self.waiting.remove(hash).is_some()
    }
}

/// The digits of a phone number, or nothing when it cannot be one.
///
/// Spaces, dashes, dots, brackets and a leading plus are passed over, as people write numbers.
pub(crate) fn normalise_phone(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let plausible = phone
        .chars()
        .all(|c| c.is_ascii_digit() || " +-().".contains(c));
    (plausible && (5..=15).contains(&digits.len())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> CodeBook {
        let mut book = CodeBook::default();
        book.sent("15550001", "12345".into(), "hash".into(), 100);
        book
    }

    #[test]
    fn the_right_code_is_taken_and_can_be_read() {
        let mut book = book();
        assert_eq!(book.latest("15550001"), Some("12345"));
        assert_eq!(book.check("15550001", "hash", "12345", 101), Ok(()));
        assert!(book.find("15550001", "hash", 101).unwrap().verified);
    }

    #[test]
    fn a_code_belongs_to_its_number_and_its_time() {
        let mut book = book();
        assert_eq!(
            book.check("15550002", "hash", "12345", 101),
            Err(CodeError::Expired)
        );
        assert_eq!(
            book.check("15550001", "hash", "12345", 5000),
            Err(CodeError::Expired)
        );
        assert_eq!(
            book.check("15550001", "other", "12345", 101),
            Err(CodeError::Expired)
        );
    }

    #[test]
    fn guessing_spends_the_code() {
        let mut book = book();
        for _ in 1..MAX_ATTEMPTS {
            assert_eq!(
                book.check("15550001", "hash", "0", 101),
                Err(CodeError::Wrong)
            );
        }
        assert_eq!(
            book.check("15550001", "hash", "0", 101),
            Err(CodeError::Expired)
        );
        assert_eq!(
            book.check("15550001", "hash", "12345", 101),
            Err(CodeError::Expired)
        );
    }

    #[test]
    fn waiting_codes_are_bounded() {
        let mut book = CodeBook::default();
        for n in 0..MAX_WAITING + 10 {
            book.sent(&n.to_string(), n.to_string(), format!("h{n}"), 0);
        }
        assert_eq!(book.waiting.len(), MAX_WAITING);
        assert_eq!(book.latest.len(), MAX_WAITING);
        assert_eq!(book.latest("3"), None);
    }

    #[test]
    fn numbers_are_taken_as_people_write_them() {
        assert_eq!(
            normalise_phone("+1 (555) 000-11.22").as_deref(),
            Some("15550001122")
        );
        assert_eq!(normalise_phone("9996621234").as_deref(), Some("9996621234"));
        for bad in ["", "12", "abc", "+1555x0001", "1234567890123456"] {
            assert_eq!(normalise_phone(bad), None, "{bad}");
        }
    }
}
