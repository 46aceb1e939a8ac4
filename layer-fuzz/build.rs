//! Lists every definition of the vendored schemas, and generates how each is decoded and encoded.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use layer_tl_gen::{Config, generate};
use layer_tl_parser::{Category, Definition, IdCheck, parse_with};

/// What the runtime of the types has by hand, and nothing is generated for.
const BY_HAND: [&str; 5] = ["vector", "boolTrue", "boolFalse", "int128", "int256"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../layer-tl-types/tl");
    if let Err(message) = run() {
        println!("cargo::error={message}");
        process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let mut definitions: Vec<Definition> = Vec::new();
    for file in ["api", "mtproto"] {
        let path = format!("../layer-tl-types/tl/{file}.tl");
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {path}: {e}"))?;
        let parsed = parse_with(&text, IdCheck::AsWritten).map_err(|e| format!("{path}:{e}"))?;
        definitions.extend(parsed);
    }
    let mut config = Config::default();
    config.deserializable_functions = true;
    let files = generate(&definitions, &config).map_err(|e| e.to_string())?;
    let mut table = String::from(
        "/// The id of each definition, whether it is a method, the name it is decoded by, and its type.\n",
    );
    table.push_str("static DEFINITIONS: &[(u32, bool, &str, &str)] = &[\n");
    let generated = |d: &&Definition| !d.builtin && !BY_HAND.contains(&d.full_name().as_str());
    for d in definitions.iter().filter(generated) {
        let (function, name) = match d.category {
            Category::Type => (false, d.ty.full_name()),
            Category::Function => (true, d.full_name()),
        };
        let ty = &d.ty;
        writeln!(
            table,
            "    (0x{:08x}, {function}, \"{name}\", \"{ty}\"),",
            d.id
        )
        .map_err(|e| e.to_string())?;
    }
    table.push_str("];\n");
    let dir = env::var("OUT_DIR").map_err(|e| format!("OUT_DIR: {e}"))?;
    for (name, text) in [("roundtrip.rs", files.roundtrip), ("definitions.rs", table)] {
        let path = Path::new(&dir).join(name);
        fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}
