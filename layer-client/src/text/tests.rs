//! Both forms, both ways. What must survive a round trip is the set of styles on every UTF-16 code unit.

use std::collections::BTreeSet;

use layer_tl_types as tl;
use tl::enums::MessageEntity as E;

use super::{FormattedText, html, markdown, utf16_len, utf16_slice};

fn styles(formatted: &FormattedText) -> Vec<BTreeSet<String>> {
    let mut units = vec![BTreeSet::new(); utf16_len(&formatted.text)];
    for entity in &formatted.entities {
        let (offset, length, name) = describe(entity);
        for unit in &mut units[offset..offset + length] {
            unit.insert(name.clone());
        }
    }
    units
}

fn describe(entity: &E) -> (usize, usize, String) {
    let (offset, length, name) = match entity {
        E::Bold(e) => (e.offset, e.length, "bold".to_owned()),
        E::Italic(e) => (e.offset, e.length, "italic".to_owned()),
        E::Underline(e) => (e.offset, e.length, "underline".to_owned()),
        E::Strike(e) => (e.offset, e.length, "strike".to_owned()),
        E::Spoiler(e) => (e.offset, e.length, "spoiler".to_owned()),
        E::Code(e) => (e.offset, e.length, "code".to_owned()),
        E::Pre(e) => (e.offset, e.length, format!("pre {}", e.language)),
        E::TextUrl(e) => (e.offset, e.length, format!("url {}", e.url)),
        E::MentionName(e) => (e.offset, e.length, format!("mention {}", e.user_id)),
        E::CustomEmoji(e) => (e.offset, e.length, format!("emoji {}", e.document_id)),
        E::Blockquote(e) => (e.offset, e.length, format!("quote {}", e.collapsed)),
        _ => panic!("an entity that no form makes"),
    };
    (
        usize::try_from(offset).unwrap(),
        usize::try_from(length).unwrap(),
        name,
    )
}

fn list(formatted: &FormattedText) -> Vec<(usize, usize, String)> {
    formatted.entities.iter().map(describe).collect()
}

#[test]
fn markdown_offsets_count_utf16_units() {
    let read = markdown::parse("😀 **b😀** __i__ `c` ~~s~~ ||p|| --u-- [t](https://e.org/)");
    assert_eq!(read.text, "😀 b😀 i c s p u t");
    let names: Vec<_> = list(&read);
    assert_eq!(names[0], (3, 3, "bold".to_owned()));
    assert_eq!(names[1], (7, 1, "italic".to_owned()));
    assert_eq!(names[2], (9, 1, "code".to_owned()));
    assert_eq!(names[6], (17, 1, "url https://e.org/".to_owned()));
    assert_eq!(utf16_slice(&read.text, 3, 3), Some("b😀"));
    assert_eq!(utf16_slice(&read.text, 1, 1), None);
}

#[test]
fn markdown_without_a_partner_is_text() {
    for text in [
        "**a",
        "a__",
        "[a",
        "a](b)",
        "`a",
        "```a",
        "****",
        "2 * 3 * 4",
        "snake_case_name",
        "\\",
    ] {
        let read = markdown::parse(text);
        assert_eq!(read.text, text);
        assert!(read.entities.is_empty(), "{text}");
    }
}

#[test]
fn markdown_nests_and_escapes() {
    let read = markdown::parse("**a __b__ c** \\*\\*d\\*\\* [**x**](tg://user?id=42)");
    assert_eq!(read.text, "a b c **d** x");
    assert_eq!(
        list(&read),
        [
            (0, 5, "bold".to_owned()),
            (2, 1, "italic".to_owned()),
            (12, 1, "bold".to_owned()),
            (12, 1, "mention 42".to_owned()),
        ]
    );
}

#[test]
fn markdown_fences_name_their_language() {
    let read = markdown::parse("```rust\nfn main() {}```");
    assert_eq!(read.text, "fn main() {}");
    assert_eq!(list(&read), [(0, 12, "pre rust".to_owned())]);
    let read = markdown::parse("```two words\nx```");
    assert_eq!(
        (read.text.as_str(), list(&read)),
        ("two words\nx", vec![(0, 11, "pre ".to_owned())])
    );
}

#[test]
fn html_reads_what_bots_write() {
    let read = html::parse(
        "<b>a &lt;<i>b</i></b> <a href=\"https://e.org/?a=1&amp;b=2\">l</a> \
         <pre><code class=\"language-py\">x</code></pre> <span class=\"tg-spoiler\">s</span>\
         <blockquote expandable>q</blockquote><tg-emoji emoji-id='7'>😀</tg-emoji>",
    );
    assert_eq!(read.text, "a <b l x sq😀");
    assert_eq!(
        list(&read),
        [
            (0, 4, "bold".to_owned()),
            (3, 1, "italic".to_owned()),
            (5, 1, "url https://e.org/?a=1&b=2".to_owned()),
            (7, 1, "pre py".to_owned()),
            (9, 1, "spoiler".to_owned()),
            (10, 1, "quote true".to_owned()),
            (11, 2, "emoji 7".to_owned()),
        ]
    );
}

#[test]
fn html_that_is_none_is_text() {
    for text in [
        "a < b > c",
        "<unknown>x</unknown>",
        "&nothing;",
        "</b>",
        "<",
        "&",
        "<b",
        "a&#xffffffff;",
    ] {
        assert_eq!(html::parse(text).text, text);
    }
}

fn random_text(rng: &mut fastrand::Rng) -> String {
    let alphabet: Vec<char> = "ab *_-~|`[]()\\<>&\"'\n😀é".chars().collect();
    (0..rng.usize(0..24))
        .map(|_| alphabet[rng.usize(0..alphabet.len())])
        .collect()
}

fn random_entities(text: &str, quotes: bool, rng: &mut fastrand::Rng) -> Vec<E> {
    // Bounds on whole characters.
    let mut bounds = vec![0];
    for c in text.chars() {
        bounds.push(bounds[bounds.len() - 1] + i32::try_from(c.len_utf16()).unwrap());
    }
    let mut used = BTreeSet::new();
    let mut entities = Vec::new();
    for _ in 0..rng.usize(0..5) {
        let (a, b) = (rng.usize(0..bounds.len()), rng.usize(0..bounds.len()));
        let (offset, length) = (bounds[a.min(b)], bounds[a.max(b)] - bounds[a.min(b)]);
        let kind = rng.u8(0..if quotes { 11 } else { 10 });
        // One of each kind, so that none lies within its like.
        if length == 0 || !used.insert(kind) {
            continue;
        }
        entities.push(match kind {
            0 => tl::types::MessageEntityBold { offset, length }.into(),
            1 => tl::types::MessageEntityItalic { offset, length }.into(),
            2 => tl::types::MessageEntityUnderline { offset, length }.into(),
            3 => tl::types::MessageEntityStrike { offset, length }.into(),
            4 => tl::types::MessageEntitySpoiler { offset, length }.into(),
            5 => tl::types::MessageEntityCode { offset, length }.into(),
            6 => tl::types::MessageEntityPre {
                offset,
                length,
                language: "c++".into(),
            }
            .into(),
            7 => tl::types::MessageEntityTextUrl {
                offset,
                length,
                url: "http://e/a)\"&".into(),
            }
            .into(),
            8 => tl::types::MessageEntityMentionName {
                offset,
                length,
                user_id: 9,
            }
            .into(),
            9 => tl::types::MessageEntityCustomEmoji {
                offset,
                length,
                document_id: 5,
            }
            .into(),
            _ => tl::types::MessageEntityBlockquote {
                collapsed: true,
                offset,
                length,
            }
            .into(),
        });
    }
    entities
}

/// The styles that can survive: code takes its contents literally, and a link within a link is none.
fn comparable(formatted: &FormattedText) -> Vec<BTreeSet<String>> {
    let mut units = styles(formatted);
    for unit in &mut units {
        if unit
            .iter()
            .any(|name| name == "code" || name.starts_with("pre"))
        {
            *unit = BTreeSet::from(["literal".to_owned()]);
        }
    }
    units
}

#[test]
fn html_and_back_keeps_every_style() {
    for seed in 0..20_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let text = random_text(&mut rng);
        let entities = random_entities(&text, true, &mut rng);
        let written = html::render(&text, &entities);
        let read = html::parse(&written);
        assert_eq!(read.text, text, "seed {seed}: {written}");
        let original = FormattedText { text, entities };
        assert_eq!(
            comparable(&read),
            comparable(&original),
            "seed {seed}: {written}"
        );
    }
}

#[test]
fn markdown_and_back_keeps_every_style() {
    for seed in 0..20_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let text = random_text(&mut rng);
        let mut entities = random_entities(&text, false, &mut rng);
        // Links do not nest in Markdown: keep one kind of them.
        let mut seen = false;
        entities.retain(|entity| {
            let link = matches!(
                entity,
                E::TextUrl(_) | E::MentionName(_) | E::CustomEmoji(_)
            );
            !link || !std::mem::replace(&mut seen, true)
        });
        let written = markdown::render(&text, &entities);
        let read = markdown::parse(&written);
        assert_eq!(read.text, text, "seed {seed}: {written}");
        let original = FormattedText { text, entities };
        assert_eq!(
            comparable(&read),
            comparable(&original),
            "seed {seed}: {written}"
        );
    }
}

#[test]
fn any_input_is_read() {
    for seed in 0..20_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let text = random_text(&mut rng);
        for read in [html::parse(&text), markdown::parse(&text)] {
            assert_eq!(styles(&read).len(), utf16_len(&read.text), "seed {seed}");
        }
    }
}
