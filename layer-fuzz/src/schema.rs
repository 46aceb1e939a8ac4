//! The text of a schema: parsed, printed and parsed again; generated from when it is sound.

use layer_tl_gen::{Config, generate, layer_mark};
use layer_tl_parser::{Definition, IdCheck, parse, parse_with};

pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = layer_mark(&text);
    if let Err(error) = parse(&text) {
        let _ = error.to_string();
        let lines = text.split('\n').count();
        assert!(
            (1..=lines).contains(&error.line),
            "{error} of {lines} lines"
        );
        assert!(error.column >= 1, "{error}");
    }
    let Ok(definitions) = parse_with(&text, IdCheck::AsWritten) else {
        return;
    };
    for definition in &definitions {
        let _ = definition.computed_id();
        printed_is_read_again(definition);
    }
    let mut config = Config::default();
    config.name_for_id = true;
    config.impl_serde = true;
    config.deserializable_functions = true;
    match generate(&definitions, &config) {
        Ok(files) => {
            let again = generate(&definitions, &config).ok();
            let same = again.is_some_and(|again| again.types == files.types);
            assert!(same, "the same definitions gave other text");
        }
        Err(error) => _ = error.to_string(),
    }
}

fn printed_is_read_again(definition: &Definition) {
    if definition.builtin {
        return;
    }
    let section = match definition.category {
        layer_tl_parser::Category::Type => "---types---",
        layer_tl_parser::Category::Function => "---functions---",
    };
    let printed = definition.to_string();
    let again = parse_with(&format!("{section}\n{printed};"), IdCheck::AsWritten);
    let again = match again.as_deref() {
        Ok([one]) => one.to_string(),
        other => panic!("{printed:?} was read as {other:?}"),
    };
    assert_eq!(again, printed);
}
