//! More of what can happen in a random history: administrators, bans, blocking, links, requests, pins of dialogs.

use layer_tl_types::{enums, functions, types};

use super::simulation::{Run, Told};
use super::{Session, opinions};
use crate::rpc::RpcError;
use crate::world::blank;
use crate::world::channels::all_rights;
use crate::world::ids::PeerId;
use crate::world::message::{Media, Place};

impl Run {
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

    pub(super) fn act_more(&mut self, me: Session, peer: PeerId) -> Result<Told, RpcError> {
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
