//! What the generated text is like, whole: the vendored schemas with everything switched on.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use std::io::Write as _;
use std::process::{Command, Stdio};

use layer_tl_gen::{Config, Files, generate, layer_mark};
use layer_tl_parser::{Definition, IdCheck, parse, parse_with};

fn schema(name: &str) -> String {
    let path = format!(
        "{}/../layer-tl-types/tl/{name}.tl",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

fn definitions() -> Vec<Definition> {
    let mut definitions = parse(&schema("api")).unwrap();
    definitions.extend(parse_with(&schema("mtproto"), IdCheck::AsWritten).unwrap());
    definitions
}

fn everything() -> Config {
    let mut config = Config::default();
    config.layer = layer_mark(&schema("api")).unwrap();
    config.impl_debug = true;
    config.impl_from_type = true;
    config.impl_from_enum = true;
    config.impl_serde = true;
    config.name_for_id = true;
    config.deserializable_functions = true;
    config
}

fn files(files: &Files) -> [(&'static str, &str); 6] {
    [
        ("types", &files.types),
        ("enums", &files.enums),
        ("functions", &files.functions),
        ("common", &files.common),
        ("debug", &files.debug),
        ("roundtrip", &files.roundtrip),
    ]
}

/// Every 16th item, and those with a line near the width where shapes change.
fn sample(text: &str) -> String {
    let mut items: Vec<String> = vec![String::new()];
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let item = items.last_mut().unwrap();
        item.push_str(line);
        item.push('\n');
        if line == "}" && lines.peek() == Some(&"") {
            lines.next();
            items.push(String::new());
        }
    }
    let wide = |item: &str| {
        item.lines()
            .any(|line| (95..=100).contains(&line.len()) && !line.contains("///"))
    };
    let chosen = items
        .iter()
        .enumerate()
        .filter(|(i, item)| i % 16 == 0 || wide(item));
    chosen
        .map(|(_, item)| item.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn rustfmt_finds_nothing_to_change() {
    let generated = generate(&definitions(), &everything()).unwrap();
    for (name, text) in files(&generated) {
        let mut rustfmt = Command::new("rustfmt")
            .args(["--edition", "2024", "--check"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs rustfmt, a component of the toolchain");
        rustfmt
            .stdin
            .take()
            .unwrap()
            .write_all(sample(text).as_bytes())
            .unwrap();
        let output = rustfmt.wait_with_output().unwrap();
        let diff = String::from_utf8_lossy(&output.stdout);
        let diff: Vec<&str> = diff.lines().take(60).collect();
        assert!(output.status.success(), "{name}:\n{}", diff.join("\n"));
    }
}

#[test]
fn the_same_definitions_give_the_same_text() {
    let first = generate(&definitions(), &everything()).unwrap();
    let second = generate(&definitions(), &everything()).unwrap();
    assert!(first == second);
}

#[test]
fn what_is_switched_off_is_absent() {
    let all = generate(&definitions(), &everything()).unwrap();
    let none = generate(&definitions(), &Config::default()).unwrap();
    for mark in [
        "core::fmt::Debug",
        "serde",
        "impl From<",
        "impl TryFrom<",
        "NAMES",
    ] {
        let holds =
            |generated: &Files| files(generated).iter().any(|(_, text)| text.contains(mark));
        assert!(holds(&all), "{mark}");
        assert!(!holds(&none), "{mark}");
    }
    assert!(all.functions.contains("Decode"));
    assert!(!none.functions.contains("Decode for SendMessage "));
}

fn error(text: &str) -> String {
    generate(&parse(text).unwrap(), &Config::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn definitions_that_cannot_become_rust_are_named_with_their_place() {
    assert_eq!(
        error("a = A;\n  b x:C = B;"),
        "2:3: `b`: the type `C` is not defined"
    );
    assert_eq!(
        error("a x:b = A;"),
        "1:1: `a`: the constructor `b` is not defined"
    );
    assert_eq!(
        error("a x:Vector = A;"),
        "1:1: `a`: `Vector` needs one argument, as `Vector<int>`"
    );
    assert_eq!(
        error("a x:true = A;"),
        "1:1: `a`: `x:true` needs a flag, as `flags.0?true`"
    );
    assert_eq!(
        error("a 2*[ int ] = A;"),
        "1:1: `a`: has the parameter `2*[ int ]` without a name"
    );
    assert_eq!(
        error("a x:A = A;"),
        "1:1: `a`: contains itself without an end"
    );
    assert_eq!(
        error("a {X:Type} x:!X = A;"),
        "1:1: `a`: is a generic constructor, which only `vector` may be"
    );
    assert_eq!(error("a x:int X:int = A;"), "1:1: `a`: has two fields `x`");
    assert_eq!(
        error("a_b = A; A_b = B;"),
        "1:10: `A_b`: would be a second `AB` in Rust"
    );
    assert!(error("a = A; a = A;").starts_with("1:8: `a`: has the id #"));
}

#[test]
fn recursion_is_boxed_and_what_is_in_a_vector_is_not() {
    let text = "leaf x:int = Tree; node left:Tree right:Tree = Tree; many all:Vector<Tree> = Tree;";
    let generated = generate(&parse(text).unwrap(), &Config::default()).unwrap();
    assert!(generated.enums.contains("Leaf(crate::types::Leaf),"));
    assert!(generated.enums.contains("Node(Box<crate::types::Node>),"));
    assert!(generated.enums.contains("Many(crate::types::Many),"));
}
