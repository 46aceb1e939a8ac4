//! Another schema in the place of `tl/api.tl` gives other types on the next build, and a broken one a readable error.
//!
//! Builds a copy of the three crates, offline: one `cargo check` of the whole schema (some ten seconds), and a few of
//! next to nothing.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("another-schema");
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for krate in ["layer-tl-parser", "layer-tl-gen", "layer-tl-types"] {
            copy(&original.join(krate), &root.join(krate));
        }
        let manifest = fs::read_to_string(original.join("Cargo.toml")).unwrap();
        let (before, members) = manifest.split_once("members = [").unwrap();
        let (_, after) = members.split_once(']').unwrap();
        let members = r#"["layer-tl-parser", "layer-tl-gen", "layer-tl-types", "user"]"#;
        write(
            &root.join("Cargo.toml"),
            &format!("{before}members = {members}{after}"),
        );
        fs::copy(original.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        let user = "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                    [dependencies]\nlayer-tl-types = { workspace = true, features = [\"tl-api\"] }\n";
        write(&root.join("user/Cargo.toml"), user);
        Self { root }
    }

    fn schema(&self, text: &str) {
        write(&self.root.join("layer-tl-types/tl/api.tl"), text);
    }

    /// Checks a user's crate with this text, and gives back what cargo said if it failed.
    fn check(&self, user: &str) -> Result<(), String> {
        write(&self.root.join("user/src/lib.rs"), user);
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--color", "never", "-p", "user"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && name != "tests" {
                copy(&entry.path(), &to.join(name));
            }
        } else {
            write(&to.join(name), &fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// Leaves a file alone that is right already, so that a second run finds the first one's build.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
}

#[test]
fn another_schema_gives_other_types_on_the_next_build() {
    let copy = Copy::new();
    let original = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tl/api.tl")).unwrap();

    copy.schema("// LAYER 1\nfirst x:int = First;\n");
    let first = "pub const _: i32 = layer_tl_types::LAYER; pub fn f() -> i32 { layer_tl_types::types::First { x: 1 }.x }";
    copy.check(first).unwrap();

    // One constructor added, one removed.
    let added = "layerOfOurOwn number:int = LayerOfOurOwn;\n\nboolFalse#";
    let other = original.replacen("boolFalse#", added, 1);
    let removed = original
        .lines()
        .find(|line| line.starts_with("inputPeerSelf#"))
        .unwrap();
    copy.schema(&other.replacen(removed, "", 1));
    let new = "use layer_tl_types::{LAYER, enums, types};
        pub const _: () = assert!(LAYER == 223);
        pub fn f() -> enums::LayerOfOurOwn { enums::LayerOfOurOwn::Own(types::LayerOfOurOwn { number: 1 }) }
        pub fn g() -> types::InputPeerEmpty { types::InputPeerEmpty }";
    copy.check(new).unwrap();
    let error = copy
        .check(&new.replace("InputPeerEmpty", "InputPeerSelf"))
        .unwrap_err();
    assert!(error.contains("InputPeerSelf"), "{error}");
    let error = copy.check(first).unwrap_err();
    assert!(error.contains("First"), "{error}");

    // Broken: file, line, column, and what was expected.
    for (text, message) in [
        (
            "// LAYER 1\na = A\nb = B;\n",
            "tl/api.tl:3:3: expected `;`, found `=`",
        ),
        (
            "// LAYER 1\na x:b = A;\n",
            "tl/api.tl:2:1: `a`: the constructor `b` is not defined",
        ),
        ("// LAYER 1\na#1 = A;\n", "tl/api.tl:2:1: expected the id #"),
        (
            "a = A;\n",
            "tl/api.tl:1:1: expected a comment `// LAYER 223` somewhere, found none",
        ),
    ] {
        copy.schema(text);
        let error = copy.check(first).unwrap_err();
        assert!(error.contains(message), "{message}:\n{error}");
    }
}
