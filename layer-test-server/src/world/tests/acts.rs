//! What can happen in a random history, one arm for each thing.

use layer_tl_types::{enums, functions, types};

use super::simulation::{Run, Told};
use super::{Session, opinions};
use crate::rpc::RpcError;
use crate::world::blank;
use crate::world::channels::all_rights;
use crate::world::ids::PeerId;
use crate::world::message::{Media, Place};

impl Run {
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each thing that can happen"
    )]
    pub(super) fn act(&mut self, me: Session) -> Result<Told, RpcError> {
        let peer = self.some_peer(me);
        let input = self.stage.input(me, peer);
        let id = self.some_id(me, peer);
        let other = self.somebody();
        let user = self.stage.input_user(me, other);
        Ok(match self.rng.u8(..120) {
            0..40 => {
                let words = [
                    "hello",
                    "how are you",
                    "/start",
                    "/newbot",
                    "Some Bot",
                    "@anna look",
                    "/keyboard",
                    "#news",
                ];
                let mut request = self
                    .stage
                    .text(me, peer, words[self.rng.usize(..words.len())]);
                if self.rng.bool() {
                    request.message = format!("{} {}", request.message, self.rng.u32(..));
                }
                if self.rng.u8(..3) == 0 {
                    request.reply_to = Some(
                        types::InputReplyToMessage {
                            reply_to_msg_id: id,
                            top_msg_id: None,
                            reply_to_peer_id: None,
                            quote_text: None,
                            quote_entities: None,
                            quote_offset: None,
                            monoforum_peer_id: None,
                            todo_item_id: None,
                        }
                        .into(),
                    );
                }
                request.silent = self.rng.bool();
                let answer = self.stage.call(me, &request)?;
                Told::Sent(peer, request, answer)
            }
            40..48 => Told::Updates(self.stage.call(
                me,
                &functions::messages::EditMessage {
                    no_webpage: false,
                    invert_media: false,
                    peer: input,
                    id,
                    message: Some(format!("edited {}", self.rng.u32(..))),
                    media: None,
                    reply_markup: None,
                    entities: None,
                    schedule_date: None,
                    schedule_repeat_period: None,
                    quick_reply_shortcut_id: None,
                },
            )?),
            48..56 => match peer {
                PeerId::Channel(channel) => {
                    let ids = vec![id, self.some_id(me, peer)];
                    let request = functions::channels::DeleteMessages {
                        channel: self.stage.input_channel(me, channel),
                        id: ids.clone(),
                    };
                    let enums::messages::AffectedMessages::Messages(done) =
                        self.stage.call(me, &request)?;
                    Told::DeletedInChannel(channel, ids, done.pts, done.pts_count)
                }
                _ => {
                    let ids = vec![id, self.some_id(me, peer)];
                    let request = functions::messages::DeleteMessages {
                        revoke: self.rng.bool(),
                        id: ids.clone(),
                    };
                    let enums::messages::AffectedMessages::Messages(done) =
                        self.stage.call(me, &request)?;
                    Told::Deleted(ids, done.pts, done.pts_count)
                }
            },
            56..68 => match peer {
                PeerId::Channel(channel) => {
                    let channel = self.stage.input_channel(me, channel);
                    self.stage.call(
                        me,
                        &functions::channels::ReadHistory {
                            channel,
                            max_id: id,
                        },
                    )?;
                    Told::Nothing
                }
                _ => {
                    let request = functions::messages::ReadHistory {
                        peer: input,
                        max_id: id,
                    };
                    let enums::messages::AffectedMessages::Messages(done) =
                        self.stage.call(me, &request)?;
                    Told::Read(peer, done.pts, done.pts_count)
                }
            },
            68..71 => {
                let ids: Vec<i32> = self.stage.world.accounts[&me.user]
                    .messages
                    .keys()
                    .rev()
                    .take(5)
                    .copied()
                    .collect();
                let request = functions::messages::ReadMessageContents { id: ids.clone() };
                let enums::messages::AffectedMessages::Messages(done) =
                    self.stage.call(me, &request)?;
                Told::ContentsRead(ids, done.pts, done.pts_count)
            }
            71..73 if self.stage.world.chats.len() < 5 => {
                let request = functions::messages::CreateChat {
                    users: vec![user],
                    title: "Group".to_owned(),
                    ttl_period: None,
                };
                let enums::messages::InvitedUsers::Users(invited) =
                    self.stage.call(me, &request)?;
                Told::Updates(invited.updates)
            }
            73..76 if self.stage.world.channels.len() < 5 => {
                let broadcast = self.rng.bool();
                Told::Updates(self.stage.call(
                    me,
                    &functions::channels::CreateChannel {
                        broadcast,
                        megagroup: !broadcast,
                        for_import: false,
                        forum: false,
                        title: "Channel".to_owned(),
                        about: String::new(),
                        geo_point: None,
                        address: None,
                        ttl_period: None,
                    },
                )?)
            }
            76..83 => match peer {
                PeerId::Chat(chat_id) => {
                    let request = functions::messages::AddChatUser {
                        chat_id,
                        user_id: user,
                        fwd_limit: 0,
                    };
                    let enums::messages::InvitedUsers::Users(invited) =
                        self.stage.call(me, &request)?;
                    Told::Updates(invited.updates)
                }
                PeerId::Channel(channel) => {
                    let channel = self.stage.input_channel(me, channel);
                    let request = functions::channels::InviteToChannel {
                        channel,
                        users: vec![user],
                    };
                    let enums::messages::InvitedUsers::Users(invited) =
                        self.stage.call(me, &request)?;
                    Told::Updates(invited.updates)
                }
                PeerId::User(_) => Told::Nothing,
            },
            83..86 => match peer {
                PeerId::Chat(chat_id) => Told::Updates(self.stage.call(
                    me,
                    &functions::messages::DeleteChatUser {
                        revoke_history: false,
                        chat_id,
                        user_id: user,
                    },
                )?),
                PeerId::Channel(channel) if self.rng.bool() => {
                    let channel = self.stage.input_channel(me, channel);
                    Told::Updates(
                        self.stage
                            .call(me, &functions::channels::LeaveChannel { channel })?,
                    )
                }
                PeerId::Channel(channel) => {
                    let channel = self.stage.input_channel(me, channel);
                    let mut rights = blank::no_banned_rights(0);
                    rights.view_messages = self.rng.bool();
                    let participant = self.stage.input(me, PeerId::User(other));
                    let banned_rights = rights.into();
                    Told::Updates(self.stage.call(
                        me,
                        &functions::channels::EditBanned {
                            channel,
                            participant,
                            banned_rights,
                        },
                    )?)
                }
                PeerId::User(_) => Told::Nothing,
            },
            86..89 => match peer {
                PeerId::Chat(chat_id) => {
                    let title = format!("Title {}", self.rng.u8(..));
                    Told::Updates(
                        self.stage
                            .call(me, &functions::messages::EditChatTitle { chat_id, title })?,
                    )
                }
                PeerId::Channel(channel) => {
                    let title = format!("Title {}", self.rng.u8(..));
                    let channel = self.stage.input_channel(me, channel);
                    Told::Updates(
                        self.stage
                            .call(me, &functions::channels::EditTitle { channel, title })?,
                    )
                }
                PeerId::User(_) => Told::Nothing,
            },
            89..93 => {
                let from = self.some_peer(me);
                let forwarded = self.some_id(me, from);
                let random_id = vec![self.stage.random(), self.stage.random()];
                Told::Updates(self.stage.call(
                    me,
                    &functions::messages::ForwardMessages {
                        silent: false,
                        background: false,
                        with_my_score: false,
                        drop_author: self.rng.bool(),
                        drop_media_captions: false,
                        noforwards: false,
                        allow_paid_floodskip: false,
                        from_peer: self.stage.input(me, from),
                        id: vec![forwarded, forwarded],
                        random_id,
                        to_peer: input,
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
                    },
                )?)
            }
            93..95 => Told::Updates(self.stage.call(
                me,
                &functions::messages::UpdatePinnedMessage {
                    silent: self.rng.bool(),
                    unpin: self.rng.bool(),
                    pm_oneside: self.rng.bool(),
                    peer: input,
                    id,
                },
            )?),
            95..97 => {
                let first = format!("Name{}", self.rng.u8(..));
                self.stage.world.origin = None;
                self.stage
                    .world
                    .set_profile(me.user, Some(first), None, None);
                self.stage.sent = self.stage.world.take_outbox();
                Told::Nothing
            }
            97..98 => {
                let request = functions::messages::DeleteHistory {
                    just_clear: self.rng.bool(),
                    revoke: self.rng.bool(),
                    peer: input,
                    max_id: id,
                    min_date: None,
                    max_date: None,
                };
                let doomed: Vec<i32> = self.stage.world.accounts[&me.user]
                    .ids(peer)
                    .filter(|one| id == 0 || *one <= id)
                    .collect();
                let enums::messages::AffectedHistory::History(done) =
                    self.stage.call(me, &request)?;
                Told::Deleted(doomed, done.pts, done.pts_count)
            }
            98..100 => {
                let action = enums::SendMessageAction::SendMessageTypingAction;
                self.stage.call(
                    me,
                    &functions::messages::SetTyping {
                        peer: input,
                        top_msg_id: None,
                        action,
                    },
                )?;
                Told::Nothing
            }
            _ => return self.act_more(me, peer),
        })
    }

    /// The messages with polls that somebody has.
    fn polls(&self, me: Session) -> Vec<(PeerId, i32)> {
        let world = &self.stage.world;
        let polls = world
            .bodies
            .values()
            .filter(|body| matches!(body.media, Some(Media::Poll { .. })));
        polls
            .filter_map(|body| match body.place {
                Place::Channel { id, message } => Some((PeerId::Channel(id), message)),
                _ => {
                    let id = body.id_for(me.user)?;
                    Some((world.accounts[&me.user].messages[&id].peer, id))
                }
            })
            .collect()
    }

    fn act_more(&mut self, me: Session, peer: PeerId) -> Result<Told, RpcError> {
        let other = self.somebody();
        let user_id = self.stage.input_user(me, other);
        let input = self.stage.input(me, peer);
        let on = self.rng.bool();
        Ok(match (self.rng.u8(..12), peer) {
            (0 | 1, PeerId::Chat(chat_id)) => {
                let is_admin = on;
                self.stage.call(
                    me,
                    &functions::messages::EditChatAdmin {
                        chat_id,
                        user_id,
                        is_admin,
                    },
                )?;
                Told::Nothing
            }
            (0 | 1, PeerId::Channel(channel)) => {
                let rights = if on {
                    all_rights()
                } else {
                    blank::no_admin_rights()
                };
                Told::Updates(self.stage.call(
                    me,
                    &functions::channels::EditAdmin {
                        channel: self.stage.input_channel(me, channel),
                        user_id,
                        admin_rights: rights.into(),
                        rank: None,
                    },
                )?)
            }
            (2, PeerId::User(_)) if on => {
                let id = input;
                let my_stories_from = false;
                self.stage.call(
                    me,
                    &functions::contacts::Block {
                        my_stories_from,
                        id,
                    },
                )?;
                Told::Nothing
            }
            (2 | 3, PeerId::User(_)) => {
                let id = input;
                let my_stories_from = false;
                self.stage.call(
                    me,
                    &functions::contacts::Unblock {
                        my_stories_from,
                        id,
                    },
                )?;
                Told::Nothing
            }
            (4, PeerId::Chat(_) | PeerId::Channel(_)) => {
                let request = functions::messages::ExportChatInvite {
                    legacy_revoke_permanent: false,
                    request_needed: on,
                    peer: input,
                    expire_date: None,
                    usage_limit: None,
                    title: None,
                    subscription_pricing: None,
                };
                self.stage.call(me, &request)?;
                Told::Nothing
            }
            (5, _) => {
                let hashes: Vec<String> = self.stage.world.invites.keys().cloned().collect();
                if hashes.is_empty() {
                    return Ok(Told::Nothing);
                }
                let hash = hashes[self.rng.usize(..hashes.len())].clone();
                let request = functions::messages::ImportChatInvite { hash };
                Told::Updates(self.stage.call(me, &request)?)
            }
            (6, _) => {
                let asked: Vec<(PeerId, i64)> = self
                    .stage
                    .world
                    .join_requests
                    .iter()
                    .flat_map(|(peer, requests)| requests.keys().map(|id| (*peer, *id)))
                    .collect();
                if asked.is_empty() {
                    return Ok(Told::Nothing);
                }
                let (peer, asks) = asked[self.rng.usize(..asked.len())];
                let request = functions::messages::HideChatJoinRequest {
                    approved: on,
                    peer: self.stage.input(me, peer),
                    user_id: self.stage.input_user(me, asks),
                };
                Told::Updates(self.stage.call(me, &request)?)
            }
            (7 | 8, _) => {
                let all = ["👍", "🔥", "🎉"];
                let id = self.some_id(me, peer);
                let given = &all[..self.rng.usize(..2)];
                let request = opinions::react(&self.stage, me, peer, id, given);
                Told::Updates(self.stage.call(me, &request)?)
            }
            (9, _) => {
                let poll = opinions::poll(on, self.rng.bool());
                let request = opinions::ask(&mut self.stage, me, peer, poll, None);
                Told::Updates(self.stage.call(me, &request)?)
            }
            (10, _) => {
                let polls = self.polls(me);
                if polls.is_empty() {
                    return Ok(Told::Nothing);
                }
                let (peer, id) = polls[self.rng.usize(..polls.len())];
                let options = &["a", "b"][..self.rng.usize(..3)];
                let request = opinions::vote(&self.stage, me, peer, id, options);
                Told::Updates(self.stage.call(me, &request)?)
            }
            _ => {
                let peer: enums::InputDialogPeer = types::InputDialogPeer { peer: input }.into();
                self.stage.call(
                    me,
                    &functions::messages::ToggleDialogPin { pinned: on, peer },
                )?;
                Told::Nothing
            }
        })
    }
}
