//! Constructors and functions.

use super::{MAX_ARGUMENTS, MAX_ARRAY, MAX_LITERAL, Out, Writer, doc, is_function};
use crate::model::{Field, Step, Struct, Ty};

impl Writer<'_> {
    pub(super) fn constructor(&self, out: &mut Out, s: &Struct<'_>) {
        let large = !self
            .model
            .struct_index(s)
            .is_some_and(|of| self.layout.is_plain(of));
        self.declaration(out, s, large);
        self.identifiable(out, s);
        self.serializable(out, s);
        self.decode(out, s);
        let debug = format!("bare(f, self, 0x{:08x})", s.def.id);
        self.by_bytes(out, &s.name, false, large, &debug);
    }

    pub(super) fn function(&self, out: &mut Out, s: &Struct<'_>) {
        self.declaration(out, s, true);
        self.identifiable(out, s);
        self.serializable(out, s);
        if self.config.deserializable_functions {
            self.decode(out, s);
        }
        self.remote_call(out, s);
        let generic = !s.type_params.is_empty();
        self.by_bytes(out, &s.name, generic, true, "call(f, self)");
    }

    fn declaration(&self, out: &mut Out, s: &Struct<'_>, large: bool) {
        doc(out, s.def);
        self.derives(out, !s.type_params.is_empty(), large);
        let name = format!("pub struct {}{}", s.name, generics(s, ""));
        if s.fields.is_empty() {
            out.line(&format!("{name};"));
            return;
        }
        out.open(&format!("{name} {{"));
        for f in &s.fields {
            let ty = match f.flag {
                Some(_) if f.ty != Ty::True => format!("Option<{}>", self.ty(&f.ty)),
                _ => self.ty(&f.ty),
            };
            out.line(&format!("pub {}: {ty},", f.name));
        }
        out.close("}");
    }

    fn identifiable(&self, out: &mut Out, s: &Struct<'_>) {
        out.line("");
        out.open(&implementation(s, "", "crate::Identifiable"));
        out.line(&format!("const CONSTRUCTOR_ID: u32 = 0x{:08x};", s.def.id));
        out.close("}");
    }

    fn remote_call(&self, out: &mut Out, s: &Struct<'_>) {
        let result = match &s.result {
            Some(Ty::Param(name)) => format!("{name}::Return"),
            Some(ty) => self.item(ty),
            None => return,
        };
        out.line("");
        out.open(&implementation(s, "crate::RemoteCall", "crate::RemoteCall"));
        out.line(&format!("type Return = {result};"));
        out.close("}");
    }

    fn serializable(&self, out: &mut Out, s: &Struct<'_>) {
        out.line("");
        out.open(&implementation(
            s,
            "crate::Serializable",
            "crate::Serializable",
        ));
        let function = is_function(s.def);
        let writes = function
            || s.steps
                .iter()
                .any(|step| !matches!(step, Step::Field(f) if s.fields[*f].ty == Ty::True));
        let buf = if writes { "buf" } else { "_buf" };
        let head = format!("fn serialize(&self, {buf}: &mut Vec<u8>) {{");
        // A program calls a few methods: it compiles those, and this crate none. A constructor becomes a part of its
        // enum's function, which is its only caller as a rule.
        out.line("#[inline]");
        if !writes {
            out.line(&format!("{head}}}"));
            out.close("}");
            return;
        }
        out.open(&head);
        if function {
            out.line(&format!("crate::rt::put_u32(buf, 0x{:08x});", s.def.id));
        }
        for step in &s.steps {
            match step {
                Step::FlagWord(word) => flag_word(out, s, *word),
                Step::Field(f) => {
                    let field = &s.fields[*f];
                    if let Some(call) = put(s, field) {
                        out.line(&call);
                    }
                }
            }
        }
        out.close("}");
        out.close("}");
    }

    fn decode(&self, out: &mut Out, s: &Struct<'_>) {
        out.line("");
        out.open(&implementation(s, "crate::rt::Decode", "crate::rt::Decode"));
        let function = is_function(s.def);
        let reads = function || !s.steps.is_empty();
        let buf = if reads { "buf" } else { "_buf" };
        out.line("#[inline]");
        out.open(&format!(
            "fn decode({buf}: &mut crate::Cursor<'_>) -> Self {{"
        ));
        if function {
            out.line("let id = buf.u32();");
            out.line(&format!(
                "buf.expect_id(id, 0x{:08x}, \"{}\");",
                s.def.id,
                s.def.full_name()
            ));
        }
        // Fields before the last flag word are read before it; the rest is read in the literal, which keeps the order.
        let last_word = s
            .steps
            .iter()
            .rposition(|step| matches!(step, Step::FlagWord(_)));
        let mut early = vec![false; s.fields.len()];
        for (i, step) in s.steps.iter().enumerate() {
            match step {
                Step::FlagWord(word) => {
                    let used = s
                        .fields
                        .iter()
                        .any(|f| f.flag.is_some_and(|(w, _)| w == *word));
                    if used {
                        out.line(&format!("let {} = buf.u32();", word_name(s, *word)));
                    } else {
                        out.line("buf.u32();");
                    }
                }
                Step::Field(f)
                    if last_word.is_some_and(|last| i < last) && s.fields[*f].ty != Ty::True =>
                {
                    early[*f] = true;
                    let field = &s.fields[*f];
                    out.line(&format!("let {} = {};", field.name, get(s, field)));
                }
                Step::Field(_) => {}
            }
        }
        if s.fields.is_empty() {
            out.line("Self");
        } else {
            let fields: Vec<String> = s
                .fields
                .iter()
                .zip(&early)
                .map(|(f, early)| {
                    if *early {
                        f.name.clone()
                    } else {
                        format!("{}: {}", f.name, get(s, f))
                    }
                })
                .collect();
            let inside = fields.join(", ");
            if inside.len() <= MAX_LITERAL {
                out.line(&format!("Self {{ {inside} }}"));
            } else {
                out.open("Self {");
                for f in &fields {
                    out.line(&format!("{f},"));
                }
                out.close("}");
            }
        }
        out.close("}");
        out.close("}");
    }
}

fn generics(s: &Struct<'_>, bound: &str) -> String {
    if s.type_params.is_empty() {
        return String::new();
    }
    let params: Vec<String> = s
        .type_params
        .iter()
        .map(|p| {
            if bound.is_empty() {
                p.clone()
            } else {
                format!("{p}: {bound}")
            }
        })
        .collect();
    format!("<{}>", params.join(", "))
}

fn implementation(s: &Struct<'_>, bound: &str, of: &str) -> String {
    format!(
        "impl{} {of} for {}{} {{",
        generics(s, bound),
        s.name,
        generics(s, "")
    )
}

/// The variable of a flag word: not the name of a field.
fn word_name(s: &Struct<'_>, word: usize) -> String {
    let mut name = crate::names::field_name(&s.flag_words[word]);
    while s.fields.iter().any(|f| f.name == name) {
        name.push('_');
    }
    name
}

/// The fields that stand or fall with one bit, if it is a value and something else: the variable that says whether they
/// are sent, and whether each is sent.
///
/// What goes over the wire must fit together, whatever a user filled in. So if one of them is there the others go with
/// it, empty; but a constructor has no empty form, so if one of those is missing none of them goes.
fn shared_bit(s: &Struct<'_>, flag: Option<(usize, u8)>) -> Option<(String, String, Vec<String>)> {
    let (word, bit) = flag?;
    let group: Vec<&Field> = s.fields.iter().filter(|f| f.flag == flag).collect();
    if group.len() < 2 || group.iter().all(|f| f.ty == Ty::True) {
        return None;
    }
    let objects: Vec<&Field> = group
        .iter()
        .copied()
        .filter(|f| !has_empty_form(&f.ty))
        .collect();
    let (how, members) = if objects.is_empty() {
        ("any", group)
    } else {
        ("all", objects)
    };
    Some((
        format!("sent_{word}_{bit}"),
        how.to_owned(),
        members.into_iter().map(is_there).collect(),
    ))
}

fn is_there(f: &Field) -> String {
    if f.ty == Ty::True {
        format!("self.{}", f.name)
    } else {
        format!("self.{}.is_some()", f.name)
    }
}

fn has_empty_form(ty: &Ty) -> bool {
    !matches!(
        ty,
        Ty::Enum(_) | Ty::Struct(_) | Ty::Param(_) | Ty::Vector { boxed: false, .. }
    )
}

fn flag_word(out: &mut Out, s: &Struct<'_>, word: usize) {
    let mut pairs: Vec<String> = Vec::new();
    let mut shared: Vec<String> = Vec::new();
    for f in &s.fields {
        let Some((w, bit)) = f.flag else { continue };
        if w != word {
            continue;
        }
        match shared_bit(s, f.flag) {
            None => pairs.push(format!("({}, {bit})", is_there(f))),
            Some((variable, how, members)) => {
                if !shared.contains(&variable) {
                    with_array(
                        out,
                        &format!("let {variable} = crate::rt::{how}"),
                        None,
                        &members,
                    );
                    pairs.push(format!("({variable}, {bit})"));
                    shared.push(variable);
                }
            }
        }
    }
    if pairs.is_empty() {
        out.line("crate::rt::put_u32(buf, 0);");
    } else {
        with_array(out, "crate::rt::put_flags", Some("buf"), &pairs);
    }
}

/// `call(argument, &[items]);`
fn with_array(out: &mut Out, call: &str, argument: Option<&str>, items: &[String]) {
    let inside = items.join(", ");
    let before = argument.map(|a| format!("{a}, ")).unwrap_or_default();
    let line = format!("{call}({before}&[{inside}]);");
    if before.len() + "&[]".len() + inside.len() <= MAX_ARGUMENTS && out.fits(line.len()) {
        out.line(&line);
        return;
    }
    let many_lines = |out: &mut Out| {
        for item in items {
            out.line(&format!("{item},"));
        }
    };
    match argument {
        None => {
            out.open(&format!("{call}(&["));
            many_lines(out);
            out.close("]);");
        }
        Some(argument) => {
            out.open(&format!("{call}("));
            out.line(&format!("{argument},"));
            if inside.len() <= MAX_ARRAY {
                out.line(&format!("&[{inside}],"));
            } else {
                out.open("&[");
                many_lines(out);
                out.close("],");
            }
            out.close(");");
        }
    }
}

/// A call that writes a field.
fn put(s: &Struct<'_>, field: &Field) -> Option<String> {
    let name = &field.name;
    if field.ty != Ty::True
        && let Some((variable, ..)) = shared_bit(s, field.flag)
    {
        let put = if has_empty_form(&field.ty) {
            "put_or_empty"
        } else {
            "put_if"
        };
        return Some(format!("crate::rt::{put}(buf, {variable}, &self.{name});"));
    }
    let optional = field.flag.is_some();
    let by_kind = |what: &str, reference: &str| {
        if optional {
            format!("crate::rt::put_opt_{what}(buf, &self.{name});")
        } else {
            format!("crate::rt::put_{what}(buf, {reference}self.{name});")
        }
    };
    Some(match &field.ty {
        Ty::True => return None,
        Ty::Int => by_kind("i32", ""),
        Ty::Long => by_kind("i64", ""),
        Ty::Double => by_kind("f64", ""),
        Ty::Bool => by_kind("bool", ""),
        Ty::Str => by_kind("str", "&"),
        Ty::Bytes => by_kind("bytes", "&"),
        Ty::Int128 | Ty::Int256 if !optional => by_kind("raw", "&"),
        Ty::Vector { boxed, .. } if optional => {
            format!("crate::rt::put_opt_items(buf, {boxed}, &self.{name});")
        }
        Ty::Vector { boxed, .. } => format!("crate::rt::put_items(buf, {boxed}, &self.{name});"),
        _ if optional => {
            format!("crate::rt::put_opt(buf, &self.{name});")
        }
        _ => {
            format!("crate::Serializable::serialize(&self.{name}, buf);")
        }
    })
}

/// An expression that reads a field.
fn get(s: &Struct<'_>, field: &Field) -> String {
    let what = match &field.ty {
        Ty::Int => "i32",
        Ty::Long => "i64",
        Ty::Double => "f64",
        Ty::Bool => "bool",
        Ty::Str => "string",
        Ty::Bytes => "bytes",
        Ty::Int128 => "int128",
        Ty::Int256 => "int256",
        Ty::Vector { .. } => "items",
        Ty::True => "",
        Ty::Enum(_) | Ty::Struct(_) | Ty::Param(_) => "value",
    };
    match field.flag {
        Some((word, bit)) if field.ty == Ty::True => {
            format!("crate::rt::has({}, {bit})", word_name(s, word))
        }
        Some((word, bit)) if what == "items" => {
            format!(
                "buf.opt_items({}, {bit}, {})",
                word_name(s, word),
                is_boxed_vector(&field.ty)
            )
        }
        None if what == "items" => format!("buf.items({})", is_boxed_vector(&field.ty)),
        Some((word, bit)) => format!("buf.opt_{what}({}, {bit})", word_name(s, word)),
        None if what == "value" => "crate::rt::Decode::decode(buf)".to_owned(),
        None => format!("buf.{what}()"),
    }
}

fn is_boxed_vector(ty: &Ty) -> bool {
    matches!(ty, Ty::Vector { boxed: true, .. })
}
