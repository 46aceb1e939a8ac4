//! Sends a photo, a voice message, an album and a place, and looks at what came of it. It runs as it
//! stands: against the embedded data centre, without an account and without a network.
//!
//! ```text
//! cargo run -p layer-client --example media
//! ```

use std::time::Duration;

use layer_client::files::{MediaKind, OutgoingMedia, Upload, stripped_to_jpeg};
use layer_client::{Client, Config, DcAddress, InputMessage, RsaPublicKey};
use layer_test_server::{NewUser, Server};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let server = Server::builder().login_code("22222").start().await?;
    server.add_user(NewUser::named("+15550001", "Ada"));
    let client = Client::connect(Config {
        api_id: 12345,
        api_hash: "abc123".into(),
        dc_id: 1,
        dc_addresses: vec![DcAddress::new(
            1,
            server.address(1).ok_or("no data centre 1")?,
        )],
        rsa_keys: vec![RsaPublicKey::from_pem(server.public_key_pem())?],
        ..Default::default()
    })
    .await?;
    let token = client.request_login_code("+15550001").await?;
    client.sign_in(&token, "22222").await?;

    send(&client).await?;
    for line in look(&client).await? {
        println!("{line}");
    }
    client.disconnect().await?;
    server.shutdown().await;
    Ok(())
}

/// A grey picture of this size.
fn picture(width: u8, height: u8) -> Outcome<Vec<u8>> {
    Ok(stripped_to_jpeg(&[1, height, width]).ok_or("no picture")?)
}

pub(crate) async fn send(client: &Client) -> Outcome<()> {
    // A photo, from memory; `OutgoingMedia::photo("cat.jpg")` takes a file.
    let cat = picture(200, 150)?;
    let photo = OutgoingMedia::photo(Upload::bytes("cat.jpg", &cat)).spoiler(true);
    let caption = InputMessage::markdown("**A cat**, behind a veil");
    let photo = client.send_media("me", photo, caption).await?;

    // A voice message, of which everything is said by hand. With the feature `media-info` the
    // duration is read from the file.
    let voice = OutgoingMedia::voice(Upload::bytes("voice.ogg", b"OggS"))
        .duration(Duration::from_secs(4))
        .waveform([0, 8, 16, 31, 24, 12, 4, 1]);
    client.send_media("me", voice, "").await?;

    // An album: its photos are uploaded at the same time, and arrive as one.
    let (there, back) = (picture(160, 90)?, picture(90, 160)?);
    let album = [
        OutgoingMedia::photo(Upload::bytes("there.jpg", &there)).caption("The way there"),
        OutgoingMedia::photo(Upload::bytes("back.jpg", &back)).caption("The way back"),
    ];
    client.send_album("me", album).await?;

    // A place, and the photo once more, which is not uploaded again.
    let place = OutgoingMedia::venue(48.853, 2.349, "Notre-Dame", "Paris");
    client.send_media("me", place, "").await?;
    client.copy_message("me", &photo).await?;
    Ok(())
}

pub(crate) async fn look(client: &Client) -> Outcome<Vec<String>> {
    let mut lines = Vec::new();
    let mut messages = client.iter_messages("me");
    while let Some(message) = messages.next().await? {
        let Some(media) = message.media() else {
            continue;
        };
        lines.push(match media.kind() {
            MediaKind::Photo(photo) => {
                let bytes = client.download(photo).bytes().await?;
                let small = photo.thumbs().iter().find_map(|thumb| thumb.inline());
                format!(
                    "a photo of {}x{}, {} bytes, {} of them at once: {}",
                    photo.width().unwrap_or(0),
                    photo.height().unwrap_or(0),
                    bytes.len(),
                    small.map_or(0, |small| small.len()),
                    message.text().unwrap_or("(no caption)"),
                )
            }
            MediaKind::Voice(voice) => {
                let wave = voice.waveform().unwrap_or_default();
                format!(
                    "{:?} of voice, as loud as {wave:?}",
                    voice.duration().unwrap_or_default()
                )
            }
            MediaKind::Venue(venue) => format!("{} in {}", venue.title, venue.address),
            other => format!("something else: {other:?}"),
        });
    }
    Ok(lines)
}
