//! The client's side of SOCKS5 (RFC 1928), with a user's name and a password where there are some
//! (RFC 1929). The proxy is asked for a connection, and nothing is read but its answers: what comes
//! behind them is the connection's own. How long it may take is up to the caller.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::proxy::{Address, Credentials, ProxyError};

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;

/// Ways for a client to show who it is.
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NONE_OF_THEM: u8 = 0xff;

const CONNECT: u8 = 1;

/// Types of addresses.
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks the proxy at the other end of `stream` for a connection to `target`; a name is looked up by
/// the proxy.
pub(super) async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    target: &Address,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    // What does not fit is found before anything is said.
    let login = credentials.map(login).transpose()?;
    let request = request(target)?;

    let methods: &[u8] = match login {
        Some(_) => &[VERSION, 2, NO_LOGIN, LOGIN],
        None => &[VERSION, 1, NO_LOGIN],
    };
    stream
        .write_all(methods)
        .await
        .map_err(ProxyError::of_connection)?;
    match (answer(stream, VERSION).await?, &login) {
        (NO_LOGIN, _) => {}
        (LOGIN, Some(login)) => {
            stream
                .write_all(login)
                .await
                .map_err(ProxyError::of_connection)?;
            if answer(stream, LOGIN_VERSION).await? != 0 {
                return Err(ProxyError::CredentialsRefused);
            }
        }
        (NONE_OF_THEM, Some(_)) => return Err(ProxyError::CredentialsRefused),
        // Some choose the login though it was not offered: they will have nothing else.
        (NONE_OF_THEM | LOGIN, None) => return Err(ProxyError::CredentialsRequired),
        (method, _) => {
            return Err(foreign(format!(
                "authentication by method {method}, which was not offered"
            )));
        }
    }

    stream
        .write_all(&request)
        .await
        .map_err(ProxyError::of_connection)?;
    match answer(stream, VERSION).await? {
        0 => skip_address(stream).await,
        code => Err(refusal(code)),
    }
}

/// The message with the user's name and the password.
fn login(credentials: &Credentials) -> Result<Zeroizing<Vec<u8>>, ProxyError> {
    let (user, password) = (credentials.user(), credentials.password());
    // As long as it will be, so that no shorter copy stays behind.
    let mut message = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
    message.push(LOGIN_VERSION);
    put(&mut message, "user name", user)?;
    put(&mut message, "password", password)?;
    Ok(message)
}

/// The message that asks for a connection.
fn request(target: &Address) -> Result<Vec<u8>, ProxyError> {
    let mut message = vec![VERSION, CONNECT, 0];
    match target.socket_addr() {
        Some(SocketAddr::V4(address)) => {
            message.push(IPV4);
            message.extend_from_slice(&address.ip().octets());
        }
        Some(SocketAddr::V6(address)) => {
            message.push(IPV6);
            message.extend_from_slice(&address.ip().octets());
        }
        None => {
            message.push(NAME);
            put(&mut message, "target's name", &target.host())?;
        }
    }
    message.extend_from_slice(&target.port().to_be_bytes());
    Ok(message)
}

/// A text after its length, which is a byte and not 0.
fn put(message: &mut Vec<u8>, what: &str, text: &str) -> Result<(), ProxyError> {
    let Ok(length @ 1..) = u8::try_from(text.len()) else {
        return Err(ProxyError::Refused(format!(
            "the {what} is empty or too long, SOCKS5 takes 1 to 255 bytes"
        )));
    };
    message.push(length);
    message.extend_from_slice(text.as_bytes());
    Ok(())
}

/// What stands after the version, as the first bytes of each answer.
async fn answer(stream: &mut (impl AsyncRead + Unpin), version: u8) -> Result<u8, ProxyError> {
    match read(stream).await? {
        [got, code] if got == version => Ok(code),
        [got, _] => Err(foreign(format!("version {got} in place of {version}"))),
    }
}

/// The rest of the answer that there is a connection: where the proxy's end of it is, which is of no use to us.
async fn skip_address(stream: &mut (impl AsyncRead + Unpin)) -> Result<(), ProxyError> {
    let length = match read(stream).await? {
        [0, IPV4] => 4,
        [0, IPV6] => 16,
        [0, NAME] => read::<1>(stream).await?[0].into(),
        [0, other] => return Err(foreign(format!("an address of type {other}"))),
        [reserved, _] => return Err(foreign(format!("{reserved} in place of 0"))),
    };
    // The longest name, and the port.
    let mut address = [0; 255 + 2];
    let address = &mut address[..length + 2];
    stream
        .read_exact(address)
        .await
        .map_err(ProxyError::of_connection)?;
    Ok(())
}

async fn read<const N: usize>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    stream
        .read_exact(&mut bytes)
        .await
        .map_err(ProxyError::of_connection)?;
    Ok(bytes)
}

/// What an answer says that there is no connection.
fn refusal(code: u8) -> ProxyError {
    let words = match code {
        1 => "general failure",
        2 => "its rules forbid this address",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "it does not connect",
        8 => "it does not support this type of address",
        _ => return foreign(format!("reply {code}, which means nothing")),
    };
    ProxyError::Refused(words.to_owned())
}

fn foreign(what: String) -> ProxyError {
    ProxyError::Protocol(format!("what is not SOCKS5 ({what})"))
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::task::yield_now;

    use super::*;

    const TARGET: &str = "149.154.167.50:443";
    /// How a proxy answers that lets everybody in.
    const ANSWERS: [u8; 12] = [5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 4, 56];
    /// And one that asks for a login.
    const ANSWERS_WITH_LOGIN: [u8; 14] = [5, 2, 1, 0, 5, 0, 0, 1, 127, 0, 0, 1, 4, 56];

    struct Talk {
        result: Result<(), ProxyError>,
        /// What was said to the proxy.
        said: Vec<u8>,
        /// What it said and nobody read.
        left: Vec<u8>,
    }

    /// Talks to a proxy that says one piece after the other, whatever it is told, and then hangs up.
    async fn talk(target: &str, credentials: Option<&Credentials>, pieces: &[&[u8]]) -> Talk {
        let (mut near, mut far) = duplex(4096);
        let target = target.parse().unwrap();
        let answers = async {
            for piece in pieces {
                far.write_all(piece).await.unwrap();
                // There is no more until this has been read.
                yield_now().await;
            }
            far.shutdown().await.unwrap();
        };
        let (result, ()) = tokio::join!(connect(&mut near, &target, credentials), answers);
        let (mut said, mut left) = (Vec::new(), Vec::new());
        near.read_to_end(&mut left).await.unwrap();
        drop(near);
        far.read_to_end(&mut said).await.unwrap();
        Talk { result, said, left }
    }

    async fn failure(credentials: Option<&Credentials>, answers: &[u8]) -> ProxyError {
        let talk = talk(TARGET, credentials, &[answers]).await;
        talk.result.unwrap_err()
    }

    fn ada() -> Credentials {
        Credentials::new("ada", "love:lace")
    }

    #[tokio::test]
    async fn messages_are_those_of_the_rfcs() {
        let name = "a".repeat(253);
        let ipv6 = [
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80,
        ];
        for (target, asked) in [
            (TARGET, [&[1, 149, 154, 167, 50][..], &[1, 187]].concat()),
            ("[2001:db8::1]:80", [&[4][..], &ipv6].concat()),
            ("x:65535", vec![3, 1, b'x', 255, 255]),
            (
                &format!("{name}:80"),
                [&[3, 253][..], name.as_bytes(), &[0, 80]].concat(),
            ),
        ] {
            let request = [&[5, 1, 0][..], &asked].concat();
            let talked = talk(target, None, &[&ANSWERS]).await;
            talked.result.unwrap();
            assert_eq!(talked.said, [&[5, 1, 0][..], &request].concat());

            // The name and the password are told to those alone who ask.
            let talked = talk(target, Some(&ada()), &[&ANSWERS]).await;
            talked.result.unwrap();
            assert_eq!(talked.said, [&[5, 2, 0, 2][..], &request].concat());

            let talked = talk(target, Some(&ada()), &[&ANSWERS_WITH_LOGIN]).await;
            talked.result.unwrap();
            let login = b"\x01\x03ada\x09love:lace";
            assert_eq!(talked.said, [&[5, 2, 0, 2], &login[..], &request].concat());
        }
    }

    #[tokio::test]
    async fn what_comes_behind_the_answer_is_left_to_the_connection() {
        let behind = b"\xef\x05\x00\x05 and more of it";
        let long = [&[3, 255][..], &[b'a'; 255]].concat();
        for bound in [
            &[1, 1, 2, 3, 4][..],
            &[4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
            &[3, 0],
            b"\x03\x01\xff",
            &long,
        ] {
            let answers = [&[5, 2, 1, 0, 5, 0, 0][..], bound, &[1, 187], behind].concat();
            let bytes: Vec<_> = answers.chunks(1).collect();
            let mut ways = vec![vec![&answers[..]], bytes];
            for cut in 1..answers.len() {
                ways.push(vec![&answers[..cut], &answers[cut..]]);
            }
            for pieces in ways {
                let talked = talk(TARGET, Some(&ada()), &pieces).await;
                talked.result.unwrap();
                assert_eq!(talked.left, behind, "{pieces:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_proxy_that_hangs_up_at_any_byte_has_hung_up() {
        for (credentials, answers) in [
            (None, &ANSWERS[..]),
            (Some(ada()), &ANSWERS),
            (Some(ada()), &ANSWERS_WITH_LOGIN),
            (None, b"\x05\0\x05\0\0\x03\x04name\0\x50"),
        ] {
            for cut in 0..answers.len() {
                let error = failure(credentials.as_ref(), &answers[..cut]).await;
                assert!(matches!(error, ProxyError::HungUp), "{cut}: {error:?}");

                // And takes nothing more, either.
                let (mut near, mut far) = duplex(4096);
                far.write_all(&answers[..cut]).await.unwrap();
                drop(far);
                let target = TARGET.parse().unwrap();
                let error = connect(&mut near, &target, credentials.as_ref()).await;
                assert!(matches!(error, Err(ProxyError::Io(_))), "{cut}: {error:?}");
            }
        }
    }

    #[tokio::test]
    async fn every_refusal_is_told_in_words_without_waiting_for_more() {
        for (code, words) in [
            (1, "general failure"),
            (2, "rules forbid this address"),
            (3, "network unreachable"),
            (4, "host unreachable"),
            (5, "connection refused"),
            (6, "time to live expired"),
            (7, "does not connect"),
            (8, "does not support this type of address"),
        ] {
            let error = failure(None, &[5, 0, 5, code]).await;
            assert!(matches!(error, ProxyError::Refused(_)), "{error:?}");
            assert!(error.to_string().contains(words), "{error}");
        }
        for code in 9..=255 {
            let error = failure(None, &[5, 0, 5, code]).await;
            assert!(matches!(error, ProxyError::Protocol(_)), "{error:?}");
            let words = format!("reply {code}, which means nothing");
            assert!(error.to_string().contains(&words), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_not_socks5_is_told_as_such() {
        let ada = ada();
        for (answers, words) in [
            (&b"HTTP/1.1 400 Bad Request"[..], "version 72 in place of 5"),
            (&[4, 0], "version 4 in place of 5"),
            (&[5, 1], "authentication by method 1, which was not"),
            (&[5, 3], "authentication by method 3, which was not"),
            (&[5, 0xfe], "authentication by method 254, which was"),
            (&[5, 2, 5, 0], "version 5 in place of 1"),
            (&[5, 2, 0, 0], "version 0 in place of 1"),
            (&[5, 2, 1, 0, 1, 0], "version 1 in place of 5"),
            (&[5, 0, 0, 0], "version 0 in place of 5"),
            (&[5, 0, 5, 0, 1, 1], "1 in place of 0"),
            (&[5, 0, 5, 0, 0, 0], "an address of type 0"),
            (&[5, 0, 5, 0, 0, 2], "an address of type 2"),
            (&[5, 0, 5, 0, 0, 5], "an address of type 5"),
        ] {
            let error = failure(Some(&ada), answers).await;
            assert!(matches!(error, ProxyError::Protocol(_)), "{error:?}");
            let words = format!("what is not SOCKS5 ({words}");
            assert!(error.to_string().contains(&words), "{error}");
        }
    }

    #[tokio::test]
    async fn whether_the_login_is_missing_or_wrong_can_be_told() {
        for method in [2, 0xff] {
            let talked = talk(TARGET, None, &[&[5, method], &ANSWERS]).await;
            let error = talked.result.unwrap_err();
            assert!(
                matches!(error, ProxyError::CredentialsRequired),
                "{error:?}"
            );
            assert_eq!(talked.said, [5, 1, 0]);
        }
        let talked = talk(TARGET, Some(&ada()), &[&[5, 0xff], &ANSWERS]).await;
        let error = talked.result.unwrap_err();
        assert!(matches!(error, ProxyError::CredentialsRefused), "{error:?}");
        assert_eq!(talked.said, [5, 2, 0, 2]);
        for status in 1..=255 {
            let error = failure(Some(&ada()), &[5, 2, 1, status]).await;
            assert!(matches!(error, ProxyError::CredentialsRefused), "{error:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_said_where_the_login_does_not_fit() {
        let text = |length| "x".repeat(length);
        for (user, password, what) in [
            (0, 1, "user name"),
            (256, 1, "user name"),
            (1, 0, "password"),
            (1, 256, "password"),
            (1, 65_537, "password"),
        ] {
            let login = Credentials::new(&text(user), &text(password));
            let talked = talk(TARGET, Some(&login), &[&ANSWERS]).await;
            let error = talked.result.unwrap_err();
            assert!(matches!(error, ProxyError::Refused(_)), "{error:?}");
            let words = format!("the {what} is empty or too long, SOCKS5 takes 1 to 255 bytes");
            assert!(error.to_string().contains(&words), "{error}");
            assert!(talked.said.is_empty());
        }
        let login = Credentials::new(&text(255), &text(255));
        let talked = talk(TARGET, Some(&login), &[&ANSWERS_WITH_LOGIN]).await;
        talked.result.unwrap();
        let told = [&[1, 255][..], &[b'x'; 255], &[255], &[b'x'; 255]].concat();
        assert_eq!(talked.said[4..][..told.len()], told);
    }
}
