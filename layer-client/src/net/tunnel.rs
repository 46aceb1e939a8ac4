//! Through a SOCKS5 or HTTP proxy to an address: what is said to the proxy before the bytes are the
//! connection's own. Names are looked up by the proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::socks5;
use crate::proxy::{Address, Credentials, ProxyError};

/// The head of an HTTP answer may be so long, in bytes.
const MAX_HEAD: usize = 8 * 1024;
/// And have so many headers.
const MAX_HEADERS: usize = 64;

/// Asks a SOCKS5 proxy for a connection to `target`.
pub(super) async fn socks5(
    mut stream: TcpStream,
    target: &Address,
    credentials: Option<&Credentials>,
) -> Result<TcpStream, ProxyError> {
    socks5::connect(&mut stream, target, credentials).await?;
    Ok(stream)
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
        .map_err(ProxyError::of_connection)?;
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
        let byte = stream.read_u8().await.map_err(ProxyError::of_connection)?;
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
