//! The model by itself, without any network.

mod acts;
mod bots;
mod channels;
mod described;
mod dialogs;
mod expected;
mod files;
mod messages;
mod min;
mod opinions;
mod privacy;
mod replica;
mod secondary;
mod simulation;
mod watching;

use layer_tl_types::{Deserializable, RemoteCall, enums, functions, types};

use super::ids::PeerId;
use super::{Config, NewUser, World};
use crate::rpc::{self, Call, Out, Outcome, RpcError};

/// A session that makes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) user: i64,
    pub(super) key: i64,
    pub(super) id: i64,
}

/// A world and a clock.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) now: i32,
    pub(super) sent: Vec<Out>,
    next_random: i64,
}

impl Stage {
    pub(super) fn new(config: Config) -> Self {
        let mut world = World::new(config);
        world.set_now(1_700_000_000);
        Self {
            world,
            now: 1_700_000_000,
            sent: Vec::new(),
            next_random: 1,
        }
    }

    /// Makes a person with a session.
    pub(super) fn person(&mut self, name: &str) -> Session {
        let phone = format!("+1555{:07}", self.world.next_user_id % 10_000_000);
        let username = Some(name.to_lowercase()).filter(|name| name.len() >= 4);
        let user = self.world.create_user(NewUser {
            phone,
            first_name: name.to_owned(),
            username,
            ..NewUser::default()
        });
        Session {
            user,
            key: user * 10,
            id: 1,
        }
    }

    /// Makes a bot with a session.
    pub(super) fn bot(&mut self, owner: Session, username: &str) -> Session {
        let (user, _) = self.world.create_bot(owner.user, username, username);
        Session {
            user,
            key: user * 10,
            id: 1,
        }
    }

    /// A `random_id` that was not used before.
    pub(super) fn random(&mut self) -> i64 {
        self.next_random += 1;
        self.next_random
    }

    /// Makes a call as a client would, through its bytes. What it causes is in `sent` afterwards.
    pub(super) fn call<F: RemoteCall>(
        &mut self,
        from: Session,
        request: &F,
    ) -> Result<F::Return, RpcError> {
        let call = Call {
            auth_key_id: from.key,
            session_id: from.id,
            dc_id: 2,
            user_id: Some(from.user),
            layer: layer_tl_types::LAYER,
            now: self.now,
        };
        let outcome = rpc::dispatch(&mut self.world, &call, &request.to_bytes());
        self.sent = self.world.take_outbox();
        let bytes = match outcome? {
            Outcome::Ready(bytes) => bytes,
            Outcome::Deferred(ticket) => {
                let answer = self.sent.iter().find_map(|out| match out {
                    Out::Answer(answer) if answer.ticket == ticket => Some(answer.result.clone()),
                    _ => None,
                });
                answer.ok_or_else(|| RpcError::new(0, "DEFERRED"))??
            }
        };
        Ok(F::Return::from_bytes(&bytes)
            .unwrap_or_else(|error| panic!("the answer does not decode: {error:?}")))
    }

    /// The error that a call ends in.
    pub(super) fn refused<F: RemoteCall>(&mut self, from: Session, request: &F) -> String {
        match self.call(from, request) {
            Ok(_) => "no error".to_owned(),
            Err(error) => error.message,
        }
    }

    /// How `viewer` names a peer.
    pub(super) fn input(&self, viewer: Session, peer: PeerId) -> enums::InputPeer {
        let access_hash = self.world.access_hash(viewer.user, peer);
        match peer {
            PeerId::User(user_id) => types::InputPeerUser {
                user_id,
                access_hash,
            }
            .into(),
            PeerId::Chat(chat_id) => types::InputPeerChat { chat_id }.into(),
            PeerId::Channel(channel_id) => types::InputPeerChannel {
                channel_id,
                access_hash,
            }
            .into(),
        }
    }

    pub(super) fn input_user(&self, viewer: Session, user_id: i64) -> enums::InputUser {
        let access_hash = self.world.access_hash(viewer.user, PeerId::User(user_id));
        types::InputUser {
            user_id,
            access_hash,
        }
        .into()
    }

    pub(super) fn input_channel(&self, viewer: Session, channel_id: i64) -> enums::InputChannel {
        let access_hash = self
            .world
            .access_hash(viewer.user, PeerId::Channel(channel_id));
        types::InputChannel {
            channel_id,
            access_hash,
        }
        .into()
    }

    /// `messages.sendMessage` with everything but peer and text left out.
    pub(super) fn text(
        &mut self,
        from: Session,
        peer: PeerId,
        text: &str,
    ) -> functions::messages::SendMessage {
        let random_id = self.random();
        functions::messages::SendMessage {
            no_webpage: false,
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: self.input(from, peer),
            reply_to: None,
            message: text.to_owned(),
            random_id,
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

    /// Sends a text that must succeed and returns the sender's id of it.
    pub(super) fn say(&mut self, from: Session, peer: PeerId, text: &str) -> i32 {
        let request = self.text(from, peer, text);
        match self.call(from, &request).unwrap() {
            enums::Updates::UpdateShortSentMessage(sent) => sent.id,
            enums::Updates::Updates(updates) => updates
                .updates
                .iter()
                .find_map(|update| match update {
                    enums::Update::MessageId(id) => Some(id.id),
                    _ => None,
                })
                .unwrap(),
            other => panic!("an answer of an unexpected kind: {other:?}"),
        }
    }

    /// The updates that were pushed to an account by the last call.
    pub(super) fn pushed(&self, user: i64) -> Vec<enums::Updates> {
        self.sent
            .iter()
            .filter_map(|out| match out {
                Out::Push(push) if push.user_id == user => Some(push.updates.clone()),
                _ => None,
            })
            .collect()
    }

    /// The texts of a dialog, oldest first.
    pub(super) fn texts(&self, viewer: Session, peer: PeerId) -> Vec<String> {
        let ids: Vec<i32> = match peer {
            PeerId::Channel(id) => self.world.channels[&id].messages.keys().copied().collect(),
            _ => self.world.accounts[&viewer.user].ids(peer).collect(),
        };
        ids.into_iter()
            .map(|id| {
                self.world
                    .body_of(viewer.user, peer, id)
                    .unwrap()
                    .text
                    .clone()
            })
            .collect()
    }
}

/// A stage with two people who have not met.
pub(super) fn two() -> (Stage, Session, Session) {
    let mut stage = Stage::new(Config::default());
    let ann = stage.person("Anna");
    let bob = stage.person("Robert");
    (stage, ann, bob)
}
