//! A data centre of our own, and clients that are signed in to it.

#![allow(dead_code, unreachable_pub)] // each test file uses a part

use std::path::Path;
use std::time::Duration;

use layer_client::update::{Update, UpdateStream};
use layer_client::{Client, Config, DcAddress, RsaPublicKey, tl};
use layer_test_server::{NewUser, NewWebPage, Server, UserHandle};

/// Longer than anything here takes, short enough to wait for.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn server() -> Server {
    Server::builder().login_code("22222").start().await.unwrap()
}

pub fn config(server: &Server) -> Config {
    Config {
        api_id: 12345,
        api_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        dc_addresses: server
            .addresses()
            .into_iter()
            .map(|(id, addr)| DcAddress::new(id, addr))
            .collect(),
        dc_id: 1,
        rsa_keys: vec![RsaPublicKey::from_pem(server.public_key_pem()).unwrap()],
        ..Config::default()
    }
}

pub fn config_with_session(server: &Server, path: &Path) -> Config {
    Config {
        session_path: path.to_owned(),
        ..config(server)
    }
}

/// A user of the server, and a client that is signed in as them.
pub async fn user(server: &Server, phone: &str, name: &str) -> (UserHandle, Client) {
    user_with(server, phone, name, config(server)).await
}

pub async fn user_with(
    server: &Server,
    phone: &str,
    name: &str,
    config: Config,
) -> (UserHandle, Client) {
    let mut new = NewUser::named(phone, name);
    new.username = Some(format!("{}_user", name.to_ascii_lowercase()));
    let handle = server.add_user(new);
    let client = Client::connect(config).await.unwrap();
    let token = client.request_login_code(phone).await.unwrap();
    client.sign_in(&token, "22222").await.unwrap();
    (handle, client)
}

/// The next update that is what we look for.
pub async fn next_that<T>(
    updates: &mut UpdateStream,
    mut wanted: impl FnMut(Update) -> Option<T>,
) -> T {
    let search = async {
        loop {
            let update = updates.next().await;
            let update = update.unwrap_or_else(|| panic!("ended: {:?}", updates.reason()));
            if let Some(found) = wanted(update) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .expect("it did not come")
}

/// The text of the next incoming message.
pub async fn next_text(updates: &mut UpdateStream) -> String {
    next_that(updates, |update| match update {
        Update::NewMessage(message) if !message.outgoing() => {
            Some(message.text().unwrap_or_default().to_owned())
        }
        _ => None,
    })
    .await
}

/// Asserts that no message comes for a while.
pub async fn no_message(updates: &mut UpdateStream) {
    let search = async {
        loop {
            match updates.next().await {
                Some(Update::NewMessage(message)) if !message.outgoing() => {
                    panic!("{message:?} came again")
                }
                Some(_) => {}
                None => panic!("ended: {:?}", updates.reason()),
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_millis(700), search).await;
    assert!(waited.is_err());
}

/// A medium as the raw API sends it, and nothing besides.
pub fn send_media(
    peer: tl::enums::InputPeer,
    media: impl Into<tl::enums::InputMedia>,
) -> tl::functions::messages::SendMedia {
    tl::functions::messages::SendMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer,
        reply_to: None,
        media: media.into(),
        message: String::new(),
        random_id: 1,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
}

/// What is in a directory, in order.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// A file of the web, in place of the one that was at its address.
pub fn publish(server: &Server, url: &str, mime_type: &str, bytes: &[u8]) {
    let file = ("cat.png".to_owned(), mime_type.to_owned(), bytes.to_vec());
    let page = NewWebPage {
        url: url.to_owned(),
        document: Some(file),
        ..NewWebPage::default()
    };
    server.add_web_page(page).unwrap();
}

/// A bot, `@shop_bot`, sends an invoice with this picture of the web, of which it says a size that is wrong.
pub fn send_invoice(server: &Server, to: &UserHandle, url: &str) {
    let bot = server.add_bot(to, "Shop", "shop_bot");
    let there = bot.user();
    to.send_message(there.peer(), "/start").unwrap();
    let photo = tl::types::InputWebDocument {
        url: url.to_owned(),
        size: 77,
        mime_type: "image/png".to_owned(),
        attributes: Vec::new(),
    };
    let price = tl::types::LabeledPrice {
        label: "A cat".to_owned(),
        amount: 100,
    };
    let invoice = tl::types::Invoice {
        test: true,
        name_requested: false,
        phone_requested: false,
        email_requested: false,
        shipping_address_requested: false,
        flexible: false,
        phone_to_provider: false,
        email_to_provider: false,
        recurring: false,
        currency: "EUR".to_owned(),
        prices: vec![price.into()],
        max_tip_amount: None,
        suggested_tip_amounts: None,
        terms_url: None,
        subscription_period: None,
    };
    let media = tl::types::InputMediaInvoice {
        title: "A cat".to_owned(),
        description: String::new(),
        photo: Some(photo.into()),
        invoice: invoice.into(),
        payload: Vec::new(),
        provider: None,
        provider_data: tl::types::DataJson {
            data: String::new(),
        }
        .into(),
        start_param: None,
        extended_media: None,
    };
    let request = send_media(there.input_peer(to.peer()), media);
    there.invoke(&request).unwrap();
}
