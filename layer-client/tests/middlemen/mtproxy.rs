//! An MTProxy: what it reads with one codec it writes with another.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use layer_client::proxy::ProxySecret;
use layer_crypto::SecureRandom;
use layer_mtproto::faketls::{Opening, Replays, Server};
use layer_mtproto::transport::{Accepted, Acceptor, Codec, Frame, TransportKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Middleman;

struct Random;

impl SecureRandom for Random {
    fn fill(&mut self, dest: &mut [u8]) {
        fastrand::fill(dest);
    }
}

/// Takes those who know the secret to `target`, whichever data centre they ask for. What is asked is
/// noted as `dc framing`.
pub async fn mtproxy(secret: ProxySecret, target: SocketAddr) -> Middleman {
    let replays = Arc::new(Mutex::new(Replays::default()));
    Middleman::start(move |mut stream, asked| {
        let (secret, replays) = (secret.clone(), replays.clone());
        async move {
            let mut accepted = accept(&mut stream, &secret, &replays).await?;
            let note = format!("{} {}", accepted.dc_id?, accepted.kind);
            asked.lock().unwrap().push(note);
            let mut onward = TcpStream::connect(target).await.ok()?;
            let mut codec = Codec::client(TransportKind::Intermediate, None, Box::new(Random));
            let (mut near, mut far) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
            loop {
                // What is whole goes on.
                let mut out = Vec::new();
                while let Some(frame) = accepted.codec.next_frame().ok()? {
                    let Frame::Packet(packet) = frame else {
                        return None;
                    };
                    codec.pack(&packet, &mut out).ok()?;
                }
                onward.write_all(&out).await.ok()?;
                let mut back = Vec::new();
                while let Some(frame) = codec.next_frame().ok()? {
                    let packet = match frame {
                        Frame::Packet(packet) => packet.to_vec(),
                        Frame::Error(code) => code.to_le_bytes().to_vec(),
                        _ => return None,
                    };
                    accepted.codec.pack(&packet, &mut back).ok()?;
                }
                stream.write_all(&back).await.ok()?;
                tokio::select! {
                    read = stream.read(&mut near) => match read.ok()? {
                        0 => return Some(()),
                        read => accepted.codec.feed(&near[..read]),
                    },
                    read = onward.read(&mut far) => match read.ok()? {
                        0 => return Some(()),
                        read => codec.feed(&far[..read]),
                    },
                }
            }
        }
    })
    .await
}

async fn accept(
    stream: &mut TcpStream,
    secret: &ProxySecret,
    replays: &Mutex<Replays>,
) -> Option<Accepted> {
    let mut bytes = vec![0; 16 * 1024];
    let mut acceptor = Acceptor::new(vec![*secret.key()], Box::new(Random)).require_secret();
    if secret.domain().is_some() {
        let mut server = Server::new([secret.clone()].into());
        let opened = loop {
            let read = stream
                .read(&mut bytes)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            let unix = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            let mut answer = Vec::new();
            let opening = server
                .feed(
                    &bytes[..read],
                    unix,
                    &mut replays.lock().unwrap(),
                    &mut Random,
                    &mut answer,
                )
                .ok()?;
            stream.write_all(&answer).await.ok()?;
            match opening {
                Opening::NeedMore => {}
                Opening::NotTls(_) => return None,
                Opening::Tls(opened) => break opened,
            }
        };
        acceptor = acceptor.within(opened.records);
    }
    loop {
        let read = stream
            .read(&mut bytes)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        if let Some(accepted) = acceptor.feed(&bytes[..read]).ok()? {
            return Some(accepted);
        }
    }
}
