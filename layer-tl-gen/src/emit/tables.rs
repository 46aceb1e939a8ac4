//! What is not one definition's: the layer, the names.

use layer_tl_parser::Definition;

use super::{Config, Out};

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
            out.line(&format!("(0x{id:08x}, \"{name}\"),"));
        }
        out.close("];");
    }
    out.text
}
