//! Types, with what converts between them and their constructors.

use super::{Out, Writer};
use crate::model::{Enum, Variant};

/// An enum is met in many places, and what is done with it stands in one: left to choose, the compiler copies it from
/// one to the next, which takes a release build twice the time and makes nothing faster.
const ONCE: &str = "#[inline(never)]";

impl Writer<'_> {
    pub(super) fn an_enum(&self, out: &mut Out, e: &Enum) {
        out.line(&format!("/// `{}`", e.tl_name));
        let large = !e.variants.iter().all(|v| self.layout.is_plain(v.of));
        self.derives(out, false, large);
        out.open(&format!("pub enum {} {{", e.name));
        for v in &e.variants {
            let of = &self.model.structs[v.of];
            if of.fields.is_empty() {
                out.line(&format!("{},", v.name));
            } else if self.layout.is_boxed(v.of) {
                out.line(&format!("{}(Box<{}>),", v.name, self.struct_path(v.of)));
            } else {
                out.line(&format!("{}({}),", v.name, self.struct_path(v.of)));
            }
        }
        out.close("}");
        self.enum_serializable(out, e);
        self.enum_decode(out, e);
        self.by_bytes(out, &e.name, false, large, "boxed(f, self)");
        for v in &e.variants {
            if self.config.impl_from_type {
                self.type_to_enum(out, e, v);
            }
            if self.config.impl_from_enum {
                self.enum_to_type(out, e, v);
            }
        }
    }

    fn is_unit(&self, v: &Variant) -> bool {
        self.model.structs[v.of].fields.is_empty()
    }

    /// Whether the struct writes anything: fields that are only bits of no word would be refused before.
    fn enum_serializable(&self, out: &mut Out, e: &Enum) {
        out.line("");
        out.open(&format!("impl crate::Serializable for {} {{", e.name));
        out.line(ONCE);
        out.open("fn serialize(&self, buf: &mut Vec<u8>) {");
        out.open("match self {");
        for v in &e.variants {
            let id = self.model.structs[v.of].def.id;
            if self.is_unit(v) && self.model.structs[v.of].steps.is_empty() {
                out.line(&format!(
                    "Self::{} => crate::rt::put_u32(buf, 0x{id:08x}),",
                    v.name
                ));
            } else if self.is_unit(v) {
                out.open(&format!("Self::{} => {{", v.name));
                out.line(&format!("crate::rt::put_u32(buf, 0x{id:08x});"));
                out.line(&format!(
                    "crate::Serializable::serialize(&{}, buf);",
                    self.struct_path(v.of)
                ));
                out.close("}");
            } else {
                out.open(&format!("Self::{}(x) => {{", v.name));
                out.line(&format!("crate::rt::put_u32(buf, 0x{id:08x});"));
                let x = if self.layout.is_boxed(v.of) {
                    "&**x"
                } else {
                    "x"
                };
                out.line(&format!("crate::Serializable::serialize({x}, buf);"));
                out.close("}");
            }
        }
        out.close("}");
        out.close("}");
        out.close("}");
    }

    fn enum_decode(&self, out: &mut Out, e: &Enum) {
        let index = self
            .model
            .enums
            .iter()
            .position(|other| std::ptr::eq(other, e))
            .unwrap_or_default();
        let recursive = self.layout.is_recursive(index);
        let fallback = self.layout.fallback(index);
        out.line("");
        out.open(&format!("impl crate::rt::Decode for {} {{", e.name));
        out.line(ONCE);
        out.open("fn decode(buf: &mut crate::Cursor<'_>) -> Self {");
        if recursive {
            out.line("buf.enter();");
        }
        let last = &e.variants[fallback];
        let last_id = self.model.structs[last.of].def.id;
        let expect = |id: &str| format!("buf.expect_id({id}, 0x{last_id:08x}, \"{}\");", e.tl_name);
        if e.variants.len() == 1 {
            out.line("let id = buf.u32();");
            out.line(&expect("id"));
            if let Some(skip) = self.skip(last) {
                out.line(&skip);
            }
            out.line(&if recursive {
                format!("let value = {};", self.variant_value(last))
            } else {
                self.variant_value(last)
            });
        } else {
            out.open(if recursive {
                "let value = match buf.u32() {"
            } else {
                "match buf.u32() {"
            });
            for (_, v) in e
                .variants
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != fallback)
            {
                let id = self.model.structs[v.of].def.id;
                let value = self.variant_value(v);
                if let Some(skip) = self.skip(v) {
                    out.open(&format!("0x{id:08x} => {{"));
                    out.line(&skip);
                    out.line(&value);
                    out.close("}");
                } else {
                    out.arm(&format!("0x{id:08x}"), &value);
                }
            }
            out.open("id => {");
            out.line(&expect("id"));
            if let Some(skip) = self.skip(last) {
                out.line(&skip);
            }
            out.line(&self.variant_value(last));
            out.close("}");
            out.close(if recursive { "};" } else { "}" });
        }
        if recursive {
            out.line("buf.leave();");
            out.line("value");
        }
        out.close("}");
        out.close("}");
    }

    /// Flag words that a constructor without fields has: read and forgotten.
    fn skip(&self, v: &Variant) -> Option<String> {
        let words = self.model.structs[v.of].steps.len();
        (self.is_unit(v) && words > 0).then(|| format!("buf.skip_words({words});"))
    }

    fn variant_value(&self, v: &Variant) -> String {
        if self.is_unit(v) {
            format!("Self::{}", v.name)
        } else if self.layout.is_boxed(v.of) {
            format!("Self::{}(Box::new(crate::rt::Decode::decode(buf)))", v.name)
        } else {
            format!("Self::{}(crate::rt::Decode::decode(buf))", v.name)
        }
    }

    fn type_to_enum(&self, out: &mut Out, e: &Enum, v: &Variant) {
        let path = self.struct_path(v.of);
        out.line("");
        out.open_impl(&format!("impl From<{path}>"), &e.name);
        out.line("#[inline]");
        let argument = if self.is_unit(v) { "_" } else { "x" };
        out.open_fn("from", &format!("{argument}: {path}"), "Self");
        out.line(&if self.is_unit(v) {
            format!("Self::{}", v.name)
        } else if self.layout.is_boxed(v.of) {
            format!("Self::{}(Box::new(x))", v.name)
        } else {
            format!("Self::{}(x)", v.name)
        });
        out.close("}");
        out.close("}");
    }

    fn enum_to_type(&self, out: &mut Out, e: &Enum, v: &Variant) {
        let only = e.variants.len() == 1;
        let path = self.struct_path(v.of);
        let (holds, value) = if self.is_unit(v) {
            ("", "Self")
        } else if self.layout.is_boxed(v.of) {
            ("(x)", "*x")
        } else {
            ("(x)", "x")
        };
        let pattern = format!("{}::{}{holds}", e.name, v.name);
        let argument = format!("x: {}", e.name);
        out.line("");
        if only {
            out.open_impl(&format!("impl From<{}>", e.name), &path);
            out.line("#[inline]");
            out.open_fn("from", &argument, "Self");
            out.line(&format!("let {pattern} = x;"));
            out.line(value);
        } else {
            out.open_impl(&format!("impl TryFrom<{}>", e.name), &path);
            out.line("type Error = crate::WrongVariant;");
            out.line("#[inline]");
            out.open_fn("try_from", &argument, "Result<Self, Self::Error>");
            out.open("match x {");
            out.arm(&pattern, &format!("Ok({value})"));
            let id = self.model.structs[v.of].def.id;
            out.line(&format!("_ => Err(crate::WrongVariant::new(0x{id:08x})),"));
            out.close("}");
        }
        out.close("}");
        out.close("}");
    }

    pub(super) fn roundtrip(&self) -> String {
        let mut out = Out {
            text: String::new(),
            indent: 0,
        };
        out.line("/// Decodes a boxed value of the type, and encodes it again.");
        out.open("fn roundtrip_type(name: &str, bytes: &[u8]) -> Option<Outcome> {");
        out.open("Some(match name {");
        for (index, e) in self.model.enums.iter().enumerate() {
            let path = self.enum_path(index).replacen("crate", "layer_tl_types", 1);
            out.line(&format!("\"{}\" => roundtrip::<{path}>(bytes),", e.tl_name));
        }
        out.line("_ => return None,");
        out.close("})");
        out.close("}");
        if !self.config.deserializable_functions {
            return out.text;
        }
        out.line("");
        out.line("/// Decodes a call of the function, and encodes it again.");
        out.open("fn roundtrip_function(name: &str, bytes: &[u8]) -> Option<Outcome> {");
        out.open("Some(match name {");
        for s in &self.model.functions {
            let path = super::path("functions", &s.namespace, &s.name).replacen(
                "crate",
                "layer_tl_types",
                1,
            );
            let generics = if s.type_params.is_empty() {
                ""
            } else {
                "<layer_tl_types::Blob>"
            };
            out.line(&format!(
                "\"{}\" => roundtrip::<{path}{generics}>(bytes),",
                s.def.full_name()
            ));
        }
        out.line("_ => return None,");
        out.close("})");
        out.close("}");
        out.text
    }
}
