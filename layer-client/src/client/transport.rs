//! How packets travel: framing, obfuscation, and over what.

use std::fmt;
use std::str::FromStr;

use layer_mtproto::transport::TransportKind;

use super::Config;
use crate::error::{Error, Result};
use crate::proxy::Proxy;

/// How packets travel to a data centre (page `mtproto/mtproto-transports` of the documentation).
///
/// An MTProxy's secret may demand obfuscation and a framing, and so may a server's address; both
/// have their way, whatever is chosen here.
///
/// Its text is a framing (`abridged`, `intermediate`, `padded`, `full`), after `obfuscated-`, `ws-`
/// or `wss-` if it is not plain TCP; `obfuscated`, `ws` and `wss` alone mean the padded framing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// TCP.
    Plain(TransportKind),
    /// TCP, made to look like random bytes.
    Obfuscated(TransportKind),
    /// Binary messages of a WebSocket, made to look like random bytes, as servers demand there.
    #[cfg(feature = "websocket")]
    WebSocket(super::WebSocket),
}

impl Transport {
    /// The framing of packets.
    #[must_use]
    pub fn framing(&self) -> TransportKind {
        match self {
            Self::Plain(framing) | Self::Obfuscated(framing) => *framing,
            #[cfg(feature = "websocket")]
            Self::WebSocket(socket) => socket.framing(),
        }
    }

    /// Whether it is made to look like random bytes.
    pub(crate) fn is_obfuscated(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }
}

impl Default for Transport {
    /// Plain TCP with the abridged framing, which adds least to packets.
    fn default() -> Self {
        Self::Plain(TransportKind::Abridged)
    }
}

impl From<TransportKind> for Transport {
    fn from(framing: TransportKind) -> Self {
        Self::Plain(framing)
    }
}

#[cfg(feature = "websocket")]
impl From<super::WebSocket> for Transport {
    fn from(socket: super::WebSocket) -> Self {
        Self::WebSocket(socket)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => {}
            Self::Obfuscated(_) => f.write_str("obfuscated-")?,
            #[cfg(feature = "websocket")]
            Self::WebSocket(socket) => {
                f.write_str(if socket.is_secure() { "wss-" } else { "ws-" })?
            }
        }
        self.framing().fmt(f)
    }
}

/// A text that names no transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTransport(String);

impl fmt::Display for UnknownTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let websocket = if cfg!(feature = "websocket") {
            "ws- or wss- before it for a WebSocket"
        } else {
            "ws- or wss- only if this is built with the feature `websocket`"
        };
        write!(
            f,
            "no transport is called {:?}: expected abridged, intermediate, padded or full, with \
             obfuscated- before it to look like random bytes, or {websocket}",
            self.0
        )
    }
}

impl std::error::Error for UnknownTransport {}

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (way, framing) = match text.split_once('-') {
            Some((way, framing)) => (way, framing),
            None if matches!(text, "obfuscated" | "ws" | "wss") => (text, "padded"),
            None => ("", text),
        };
        let unknown = || UnknownTransport(text.to_owned());
        let framing: TransportKind = framing.parse().map_err(|_| unknown())?;
        match way {
            "" if text == framing.to_string() => Ok(Self::Plain(framing)),
            "obfuscated" => Ok(Self::Obfuscated(framing)),
            #[cfg(feature = "websocket")]
            "ws" => Ok(super::WebSocket::insecure().with_framing(framing).into()),
            #[cfg(feature = "websocket")]
            "wss" => Ok(super::WebSocket::new().with_framing(framing).into()),
            _ => Err(unknown()),
        }
    }
}

/// Refuses what can be written and no server understands.
pub(crate) fn check_way(config: &Config) -> Result<()> {
    let Some(Proxy::MtProxy { secret, .. }) = &config.proxy else {
        return Ok(());
    };
    #[cfg(feature = "websocket")]
    if let Transport::WebSocket(_) = config.transport {
        return Err(Error::input(
            "Config::transport is a WebSocket, and an MTProxy takes none: choose another transport, or a SOCKS5 or HTTP proxy",
        ));
    }
    if secret.framing().is_none() && config.transport.framing() == TransportKind::Full {
        return Err(Error::input(
            "Config::transport has the full framing, which an MTProxy does not understand: choose the intermediate one",
        ));
    }
    Ok(())
}

/// Which versions of the Internet protocol addresses are tried in, and which first. The other one is
/// tried 250 ms later, or at once when the first fails (RFC 8305).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IpVersions {
    /// Both, IPv4 first, as official clients do; unless the server's configuration demands IPv6
    /// first (`force_try_ipv6`).
    #[default]
    PreferV4,
    /// Both, IPv6 first.
    PreferV6,
    /// IPv4 and nothing else.
    OnlyV4,
    /// IPv6 and nothing else.
    OnlyV6,
}

impl IpVersions {
    /// The same, but IPv6 first where there is a choice, as the server's configuration may demand.
    pub(crate) fn with_v6_first(self, v6_first: bool) -> Self {
        match self {
            Self::PreferV4 if v6_first => Self::PreferV6,
            same => same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_read_as_they_are_printed() {
        let mut known = Vec::new();
        for kind in TransportKind::ALL {
            known.push(Transport::Plain(kind));
            known.push(Transport::Obfuscated(kind));
            #[cfg(feature = "websocket")]
            known.extend([
                crate::WebSocket::new().with_framing(kind).into(),
                crate::WebSocket::insecure().with_framing(kind).into(),
            ]);
        }
        for transport in known {
            let text = transport.to_string();
            let read: Transport = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            assert_eq!(read.framing(), transport.framing());
            assert_eq!(read.is_obfuscated(), text.contains('-'), "{text}");
        }
        assert_eq!(
            "obfuscated".parse(),
            Ok(Transport::Obfuscated(TransportKind::PaddedIntermediate))
        );
    }

    #[test]
    fn the_server_may_demand_ipv6_first_where_there_is_a_choice() {
        use IpVersions as V;
        for (chosen, demanded) in [
            (V::PreferV4, V::PreferV6),
            (V::PreferV6, V::PreferV6),
            (V::OnlyV4, V::OnlyV4),
            (V::OnlyV6, V::OnlyV6),
        ] {
            assert_eq!(chosen.with_v6_first(true), demanded);
            assert_eq!(chosen.with_v6_first(false), chosen);
        }
    }

    #[test]
    fn what_is_no_transport_is_told_with_those_that_are() {
        for text in ["", "pigeon", "-full", "obfuscated-", "ws-pigeon", "full-ws"] {
            let error = text.parse::<Transport>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("{text:?}")) && error.contains("padded"),
                "{error}"
            );
        }
    }
}
