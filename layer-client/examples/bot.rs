//! A bot that repeats what it is told.

use layer_client::{Client, Config, update::Update};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let config = Config {
        session_path: "bot.session".into(),
        api_id: 12345, // both from my.telegram.org
        api_hash: "abc123".into(),
        ..Default::default()
    };
    run(config, "1234567890:ABCdef").await
}

pub(crate) async fn run(config: Config, token: &str) -> Outcome<()> {
    let client = Client::connect(config).await?;
    client.bot_sign_in(token).await?;
    client.save_session().await?;

    let mut updates = client.stream_updates();
    while let Some(update) = updates.next().await {
        match update {
            Update::NewMessage(msg) if !msg.outgoing() => {
                if let (Some(peer), Some(text)) = (msg.peer_id(), msg.text()) {
                    client
                        .send_message_to_peer(peer.clone(), &format!("You said: {text}"))
                        .await?;
                }
            }
            Update::CallbackQuery(cb) => {
                client
                    .answer_callback_query(cb.query_id, Some("Done!"), false)
                    .await?;
            }
            _ => {}
        }
    }
    Ok(())
}
