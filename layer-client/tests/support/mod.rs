//! An embedded data centre and configurations for it.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

use std::path::Path;
use std::time::Duration;

use layer_client::{Client, Config, DcAddress, LoginToken, RsaPublicKey, SignInError, User};
use layer_test_server::{NewUser, Server, UserHandle};

pub const PHONE: &str = "15550001";
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server with two data centres that both trust the same key.
pub async fn server() -> Server {
    Server::builder().data_centres(2).start().await.unwrap()
}

/// For a server, with the session in memory.
pub fn config(server: &Server) -> Config {
    Config {
        api_id: 12345,
        api_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        dc_id: 1,
        dc_addresses: server
            .addresses()
            .into_iter()
            .map(|(id, addr)| DcAddress::new(id, addr))
            .collect(),
        rsa_keys: vec![RsaPublicKey::from_pem(server.public_key_pem()).unwrap()],
        ..Config::default()
    }
}

/// The same, with the session in a file.
pub fn config_at(server: &Server, path: &Path) -> Config {
    Config {
        session_path: path.to_owned(),
        ..config(server)
    }
}

pub fn person(server: &Server) -> UserHandle {
    server.add_user(NewUser::named(PHONE, "Ada"))
}

/// Asks for a code and reads it as it was "sent".
pub async fn code(server: &Server, client: &Client) -> (LoginToken, String) {
    let token = client
        .request_login_code(&format!("+{PHONE}"))
        .await
        .unwrap();
    let code = server.wait_for_login_code(PHONE, PATIENCE).await.unwrap();
    (token, code)
}

pub async fn sign_in(server: &Server, client: &Client) -> Result<User, SignInError> {
    let (token, code) = code(server, client).await;
    client.sign_in(&token, &code).await
}

/// A person who is signed in.
pub async fn signed_in(server: &Server) -> (Client, UserHandle) {
    let person = person(server);
    let client = Client::connect(config(server)).await.unwrap();
    sign_in(server, &client).await.unwrap();
    (client, person)
}
