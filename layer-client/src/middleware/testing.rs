//! A wire that answers from a script, for tests of the layers above it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Bytes;
use super::chain::Wire;
use super::{CallOptions, Chain, Request};
use crate::client::{BoxFuture, Config};
use crate::error::{Error, RpcError, TimeoutError};
use crate::tl::{Serializable, enums, functions, types};

type Answer = super::Outcome;

/// Gives its answers in turn, and may be asked no more often than it has any, unless it falls silent
/// then.
pub(super) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    /// Where each request went.
    dcs: Mutex<Vec<i32>>,
    home: Mutex<i32>,
    cancelled: Arc<AtomicUsize>,
    falls_silent: bool,
}

impl Script {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            dcs: Mutex::default(),
            home: Mutex::new(1),
            cancelled: Arc::default(),
            falls_silent: false,
        }
    }

    /// Gives no answer after the last.
    pub(super) fn then_silence(mut self) -> Self {
        self.falls_silent = true;
        self
    }

    pub(super) fn silent() -> Self {
        Self::new([]).then_silence()
    }

    /// Where the account lives by now.
    pub(super) fn home(&self) -> i32 {
        *self.home.lock().unwrap()
    }

    pub(super) fn sent(&self) -> usize {
        self.dcs.lock().unwrap().len()
    }

    pub(super) fn dcs(&self) -> Vec<i32> {
        self.dcs.lock().unwrap().clone()
    }

    /// How many requests were dropped before their answer came.
    pub(super) fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::SeqCst)
    }
}

impl Wire for Script {
    fn home(&self) -> i32 {
        self.home()
    }

    fn move_home(&self, from: i32, to: i32) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            assert_eq!(std::mem::replace(&mut *self.home.lock().unwrap(), to), from);
            Ok(())
        })
    }

    async fn send(&self, request: &mut Request) -> Answer {
        struct Cancelled(Arc<AtomicUsize>);
        impl Drop for Cancelled {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        request.attempts += 1;
        let dc = request.dc().unwrap_or_else(|| self.home());
        self.dcs.lock().unwrap().push(dc);
        let answer = self.answers.lock().unwrap().pop_front();
        let guard = Cancelled(self.cancelled.clone());
        let answer = match answer {
            Some(answer) => answer,
            None if self.falls_silent => std::future::pending().await,
            None => panic!("it was asked once too often"),
        };
        std::mem::forget(guard);
        answer
    }
}

/// An answer, whatever it says.
pub(super) fn done() -> Answer {
    Ok(Bytes::from_static(&[1]))
}

pub(super) fn rpc(code: i32, message: &str) -> Answer {
    Err(Error::Rpc(RpcError::parse(code, message)))
}

pub(super) fn timeout(sent: bool) -> Answer {
    Err(Error::Timeout(TimeoutError {
        method: None,
        after: Duration::from_secs(60),
        sent,
    }))
}

/// `help.getConfig`, as any client would ask for it.
pub(super) fn get_config() -> Vec<u8> {
    functions::help::GetConfig {}.to_bytes()
}

/// One call through a chain of its own.
pub(super) async fn call(wire: &Script, options: CallOptions) -> Answer {
    let chain = Chain::new(&Config::default());
    call_body(&chain, wire, &get_config(), options).await
}

pub(super) async fn call_body(
    chain: &Chain,
    wire: &Script,
    body: &[u8],
    options: CallOptions,
) -> Answer {
    let mut request = Request::new(body.to_vec(), options);
    chain.call(wire, &mut request).await
}

pub(super) fn channel(channel_id: i64) -> enums::InputPeer {
    types::InputPeerChannel {
        channel_id,
        access_hash: 1,
    }
    .into()
}

pub(super) fn user(user_id: i64) -> enums::InputPeer {
    types::InputPeerUser {
        user_id,
        access_hash: 1,
    }
    .into()
}

/// `messages.sendMessage`.
pub(super) fn message_to(peer: enums::InputPeer) -> functions::messages::SendMessage {
    functions::messages::SendMessage {
        no_webpage: false,
        silent: true,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer,
        reply_to: None,
        message: "Hello".to_owned(),
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

/// `messages.forwardMessages`.
pub(super) fn forward_to(to_peer: enums::InputPeer) -> Vec<u8> {
    functions::messages::ForwardMessages {
        silent: false,
        background: false,
        with_my_score: false,
        drop_author: false,
        drop_media_captions: false,
        noforwards: false,
        allow_paid_floodskip: false,
        from_peer: channel(77),
        id: vec![1, 2, 3],
        random_id: vec![4, 5, 6],
        to_peer,
        top_msg_id: None,
        reply_to: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        video_timestamp: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
    .to_bytes()
}

/// `auth.sendCode`.
pub(super) fn send_code(phone: &str) -> Vec<u8> {
    functions::auth::SendCode {
        phone_number: phone.to_owned(),
        api_id: 1,
        api_hash: String::new(),
        settings: types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        }
        .into(),
    }
    .to_bytes()
}
