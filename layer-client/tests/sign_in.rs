//! Signing in and out, against the embedded data centre.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use std::error::Error as _;

use layer_client::{Client, Error, SignInError, Terminal};
use support::*;

#[tokio::test]
async fn a_new_number_signs_up() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    assert!(!client.is_authorized().await.unwrap());
    let (token, code) = code(&server, &client).await;
    let Err(SignInError::SignUpRequired(wanted)) = client.sign_in(&token, &code).await else {
        panic!("nobody has this number");
    };
    assert_eq!(wanted.phone(), PHONE);
    let user = client.sign_up(&token, "Ada", "Lovelace").await.unwrap();
    assert_eq!(user.to_string(), "Ada Lovelace");
    assert!(client.is_authorized().await.unwrap());
    assert_eq!(client.me().await.unwrap().id(), user.id());
    assert!(server.user_by_phone(PHONE).is_some());
}

#[tokio::test]
async fn a_wrong_code_can_be_corrected() {
    let server = server().await;
    let person = person(&server);
    let client = Client::connect(config(&server)).await.unwrap();
    let (token, code) = code(&server, &client).await;
    let wrong = if code == "00000" { "11111" } else { "00000" };
    let error = client.sign_in(&token, wrong).await.unwrap_err();
    assert!(matches!(error, SignInError::InvalidCode), "{error:?}");
    assert!(error.source().is_none());
    let user = client.sign_in(&token, &code).await.unwrap();
    assert_eq!(
        (user.id(), user.to_string()),
        (person.id(), "Ada".to_owned())
    );
}

#[tokio::test]
async fn two_step_verification_asks_for_the_password_until_it_is_right() {
    let server = server().await;
    person(&server).set_password("2fa", "the usual");
    let client = Client::connect(config(&server)).await.unwrap();
    let Err(SignInError::PasswordRequired(t)) = sign_in(&server, &client).await else {
        panic!("a password is wanted");
    };
    assert_eq!(t.hint(), Some("the usual"));
    assert!(!client.is_authorized().await.unwrap());
    let Err(SignInError::InvalidPassword(t)) = client.check_password(t, "wrong").await else {
        panic!("it is wrong");
    };
    let user = client.check_password(t, "2fa").await.unwrap();
    assert_eq!(user.to_string(), "Ada");
    assert!(client.is_authorized().await.unwrap());
}

#[tokio::test]
async fn a_password_is_set_changed_and_removed() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    client.set_password("one", "hint").await.unwrap();
    let error = client
        .change_password("wrong", "two", "")
        .await
        .unwrap_err();
    assert!(error.is("PASSWORD_HASH_INVALID"), "{error}");
    client.change_password("one", "two", "").await.unwrap();

    let other = Client::connect(config(&server)).await.unwrap();
    let Err(SignInError::PasswordRequired(t)) = sign_in(&server, &other).await else {
        panic!("a password is wanted");
    };
    other.check_password(t, "two").await.unwrap();

    client.remove_password("two").await.unwrap();
    let third = Client::connect(config(&server)).await.unwrap();
    sign_in(&server, &third).await.unwrap();
}

#[tokio::test]
async fn a_bot_signs_in_once_and_stays() {
    let server = server().await;
    let owner = person(&server);
    let bot = server.add_bot(&owner, "Echo", "my_echo_bot");
    let client = Client::connect(config(&server)).await.unwrap();
    let user = client.bot_sign_in(bot.token()).await.unwrap();
    assert!(user.is_bot());
    assert_eq!(
        (user.to_string().as_str(), user.username()),
        ("Echo", Some("my_echo_bot"))
    );
    assert_eq!(bot.user().login_count(), 1);
    client.bot_sign_in(bot.token()).await.unwrap();
    assert_eq!(bot.user().login_count(), 1);
    let error = client.bot_sign_in("1:other").await.unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error}");
}

#[tokio::test]
async fn a_wrong_bot_token_is_told_with_advice() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    let error = client.bot_sign_in("123:nonsense").await.unwrap_err();
    assert!(error.is("ACCESS_TOKEN_*"), "{error}");
    assert!(error.to_string().contains("@BotFather"), "{error}");
    assert!(matches!(
        client.bot_sign_in("nonsense").await,
        Err(Error::Input(_))
    ));
}

#[tokio::test]
async fn signing_out_ends_the_login_and_another_can_begin() {
    let server = server().await;
    let (client, person) = signed_in(&server).await;
    assert_eq!(person.login_count(), 1);
    client.sign_out().await.unwrap();
    assert_eq!(person.login_count(), 0);
    assert!(!client.is_authorized().await.unwrap());
    let error = client.me().await.unwrap_err();
    assert!(
        error.is("AUTH_KEY_UNREGISTERED") && !error.is_terminal(),
        "{error:?}"
    );
    sign_in(&server, &client).await.unwrap();
    assert!(client.is_authorized().await.unwrap());
}

#[tokio::test]
async fn a_login_ended_from_another_device_is_terminal_and_another_can_begin() {
    let server = server().await;
    let (client, person) = signed_in(&server).await;
    person.revoke_sessions();
    let error = client.me().await.unwrap_err();
    assert!(error.is_terminal(), "{error:?}");
    assert!(!client.is_authorized().await.unwrap());
    sign_in(&server, &client).await.unwrap();
}

#[tokio::test]
async fn a_key_that_the_server_forgot_is_a_login_lost() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    server.forget_keys();
    let error = client.me().await.unwrap_err();
    assert!(
        matches!(error, Error::Terminal(Terminal::AuthKeyLost)),
        "{error:?}"
    );
    assert!(!client.is_authorized().await.unwrap());
    sign_in(&server, &client).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_key_that_was_nobodys_is_replaced_without_a_word() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    server.forget_keys();
    assert!(!client.is_authorized().await.unwrap());
}

#[tokio::test]
async fn an_account_is_followed_to_its_data_centre() {
    let server = server().await;
    let person = person(&server);
    person.move_to(2);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    sign_in(&server, &client).await.unwrap();
    client.disconnect().await.unwrap();
    drop(client);

    // From now on it is the first address to ask.
    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    assert!(format!("{client:?}").contains("home_dc: 2"), "{client:?}");
    assert!(client.is_authorized().await.unwrap());
}

#[tokio::test]
async fn a_bot_is_followed_to_its_data_centre() {
    let server = server().await;
    let owner = person(&server);
    let bot = server.add_bot(&owner, "Echo", "my_echo_bot");
    bot.user().move_to(2);
    let client = Client::connect(config(&server)).await.unwrap();
    client.bot_sign_in(bot.token()).await.unwrap();
    assert!(format!("{client:?}").contains("home_dc: 2"), "{client:?}");
}
