//! The typed line, taken from the left.

use super::Result;

/// What is left of the line.
pub(super) struct Text<'a> {
    pub(super) rest: &'a str,
    pub(super) random_id: i64,
}

impl<'a> Text<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn take(&mut self, wanted: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn expect(&mut self, wanted: char) -> Result<()> {
        if self.take(wanted) {
            return Ok(());
        }
        Err(match self.rest.chars().next() {
            Some(found) => format!("expected '{wanted}', found '{found}'"),
            None => format!("expected '{wanted}', found the end of the line"),
        })
    }

    fn token(&mut self, allowed: fn(char) -> bool) -> &'a str {
        self.skip();
        let end = self.rest.find(|c| !allowed(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }

    pub(super) fn name(&mut self) -> Result<&'a str> {
        let name = self.token(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if name.is_empty() {
            let found = self.rest.chars().next();
            return Err(found.map_or_else(
                || "expected a name, found the end of the line".into(),
                |found| format!("expected a name, found '{found}'"),
            ));
        }
        Ok(name)
    }

    /// `name:` or `name=`; `None` where no argument follows.
    pub(super) fn argument_name(&mut self) -> Result<Option<&'a str>> {
        self.skip();
        if self.rest.is_empty() || self.rest.starts_with([')', ']', ',']) {
            return Ok(None);
        }
        let name = self.name()?;
        if self.take(':') || self.take('=') {
            return Ok(Some(name));
        }
        Err(format!("expected '{name}:' and a value"))
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T> {
        let word = self.token(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        word.parse().map_err(|_| format!("'{word}' is not {what}"))
    }

    /// `"text"` with `\"`, `\\` and `\n`, or `0x` and hexadecimal digits.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>> {
        self.skip();
        if let Some(rest) = self.rest.strip_prefix("0x") {
            self.rest = rest;
            let digits = self.token(|c| c.is_ascii_hexdigit());
            if !digits.len().is_multiple_of(2) {
                return Err(format!("0x{digits} has an odd number of digits"));
            }
            return digits
                .as_bytes()
                .chunks(2)
                .map(|pair| {
                    std::str::from_utf8(pair)
                        .ok()
                        .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                        .ok_or_else(|| format!("0x{digits} is not hexadecimal"))
                })
                .collect();
        }
        self.expect('"')
            .map_err(|error| format!("{error} (text stands in quotes)"))?;
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value.into_bytes());
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => break,
                },
                other => value.push(other),
            }
        }
        Err("the closing quote is missing".into())
    }
}
