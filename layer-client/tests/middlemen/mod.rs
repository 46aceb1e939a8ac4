//! What may lie on the way to a data centre: proxies of three kinds and servers of WebSockets, as small as a test
//! can have them. They count what went through, and some of them misbehave.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

pub mod mtproxy;
#[cfg(feature = "websocket")]
pub mod websocket;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A listener on this machine that does something with each connection.
pub struct Middleman {
    pub address: SocketAddr,
    /// Where the connections were taken, in the words of whoever asked.
    pub asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Middleman {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Middleman {
    pub async fn start<F>(
        serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<()>> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0", serve).await
    }

    pub async fn start_at<F>(
        at: &str,
        serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = asked.clone();
        let task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(serve(stream, shared.clone()));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// One that takes everything to `target` as it is.
    pub async fn relay_at(at: &str, target: SocketAddr) -> Self {
        Self::start_at(at, move |mut stream, asked| async move {
            asked.lock().unwrap().push(target.to_string());
            let mut onward = TcpStream::connect(target).await.ok()?;
            copy_bidirectional(&mut stream, &mut onward).await.ok()?;
            Some(())
        })
        .await
    }

    /// One that reads a little, says `answer` and then hangs, or hangs up.
    pub async fn saying(answer: Vec<u8>, hang_up: bool) -> Self {
        Self::start(move |mut stream, asked| {
            let answer = answer.clone();
            async move {
                asked.lock().unwrap().push(String::new());
                let _heard = stream.read(&mut [0; 4096]).await.ok()?;
                stream.write_all(&answer).await.ok()?;
                if hang_up {
                    stream.shutdown().await.ok()?;
                }
                // What is still said to it is swallowed, so that no reset cuts the answer short.
                while stream.read(&mut [0; 4096]).await.ok()? > 0 {}
                Some(())
            }
        })
        .await
    }

    pub fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub fn last_asked(&self) -> String {
        self.asked
            .lock()
            .unwrap()
            .last()
            .cloned()
            .unwrap_or_default()
    }
}

/// Where a proxy goes when it is asked for an address: there, but for names, which all lead to one place.
pub type Names = Option<SocketAddr>;

/// A SOCKS5 proxy (RFC 1928), with a password (RFC 1929) or without.
pub async fn socks5(login: Option<(&'static str, &'static str)>, names: Names) -> Middleman {
    Middleman::start(move |mut stream, asked| async move {
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.ok()?;
        let mut methods = vec![0; head[1].into()];
        stream.read_exact(&mut methods).await.ok()?;
        let method = if login.is_some() { 2 } else { 0 };
        if !methods.contains(&method) {
            stream.write_all(&[5, 0xff]).await.ok()?;
            return None;
        }
        stream.write_all(&[5, method]).await.ok()?;
        if let Some((user, password)) = login {
            assert_eq!(stream.read_u8().await.ok()?, 1);
            let mut said = Vec::new();
            for _ in 0..2 {
                let mut field = vec![0; stream.read_u8().await.ok()?.into()];
                stream.read_exact(&mut field).await.ok()?;
                said.push(field);
            }
            let right = said == [user.as_bytes(), password.as_bytes()];
            stream.write_all(&[1, u8::from(!right)]).await.ok()?;
            if !right {
                return None;
            }
        }
        let mut request = [0; 4];
        stream.read_exact(&mut request).await.ok()?;
        assert_eq!(request[..3], [5, 1, 0]);
        let host = match request[3] {
            1 => {
                let mut ip = [0; 4];
                stream.read_exact(&mut ip).await.ok()?;
                std::net::IpAddr::from(ip).to_string()
            }
            4 => {
                let mut ip = [0; 16];
                stream.read_exact(&mut ip).await.ok()?;
                format!("[{}]", std::net::Ipv6Addr::from(ip))
            }
            3 => {
                let mut name = vec![0; stream.read_u8().await.ok()?.into()];
                stream.read_exact(&mut name).await.ok()?;
                String::from_utf8(name).ok()?
            }
            _ => return None,
        };
        let asked_for = format!("{host}:{}", stream.read_u16().await.ok()?);
        asked.lock().unwrap().push(asked_for.clone());
        let target: SocketAddr = asked_for.parse().ok().or(names)?;
        let mut onward = TcpStream::connect(target).await.ok()?;
        // Where it goes from, in the type of address that it was asked in.
        let mut answer = vec![5, 0, 0, request[3]];
        match request[3] {
            1 => answer.extend([0; 4]),
            4 => answer.extend([0; 16]),
            _ => answer.extend(b"\x05proxy"),
        }
        answer.extend([0; 2]);
        stream.write_all(&answer).await.ok()?;
        copy_bidirectional(&mut stream, &mut onward).await.ok()?;
        Some(())
    })
    .await
}

/// An HTTP proxy that knows `CONNECT`. `login` is what must stand after `Basic`.
pub async fn http(login: Option<&'static str>, names: Names) -> Middleman {
    Middleman::start(move |mut stream, asked| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        if let Some(login) = login
            && !head.contains(&format!("\r\nProxy-Authorization: Basic {login}\r\n"))
        {
            let answer =
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
            stream.write_all(answer).await.ok()?;
            return None;
        }
        let asked_for = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
        assert!(
            head.contains(&format!("\r\nHost: {asked_for}\r\n")),
            "{head}"
        );
        asked.lock().unwrap().push(asked_for.clone());
        let target: SocketAddr = asked_for.parse().ok().or(names)?;
        let mut onward = TcpStream::connect(target).await.ok()?;
        let answer = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";
        stream.write_all(answer).await.ok()?;
        copy_bidirectional(&mut stream, &mut onward).await.ok()?;
        Some(())
    })
    .await
}
