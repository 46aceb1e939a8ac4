//! The ways in and out, and the errors that the documentation has for each.

#![allow(clippy::unwrap_used)]

mod util;

use layer_crypto::srp::{self, PasswordKdf};
use layer_test_server::tl::{enums, functions as f, types};
use layer_test_server::{ApiError, NewUser, Peer, SERVICE_USER_ID, Server, ServerConfig};
use util::{ApiResult, Client, Os, error, in_time, is};

const PHONE: &str = "+1 555 0001";

async fn server() -> Server {
    Server::start(ServerConfig::default()).await.unwrap()
}

fn user_of(answer: enums::auth::Authorization) -> types::User {
    match answer {
        enums::auth::Authorization::Authorization(authorization) => {
            types::User::try_from(authorization.user).unwrap()
        }
        other => panic!("no authorization: {other:?}"),
    }
}

#[tokio::test]
async fn a_new_number_signs_up() {
    let server = server().await;
    in_time(async {
        let mut client = Client::connect(&server, 2).await;
        let sent = client.send_code(PHONE).await.unwrap();
        assert!(matches!(sent.r#type, enums::auth::SentCodeType::Sms(_)));
        let code = server.login_code(PHONE).unwrap();
        assert_eq!(code.len(), 5);
        let up = |first: &str| f::auth::SignUp {
            no_joined_notifications: false,
            phone_number: PHONE.into(),
            phone_code_hash: sent.phone_code_hash.clone(),
            first_name: first.into(),
            last_name: "Smith".into(),
        };
        assert_eq!(
            error(client.invoke(&up("Ann")).await),
            is(400, "PHONE_CODE_INVALID")
        );
        let answer = client
            .sign_in(PHONE, &sent.phone_code_hash, &code)
            .await
            .unwrap();
        assert!(matches!(
            answer,
            enums::auth::Authorization::SignUpRequired(_)
        ));
        assert_eq!(
            error(client.invoke(&up(" ")).await),
            is(400, "FIRSTNAME_INVALID")
        );
        let user = user_of(client.invoke(&up("Ann")).await.unwrap());
        assert!(user.is_self);
        assert_eq!(user.first_name.as_deref(), Some("Ann"));
        assert_eq!(user.phone.as_deref(), Some("15550001"));
        assert_eq!(server.user_by_phone(PHONE).unwrap().id(), user.id);
        // The code is spent.
        assert_eq!(
            error(client.invoke(&up("Bob")).await),
            is(400, "PHONE_CODE_EXPIRED")
        );
    })
    .await;
}

#[tokio::test]
async fn wrong_codes_are_told_apart() {
    let server = server().await;
    server.add_user(NewUser::named(PHONE, "Ann"));
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        assert_eq!(
            error(client.send_code("nobody").await),
            is(406, "PHONE_NUMBER_INVALID")
        );
        let sent = client.send_code(PHONE).await.unwrap();
        let hash = &*sent.phone_code_hash;
        assert_eq!(
            error(client.sign_in(PHONE, hash, "").await),
            is(400, "PHONE_CODE_EMPTY")
        );
        assert_eq!(
            error(client.sign_in(PHONE, hash, "no").await),
            is(400, "PHONE_CODE_INVALID")
        );
        assert_eq!(
            error(client.sign_in(PHONE, "x", "1").await),
            is(400, "PHONE_CODE_EXPIRED")
        );
        assert_eq!(
            error(client.sign_in(PHONE, "", "1").await),
            is(400, "PHONE_CODE_HASH_EMPTY")
        );
        let code = server.login_code(PHONE).unwrap();
        let user = user_of(client.sign_in(PHONE, hash, &code).await.unwrap());
        assert_eq!(user.first_name.as_deref(), Some("Ann"));
        assert_eq!(
            error(client.sign_in(PHONE, hash, &code).await),
            is(400, "PHONE_CODE_EXPIRED")
        );
    })
    .await;
}

#[tokio::test]
async fn a_code_can_be_sent_again_and_cancelled() {
    let server = server().await;
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        let sent = client.send_code(PHONE).await.unwrap();
        let resend = |hash: &str| f::auth::ResendCode {
            phone_number: PHONE.into(),
            phone_code_hash: hash.into(),
            reason: None,
        };
        let again = client.invoke(&resend(&sent.phone_code_hash)).await.unwrap();
        let again = types::auth::SentCode::try_from(again).unwrap();
        assert!(matches!(again.r#type, enums::auth::SentCodeType::Call(_)));
        let stale = client.invoke(&resend(&sent.phone_code_hash)).await;
        assert_eq!(error(stale), is(400, "PHONE_CODE_EXPIRED"));
        let cancel = f::auth::CancelCode {
            phone_number: PHONE.into(),
            phone_code_hash: again.phone_code_hash,
        };
        assert!(client.invoke(&cancel).await.unwrap());
        assert_eq!(
            error(client.invoke(&cancel).await),
            is(400, "PHONE_CODE_EXPIRED")
        );
    })
    .await;
}

#[tokio::test]
async fn a_fixed_code_is_the_code_of_everybody() {
    let server = Server::builder().login_code("22222").start().await.unwrap();
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.send_code(PHONE).await.unwrap();
        assert_eq!(server.login_code(PHONE).as_deref(), Some("22222"));
    })
    .await;
}

#[tokio::test]
async fn the_second_device_gets_its_code_from_the_first() {
    let server = server().await;
    let ann = server.add_user(NewUser::named(PHONE, "Ann"));
    in_time(async {
        let mut first = Client::connect(&server, 1).await;
        first.enter(&server, PHONE).await;
        first.invoke(&f::updates::GetState {}).await.unwrap();
        let mut second = Client::connect(&server, 1).await;
        let sent = second.send_code(PHONE).await.unwrap();
        assert!(matches!(sent.r#type, enums::auth::SentCodeType::App(_)));
        first
            .until(|first| (!first.updates.is_empty()).then_some(()))
            .await;
        let code = server.login_code(PHONE).unwrap();
        assert!(
            ann.messages(Peer::User(SERVICE_USER_ID))[0]
                .text
                .contains(&code)
        );
    })
    .await;
}

async fn prove(client: &mut Client, password: &str) -> types::InputCheckPasswordSrp {
    let settings = client.invoke(&f::account::GetPassword {}).await.unwrap();
    let settings = types::account::Password::from(settings);
    assert!(settings.has_password);
    let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo)) =
        settings.current_algo
    else {
        panic!("no algorithm")
    };
    let kdf = PasswordKdf {
        salt1: algo.salt1.clone(),
        salt2: algo.salt2.clone(),
        g: algo.g,
        p: algo.p.clone(),
    };
    let srp_b = settings.srp_b.unwrap();
    let proof = srp::prove(password.as_bytes(), &kdf, &srp_b, &mut Os).unwrap();
    types::InputCheckPasswordSrp {
        srp_id: settings.srp_id.unwrap(),
        a: proof.a.to_vec(),
        m1: proof.m1.to_vec(),
    }
}

async fn check(
    client: &mut Client,
    proof: types::InputCheckPasswordSrp,
) -> ApiResult<enums::auth::Authorization> {
    client
        .invoke(&f::auth::CheckPassword {
            password: proof.into(),
        })
        .await
}

#[tokio::test]
async fn a_password_stands_before_the_account() {
    let server = server().await;
    let ann = NewUser {
        password: Some("secret".into()),
        ..NewUser::named(PHONE, "Ann")
    };
    let ann = server.add_user(ann);
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        let sent = client.send_code(PHONE).await.unwrap();
        let code = server.login_code(PHONE).unwrap();
        let refused = client.sign_in(PHONE, &sent.phone_code_hash, &code).await;
        assert_eq!(error(refused), is(401, "SESSION_PASSWORD_NEEDED"));
        let outside = client.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(outside), is(401, "AUTH_KEY_UNREGISTERED"));
        let wrong = prove(&mut client, "Secret").await;
        assert_eq!(
            error(check(&mut client, wrong).await),
            is(400, "PASSWORD_HASH_INVALID")
        );
        let right = prove(&mut client, "secret").await;
        let user = user_of(check(&mut client, right.clone()).await.unwrap());
        assert_eq!(user.id, ann.id());
        // A challenge is good for one answer.
        assert_eq!(
            error(check(&mut client, right).await),
            is(400, "SRP_ID_INVALID")
        );
        client.invoke(&f::updates::GetState {}).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_password_is_set_changed_and_removed_by_a_client() {
    let server = server().await;
    server.add_user(NewUser::named(PHONE, "Ann"));
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.enter(&server, PHONE).await;
        let settings = client.invoke(&f::account::GetPassword {}).await.unwrap();
        let settings = types::account::Password::from(settings);
        assert!(!settings.has_password);
        let enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo) =
            settings.new_algo
        else {
            panic!("no algorithm")
        };
        let kdf = PasswordKdf {
            salt1: algo.salt1.clone(),
            salt2: algo.salt2.clone(),
            g: algo.g,
            p: algo.p.clone(),
        }
        .renew(&mut Os);
        let hash = srp::verifier(b"secret", &kdf).unwrap().to_vec();
        let update = |password, algo: Option<enums::PasswordKdfAlgo>, hash: Option<Vec<u8>>| {
            let algo_hint = algo.is_some().then(|| "the usual".to_owned());
            f::account::UpdatePasswordSettings {
                password,
                new_settings: types::account::PasswordInputSettings {
                    new_algo: algo,
                    new_password_hash: hash,
                    hint: algo_hint,
                    email: None,
                    new_secure_settings: None,
                }
                .into(),
            }
        };
        let empty = || enums::InputCheckPasswordSrp::InputCheckPasswordEmpty;
        let mut algo =
            types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow::clone(&algo);
        algo.salt1 = kdf.salt1;
        let nothing = client.invoke(&update(empty(), None, None)).await;
        assert_eq!(error(nothing), is(400, "NEW_SETTINGS_EMPTY"));
        let short = update(empty(), Some(algo.clone().into()), Some(vec![1; 8]));
        assert_eq!(
            error(client.invoke(&short).await),
            is(400, "NEW_SETTINGS_INVALID")
        );
        let set = update(empty(), Some(algo.clone().into()), Some(hash));
        assert!(client.invoke(&set).await.unwrap());
        // The old one has to be proven from now on.
        assert_eq!(
            error(client.invoke(&set).await),
            is(400, "PASSWORD_HASH_INVALID")
        );
        let proof = prove(&mut client, "secret").await;
        let remove = update(
            proof.into(),
            Some(enums::PasswordKdfAlgo::Unknown),
            Some(Vec::new()),
        );
        assert!(client.invoke(&remove).await.unwrap());
        let settings = client.invoke(&f::account::GetPassword {}).await.unwrap();
        assert!(!types::account::Password::from(settings).has_password);
    })
    .await;
}

fn bot(token: &str) -> f::auth::ImportBotAuthorization {
    f::auth::ImportBotAuthorization {
        flags: 0,
        api_id: 1,
        api_hash: "hash".into(),
        bot_auth_token: token.into(),
    }
}

#[tokio::test]
async fn a_bot_signs_in_by_its_token() {
    let server = server().await;
    let ann = server.add_user(NewUser::named(PHONE, "Ann"));
    let helper = server.add_bot(&ann, "Helper", "helper_bot");
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        assert_eq!(
            error(client.invoke(&bot("1:x")).await),
            is(400, "ACCESS_TOKEN_INVALID")
        );
        let user = user_of(client.invoke(&bot(helper.token())).await.unwrap());
        assert!(user.bot && user.id == helper.id());
        let dialogs = client
            .invoke(&f::account::UpdateStatus { offline: true })
            .await;
        assert_eq!(error(dialogs), is(400, "BOT_METHOD_INVALID"));
    })
    .await;
}

#[tokio::test]
async fn an_application_that_is_not_known_is_refused() {
    let config = ServerConfig {
        application: Some((7, "sesame".into())),
        ..Default::default()
    };
    let server = Server::start(config).await.unwrap();
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        assert_eq!(
            error(client.send_code(PHONE).await),
            is(400, "API_ID_INVALID")
        );
    })
    .await;
}

#[tokio::test]
async fn an_account_is_served_by_its_home_data_centre() {
    let server = server().await;
    let ann = server.add_user(NewUser {
        dc_id: 2,
        ..NewUser::named(PHONE, "Ann")
    });
    let helper = server.add_bot(&ann, "Helper", "helper_bot");
    helper.move_to(2);
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        assert_eq!(
            error(client.send_code(PHONE).await),
            is(303, "PHONE_MIGRATE_2")
        );
        let wrong = client.invoke(&bot(helper.token())).await;
        assert_eq!(error(wrong), is(303, "USER_MIGRATE_2"));
        server.fail(
            "auth.sendCode",
            ApiError::new(303, "NETWORK_MIGRATE_2"),
            Some(1),
        );
        assert_eq!(
            error(client.send_code("+15550009").await),
            is(303, "NETWORK_MIGRATE_2")
        );
        client.send_code("+15550009").await.unwrap();

        let mut client = Client::connect(&server, 2).await;
        client.enter(&server, PHONE).await;
        client.invoke(&f::updates::GetState {}).await.unwrap();
        ann.move_to(1);
        let moved = client.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(moved), is(303, "USER_MIGRATE_1"));
    })
    .await;
}

#[tokio::test]
async fn a_login_is_carried_to_another_data_centre() {
    let server = server().await;
    let ann = server.add_user(NewUser::named(PHONE, "Ann"));
    in_time(async {
        let mut home = Client::connect(&server, 1).await;
        let export = |dc_id| f::auth::ExportAuthorization { dc_id };
        assert_eq!(
            error(home.invoke(&export(2)).await),
            is(401, "AUTH_KEY_UNREGISTERED")
        );
        home.enter(&server, PHONE).await;
        for dc_id in [0, 1, 3] {
            assert_eq!(
                error(home.invoke(&export(dc_id)).await),
                is(400, "DC_ID_INVALID")
            );
        }
        let exported = home.invoke(&export(2)).await.unwrap();
        let enums::auth::ExportedAuthorization::Authorization(exported) = exported;
        let mut away = Client::connect(&server, 2).await;
        let import = f::auth::ImportAuthorization {
            id: exported.id,
            bytes: exported.bytes.clone(),
        };
        assert_eq!(
            error(home.invoke(&import).await),
            is(400, "AUTH_BYTES_INVALID")
        );
        assert_eq!(user_of(away.invoke(&import).await.unwrap()).id, ann.id());
        assert_eq!(
            error(away.invoke(&import).await),
            is(400, "AUTH_BYTES_INVALID")
        );
        // Files are served there, conversations are not.
        let moved = away.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(moved), is(303, "USER_MIGRATE_1"));
        assert_eq!(ann.login_count(), 1, "the same device");
    })
    .await;
}

#[tokio::test]
async fn a_qr_code_signs_in_from_another_device() {
    let server = server().await;
    let ann = server.add_user(NewUser::named(PHONE, "Ann"));
    in_time(async {
        let mut phone = Client::connect(&server, 1).await;
        phone.enter(&server, PHONE).await;
        // The screen begins on another data centre than the account's.
        let mut screen = Client::connect(&server, 2).await;
        let export = f::auth::ExportLoginToken {
            api_id: 1,
            api_hash: "hash".into(),
            except_ids: vec![],
        };
        let enums::auth::LoginToken::Token(shown) = screen.invoke(&export).await.unwrap() else {
            panic!("no token")
        };
        let accept = f::auth::AcceptLoginToken {
            token: shown.token.clone(),
        };
        phone.invoke(&accept).await.unwrap();
        assert_eq!(
            error(phone.invoke(&accept).await),
            is(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
        );
        screen.until(|screen| screen.updates.pop()).await;
        let enums::auth::LoginToken::MigrateTo(migrate) = screen.invoke(&export).await.unwrap()
        else {
            panic!("no migration")
        };
        assert_eq!(migrate.dc_id, 1);
        let mut screen = Client::connect(&server, 1).await;
        let import = f::auth::ImportLoginToken {
            token: migrate.token.clone(),
        };
        let enums::auth::LoginToken::Success(success) = screen.invoke(&import).await.unwrap()
        else {
            panic!("no success")
        };
        assert_eq!(user_of(success.authorization).id, ann.id());
        assert_eq!(
            error(screen.invoke(&import).await),
            is(400, "AUTH_TOKEN_INVALID")
        );
    })
    .await;
}

#[tokio::test]
async fn devices_are_listed_and_ended() {
    let server = server().await;
    server.add_user(NewUser::named(PHONE, "Ann"));
    in_time(async {
        let mut first = Client::connect(&server, 1).await;
        first.enter(&server, PHONE).await;
        let mut second = Client::connect(&server, 1).await;
        second.enter(&server, PHONE).await;
        let mut third = Client::connect(&server, 1).await;
        third.enter(&server, PHONE).await;
        let list = first
            .invoke(&f::account::GetAuthorizations {})
            .await
            .unwrap();
        let list = types::account::Authorizations::from(list).authorizations;
        let list: Vec<_> = list.into_iter().map(types::Authorization::from).collect();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].device_model, "Test");
        assert!(list[0].current && list[0].hash == 0 && list[1].hash != 0);
        let end = |hash| f::account::ResetAuthorization { hash };
        assert_eq!(error(first.invoke(&end(1)).await), is(400, "HASH_INVALID"));
        assert!(first.invoke(&end(list[1].hash)).await.unwrap());
        let ended = second.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(ended), is(401, "SESSION_REVOKED"));
        assert!(
            first
                .invoke(&f::auth::ResetAuthorizations {})
                .await
                .unwrap()
        );
        let ended = third.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(ended), is(401, "SESSION_REVOKED"));
        // The way in stays open.
        third.enter(&server, PHONE).await;
        third.invoke(&f::updates::GetState {}).await.unwrap();
        first.invoke(&f::auth::LogOut {}).await.unwrap();
        let out = first.invoke(&f::updates::GetState {}).await;
        assert_eq!(error(out), is(401, "AUTH_KEY_UNREGISTERED"));
    })
    .await;
}
