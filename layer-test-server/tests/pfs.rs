//! Temporary keys, by the rules of the pages `api/pfs` and `method/auth.bindTempAuthKey`.

#![allow(clippy::unwrap_used)]

mod util;

use std::time::Duration;

use layer_crypto::{AuthKey, message};
use layer_mtproto::handshake::Purpose;
use layer_test_server::tl::{
    Deserializable, RemoteCall, Serializable, enums, functions as f, types,
};
use layer_test_server::{Limits, NewUser, Server};
use util::{Client, Gone, Os, Raw, Way, Wire, in_time};

const PHONE: &str = "+15550001";

async fn server() -> Server {
    Server::builder().start().await.unwrap()
}

/// A key for an hour, and a session under it.
async fn temporary(server: &Server) -> Raw {
    let purpose = Purpose::Temporary {
        expires_in: Duration::from_secs(3600),
    };
    Raw::connect_for(server, 1, purpose).await
}

/// Calls a method; what came of it.
async fn call<F: RemoteCall>(raw: &mut Raw, request: &F) -> Result<Vec<u8>, (i32, String)> {
    let id = raw.send(&request.to_bytes()).await;
    outcome(raw, id).await
}

async fn outcome(raw: &mut Raw, id: i64) -> Result<Vec<u8>, (i32, String)> {
    let answer = raw.result_of(id).await;
    match enums::RpcError::from_bytes(&answer) {
        Ok(error) => {
            let error = types::RpcError::from(error);
            Err((error.error_code, error.error_message))
        }
        Err(_) => Ok(answer),
    }
}

/// What a binding says, to be made wrong.
#[derive(Clone)]
struct Wish {
    key: AuthKey,
    perm_auth_key_id: i64,
    nonce: i64,
    expires_at: i32,
    inner: types::BindAuthKeyInner,
    damaged: bool,
}

impl Wish {
    fn new(raw: &Raw, key: &AuthKey, expires_at: i32) -> Self {
        let inner = types::BindAuthKeyInner {
            nonce: 77,
            temp_auth_key_id: raw.key().id(),
            perm_auth_key_id: key.id(),
            temp_session_id: raw.session_id,
            expires_at,
        };
        Self {
            key: key.clone(),
            perm_auth_key_id: key.id(),
            nonce: 77,
            expires_at,
            inner,
            damaged: false,
        }
    }

    async fn ask(self, raw: &mut Raw) -> Result<(), (i32, String)> {
        let msg_id = raw.next_id();
        let body = enums::BindAuthKeyInner::from(self.inner).to_bytes();
        let mut plain = vec![5; 16];
        msg_id.serialize(&mut plain);
        0_i32.serialize(&mut plain);
        i32::try_from(body.len()).unwrap().serialize(&mut plain);
        plain.extend_from_slice(&body);
        let mut encrypted_message = message::seal_v1(&self.key, &plain, &mut Os);
        if self.damaged {
            encrypted_message[40] ^= 1;
        }
        let request = f::auth::BindTempAuthKey {
            perm_auth_key_id: self.perm_auth_key_id,
            nonce: self.nonce,
            expires_at: self.expires_at,
            encrypted_message,
        };
        let seqno = raw.next_seqno();
        raw.send_as(msg_id, seqno, &request.to_bytes()).await;
        let answer = outcome(raw, msg_id).await?;
        assert_eq!(bool::from_bytes(&answer), Ok(true));
        Ok(())
    }
}

fn is(code: i32, message: &str) -> Result<(), (i32, String)> {
    Err((code, message.to_owned()))
}

/// A key that Ann is signed in with.
async fn signed_in(server: &Server) -> Client {
    server.add_user(NewUser::named(PHONE, "Ann"));
    let mut client = Client::connect(server, 1).await;
    client.enter(server, PHONE).await;
    client
}

#[tokio::test]
async fn a_key_that_is_not_bound_may_call_three_methods() {
    let server = server().await;
    in_time(async {
        let mut raw = temporary(&server).await;
        call(&mut raw, &f::help::GetConfig {}).await.unwrap();
        call(&mut raw, &f::help::GetNearestDc {}).await.unwrap();
        let refused = Err((401, "AUTH_KEY_PERM_EMPTY".to_owned()));
        assert_eq!(call(&mut raw, &f::updates::GetState {}).await, refused);
        let languages = f::langpack::GetLanguages {
            lang_pack: String::new(),
        };
        assert_eq!(call(&mut raw, &languages).await, refused);
        let config = f::help::GetAppConfig { hash: 0 };
        assert_eq!(call(&mut raw, &config).await, refused);
        assert_eq!(call(&mut raw, &f::auth::LogOut {}).await, refused);
    })
    .await;
}

#[tokio::test]
async fn a_bound_key_stands_for_the_permanent_one_and_ends_with_it() {
    let server = server().await;
    in_time(async {
        let permanent = signed_in(&server).await;
        let mut raw = temporary(&server).await;
        let expires_at = server.unix_time() + 1800;
        Wish::new(&raw, &permanent.key(), expires_at)
            .ask(&mut raw)
            .await
            .unwrap();
        call(&mut raw, &f::updates::GetState {}).await.unwrap();
        // Once more changes nothing.
        Wish::new(&raw, &permanent.key(), expires_at)
            .ask(&mut raw)
            .await
            .unwrap();
        call(&mut raw, &f::updates::GetState {}).await.unwrap();
        server.forget_keys();
        raw.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        raw.ping().await;
        assert_eq!(raw.receive().await.unwrap_err(), Gone::Transport(-404));
    })
    .await;
}

#[tokio::test]
async fn what_a_binding_says_must_fit_in_every_part() {
    let server = server().await;
    in_time(async {
        let permanent = signed_in(&server).await.key();
        let stranger = AuthKey::from_bytes([9; 256]);
        let mut raw = temporary(&server).await;
        let expires_at = server.unix_time() + 1800;
        let good = Wish::new(&raw, &permanent, expires_at);
        let spoil: [fn(&mut Wish); 8] = [
            |wish| wish.nonce += 1,
            |wish| wish.expires_at += 1,
            |wish| wish.inner.nonce += 1,
            |wish| wish.inner.temp_auth_key_id += 1,
            |wish| wish.inner.perm_auth_key_id += 1,
            |wish| wish.inner.temp_session_id += 1,
            |wish| wish.inner.expires_at += 1,
            |wish| wish.damaged = true,
        ];
        for (number, spoil) in spoil.iter().enumerate() {
            let mut wish = good.clone();
            spoil(&mut wish);
            let refused = wish.ask(&mut raw).await;
            assert_eq!(refused, is(400, "ENCRYPTED_MESSAGE_INVALID"), "{number}");
        }
        // A key that the server does not know, and one that is temporary itself.
        let other = temporary(&server).await;
        for key in [&stranger, other.key()] {
            let refused = Wish::new(&raw, key, expires_at).ask(&mut raw).await;
            assert_eq!(refused, is(400, "ENCRYPTED_MESSAGE_INVALID"));
        }
        good.ask(&mut raw).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_binding_must_end_in_the_future() {
    let server = server().await;
    in_time(async {
        let permanent = signed_in(&server).await.key();
        let mut raw = temporary(&server).await;
        for ago in [0, 1, 100_000] {
            let wish = Wish::new(&raw, &permanent, server.unix_time() - ago);
            assert_eq!(wish.ask(&mut raw).await, is(400, "EXPIRES_AT_INVALID"));
        }
    })
    .await;
}

#[tokio::test]
async fn only_temporary_keys_are_bound_and_each_to_one_permanent_key() {
    let server = server().await;
    in_time(async {
        let permanent = signed_in(&server).await.key();
        let expires_at = server.unix_time() + 1800;
        let mut other = Raw::connect(&server, 1).await;
        let wish = Wish::new(&other, &permanent, expires_at);
        assert_eq!(wish.ask(&mut other).await, is(400, "TEMP_AUTH_KEY_EMPTY"));
        let mut raw = temporary(&server).await;
        let wish = Wish::new(&raw, &permanent, expires_at);
        wish.ask(&mut raw).await.unwrap();
        let wish = Wish::new(&raw, other.key(), expires_at);
        let bound = is(400, "TEMP_AUTH_KEY_ALREADY_BOUND");
        assert_eq!(wish.ask(&mut raw).await, bound);
        call(&mut raw, &f::updates::GetState {}).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_expired_key_is_unknown_and_its_permanent_one_is_not() {
    let server = server().await;
    in_time(async {
        let mut permanent = signed_in(&server).await;
        let mut raw = temporary(&server).await;
        let expires_at = server.unix_time() + 1800;
        Wish::new(&raw, &permanent.key(), expires_at)
            .ask(&mut raw)
            .await
            .unwrap();
        server.skew_clock(1799);
        raw.ping().await;
        // Its msg_id is of another time, but its key is known.
        raw.receive().await.unwrap();
        server.skew_clock(1801);
        raw.ping().await;
        assert_eq!(raw.receive().await.unwrap_err(), Gone::Transport(-404));
        permanent.hello().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_further_key_replaces_the_one_before_if_there_may_be_only_one() {
    for (most, survives) in [(1, false), (2, true)] {
        let limits = Limits {
            temporary_keys: most,
            ..Limits::default()
        };
        let server = Server::builder().limits(limits).start().await.unwrap();
        in_time(async {
            let permanent = signed_in(&server).await.key();
            let expires_at = server.unix_time() + 1800;
            let mut first = temporary(&server).await;
            let wish = Wish::new(&first, &permanent, expires_at);
            wish.ask(&mut first).await.unwrap();
            let mut second = temporary(&server).await;
            let wish = Wish::new(&second, &permanent, expires_at);
            wish.ask(&mut second).await.unwrap();
            first.ping().await;
            match first.receive().await {
                Ok(_) => assert!(survives),
                Err(gone) => assert_eq!((survives, gone), (false, Gone::Transport(-404))),
            }
            call(&mut second, &f::updates::GetState {}).await.unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn a_temporary_key_is_forgotten_and_the_permanent_one_stays() {
    let rule = "in nth=2 key=temporary: forget-key temporary";
    let rule = rule.parse().unwrap();
    let server = Server::builder().fault(rule).start().await.unwrap();
    in_time(async {
        let mut permanent = signed_in(&server).await;
        let mut raw = temporary(&server).await;
        let expires_at = server.unix_time() + 1800;
        Wish::new(&raw, &permanent.key(), expires_at)
            .ask(&mut raw)
            .await
            .unwrap();
        raw.ping().await;
        let gone = loop {
            if let Err(gone) = raw.receive().await {
                break gone;
            }
        };
        assert_eq!(gone, Gone::Transport(-404));
        assert_eq!(server.key_count(), 1);
        permanent.invoke(&f::updates::GetState {}).await.unwrap();
    })
    .await;
}
