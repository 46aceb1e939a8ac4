//! Links that name proxies, read and written (`api/links#mtproxy-links`, `api/links#socks5-proxy-links`).

use std::borrow::Cow;
use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use super::address::parse_port;
use super::{Address, Credentials, Proxy, ProxyLinkError};

/// The hosts of links that open in Telegram.
const HOSTS: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];

impl FromStr for Proxy {
    type Err = ProxyLinkError;

    /// Reads `https://t.me/proxy?server=…&port=…&secret=…`, `https://t.me/socks?server=…&port=…`
    /// (with `user` and `pass` or without), the same with `tg://` for `https://t.me/`, and
    /// `socks5://user:pass@host:port`, `http://user:pass@host:port` (with or without the user).
    fn from_str(link: &str) -> Result<Self, Self::Err> {
        let link = link.trim();
        if let Some((kind, query)) = telegram_link(link) {
            return from_query(kind, query);
        }
        let (scheme, rest) = link.split_once("://").ok_or(ProxyLinkError::Kind)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, server) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let proxy = match scheme.to_ascii_lowercase().as_str() {
            "socks5" | "socks5h" => Self::socks5,
            "http" => Self::http,
            _ => return Err(ProxyLinkError::Kind),
        };
        let proxy = proxy(server.parse()?);
        if user.is_empty() && password.is_empty() {
            return Ok(proxy);
        }
        let password = Zeroizing::new(decode(password)?.into_owned());
        Ok(proxy.with_credentials(&decode(user)?, &password))
    }
}

/// `proxy` or `socks` and what stands after the question mark, if it is a link of Telegram's.
fn telegram_link(link: &str) -> Option<(&str, &str)> {
    let strip = |link: &'_ str, prefix: &str| -> Option<usize> {
        let head = link.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(prefix.len())
    };
    let path = if let Some(at) = strip(link, "tg://").or_else(|| strip(link, "tg:")) {
        &link[at..]
    } else {
        let at = strip(link, "https://").or_else(|| strip(link, "http://"));
        let link = &link[at.unwrap_or(0)..];
        let (host, path) = link.split_once('/')?;
        HOSTS
            .iter()
            .any(|known| host.eq_ignore_ascii_case(known))
            .then_some(path)?
    };
    let (kind, query) = path.split_once('?').unwrap_or((path, ""));
    let kind = kind.strip_suffix('/').unwrap_or(kind);
    matches!(kind, "proxy" | "socks").then_some((kind, query))
}

fn from_query(kind: &str, query: &str) -> Result<Proxy, ProxyLinkError> {
    let query = query.split('#').next().unwrap_or_default();
    let field = |wanted: &str| {
        query
            .split('&')
            .filter_map(|field| field.split_once('='))
            .find(|(name, value)| *name == wanted && !value.is_empty())
            .map(|(_, value)| decode(value).map(|value| Zeroizing::new(value.into_owned())))
            .transpose()
    };
    let required = |wanted| field(wanted)?.ok_or(ProxyLinkError::Missing(wanted));
    let server = required("server")?;
    let server = Address::new(&server, parse_port(&required("port")?)?)?;
    if kind == "proxy" {
        return Ok(Proxy::mtproxy(server, required("secret")?.parse()?));
    }
    let proxy = Proxy::socks5(server);
    Ok(match (field("user")?, field("pass")?) {
        (None, None) => proxy,
        (user, password) => {
            proxy.with_credentials(&user.unwrap_or_default(), &password.unwrap_or_default())
        }
    })
}

fn decode(text: &str) -> Result<Cow<'_, str>, ProxyLinkError> {
    percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| ProxyLinkError::Encoding)
}

impl Proxy {
    /// The link that names this proxy, with its secret or password: `https://t.me/proxy?…`,
    /// `https://t.me/socks?…`, `http://…`. Whoever reads it can use the proxy.
    #[must_use]
    pub fn to_link(&self) -> Zeroizing<String> {
        // As long as links are, so that few shorter copies stay behind.
        let mut link = Zeroizing::new(String::with_capacity(1024));
        let mut put = |parts: &[&str]| parts.iter().for_each(|part| link.push_str(part));
        let encode =
            |text: &str| Zeroizing::new(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        let (host, port) = (self.server().host(), self.server().port().to_string());
        match self {
            Self::MtProxy { secret, .. } => {
                put(&["https://t.me/proxy?server=", &host, "&port=", &port]);
                put(&["&secret=", &secret.expose()]);
            }
            Self::Socks5 { credentials, .. } => {
                put(&["https://t.me/socks?server=", &host, "&port=", &port]);
                if let Some(Credentials { user, password }) = credentials {
                    put(&["&user=", &encode(user), "&pass=", &encode(password)]);
                }
            }
            Self::Http { credentials, .. } => {
                put(&["http://"]);
                if let Some(Credentials { user, password }) = credentials {
                    put(&[&encode(user), ":", &encode(password), "@"]);
                }
                put(&[&self.server().to_string()]);
            }
        }
        link
    }
}

#[cfg(test)]
mod tests {
    use layer_mtproto::transport::{ProxySecret, ProxySecretError};

    use super::*;

    const SECRET: &str = "dd00112233445566778899aabbccddeeff";

    fn parse(link: &str) -> Proxy {
        link.parse()
            .unwrap_or_else(|error| panic!("{link}: {error}"))
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_of_a_link_names_the_same_proxy() {
        let secret: ProxySecret = SECRET.parse().unwrap();
        let expected = Proxy::mtproxy(address("a.example:443"), secret);
        for before in [
            "https://t.me/proxy",
            "http://t.me/proxy",
            "t.me/proxy",
            "HTTPS://T.ME/proxy",
            "https://telegram.me/proxy/",
            "telegram.dog/proxy",
            "tg://proxy",
            "tg:proxy",
            "  tg://proxy",
        ] {
            let link = format!("{before}?server=a.example&port=443&secret={SECRET}");
            assert_eq!(parse(&link), expected, "{link}");
            let link = format!("{before}?x=1&secret={SECRET}&port=443&server=a%2Eexample#y");
            assert_eq!(parse(&link), expected, "{link}");
        }
        let socks = Proxy::socks5(address("[::1]:1080"));
        for link in [
            "https://t.me/socks?server=::1&port=1080",
            "tg://socks?server=%3A%3A1&port=1080&user=&pass=",
            "socks5://[::1]:1080",
            "socks5h://[::1]:1080/",
            "socks5://@[::1]:1080",
            "socks5://:@[::1]:1080",
        ] {
            assert_eq!(parse(link), socks, "{link}");
        }
        let login = socks.with_credentials("a&b", "p:@/%");
        for link in [
            "tg://socks?server=::1&port=1080&user=a%26b&pass=p:@/%25",
            "socks5://a&b:p:@/%25@[::1]:1080",
            "socks5://a%26b:p%3A%40%2F%25@[::1]:1080",
        ] {
            assert_eq!(parse(link), login, "{link}");
        }
        assert_eq!(parse("http://h:3128"), Proxy::http(address("h:3128")));
        assert_eq!(
            parse("http://u@h:3128/"),
            Proxy::http(address("h:3128")).with_credentials("u", "")
        );
    }

    #[test]
    fn secrets_in_either_base64_survive_a_link() {
        // Bytes that need the letters in which the alphabets differ.
        let secret = ProxySecret::fake_tls([0xfb; 16], "a.example").unwrap();
        for text in [
            "7vv7-_v7-_v7-_v7-_v7-_thLmV4YW1wbGU",
            "7vv7+/v7+/v7+/v7+/v7+/thLmV4YW1wbGU=",
        ] {
            let link = format!("tg://proxy?server=h&port=1&secret={text}");
            assert_eq!(
                parse(&link),
                Proxy::mtproxy(address("h:1"), secret.clone()),
                "{text}"
            );
        }
    }

    #[test]
    fn links_are_read_back_as_they_were_written() {
        let server = || address("proxy.example.com:443");
        for proxy in [
            Proxy::mtproxy(server(), SECRET.parse().unwrap()),
            Proxy::mtproxy(
                address("[2001:db8::1]:8443"),
                ProxySecret::fake_tls([1; 16], "a.example").unwrap(),
            ),
            Proxy::socks5(server()),
            Proxy::socks5(server()).with_credentials("ä ö", "&=?#@:/%+ü"),
            Proxy::http(address("[::1]:80")).with_credentials("a:b", "@"),
            Proxy::http(server()),
        ] {
            assert_eq!(parse(&proxy.to_link()), proxy, "{}", *proxy.to_link());
        }
    }

    #[test]
    fn what_is_wrong_with_a_link_is_told() {
        use ProxyLinkError as E;
        for (link, error) in [
            ("", E::Kind),
            ("proxy.example.com:443", E::Kind),
            (
                "https://example.com/proxy?server=a&port=1&secret=b",
                E::Kind,
            ),
            ("https://t.me/durov", E::Kind),
            ("socks4://a:1", E::Kind),
            ("tg://resolve?domain=a", E::Kind),
            ("tg://proxy", E::Missing("server")),
            ("tg://proxy?server=a&secret=b", E::Missing("port")),
            ("tg://proxy?server=a&port=1", E::Missing("secret")),
            ("tg://proxy?server=a&port=x&secret=b", E::Port("x".into())),
            (
                "tg://proxy?server=a%20b&port=1&secret=b",
                E::Host("a b".into()),
            ),
            (
                "tg://proxy?server=a&port=1&secret=0011",
                E::Secret(ProxySecretError::Length { len: 2 }),
            ),
            ("tg://socks?server=a&port=1&user=%ff", E::Encoding),
            ("socks5://localhost", E::NoPort),
            ("http://a:b@:80", E::Host(String::new())),
        ] {
            assert_eq!(link.parse::<Proxy>(), Err(error), "{link}");
        }
    }

    #[test]
    fn neither_secrets_nor_passwords_are_printed() {
        for proxy in [
            parse(&format!("tg://proxy?server=h&port=1&secret={SECRET}")),
            parse("socks5://user:hunter2@h:1"),
            parse("http://user:hunter2@h:1"),
        ] {
            let text = format!("{proxy:?} {proxy}");
            assert!(
                !text.contains("hunter2") && !text.contains("8899"),
                "{text}"
            );
        }
        let error = "tg://proxy?server=a&port=1&secret=hunter2hunter2!".parse::<Proxy>();
        assert!(!format!("{error:?} {}", error.clone().unwrap_err()).contains("hunter2"));
    }
}
