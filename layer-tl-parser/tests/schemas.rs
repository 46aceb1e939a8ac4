//! The vendored schemas, read whole.
use layer_tl_parser::{Category, IdCheck, parse_with};
#[test]
fn ids() {
    for f in ["api", "mtproto"] {
        let text = std::fs::read_to_string(format!(
            "{}/../layer-tl-types/tl/{f}.tl",
            env!("CARGO_MANIFEST_DIR")
        ))
        .unwrap();
        let defs = parse_with(&text, IdCheck::AsWritten).unwrap();
        println!(
            "{f} {} {}",
            defs.iter().filter(|d| d.category == Category::Type).count(),
            defs.len()
        );
        for d in &defs {
            if d.id != d.computed_id() {
                println!("{d} computed {:08x}", d.computed_id());
            }
        }
    }
}
