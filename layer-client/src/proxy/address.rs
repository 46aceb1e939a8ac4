//! A host and a port, before anybody has looked the host up.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use super::ProxyLinkError;

/// The longest name that the domain name system has, in bytes.
const MAX_NAME: usize = 253;

/// A server's address: an IP address or a name, and a port. A name is looked up when it is dialled.
///
/// Its text is `host:port`, with brackets around an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    Ip(IpAddr),
    Name(Arc<str>),
}

impl Address {
    /// From a host (a name, or an IP address with or without brackets) and a port.
    ///
    /// # Errors
    /// If the host is none, or the port is 0.
    pub fn new(host: &str, port: u16) -> Result<Self, ProxyLinkError> {
        if port == 0 {
            return Err(ProxyLinkError::Port("0".to_owned()));
        }
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(ip) => ip.parse::<Ipv6Addr>().map(|ip| Host::Ip(ip.into())).ok(),
            None => match host.parse() {
                Ok(ip) => Some(Host::Ip(ip)),
                Err(_) => is_name(host).then(|| Host::Name(host.into())),
            },
        }
        .ok_or_else(|| ProxyLinkError::Host(host.to_owned()))?;
        Ok(Self { host, port })
    }

    /// The host: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.to_string(),
        }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address itself, unless the host is a name that must be looked up first.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            Host::Name(_) => None,
        }
    }
}

/// Whether it can be a name: nothing in it would end the name in a link or a request's line.
fn is_name(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.len() <= MAX_NAME && host.bytes().all(allowed)
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: Host::Ip(address.ip()),
            port: address.port(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl FromStr for Address {
    type Err = ProxyLinkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text
            .rsplit_once(':')
            .filter(|(host, _)| !host.contains(':') || host.starts_with('['))
            .ok_or(ProxyLinkError::NoPort)?;
        Self::new(host, parse_port(port)?)
    }
}

/// A port as links have it.
pub(super) fn parse_port(text: &str) -> Result<u16, ProxyLinkError> {
    text.parse()
        .ok()
        .filter(|port| *port != 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| ProxyLinkError::Port(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_they_are_read() {
        for text in [
            "127.0.0.1:1",
            "[::1]:65535",
            "proxy.example.com:443",
            "localhost:80",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.socket_addr().is_some(), !text.contains('l'));
        }
        let address = Address::new("2001:db8::1", 80).unwrap();
        assert_eq!(address, "[2001:db8::1]:80".parse().unwrap());
        assert_eq!(address.host(), "2001:db8::1");
    }

    #[test]
    fn what_is_no_address_is_told_apart() {
        use ProxyLinkError as E;
        for (text, error) in [
            ("", E::NoPort),
            ("localhost", E::NoPort),
            ("::1:80", E::NoPort),
            ("localhost:", E::Port(String::new())),
            ("localhost:0", E::Port("0".to_owned())),
            ("localhost:+80", E::Port("+80".to_owned())),
            ("localhost:65536", E::Port("65536".to_owned())),
            (":80", E::Host(String::new())),
            ("a b:80", E::Host("a b".to_owned())),
            ("a/b:80", E::Host("a/b".to_owned())),
            ("a\r\nb:80", E::Host("a\r\nb".to_owned())),
            ("[localhost]:80", E::Host("[localhost]".to_owned())),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
        let long = "a".repeat(254);
        assert_eq!(Address::new(&long, 80), Err(E::Host(long.clone())));
    }
}
