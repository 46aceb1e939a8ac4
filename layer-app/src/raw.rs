//! Any method of the API, typed by hand: `messages.getHistory peer:inputPeerSelf limit:5`.
//!
//! The schema itself says how a call is written and how its result is read, so this knows no method
//! by name. Values: `12`, `1.5`, `"text"`, `0xdeadbeef` (bytes), `true`, `[a, b]`, a constructor
//! without parameters by its name, and one with parameters in parentheses.

use std::collections::HashMap;
use std::fmt::Write as _;

use layer_tl_parser::{Category, Definition, Flag, Param, ParamKind, Type};

/// The schema that layer-tl-types is generated from.
const API: &str = include_str!("../../layer-tl-types/tl/api.tl");
const VECTOR: u32 = 0x1cb5_c415;
const BOOL_TRUE: u32 = 0x9972_75b5;
const BOOL_FALSE: u32 = 0xbc79_9737;
const MAX_DEPTH: usize = 32;

type Result<T> = std::result::Result<T, String>;

/// Definitions by name and by id.
pub(crate) struct Schema {
    definitions: Vec<Definition>,
    by_id: HashMap<u32, usize>,
    functions: HashMap<String, usize>,
    constructors: HashMap<String, usize>,
}

/// A call ready to be sent, and what its answer is to be read as.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) body: Vec<u8>,
    pub(crate) returns: Type,
}

impl Schema {
    /// Parses the vendored schema.
    pub(crate) fn load() -> Result<Self> {
        let definitions = layer_tl_parser::parse(API).map_err(|error| format!("api.tl:{error}"))?;
        let mut schema = Self {
            by_id: HashMap::new(),
            functions: HashMap::new(),
            constructors: HashMap::new(),
            definitions,
        };
        for (index, definition) in schema.definitions.iter().enumerate() {
            schema.by_id.insert(definition.id, index);
            let names = match definition.category {
                Category::Type => &mut schema.constructors,
                Category::Function => &mut schema.functions,
            };
            names.insert(definition.full_name(), index);
        }
        Ok(schema)
    }

    /// Methods whose name begins with `prefix`, for completion.
    pub(crate) fn methods(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .functions
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect();
        names.sort_unstable();
        names
    }

    /// What a method may be given, by name, as far as a person has to.
    pub(crate) fn parameters(&self, method: &str) -> Vec<&str> {
        let definition = self.functions.get(method);
        let parameters = definition.map(|index| &self.definitions[*index].params);
        parameters
            .into_iter()
            .flatten()
            .filter(|param| matches!(param.kind, ParamKind::Value { .. }))
            .filter_map(|param| param.name.as_deref())
            .collect()
    }

    /// Turns `help.getConfig` or `method name:value …` into the bytes of the call.
    pub(crate) fn encode(&self, text: &str, random_id: i64) -> Result<Call> {
        let mut text = Text {
            rest: text,
            random_id,
        };
        let name = text.name()?;
        let definition = self
            .functions
            .get(name)
            .map(|index| &self.definitions[*index])
            .ok_or_else(|| self.no_such_method(name))?;
        let mut body = definition.id.to_le_bytes().to_vec();
        self.arguments(definition, &mut text, &mut body, 0)?;
        if !text.rest.trim().is_empty() {
            return Err(format!(
                "'{}' is left over after the call",
                text.rest.trim()
            ));
        }
        Ok(Call {
            body,
            returns: definition.ty.clone(),
        })
    }

    fn no_such_method(&self, name: &str) -> String {
        let wanted = name.to_lowercase();
        let mut near: Vec<&String> = self
            .functions
            .keys()
            .filter(|known| known.to_lowercase().contains(&wanted))
            .collect();
        near.sort_unstable();
        near.truncate(5);
        if near.is_empty() {
            return format!("the schema has no method '{name}'");
        }
        let near: Vec<&str> = near.into_iter().map(String::as_str).collect();
        format!(
            "the schema has no method '{name}'; it has {}",
            near.join(", ")
        )
    }

    fn arguments(
        &self,
        definition: &Definition,
        text: &mut Text<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<()> {
        // First every `name:value` as it was typed, then in the order of the wire.
        let mut given: HashMap<&str, Vec<u8>> = HashMap::new();
        while let Some(name) = text.argument_name()? {
            let (key, ty) = definition
                .params
                .iter()
                .find_map(|param| match (&param.name, &param.kind) {
                    (Some(known), ParamKind::Value { ty, .. }) if known == name => {
                        Some((known.as_str(), ty))
                    }
                    _ => None,
                })
                .ok_or_else(|| format!("no parameter '{name}' in: {definition}"))?;
            let mut value = Vec::new();
            self.value(ty, text, &mut value, depth + 1)?;
            if given.insert(key, value).is_some() {
                return Err(format!("'{name}' is given twice"));
            }
        }
        let flag_of = |param: &Param, word: &str| match (&param.name, &param.kind) {
            (
                Some(name),
                ParamKind::Value {
                    flag: Some(flag),
                    ty,
                },
            ) if flag.name == word => {
                let set = match given.get(name.as_str()) {
                    Some(value) if is_true(ty) => value != &BOOL_FALSE.to_le_bytes(),
                    given => given.is_some(),
                };
                u32::from(set) << flag.bit
            }
            _ => 0,
        };
        for param in &definition.params {
            let name = param.name.as_deref().unwrap_or_default();
            match &param.kind {
                ParamKind::Flags => {
                    let flags = definition
                        .params
                        .iter()
                        .fold(0, |bits, other| bits | flag_of(other, name));
                    out.extend(flags.to_le_bytes());
                }
                ParamKind::Value { flag: Some(_), ty } => {
                    if let Some(value) = given.get(name).filter(|_| !is_true(ty)) {
                        out.extend(value);
                    }
                }
                ParamKind::Value { flag: None, .. } => match given.get(name) {
                    Some(value) => out.extend(value),
                    None if name == "random_id" => out.extend(text.random_id.to_le_bytes()),
                    None => return Err(format!("'{name}' is missing in: {definition}")),
                },
                ParamKind::Repeat { .. } => return Err(format!("cannot be typed: {definition}")),
            }
        }
        Ok(())
    }

    fn value(&self, ty: &Type, text: &mut Text<'_>, out: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        if ty.call {
            return Err("a call within a call cannot be typed here".into());
        }
        let name = ty.full_name();
        match name.as_str() {
            "int" => out.extend(text.number::<i32>("a 32-bit number")?.to_le_bytes()),
            "long" => out.extend(text.number::<i64>("a 64-bit number")?.to_le_bytes()),
            "double" => out.extend(text.number::<f64>("a number")?.to_le_bytes()),
            "string" | "bytes" => write_bytes(out, &text.bytes()?),
            "int128" | "int256" => {
                let size = if name == "int128" { 16 } else { 32 };
                let value = text.bytes()?;
                if value.len() != size {
                    return Err(format!(
                        "{name} takes {size} bytes, {} were given",
                        value.len()
                    ));
                }
                out.extend(value);
            }
            "true" | "Bool" => {
                let id = match text.name()? {
                    "true" => BOOL_TRUE,
                    "false" => BOOL_FALSE,
                    other => return Err(format!("'{other}' is neither true nor false")),
                };
                out.extend(id.to_le_bytes());
            }
            "Vector" | "vector" => {
                let [inner] = &ty.args[..] else {
                    return Err("a vector needs the type of its elements".into());
                };
                let mut items = Vec::new();
                let mut count = 0_u32;
                text.expect('[')?;
                while !text.take(']') {
                    self.value(inner, text, &mut items, depth + 1)?;
                    count += 1;
                    if !text.take(',') {
                        text.expect(']')?;
                        break;
                    }
                }
                if !ty.bare {
                    out.extend(VECTOR.to_le_bytes());
                }
                out.extend(count.to_le_bytes());
                out.extend(items);
            }
            _ => {
                let parenthesised = text.take('(');
                let constructor = text.name()?;
                let definition = self
                    .constructors
                    .get(constructor)
                    .map(|index| &self.definitions[*index])
                    .filter(|definition| definition.ty.full_name() == name || ty.bare)
                    .ok_or_else(|| self.no_such_constructor(constructor, &name))?;
                if !ty.bare {
                    out.extend(definition.id.to_le_bytes());
                }
                if parenthesised {
                    self.arguments(definition, text, out, depth + 1)?;
                    text.expect(')')?;
                } else if let Some(param) = definition
                    .params
                    .iter()
                    .find(|param| matches!(param.kind, ParamKind::Value { flag: None, .. }))
                {
                    return Err(format!(
                        "{constructor} has parameters: write it in parentheses, e.g. ({constructor} {}:…)",
                        param.name.as_deref().unwrap_or_default()
                    ));
                } else {
                    let mut nothing = Text {
                        rest: "",
                        random_id: 0,
                    };
                    self.arguments(definition, &mut nothing, out, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn no_such_constructor(&self, constructor: &str, ty: &str) -> String {
        let mut known: Vec<String> = self
            .definitions
            .iter()
            .filter(|d| d.category == Category::Type && d.ty.full_name() == ty)
            .map(Definition::full_name)
            .collect();
        known.truncate(6);
        format!(
            "'{constructor}' is no {ty}; one is, for example, {}",
            known.join(", ")
        )
    }

    /// Reads the answer to a call and lays it out, a field a line.
    pub(crate) fn show(&self, bytes: &[u8], ty: &Type) -> Result<String> {
        let mut reader = Reader { bytes, position: 0 };
        let mut out = String::new();
        self.show_value(ty, &mut reader, &mut out, 0)?;
        if reader.position != bytes.len() {
            return Err(format!(
                "{} bytes are left over",
                bytes.len() - reader.position
            ));
        }
        Ok(out)
    }

    fn show_value(
        &self,
        ty: &Type,
        reader: &mut Reader<'_>,
        out: &mut String,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        match ty.full_name().as_str() {
            "int" => drop(write!(out, "{}", reader.int()?.cast_signed())),
            "long" => drop(write!(out, "{}", reader.long()?.cast_signed())),
            "double" => drop(write!(out, "{}", f64::from_bits(reader.long()?))),
            "string" => drop(write!(
                out,
                "{:?}",
                String::from_utf8_lossy(reader.string()?)
            )),
            "bytes" => show_bytes(out, reader.string()?),
            "int128" => show_bytes(out, reader.take(16)?),
            "int256" => show_bytes(out, reader.take(32)?),
            "#" => drop(write!(out, "{:#b}", reader.int()?)),
            "Bool" => out.push_str(match reader.int()? {
                BOOL_TRUE => "true",
                BOOL_FALSE => "false",
                id => return Err(format!("expected a Bool, found {id:#010x}")),
            }),
            "Vector" | "vector" => {
                let [inner] = &ty.args[..] else {
                    return Err("a vector of unknown elements".into());
                };
                if !ty.bare {
                    let id = reader.int()?;
                    if id != VECTOR {
                        return Err(format!("expected a Vector, found {id:#010x}"));
                    }
                }
                let count = reader.int()?;
                if count == 0 {
                    out.push_str("[]");
                    return Ok(());
                }
                out.push_str("[\n");
                for _ in 0..count {
                    indent(out, depth + 1);
                    self.show_value(inner, reader, out, depth + 1)?;
                    out.push('\n');
                }
                indent(out, depth);
                out.push(']');
            }
            name => {
                let definition = if ty.bare {
                    self.constructors
                        .get(name)
                        .map(|index| &self.definitions[*index])
                } else {
                    let id = reader.int()?;
                    self.by_id
                        .get(&id)
                        .map(|index| &self.definitions[*index])
                        .filter(|d| d.category == Category::Type && d.ty.full_name() == name)
                };
                let definition = definition
                    .ok_or_else(|| format!("expected {name}, found no such constructor"))?;
                self.show_fields(definition, reader, out, depth)?;
            }
        }
        Ok(())
    }

    fn show_fields(
        &self,
        definition: &Definition,
        reader: &mut Reader<'_>,
        out: &mut String,
        depth: usize,
    ) -> Result<()> {
        out.push_str(&definition.full_name());
        let mut words: HashMap<&str, u32> = HashMap::new();
        for param in &definition.params {
            let name = param.name.as_deref().unwrap_or_default();
            match &param.kind {
                ParamKind::Flags => drop(words.insert(name, reader.int()?)),
                ParamKind::Value { flag, ty } => {
                    if !flag.as_ref().is_none_or(|flag| is_set(&words, flag)) {
                        continue;
                    }
                    out.push('\n');
                    indent(out, depth + 1);
                    let _ = write!(out, "{name}: ");
                    if is_true(ty) {
                        out.push_str("true");
                    } else {
                        self.show_value(ty, reader, out, depth + 1)?;
                    }
                }
                ParamKind::Repeat { .. } => return Err(format!("cannot be shown: {definition}")),
            }
        }
        Ok(())
    }
}

fn is_true(ty: &Type) -> bool {
    ty.name == "true" && ty.namespace.is_empty()
}

fn is_set(words: &HashMap<&str, u32>, flag: &Flag) -> bool {
    words
        .get(flag.name.as_str())
        .is_some_and(|word| word >> flag.bit & 1 == 1)
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn show_bytes(out: &mut String, bytes: &[u8]) {
    const SHOWN: usize = 32;
    out.push_str("0x");
    for byte in bytes.iter().take(SHOWN) {
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > SHOWN {
        let _ = write!(out, "… ({} bytes)", bytes.len());
    }
}

fn write_bytes(out: &mut Vec<u8>, value: &[u8]) {
    layer_client::tl::Serializable::serialize(value, out);
}

/// What is left of the line.
struct Text<'a> {
    rest: &'a str,
    random_id: i64,
}

impl<'a> Text<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
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

    fn name(&mut self) -> Result<&'a str> {
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
    fn argument_name(&mut self) -> Result<Option<&'a str>> {
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

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T> {
        let word = self.token(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        word.parse().map_err(|_| format!("'{word}' is not {what}"))
    }

    /// `"text"` with `\"`, `\\` and `\n`, or `0x` and hexadecimal digits.
    fn bytes(&mut self) -> Result<Vec<u8>> {
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

/// A place in the answer.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self
            .position
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the answer ends after {} bytes", self.bytes.len()))?;
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn int(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn string(&mut self) -> Result<&'a [u8]> {
        let [first] = self.array()?;
        let (header, length) = if first == 254 {
            let [a, b, c] = self.array()?;
            (
                4,
                usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16,
            )
        } else {
            (1, usize::from(first))
        };
        let value = self.take(length)?;
        self.take((header + length).next_multiple_of(4) - header - length)?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use layer_client::tl::{self, Serializable};

    fn schema() -> Schema {
        Schema::load().unwrap()
    }

    #[test]
    fn a_call_without_parameters_is_its_id() {
        let call = schema().encode("help.getConfig", 0).unwrap();
        assert_eq!(call.body, tl::functions::help::GetConfig {}.to_bytes());
        assert_eq!(call.returns.full_name(), "Config");
    }

    #[test]
    fn a_typed_call_is_what_the_generated_type_writes() {
        let typed = schema()
            .encode(
                r#"messages.sendMessage peer:(inputPeerUser user_id:7 access_hash:-8) message:"a \"b\"\n" silent:true"#,
                99,
            )
            .unwrap();
        let peer = tl::types::InputPeerUser {
            user_id: 7,
            access_hash: -8,
        };
        let mut expected = tl::functions::messages::SendMessage {
            no_webpage: false,
            silent: true,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: peer.into(),
            reply_to: None,
            message: "a \"b\"\n".into(),
            random_id: 99,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
        };
        assert_eq!(typed.body, expected.to_bytes());
        expected.silent = false;
        assert_ne!(typed.body, expected.to_bytes());
    }

    #[test]
    fn vectors_and_bytes_are_written() {
        let typed = schema().encode(
            "users.getUsers id:[inputUserSelf, (inputUser user_id:1 access_hash:2)]",
            0,
        );
        let expected = tl::functions::users::GetUsers {
            id: vec![
                tl::enums::InputUser::UserSelf,
                tl::types::InputUser {
                    user_id: 1,
                    access_hash: 2,
                }
                .into(),
            ],
        };
        assert_eq!(typed.unwrap().body, expected.to_bytes());
    }

    #[test]
    fn an_answer_is_laid_out_by_the_schema() {
        let schema = schema();
        let call = schema.encode("help.getNearestDc", 0).unwrap();
        let answer = tl::types::NearestDc {
            country: "NL".into(),
            this_dc: 1,
            nearest_dc: 2,
        };
        let bytes = tl::enums::NearestDc::from(answer).to_bytes();
        assert_eq!(
            schema.show(&bytes, &call.returns).unwrap(),
            "nearestDc\n  country: \"NL\"\n  this_dc: 1\n  nearest_dc: 2"
        );
        assert!(
            schema
                .show(&bytes[..bytes.len() - 1], &call.returns)
                .is_err()
        );
    }

    #[test]
    fn mistakes_are_named() {
        let schema = schema();
        let error = |line: &str| schema.encode(line, 0).unwrap_err();
        assert!(error("help.getNearest").contains("help.getNearestDc"));
        assert!(error("users.getUsers").contains("'id' is missing"));
        assert!(error("users.getUsers id:[inputPeerSelf]").contains("is no InputUser"));
        assert!(error("users.getUsers who:1").contains("no parameter 'who'"));
        assert!(error("help.getConfig extra").contains("expected 'extra:'"));
        assert!(error("users.getUsers id:[inputUser]").contains("in parentheses"));
        assert!(error("").contains("expected a name"));
        assert!(error("invokeWithLayer layer:1 query:help").contains("within a call"));
    }

    #[test]
    fn garbage_answers_are_errors() {
        let schema = schema();
        let call = schema.encode("help.getConfig", 0).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        let config = schema.constructors["config"];
        for _ in 0..500 {
            let mut bytes = schema.definitions[config].id.to_le_bytes().to_vec();
            bytes.extend((0..random.usize(0..200)).map(|_| random.u8(..)));
            let _ = schema.show(&bytes, &call.returns);
        }
    }
}
