//! Generates the types from `tl/api.tl` and `tl/mtproto.tl`, as the features say.

use std::path::Path;
use std::{env, fs, process};

use layer_tl_gen::{Config, generate, layer_mark};
use layer_tl_parser::{Definition, IdCheck, parse_with};

/// Definitions of `mtproto.tl` whose ids are in use on the wire and are not the CRC-32 of their text: Telegram
/// computed them from another spelling (`bytes` kept, or the vectors written otherwise).
const IDS_GIVEN_BY_HAND: [&str; 3] = ["ipPortSecret", "accessPointRule", "help.configSimple"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=tl");
    if let Err(message) = run() {
        println!("cargo::error={message}");
        process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let api = read("tl/api.tl")?;
    let Some(layer) = layer_mark(&api) else {
        return Err(
            "tl/api.tl:1:1: expected a comment `// LAYER 223` somewhere, found none".to_owned(),
        );
    };
    // Definitions keep the positions in their files; which file, an error finds out by the name.
    let mut files: Vec<(&str, Vec<Definition>)> = Vec::new();
    if feature("TL_API") {
        files.push(("tl/api.tl", parse("tl/api.tl", &api, IdCheck::Strict)?));
    }
    if feature("TL_MTPROTO") {
        let text = read("tl/mtproto.tl")?;
        files.push((
            "tl/mtproto.tl",
            parse(
                "tl/mtproto.tl",
                &text,
                IdCheck::StrictExcept(&IDS_GIVEN_BY_HAND),
            )?,
        ));
    }
    let mut config = Config::default();
    config.layer = layer;
    config.impl_debug = feature("IMPL_DEBUG");
    config.impl_from_type = feature("IMPL_FROM_TYPE");
    config.impl_from_enum = feature("IMPL_FROM_ENUM");
    config.impl_serde = feature("IMPL_SERDE");
    config.name_for_id = feature("NAME_FOR_ID");
    config.deserializable_functions = feature("DESERIALIZABLE_FUNCTIONS");

    let definitions: Vec<Definition> = files
        .iter()
        .flat_map(|(_, defs)| defs.iter().cloned())
        .collect();
    let generated = generate(&definitions, &config).map_err(|e| {
        let here = |d: &Definition| d.line == e.line && d.full_name() == e.definition;
        let file = files
            .iter()
            .find(|(_, defs)| defs.iter().any(here))
            .map_or("tl", |(file, _)| *file);
        format!("{file}:{e}")
    })?;
    let dir = env::var("OUT_DIR").map_err(|e| format!("OUT_DIR: {e}"))?;
    for (name, text) in [
        ("types.rs", &generated.types),
        ("enums.rs", &generated.enums),
        ("functions.rs", &generated.functions),
        ("common.rs", &generated.common),
        ("debug.rs", &generated.debug),
        ("roundtrip.rs", &generated.roundtrip),
    ] {
        let path = Path::new(&dir).join(name);
        fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

fn feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))
}

fn parse(file: &str, text: &str, check: IdCheck<'_>) -> Result<Vec<Definition>, String> {
    parse_with(text, check).map_err(|e| format!("{file}:{e}"))
}
