//! `langpack.*`: one language, English, with few words in it, so that programs fall back on their own.

use layer_tl_types::{enums, functions as f, types};

use super::{Call, RpcError, routes};
use crate::world::World;

type Result<T> = std::result::Result<T, RpcError>;

/// The version of the pack; it never changes while the server runs.
const VERSION: i32 = 1;
/// Keys answered in one call at most.
const MAX_KEYS: usize = 10_000;
/// All strings of the pack.
const STRINGS: [(&str, &str); 3] = [
    ("lng_language_name", "English"),
    ("LanguageName", "English"),
    ("lng_cancel", "Cancel"),
];

routes! {
    f::langpack::GetLangPack => get_lang_pack,
    f::langpack::GetDifference => get_difference,
    f::langpack::GetStrings => get_strings,
    f::langpack::GetLanguages => get_languages,
    f::langpack::GetLanguage => get_language,
}

fn known(lang_code: &str) -> Result<()> {
    // Regional and style variants (en-gb, en-raw) are served by the one language there is.
    let language = lang_code.split(['-', '_']).next().unwrap_or_default();
    if language.is_empty() || language.eq_ignore_ascii_case("en") {
        return Ok(());
    }
    Err(RpcError::bad("LANG_CODE_NOT_SUPPORTED"))
}

fn string(key: &str, value: &str) -> enums::LangPackString {
    types::LangPackString {
        key: key.to_owned(),
        value: value.to_owned(),
    }
    .into()
}

fn pack(lang_code: String, from_version: i32) -> enums::LangPackDifference {
    let strings = if from_version >= VERSION {
        vec![]
    } else {
        STRINGS
            .iter()
            .map(|(key, value)| string(key, value))
            .collect()
    };
    types::LangPackDifference {
        lang_code,
        from_version,
        version: VERSION,
        strings,
    }
    .into()
}

fn get_lang_pack(
    _: &mut World,
    _: &Call,
    request: f::langpack::GetLangPack,
) -> Result<enums::LangPackDifference> {
    known(&request.lang_code)?;
    Ok(pack(request.lang_code, 0))
}

fn get_difference(
    _: &mut World,
    _: &Call,
    request: f::langpack::GetDifference,
) -> Result<enums::LangPackDifference> {
    known(&request.lang_code)?;
    Ok(pack(request.lang_code, request.from_version))
}

fn get_strings(
    _: &mut World,
    _: &Call,
    request: f::langpack::GetStrings,
) -> Result<Vec<enums::LangPackString>> {
    known(&request.lang_code)?;
    let found = |key: &str| STRINGS.iter().find(|(name, _)| *name == key);
    Ok(request
        .keys
        .into_iter()
        .take(MAX_KEYS)
        .map(|key| match found(&key) {
            Some((_, value)) => string(&key, value),
            None => types::LangPackStringDeleted { key }.into(),
        })
        .collect())
}

fn english() -> enums::LangPackLanguage {
    let count = i32::try_from(STRINGS.len()).unwrap_or(i32::MAX);
    types::LangPackLanguage {
        official: true,
        rtl: false,
        beta: false,
        name: "English".to_owned(),
        native_name: "English".to_owned(),
        lang_code: "en".to_owned(),
        base_lang_code: None,
        plural_code: "en".to_owned(),
        strings_count: count,
        translated_count: count,
        translations_url: "https://translations.telegram.org/en/".to_owned(),
    }
    .into()
}

fn get_languages(
    _: &mut World,
    _: &Call,
    _: f::langpack::GetLanguages,
) -> Result<Vec<enums::LangPackLanguage>> {
    Ok(vec![english()])
}

fn get_language(
    _: &mut World,
    _: &Call,
    request: f::langpack::GetLanguage,
) -> Result<enums::LangPackLanguage> {
    known(&request.lang_code)?;
    Ok(english())
}
