//! Text to definitions: a recursive-descent parser over bytes that remembers where it is.

use crate::ast::{Category, Definition, Flag, Param, ParamKind, Type, TypeParam};
use crate::error::{ParseError, Problem};

/// How deep types and repetitions may be nested in each other; deeper text is an error.
pub const MAX_NESTING: usize = 32;

/// What to do about an id that is not the CRC-32 of its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdCheck<'a> {
    /// It is an error.
    Strict,
    /// It is an error, but for the definitions of these full names, whose ids were given by hand.
    StrictExcept(&'a [&'a str]),
    /// It is taken as it is written. Compare [`Definition::id`] with [`Definition::computed_id`] to find them.
    AsWritten,
}

/// Parses a schema, and checks the ids.
///
/// # Errors
/// The first place where the text breaks the grammar, or where an id is wrong.
pub fn parse(text: &str) -> Result<Vec<Definition>, ParseError> {
    parse_with(text, IdCheck::Strict)
}

/// Parses a schema, with a choice of what to do about wrong ids.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(text: &str, check: IdCheck<'_>) -> Result<Vec<Definition>, ParseError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        line: 1,
        line_start: 0,
        counted: 0,
    };
    let mut definitions = Vec::new();
    let mut category = Category::Type;
    loop {
        parser.skip_space()?;
        if parser.at == text.len() {
            return Ok(definitions);
        }
        if parser.peek() == Some(b'-') {
            category = parser.section()?;
        } else {
            definitions.push(parser.definition(category, check)?);
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    // Where lines were last counted to: positions are asked for in growing order.
    line: usize,
    line_start: usize,
    counted: usize,
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek_at(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + offset).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Line and column of a byte position at or after the last one asked for.
    fn position(&mut self, at: usize) -> (usize, usize) {
        if at < self.counted {
            (self.line, self.line_start, self.counted) = (1, 0, 0);
        }
        for (i, b) in self.text.as_bytes()[self.counted..at].iter().enumerate() {
            if *b == b'\n' {
                self.line += 1;
                self.line_start = self.counted + i + 1;
            }
        }
        self.counted = at;
        let column = self
            .text
            .get(self.line_start..at)
            .map_or(0, |s| s.chars().count())
            + 1;
        (self.line, column)
    }

    fn fail<T>(&mut self, at: usize, problem: Problem) -> Result<T> {
        let (line, column) = self.position(at);
        Err(ParseError {
            line,
            column,
            problem,
        })
    }

    fn expected<T>(&mut self, expected: &'static str) -> Result<T> {
        let mut chars = self.rest().chars();
        let found = match chars.next() {
            None => "the end of the text".to_owned(),
            Some(c) if is_name_byte(c) => {
                let word: String = self
                    .rest()
                    .chars()
                    .take_while(|c| is_name_byte(*c))
                    .take(40)
                    .collect();
                format!("`{word}`")
            }
            Some('\n' | '\r') => "the end of the line".to_owned(),
            Some(c) if c.is_whitespace() => "a space".to_owned(),
            Some(c) if c.is_control() => format!("the character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
        };
        self.fail(self.at, Problem::Syntax { expected, found })
    }

    fn skip_space(&mut self) -> Result<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                // A byte order mark, as some editors leave it.
                Some(0xef) if self.at == 0 && self.text.starts_with('\u{feff}') => self.at += 3,
                Some(b'/') if self.peek_at(1) == Some(b'/') => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                Some(b'/') if self.peek_at(1) == Some(b'*') => match self.rest().find("*/") {
                    Some(end) => self.at += end + 2,
                    None => {
                        self.at = self.text.len();
                        return self.expected("`*/` to end the comment");
                    }
                },
                _ => return Ok(()),
            }
        }
    }

    /// Skips space, then takes `c` if it is there.
    fn take(&mut self, c: u8) -> Result<bool> {
        self.skip_space()?;
        let there = self.peek() == Some(c);
        if there {
            self.at += 1;
        }
        Ok(there)
    }

    fn want(&mut self, c: u8, expected: &'static str) -> Result<()> {
        if self.take(c)? {
            Ok(())
        } else {
            self.expected(expected)
        }
    }

    fn section(&mut self) -> Result<Category> {
        for (mark, category) in [
            ("---types---", Category::Type),
            ("---functions---", Category::Function),
        ] {
            if self.rest().starts_with(mark) {
                self.at += mark.len();
                return Ok(category);
            }
        }
        self.expected("`---types---` or `---functions---`")
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let len = rest.find(|c| !is_name_byte(c)).unwrap_or(rest.len());
        self.at += len;
        Some(&rest[..len])
    }

    fn number(&mut self, expected: &'static str) -> Result<u32> {
        let rest = self.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        match rest[..len].parse() {
            Ok(n) => {
                self.at += len;
                Ok(n)
            }
            Err(_) => self.expected(expected),
        }
    }

    /// `name` or `namespace.name`
    fn qualified(&mut self, expected: &'static str) -> Result<(Vec<String>, String)> {
        let mut namespace = Vec::new();
        let Some(mut last) = self.word() else {
            return self.expected(expected);
        };
        while self.peek() == Some(b'.') {
            self.at += 1;
            namespace.push(last.to_owned());
            last = match self.word() {
                Some(word) => word,
                None => return self.expected("a name after the dot"),
            };
        }
        Ok((namespace, last.to_owned()))
    }

    fn definition(&mut self, category: Category, check: IdCheck<'_>) -> Result<Definition> {
        let start = self.at;
        let (line, column) = self.position(start);
        let (namespace, name) = self.qualified("a definition's name or a section mark")?;
        let written = self.id()?;
        let mut def = Definition {
            namespace,
            name,
            id: 0,
            id_written: written.is_some(),
            type_params: Vec::new(),
            params: Vec::new(),
            ty: Type {
                namespace: Vec::new(),
                name: String::new(),
                bare: false,
                percent: false,
                call: false,
                args: Vec::new(),
            },
            category,
            builtin: false,
            line,
            column,
        };
        loop {
            self.skip_space()?;
            match self.peek() {
                Some(b'=') => break,
                Some(b'{') => {
                    self.at += 1;
                    self.type_params(&mut def.type_params)?;
                }
                Some(b'?') if def.params.is_empty() && !def.builtin => {
                    self.at += 1;
                    def.builtin = true;
                }
                _ if def.builtin => return self.expected("`=`"),
                _ => {
                    let param = self.param(&def)?;
                    def.params.push(param);
                }
            }
        }
        self.at += 1;
        self.skip_space()?;
        let result_at = self.at;
        def.ty = self.result_type()?;
        self.want(b';', "`;`")?;
        if def.is_type_param(&def.ty.name) {
            def.ty.bare = false;
        } else if def.ty.bare && !def.ty.percent && def.ty.name.len() == 1 {
            let name = def.ty.name;
            return self.fail(result_at, Problem::UnknownTypeParam { name });
        }
        let computed = def.computed_id();
        def.id = written.unwrap_or(computed);
        let name = def.full_name();
        let strict = match check {
            IdCheck::Strict => true,
            IdCheck::StrictExcept(names) => !names.contains(&name.as_str()),
            IdCheck::AsWritten => false,
        };
        if strict && def.id != computed {
            return self.fail(
                start,
                Problem::WrongId {
                    name,
                    written: def.id,
                    computed,
                },
            );
        }
        Ok(def)
    }

    /// `#1cb5c415`, close to the name
    fn id(&mut self) -> Result<Option<u32>> {
        if self.peek() != Some(b'#') {
            return Ok(None);
        }
        self.at += 1;
        let rest = self.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        match u32::from_str_radix(&rest[..len], 16) {
            Ok(id) if !rest[len..].starts_with(is_name_byte) => {
                self.at += len;
                Ok(Some(id))
            }
            _ => self.expected("an id of 1 to 8 hexadecimal digits"),
        }
    }

    /// What follows `{`: `X:Type}` or `n:#}`, several names before one colon allowed.
    fn type_params(&mut self, params: &mut Vec<TypeParam>) -> Result<()> {
        let first = params.len();
        loop {
            self.skip_space()?;
            match self.word() {
                Some(name) => params.push(TypeParam {
                    name: name.to_owned(),
                    kind: String::new(),
                }),
                None if params.len() > first => break,
                None => return self.expected("the name of a type parameter"),
            }
        }
        self.want(b':', "`:` after the type parameter")?;
        self.skip_space()?;
        let kind = if self.peek() == Some(b'#') {
            self.at += 1;
            "#"
        } else {
            match self.word() {
                Some("Type") => "Type",
                Some(word) => {
                    self.at -= word.len();
                    return self.expected("`Type` or `#`");
                }
                None => return self.expected("`Type` or `#`"),
            }
        };
        for p in &mut params[first..] {
            kind.clone_into(&mut p.kind);
        }
        self.want(b'}', "`}`")
    }

    fn param(&mut self, def: &Definition) -> Result<Param> {
        const EXPECTED: &str = "a parameter or `=`";
        match self.peek() {
            Some(b'#') => {
                self.at += 1;
                return Ok(Param {
                    name: None,
                    kind: ParamKind::Flags,
                });
            }
            Some(b'[' | b'0'..=b'9') => {
                return Ok(Param {
                    name: None,
                    kind: self.repeat(def)?,
                });
            }
            _ => {}
        }
        let start = self.at;
        if let Some(name) = self.word() {
            if self.take(b':')? {
                self.skip_space()?;
                let kind = match self.peek() {
                    Some(b'#') => {
                        self.at += 1;
                        ParamKind::Flags
                    }
                    Some(b'[' | b'0'..=b'9') => self.repeat(def)?,
                    _ => self.value(def)?,
                };
                return Ok(Param {
                    name: Some(name.to_owned()),
                    kind,
                });
            }
            self.at = start;
        } else if !matches!(self.peek(), Some(b'!' | b'%' | b'(')) {
            return self.expected(EXPECTED);
        }
        let ty = self.atom(EXPECTED)?;
        Ok(Param {
            name: None,
            kind: ParamKind::Value { flag: None, ty },
        })
    }

    /// `4*[ … ]` or `[ … ]`
    fn repeat(&mut self, def: &Definition) -> Result<ParamKind> {
        let count = if self.peek() == Some(b'[') {
            None
        } else {
            let count = self.number("a number of repetitions")?;
            self.want(b'*', "`*` after the number of repetitions")?;
            Some(count)
        };
        self.want(b'[', "`[`")?;
        self.deeper()?;
        let mut params = Vec::new();
        while !self.take(b']')? {
            if self.peek() == Some(b'=') || self.peek().is_none() {
                return self.expected("`]`");
            }
            params.push(self.param(def)?);
        }
        self.depth -= 1;
        Ok(ParamKind::Repeat { count, params })
    }

    /// `type` or `flags.3?type`
    fn value(&mut self, def: &Definition) -> Result<ParamKind> {
        let start = self.at;
        let mut flag = None;
        if let Some(name) = self.word()
            && self.peek() == Some(b'.')
            && self.peek_at(1).is_some_and(|b| b.is_ascii_digit())
        {
            self.at += 1;
            let bit_at = self.at;
            let bit = self.number("the number of a bit")?;
            let Some(bit) = u8::try_from(bit).ok().filter(|bit| *bit < 32) else {
                self.at = bit_at;
                return self.expected("the number of a bit, 0 to 31");
            };
            self.want(b'?', "`?` after the flag")?;
            self.skip_space()?;
            if !def
                .params
                .iter()
                .any(|p| p.kind == ParamKind::Flags && p.name.as_deref() == Some(name))
            {
                return self.fail(
                    start,
                    Problem::UnknownFlags {
                        name: name.to_owned(),
                    },
                );
            }
            flag = Some(Flag {
                name: name.to_owned(),
                bit,
            });
        } else {
            self.at = start;
        }
        let type_at = self.at;
        let ty = self.atom("a type")?;
        if ty.call && !def.is_type_param(&ty.name) {
            return self.fail(type_at, Problem::UnknownTypeParam { name: ty.name });
        }
        Ok(ParamKind::Value { flag, ty })
    }

    /// A type that needs no brackets around it.
    fn atom(&mut self, expected: &'static str) -> Result<Type> {
        self.skip_space()?;
        self.deeper()?;
        let ty = match self.peek() {
            Some(b'%') => {
                self.at += 1;
                let mut ty = self.atom("a type after `%`")?;
                ty.bare = true;
                ty.percent = true;
                ty
            }
            Some(b'!') => {
                self.at += 1;
                let mut ty = self.atom("a type after `!`")?;
                ty.call = true;
                ty.bare = false;
                ty
            }
            Some(b'(') => {
                self.at += 1;
                let ty = self.result_type()?;
                self.want(b')', "`)`")?;
                ty
            }
            _ => {
                let (namespace, name) = self.qualified(expected)?;
                let bare = name.starts_with(|c: char| !c.is_ascii_uppercase());
                let mut args = Vec::new();
                if self.take(b'<')? {
                    loop {
                        args.push(self.atom("a type")?);
                        if !self.take(b',')? {
                            break;
                        }
                    }
                    self.want(b'>', "`>`")?;
                }
                Type {
                    namespace,
                    name,
                    bare,
                    percent: false,
                    call: false,
                    args,
                }
            }
        };
        self.depth -= 1;
        Ok(ty)
    }

    /// A type followed by its arguments, as in `Vector t`.
    fn result_type(&mut self) -> Result<Type> {
        let mut ty = self.atom("a type")?;
        loop {
            self.skip_space()?;
            match self.peek() {
                Some(b'(' | b'%') => {}
                Some(b) if b.is_ascii_alphabetic() => {}
                _ => return Ok(ty),
            }
            ty.args.push(self.atom("a type")?);
        }
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return self.expected("types nested less deeply (at most 32 levels)");
        }
        Ok(())
    }
}

fn is_name_byte(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
