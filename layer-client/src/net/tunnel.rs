//! Through a SOCKS5 or HTTP proxy to an address: what is said to the proxy before the bytes are the
//! connection's own. Names are looked up by the proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use zeroize::Zeroizing;

use crate::proxy::{Address, Credentials, ProxyError};

/// The head of an HTTP answer may be so long, in bytes.
const MAX_HEAD: usize = 8 * 1024;
/// And have so many headers.
const MAX_HEADERS: usize = 64;

/// Asks a SOCKS5 proxy for a connection to `target`.
pub(super) async fn socks5(
    stream: TcpStream,
    target: &Address,
    credentials: Option<&Credentials>,
) -> Result<TcpStream, ProxyError> {
    let ip;
    let name;
    let target = match target.socket_addr() {
        Some(address) => {
            ip = address;
            Target::Ip(ip)
        }
        None => {
            name = target.host();
            Target::Name(&name, target.port())
        }
    };
    let connected = match (credentials, target) {
        (None, Target::Ip(ip)) => Socks5Stream::connect_with_socket(stream, ip).await,
        (None, Target::Name(name, port)) => {
            Socks5Stream::connect_with_socket(stream, (name, port)).await
        }
        (Some(login), target) => {
            let (user, password) = (login.user(), login.password());
            match target {
                Target::Ip(ip) => {
                    Socks5Stream::connect_with_password_and_socket(stream, ip, user, password).await
                }
                Target::Name(name, port) => {
                    let target = (name, port);
                    Socks5Stream::connect_with_password_and_socket(stream, target, user, password)
                        .await
                }
            }
        }
    };
    connected
        .map(Socks5Stream::into_inner)
        .map_err(|error| socks_error(error, credentials.is_some()))
}

enum Target<'a> {
    Ip(SocketAddr),
    Name(&'a str, u16),
}

fn socks_error(error: tokio_socks::Error, has_credentials: bool) -> ProxyError {
    use tokio_socks::Error as E;
    match error {
        E::Io(error) => io_error(error),
        E::NoAcceptableAuthMethods if has_credentials => ProxyError::CredentialsRefused,
        E::NoAcceptableAuthMethods => ProxyError::CredentialsRequired,
        E::PasswordAuthFailure(_) => ProxyError::CredentialsRefused,
        E::InvalidAuthValues(what) => {
            ProxyError::Refused(format!("{what}; SOCKS5 takes 1 to 255 bytes of each"))
        }
        E::GeneralSocksServerFailure => ProxyError::Refused("general failure".to_owned()),
        E::ConnectionNotAllowedByRuleset => {
            ProxyError::Refused("its rules forbid this address".to_owned())
        }
        E::NetworkUnreachable => ProxyError::Refused("network unreachable".to_owned()),
        E::HostUnreachable => ProxyError::Refused("host unreachable".to_owned()),
        E::ConnectionRefused => ProxyError::Refused("connection refused".to_owned()),
        E::TtlExpired => ProxyError::Refused("time to live expired".to_owned()),
        E::CommandNotSupported => ProxyError::Refused("it does not connect".to_owned()),
        E::AddressTypeNotSupported => {
            ProxyError::Refused("it does not support this type of address".to_owned())
        }
        other => ProxyError::Protocol(format!("what is not SOCKS5 ({other})")),
    }
}

fn io_error(error: io::Error) -> ProxyError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ProxyError::HungUp,
        _ => ProxyError::Io(Arc::new(error)),
    }
}

/// Asks an HTTP proxy for a connection to `target` (RFC 9110, section 9.3.6).
pub(super) async fn http(
    mut stream: TcpStream,
    target: &Address,
    credentials: Option<&Credentials>,
) -> Result<TcpStream, ProxyError> {
    let mut request = Zeroizing::new(format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Connection: keep-alive\r\n"
    ));
    if let Some(login) = credentials {
        let plain = Zeroizing::new(format!("{}:{}", login.user(), login.password()));
        let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(io_error)?;
    let head = read_head(&mut stream).await?;
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let parsed = answer.parse(&head);
    let status = match (parsed, answer.code) {
        (Ok(httparse::Status::Complete(_)), Some(status)) => status,
        (Err(error), _) => {
            return Err(ProxyError::Protocol(format!("what is not HTTP ({error})")));
        }
        _ => return Err(ProxyError::Protocol("what is not HTTP".to_owned())),
    };
    match status {
        200..=299 => Ok(stream),
        407 if credentials.is_some() => Err(ProxyError::CredentialsRefused),
        407 => Err(ProxyError::CredentialsRequired),
        _ => {
            let reason = answer.reason.unwrap_or_default();
            // The words are the proxy's: no more of them than a message needs, and nothing else.
            let reason = reason.chars().filter(|c| !c.is_control()).take(100);
            let reason: String = reason.collect();
            Err(ProxyError::Refused(format!("HTTP {status} {reason}")))
        }
    }
}

/// Reads up to the empty line, and not a byte more: what follows is not the proxy's.
async fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::with_capacity(256);
    loop {
        let byte = stream.read_u8().await.map_err(io_error)?;
        head.push(byte);
        // Some end lines with a line feed alone.
        if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
            return Ok(head);
        }
        if head.len() >= MAX_HEAD {
            return Err(ProxyError::Protocol(format!(
                "a head of more than {MAX_HEAD} bytes"
            )));
        }
        if head.len() == 5 && head != b"HTTP/" {
            return Err(ProxyError::Protocol("what is not HTTP".to_owned()));
        }
    }
}
