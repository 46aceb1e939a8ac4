//! Markdown and HTML: any text is read, entities lie within it, and what was written from them is read to the same.

use layer_client::text::{FormattedText, html, markdown, utf16_len, utf16_slice};
use layer_client::tl::Serializable;
use layer_client::tl::enums::MessageEntity;

use crate::input::Input;

pub(crate) fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let how = input.byte();
    let source = String::from_utf8_lossy(input.rest());
    if how & 1 == 0 {
        check(&source, html::parse, html::render);
    } else {
        check(&source, markdown::parse, markdown::render);
    }
}

fn check(
    source: &str,
    parse: fn(&str) -> FormattedText,
    render: fn(&str, &[MessageEntity]) -> String,
) {
    let read = parse(source);
    assert!(read.text.len() <= source.len().saturating_mul(4));
    for entity in &read.entities {
        let (offset, length) = bounds(entity);
        assert!(length > 0, "{entity:?} of {source:?}");
        let covered = utf16_slice(&read.text, offset, length);
        assert!(covered.is_some(), "{entity:?} of {:?}", read.text);
        assert!(offset + length <= utf16_len(&read.text));
    }
    let written = render(&read.text, &read.entities);
    let again = parse(&written);
    assert_eq!(again.text, read.text, "{source:?} became {written:?}");
    // Once it has gone through, nothing changes any more.
    let rewritten = render(&again.text, &again.entities);
    assert_eq!(parse(&rewritten).text, again.text, "{written:?}");
}

/// Every entity begins with its offset and length.
fn bounds(entity: &MessageEntity) -> (usize, usize) {
    let bytes = entity.to_bytes();
    let id = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let mut fields = Input::new(&bytes[4..]);
    if id == 0xf1cc_aaac {
        // messageEntityBlockquote has flags first.
        fields.int();
    }
    let mut field = || match usize::try_from(fields.int()) {
        Ok(field) => field,
        Err(_) => panic!("{entity:?}"),
    };
    (field(), field())
}
