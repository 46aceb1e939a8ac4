//! Signs in as a user and writes to the saved messages.

use layer_client::{Client, Config, SignInError};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let config = Config {
        session_path: "my.session".into(),
        api_id: 12345, // both from my.telegram.org
        api_hash: "abc123".into(),
        ..Default::default()
    };
    run(config, "+1234567890").await
}

pub(crate) async fn run(config: Config, phone: &str) -> Outcome<()> {
    let client = Client::connect(config).await?;

    if !client.is_authorized().await? {
        let token = client.request_login_code(phone).await?;
        let user = match client.sign_in(&token, &ask("Code: ")?).await {
            Err(SignInError::PasswordRequired(token)) => {
                client.check_password(token, &ask("Password: ")?).await?
            }
            other => other?,
        };
        println!("Signed in as {user}");
        client.save_session().await?;
    }

    client.send_message("me", "Hello from layer").await?;
    Ok(())
}

fn ask(question: &str) -> std::io::Result<String> {
    eprint!("{question}");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
