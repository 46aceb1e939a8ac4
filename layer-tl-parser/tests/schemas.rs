//! The vendored schemas, read whole, and texts that are no schema.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use layer_tl_parser::{Category, Definition, IdCheck, ParamKind, Problem, parse, parse_with};

fn schema(name: &str) -> String {
    let path = format!(
        "{}/../layer-tl-types/tl/{name}.tl",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

fn count(definitions: &[Definition], category: Category) -> usize {
    definitions
        .iter()
        .filter(|d| d.category == category)
        .count()
}

#[test]
fn layer_223_has_1546_constructors_and_757_methods_all_with_the_right_id() {
    let definitions = parse(&schema("api")).unwrap();
    assert_eq!(count(&definitions, Category::Type), 1546);
    assert_eq!(count(&definitions, Category::Function), 757);
    assert_eq!(definitions.len(), 2303);
}

#[test]
fn in_mtproto_three_ids_were_given_by_hand_and_the_rest_is_right() {
    let definitions = parse_with(&schema("mtproto"), IdCheck::AsWritten).unwrap();
    assert_eq!(count(&definitions, Category::Type), 56);
    assert_eq!(count(&definitions, Category::Function), 10);
    let wrong: Vec<String> = definitions
        .iter()
        .filter(|d| d.id != d.computed_id())
        .map(Definition::full_name)
        .collect();
    assert_eq!(
        wrong,
        ["ipPortSecret", "accessPointRule", "help.configSimple"]
    );
    let names: Vec<&str> = wrong.iter().map(String::as_str).collect();
    assert!(parse_with(&schema("mtproto"), IdCheck::StrictExcept(&names)).is_ok());
    let error = parse(&schema("mtproto")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expected the id #402d9b47 of `ipPortSecret`"),
        "{error}"
    );
}

#[test]
fn ids_left_out_are_computed() {
    let all = schema("api");
    // Every id cut off: `name#id …` to `name …`.
    let mut cut = String::new();
    for line in all.lines() {
        match line.split_once(' ') {
            Some((name, rest)) if !name.starts_with('/') && !name.starts_with('-') => {
                cut += name.split('#').next().unwrap();
                cut.push(' ');
                cut += rest;
            }
            _ => cut += line,
        }
        cut.push('\n');
    }
    let ids = |text: &str| {
        parse(text)
            .unwrap()
            .iter()
            .map(|d| d.id)
            .collect::<Vec<u32>>()
    };
    assert_eq!(ids(&cut), ids(&all));
    let tls = parse_with(&schema("mtproto"), IdCheck::AsWritten).unwrap();
    assert!(
        tls.iter()
            .filter(|d| d.name.starts_with("tls"))
            .all(|d| !d.id_written && d.id == d.computed_id())
    );
}

#[test]
fn what_display_prints_is_read_as_the_same_definition() {
    for name in ["api", "mtproto"] {
        for def in parse_with(&schema(name), IdCheck::AsWritten).unwrap() {
            let section = if def.category == Category::Function {
                "---functions---\n"
            } else {
                ""
            };
            let text = format!("{section}{def};");
            let again = parse_with(&text, IdCheck::AsWritten).unwrap().remove(0);
            assert_eq!(again.to_string(), def.to_string());
            assert_eq!(again.params, def.params);
            assert_eq!(again.ty, def.ty);
        }
    }
}

#[test]
fn the_core_definitions_are_read_as_what_they_are() {
    let text = "int ? = Int; vector {t:Type} # [ t ] = Vector t; int128 4*[ int ] = Int128;";
    let definitions = parse(text).unwrap();
    let [int, vector, int128] = definitions.as_slice() else {
        panic!()
    };
    assert!(int.builtin && int.id == 0xa8509bda);
    assert_eq!(vector.id, 0x1cb5c415);
    assert!(
        matches!(&vector.params[1].kind, ParamKind::Repeat { count: None, params } if params.len() == 1)
    );
    assert_eq!(vector.ty.args[0].name, "t");
    assert_eq!(int128.id, 0x84ccf7b7);
    assert!(matches!(
        &int128.params[0].kind,
        ParamKind::Repeat { count: Some(4), .. }
    ));
}

#[test]
fn bare_boxed_and_generic_types_are_told_apart() {
    let text = "---functions---\ncall {X:Type} f:# g:# a:%Peer b:vector<peer> c:Vector<Vector<ns.Peer>> d:g.31?!X = X;";
    let def = &parse(text).unwrap()[0];
    let types: Vec<_> = def
        .params
        .iter()
        .filter_map(|p| match &p.kind {
            ParamKind::Value { flag, ty } => {
                Some((flag.as_ref().map(|f| (f.name.as_str(), f.bit)), ty))
            }
            _ => None,
        })
        .collect();
    assert!(types[0].1.bare && types[0].1.percent);
    assert!(types[1].1.bare && types[1].1.args[0].bare);
    assert_eq!(types[2].1.args[0].args[0].namespace, ["ns"]);
    assert_eq!(types[3].0, Some(("g", 31)));
    assert!(types[3].1.call);
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (text, error) in [
        ("a = A", "1:6: expected `;`, found the end of the text"),
        (
            "a = A;\n\tb x:int",
            "2:9: expected a parameter or `=`, found the end of the text",
        ),
        (
            "a#12345678z = A;",
            "1:3: expected an id of 1 to 8 hexadecimal digits, found `12345678z`",
        ),
        (
            "a#123456789 = A;",
            "1:3: expected an id of 1 to 8 hexadecimal digits, found `123456789`",
        ),
        (
            "ü = A;",
            "1:1: expected a definition's name or a section mark, found `ü`",
        ),
        ("/* ü */ a x = = A;", "1:15: expected a type, found `=`"),
        (
            "---stuff---",
            "1:1: expected `---types---` or `---functions---`, found `-`",
        ),
        (
            "a x:flags.0?int = A;",
            "1:5: expected a parameter `flags:#` before its first use, found none",
        ),
        (
            "a f:# x:f.32?int = A;",
            "1:11: expected the number of a bit, 0 to 31, found `32`",
        ),
        (
            "a x:!X = A;",
            "1:5: expected `{X:Type}` before the use of `!X`, found none",
        ),
        (
            "a {X:Kind} = A;",
            "1:6: expected `Type` or `#`, found `Kind`",
        ),
        ("a x:Vector<int = A;", "1:16: expected `>`, found `=`"),
        ("a [ int = A;", "1:9: expected `]`, found `=`"),
        (
            "/* no end",
            "1:10: expected `*/` to end the comment, found the end of the text",
        ),
        ("a.1 = A;", "1:3: expected a name after the dot, found `1`"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), error, "{text}");
    }
}

#[test]
fn a_wrong_id_is_reported_with_the_right_one() {
    let error = parse("a = A;\n peerUser#59511723 user_id:long = Peer;").unwrap_err();
    assert_eq!((error.line, error.column), (2, 2));
    assert!(matches!(
        error.problem,
        Problem::WrongId {
            written: 0x59511723,
            computed: 0x59511722,
            ..
        }
    ));
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("Vector<", ">"), ("(", ")"), ("%", ""), ("!", "")] {
        let text = format!(
            "a x:{}int{} = A;",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        let error = parse(&text).unwrap_err();
        assert!(error.to_string().contains("nested less deeply"), "{error}");
    }
    let text = format!("a {}int{} = A;", "[ ".repeat(100_000), " ]".repeat(100_000));
    assert!(
        parse(&text)
            .unwrap_err()
            .to_string()
            .contains("nested less deeply")
    );
}

#[test]
fn no_text_makes_it_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let all = schema("mtproto") + &schema("api")[..20_000];
    let lines: Vec<&str> = all.lines().collect();
    let marks: Vec<char> = "#:;=?.!%<>{}[]()*-_/ \n\t0aZü\u{0}\u{feff}flagsTypeVector"
        .chars()
        .collect();
    for _ in 0..20_000 {
        let mut text: Vec<char> = lines[random(lines.len())].chars().collect();
        text.extend(lines[random(lines.len())].chars());
        for _ in 0..=random(6) {
            let at = random(text.len() + 1);
            match random(3) {
                0 if at < text.len() => {
                    text.remove(at);
                }
                1 if at < text.len() => text[at] = marks[random(marks.len())],
                _ => text.insert(at, marks[random(marks.len())]),
            }
        }
        let text: String = text.into_iter().collect();
        let _ = parse(&text);
        let _ = parse_with(&text, IdCheck::AsWritten);
    }
}
