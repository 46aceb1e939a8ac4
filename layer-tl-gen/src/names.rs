//! TL names to Rust names.

/// `some_OK_name` to `SomeOkName`: capitals at the beginning of each word, a run of capitals keeps only its first.
pub(crate) fn type_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut word_begins = true;
    let mut after_capital = false;
    for c in name.chars() {
        if c == '_' {
            word_begins = true;
            continue;
        }
        if word_begins {
            out.push(c.to_ascii_uppercase());
            // What begins a word counts as a capital, whatever it was.
            after_capital = true;
        } else {
            out.push(if after_capital {
                c.to_ascii_lowercase()
            } else {
                c
            });
            after_capital = c.is_ascii_uppercase();
        }
        word_begins = false;
    }
    out
}

/// The name of a constructor as a variant of its type: without the type's name before it.
///
/// What would leave nothing, a number or the keyword `Self` keeps its last word (or two) of the type's name.
pub(crate) fn variant_name(constructor: &str, ty: &str) -> String {
    let full = type_name(constructor);
    let ty = type_name(ty);
    let short = full.strip_prefix(ty.as_str()).unwrap_or(&full);
    let last_capital = |s: &str| s.rfind(|c: char| c.is_ascii_uppercase()).unwrap_or(0);
    let begin = if short == "Self" {
        last_capital(&full[..full.len() - short.len()])
    } else if short.chars().all(char::is_numeric) {
        last_capital(&full)
    } else {
        full.len() - short.len()
    };
    full[begin..].to_owned()
}

/// A parameter as a field, a namespace as a module.
pub(crate) fn field_name(name: &str) -> String {
    match name {
        "self" => "is_self".to_owned(),
        "Self" | "super" | "crate" => format!("{}_", name.to_ascii_lowercase()),
        _ => {
            let name = name.to_ascii_lowercase();
            if KEYWORDS.contains(&name.as_str()) {
                format!("r#{name}")
            } else {
                name
            }
        }
    }
}

const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_are_camel_case() {
        for (tl, rust) in [
            ("some_OK_name", "SomeOkName"),
            ("userEmpty", "UserEmpty"),
            ("resPQ", "ResPq"),
            ("p_q_inner_data_dc", "PQInnerDataDc"),
            ("server_DH_params_ok", "ServerDhParamsOk"),
            ("inputBotInlineMessageID64", "InputBotInlineMessageId64"),
            ("JSONValue", "Jsonvalue"),
            ("inputMediaGeoPoint", "InputMediaGeoPoint"),
            ("statsURL", "StatsUrl"),
            ("URLAuth", "Urlauth"),
        ] {
            assert_eq!(type_name(tl), rust, "{tl}");
        }
    }

    #[test]
    fn variants_lose_the_name_of_their_type() {
        for (constructor, ty, rust) in [
            ("peerUser", "Peer", "User"),
            ("updateNewMessage", "Update", "NewMessage"),
            ("message", "Message", "Message"),
            ("messageEmpty", "Message", "Empty"),
            ("inputPeerSelf", "InputPeer", "PeerSelf"),
            ("new_session_created", "NewSession", "Created"),
            (
                "inputBotInlineMessageID64",
                "inputBotInlineMessageID",
                "Id64",
            ),
            ("true", "True", "True"),
            ("sentCode", "SentCode", "Code"),
            ("rpc_answer_dropped", "RpcDropAnswer", "RpcAnswerDropped"),
        ] {
            assert_eq!(variant_name(constructor, ty), rust, "{constructor}");
        }
    }

    #[test]
    fn keywords_become_raw_or_get_another_name() {
        assert_eq!(field_name("type"), "r#type");
        assert_eq!(field_name("self"), "is_self");
        assert_eq!(field_name("Access_Hash"), "access_hash");
    }
}
