//! `PeerRef`: what a person writes where a call wants a peer.

use layer_tl_types as tl;

use super::{Peer, PeerId};

/// A user, group or channel as a call's argument. Calls take `impl Into<PeerRef>`:
///
/// - `"me"`: the account itself, its Saved Messages;
/// - `"@username"`, `"username"`, `"https://t.me/username"`, `"tg://resolve?domain=username"`;
/// - `"+1 234 567 890"`: a phone number;
/// - an id: positive for users, negative for groups, `-100…` for channels, as a number or as text;
/// - `"t.me/c/123/4"` for a channel by its id, `"t.me/+…"` for a chat that one is in by an invite link;
/// - a [`Peer`], a [`PeerId`], or an `InputPeer` of the raw API.
#[derive(Debug)]
pub struct PeerRef(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Me,
    Username(String),
    Phone(String),
    /// Digits that may be an id or a phone number.
    Number(i64),
    Id(PeerId),
    Peer(Peer),
    Input(tl::enums::InputPeer),
    Invite(String),
    Nonsense(String),
}

fn username(name: &str) -> Kind {
    let ok = (4..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if ok {
        Kind::Username(name.to_owned())
    } else {
        Kind::Nonsense(name.to_owned())
    }
}

fn parse(text: &str) -> Kind {
    let text = text.trim();
    if text.eq_ignore_ascii_case("me") || text.eq_ignore_ascii_case("self") {
        return Kind::Me;
    }
    if let Some(name) = text.strip_prefix('@') {
        return username(name);
    }
    if let Some(rest) = text.strip_prefix('+') {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let rest_ok = rest
            .chars()
            .all(|c| c.is_ascii_digit() || " -().".contains(c));
        return if rest_ok && digits.len() >= 5 {
            Kind::Phone(digits)
        } else {
            Kind::Nonsense(text.to_owned())
        };
    }
    if let Ok(id) = text.parse::<i64>() {
        return Kind::Number(id);
    }
    link(text).unwrap_or_else(|| username(text))
}

fn query<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The forms of links that lead to a peer.
fn link(text: &str) -> Option<Kind> {
    if let Some(rest) = text.strip_prefix("tg://") {
        let (action, parameters) = rest.split_once('?')?;
        return match action.trim_end_matches('/') {
            "resolve" => match (query(parameters, "domain"), query(parameters, "phone")) {
                (Some(domain), _) => Some(username(domain)),
                (None, Some(phone)) => Some(Kind::Phone(phone.to_owned())),
                (None, None) => None,
            },
            "user" => Some(Kind::Id(PeerId::user(
                query(parameters, "id")?.parse().ok()?,
            ))),
            "privatepost" => Some(Kind::Id(PeerId::channel(
                query(parameters, "channel")?.parse().ok()?,
            ))),
            "join" => Some(Kind::Invite(query(parameters, "invite")?.to_owned())),
            _ => None,
        };
    }
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text);
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let (host, path) = rest.split_once('/')?;
    let host = host.to_ascii_lowercase();
    if !matches!(host.as_str(), "t.me" | "telegram.me" | "telegram.dog") {
        return host.strip_suffix(".t.me").map(username);
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    match first {
        "joinchat" => Some(Kind::Invite(parts.next()?.to_owned())),
        "c" => Some(Kind::Id(PeerId::channel(parts.next()?.parse().ok()?))),
        "s" => Some(username(parts.next()?)),
        _ => match first.strip_prefix('+') {
            Some(code) if code.len() >= 5 && code.chars().all(|c| c.is_ascii_digit()) => {
                Some(Kind::Phone(code.to_owned()))
            }
            Some(code) => Some(Kind::Invite(code.to_owned())),
            None => Some(username(first)),
        },
    }
}

impl From<&str> for PeerRef {
    fn from(text: &str) -> Self {
        Self(parse(text))
    }
}

impl From<&&str> for PeerRef {
    fn from(text: &&str) -> Self {
        Self(parse(text))
    }
}

impl From<&String> for PeerRef {
    fn from(text: &String) -> Self {
        Self(parse(text))
    }
}

impl From<String> for PeerRef {
    fn from(text: String) -> Self {
        Self(parse(&text))
    }
}

impl From<i64> for PeerRef {
    fn from(id: i64) -> Self {
        Self(Kind::Number(id))
    }
}

impl From<PeerId> for PeerRef {
    fn from(id: PeerId) -> Self {
        Self(Kind::Id(id))
    }
}

impl From<Peer> for PeerRef {
    fn from(peer: Peer) -> Self {
        Self(Kind::Peer(peer))
    }
}

impl From<&Peer> for PeerRef {
    fn from(peer: &Peer) -> Self {
        Self(Kind::Peer(peer.clone()))
    }
}

impl From<&tl::enums::Peer> for PeerRef {
    fn from(peer: &tl::enums::Peer) -> Self {
        Self(Kind::Id(PeerId::from(peer)))
    }
}

impl From<tl::enums::InputPeer> for PeerRef {
    fn from(peer: tl::enums::InputPeer) -> Self {
        Self(Kind::Input(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_a_person_would_write_is_understood() {
        let shown = |text: &str| format!("{:?}", PeerRef::from(text).0);
        for me in ["me", "self", " Me "] {
            assert_eq!(shown(me), "Me");
        }
        for name in [
            "@durov",
            "durov",
            "https://t.me/durov",
            "t.me/durov/15",
            "http://telegram.me/durov?start=1",
            "https://www.t.me/s/durov",
            "durov.t.me/",
            "tg://resolve?domain=durov&post=1",
        ] {
            assert_eq!(shown(name), "Username(\"durov\")", "{name}");
        }
        for phone in [
            "+1 (234) 567-890",
            "+1234567890",
            "https://t.me/+1234567890",
            "tg://resolve?phone=1234567890",
        ] {
            assert_eq!(shown(phone), "Phone(\"1234567890\")", "{phone}");
        }
        assert_eq!(shown("-1001234567890"), "Number(-1001234567890)");
        assert_eq!(
            shown("https://t.me/c/1234567890/5"),
            "Id(Channel(1234567890))"
        );
        assert_eq!(shown("tg://user?id=42"), "Id(User(42))");
        for invite in [
            "https://t.me/+AbCdEf_1",
            "t.me/joinchat/AbCdEf_1",
            "tg://join?invite=AbCdEf_1",
        ] {
            assert_eq!(shown(invite), "Invite(\"AbCdEf_1\")", "{invite}");
        }
        for nonsense in [
            "",
            "@",
            "a b",
            "1abcd",
            "https://example.org/durov",
            "+12x",
            "@ab",
        ] {
            assert!(shown(nonsense).starts_with("Nonsense"), "{nonsense}");
        }
    }

    #[test]
    fn marked_ids_go_both_ways() {
        for id in [
            PeerId::user(5),
            PeerId::group(7),
            PeerId::channel(1_234_567_890),
        ] {
            assert_eq!(PeerId::from_marked(id.marked()), Some(id));
        }
        assert_eq!(
            PeerId::from_marked(-1_001_234_567_890),
            Some(PeerId::channel(1_234_567_890))
        );
        for nobody in [0, -1_000_000_000_000, i64::MIN] {
            assert_eq!(PeerId::from_marked(nobody), None);
        }
    }
}
