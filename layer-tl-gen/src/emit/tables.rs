//! What is not one definition's: the layer, the names.

use layer_tl_parser::Definition;

use super::{Config, Out, Writer};
use crate::model::{Step, Struct, Ty};

pub(super) fn common(definitions: &[Definition], config: &Config) -> String {
    let mut out = Out {
        text: String::new(),
        indent: 0,
    };
    out.line("/// The layer of the schema that this crate was built from.");
    out.line(&format!("pub const LAYER: i32 = {};", config.layer));
    if config.name_for_id {
        let mut names: Vec<(u32, String)> =
            definitions.iter().map(|d| (d.id, d.full_name())).collect();
        names.sort();
        names.dedup_by_key(|(id, _)| *id);
        out.line("");
        out.line("/// Ids and TL names, sorted by id.");
        out.open(&format!("static NAMES: [(u32, &str); {}] = [", names.len()));
        for (id, name) in &names {
            out.tuple(&[format!("0x{id:08x}"), format!("\"{name}\"")]);
        }
        out.close("];");
    }
    out.text
}

impl Writer<'_> {
    /// For each id: the variant (empty for a function), the struct, and what is on the wire, in the letters of `code`.
    pub(super) fn debug_table(&self) -> String {
        let mut out = Out {
            text: String::new(),
            indent: 0,
        };
        if !self.config.impl_debug {
            return out.text;
        }
        let mut rows: Vec<(u32, &str, &str, String)> = Vec::new();
        for e in &self.model.enums {
            for v in &e.variants {
                let s = &self.model.structs[v.of];
                rows.push((s.def.id, &v.name, &s.name, self.shape(s)));
            }
        }
        for s in self
            .model
            .functions
            .iter()
            .filter(|s| s.type_params.is_empty())
        {
            rows.push((s.def.id, "", &s.name, self.shape(s)));
        }
        rows.sort();
        out.line("/// By id, sorted: the variant, the struct, and its parts on the wire.");
        out.open(&format!(
            "static SHAPES: [(u32, &str, &str, &str); {}] = [",
            rows.len()
        ));
        for (id, variant, name, shape) in rows {
            let quoted = |s: &str| format!("\"{s}\"");
            out.tuple(&[
                format!("0x{id:08x}"),
                quoted(variant),
                quoted(name),
                quoted(&shape),
            ]);
        }
        out.close("];");
        out.text
    }

    fn shape(&self, s: &Struct<'_>) -> String {
        let parts = s.steps.iter().map(|step| match step {
            Step::FlagWord(_) => "#".to_owned(),
            Step::Field(f) => {
                let f = &s.fields[*f];
                let name = f.name.strip_prefix("r#").unwrap_or(&f.name);
                match f.flag {
                    Some((word, bit)) => format!("{name}:{word}.{bit}?{}", self.code(&f.ty)),
                    None => format!("{name}:{}", self.code(&f.ty)),
                }
            }
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    fn code(&self, ty: &Ty) -> String {
        match ty {
            Ty::Int => "i".to_owned(),
            Ty::Long => "l".to_owned(),
            Ty::Double => "d".to_owned(),
            Ty::Str => "s".to_owned(),
            Ty::Bytes => "b".to_owned(),
            Ty::Int128 => "h".to_owned(),
            Ty::Int256 => "H".to_owned(),
            Ty::Bool => "B".to_owned(),
            Ty::True => "t".to_owned(),
            Ty::Enum(_) | Ty::Param(_) => "E".to_owned(),
            Ty::Struct(of) => format!("S{:08x}", self.model.structs[*of].def.id),
            Ty::Vector { boxed: true, item } => format!("V{}", self.code(item)),
            Ty::Vector { boxed: false, item } => format!("v{}", self.code(item)),
        }
    }
}
