//! Invite links, and those who ask to be let in by one (documentation page `api/invites`).

use std::collections::BTreeMap;

use layer_tl_types::{enums, types};

use super::World;
use super::blank;
use super::channels::Right;
use super::ids::PeerId;
use super::send::Draft;
use crate::rpc::RpcError;

/// An invite link.
#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) peer: PeerId,
    pub(crate) admin: i64,
    pub(crate) date: i32,
    /// The one link of the chat that stays until it is renewed.
    pub(crate) permanent: bool,
    /// Whoever comes by it has to be approved.
    pub(crate) request_needed: bool,
    pub(crate) title: Option<String>,
}

/// Somebody who asked to be let in.
#[derive(Clone, Debug)]
pub(crate) struct JoinRequest {
    pub(crate) date: i32,
    /// The hash of the link.
    pub(crate) invite: String,
}

/// How many links all chats together have beside their permanent ones; the oldest go first.
const EXTRA_LINKS_KEPT: usize = 10_000;
/// How many requests of one chat are kept; further ones are refused.
const REQUESTS_KEPT: usize = 10_000;
/// How many of those who asked last an update names.
const RECENT: usize = 10;

impl World {
    /// The permanent link of a group or channel, made when there is none or when `renew` says so.
    pub(crate) fn invite_link(&mut self, peer: PeerId, renew: bool) -> Option<String> {
        let (current, admin, date) = match peer {
            PeerId::Chat(id) => {
                let group = self.chats.get(&id)?;
                (group.invite.clone(), group.creator, group.date)
            }
            PeerId::Channel(id) => {
                let channel = self.channels.get(&id)?;
                (channel.invite.clone(), channel.creator, channel.date)
            }
            PeerId::User(_) => return None,
        };
        let hash = match current {
            Some(hash) if !renew => hash,
            old => {
                if let Some(old) = old {
                    self.invites.remove(&old);
                }
                self.new_link(Invite {
                    peer,
                    admin,
                    date,
                    permanent: true,
                    request_needed: false,
                    title: None,
                })
            }
        };
        match peer {
            PeerId::Chat(id) => self.chats.get_mut(&id)?.invite = Some(hash.clone()),
            PeerId::Channel(id) => self.channels.get_mut(&id)?.invite = Some(hash.clone()),
            PeerId::User(_) => {}
        }
        Some(hash)
    }

    /// A link beside the permanent one.
    pub(crate) fn extra_link(
        &mut self,
        peer: PeerId,
        admin: i64,
        request_needed: bool,
        title: Option<String>,
    ) -> String {
        let extra = |invite: &&Invite| !invite.permanent;
        if self.invites.values().filter(extra).count() >= EXTRA_LINKS_KEPT {
            let oldest = self.invites.iter().filter(|(_, invite)| extra(invite));
            let oldest = oldest.min_by_key(|(_, invite)| invite.date);
            if let Some(hash) = oldest.map(|(hash, _)| hash.clone()) {
                self.invites.remove(&hash);
            }
        }
        self.new_link(Invite {
            peer,
            admin,
            date: self.now,
            permanent: false,
            request_needed,
            title,
        })
    }

    fn new_link(&mut self, invite: Invite) -> String {
        let hash = self.dice.text(16).replace(['-', '_'], "x");
        self.invites.insert(hash.clone(), invite);
        hash
    }

    /// An invite link as TL.
    pub(crate) fn tl_invite(&self, hash: &str) -> enums::ExportedChatInvite {
        let invite = self.invites.get(hash);
        let (admin, date) = invite.map_or((0, 0), |invite| (invite.admin, invite.date));
        types::ChatInviteExported {
            permanent: invite.is_none_or(|invite| invite.permanent),
            request_needed: invite.is_some_and(|invite| invite.request_needed),
            title: invite.and_then(|invite| invite.title.clone()),
            ..blank::invite(format!("https://t.me/+{hash}"), admin, date)
        }
        .into()
    }

    /// Whether the user may let others in.
    pub(crate) fn may_invite(&self, user_id: i64, peer: PeerId) -> bool {
        match peer {
            PeerId::Chat(id) => self.chats.get(&id).is_some_and(|group| {
                let admin = group.members.get(&user_id).is_some_and(|m| m.admin);
                group.creator == user_id || admin
            }),
            PeerId::Channel(id) => self
                .channels
                .get(&id)
                .is_some_and(|channel| channel.has_right(user_id, Right::Invite)),
            PeerId::User(_) => false,
        }
    }

    fn is_in(&self, user_id: i64, peer: PeerId) -> bool {
        match peer {
            PeerId::Chat(id) => self
                .chats
                .get(&id)
                .is_some_and(|group| group.members.contains_key(&user_id)),
            PeerId::Channel(id) => self
                .channels
                .get(&id)
                .is_some_and(|channel| channel.members.contains_key(&user_id)),
            PeerId::User(_) => false,
        }
    }

    // -- those who ask ------------------------------------------------------------------------------------

    /// Asks to be let in. Administrators who may let people in are told: bots by `updateBotChatInviteRequester`, people
    /// by `updatePendingJoinRequests`.
    pub(crate) fn ask_to_join(&mut self, user_id: i64, hash: &str) -> Result<(), RpcError> {
        let invite = self.invites.get(hash);
        let peer = invite
            .map(|invite| invite.peer)
            .ok_or_else(|| RpcError::bad("INVITE_HASH_EXPIRED"))?;
        if self.is_in(user_id, peer) {
            return Err(RpcError::bad("USER_ALREADY_PARTICIPANT"));
        }
        if let PeerId::Channel(id) = peer
            && let Some(channel) = self.channels.get(&id)
            && channel.is_banned(user_id, self.now)
        {
            return Err(RpcError::bad("CHANNEL_PRIVATE"));
        }
        let date = self.now;
        let requests = self.join_requests.entry(peer).or_default();
        if requests.contains_key(&user_id) || requests.len() >= REQUESTS_KEPT {
            return Ok(());
        }
        let request = JoinRequest {
            date,
            invite: hash.to_owned(),
        };
        requests.insert(user_id, request);
        self.tell_of_requests(peer);
        let about = self
            .users
            .get(&user_id)
            .map_or_else(String::new, |user| user.about.clone());
        let invite = self.tl_invite(hash);
        for bot in self.admin_bots(peer) {
            if !self.may_invite(bot, peer) {
                continue;
            }
            let update = types::UpdateBotChatInviteRequester {
                peer: peer.to_tl(),
                date,
                user_id,
                about: about.clone(),
                invite: invite.clone(),
                qts: 0,
            };
            self.emit_qts(bot, update.into(), &[peer, PeerId::User(user_id)]);
        }
        Ok(())
    }

    /// `updatePendingJoinRequests` as of now, and the peers that it names.
    pub(crate) fn pending(&self, peer: PeerId) -> (enums::Update, Vec<PeerId>) {
        let none = BTreeMap::new();
        let requests = self.join_requests.get(&peer).unwrap_or(&none);
        let mut latest: Vec<(i32, i64)> = requests.iter().map(|(id, r)| (r.date, *id)).collect();
        latest.sort_unstable_by(|a, b| b.cmp(a));
        let recent: Vec<i64> = latest.iter().take(RECENT).map(|(_, id)| *id).collect();
        let mut names = vec![peer];
        names.extend(recent.iter().map(|id| PeerId::User(*id)));
        let update = types::UpdatePendingJoinRequests {
            peer: peer.to_tl(),
            requests_pending: i32::try_from(requests.len()).unwrap_or(i32::MAX),
            recent_requesters: recent,
        };
        (update.into(), names)
    }

    /// Whoever is in asks no more.
    pub(super) fn forget_request(&mut self, peer: PeerId, user_id: i64) {
        let requests = self.join_requests.get_mut(&peer);
        if requests.is_some_and(|requests| requests.remove(&user_id).is_some()) {
            self.tell_of_requests(peer);
        }
    }

    fn tell_of_requests(&mut self, peer: PeerId) {
        let members = match peer {
            PeerId::Channel(id) => self.channel_members(id),
            other => self.group_members(other.bare()),
        };
        let (update, names) = self.pending(peer);
        for member in members {
            if !self.is_bot(member) && self.may_invite(member, peer) {
                self.note(member, vec![update.clone()], &names);
            }
        }
    }

    /// `messages.hideChatJoinRequest`: lets somebody in who asked, or does not.
    pub(crate) fn answer_request(
        &mut self,
        actor: i64,
        peer: PeerId,
        user_id: i64,
        approved: bool,
    ) -> Result<(), RpcError> {
        if !self.may_invite(actor, peer) {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        let requests = self.join_requests.get_mut(&peer);
        let request = requests.and_then(|requests| requests.remove(&user_id));
        let request = request.ok_or_else(|| RpcError::bad("HIDE_REQUESTER_MISSING"))?;
        self.tell_of_requests(peer);
        if !approved {
            return Ok(());
        }
        let action = enums::MessageAction::ChatJoinedByRequest;
        // The message is the newcomer's: the session that let them in hears of it like everybody.
        let origin = self.origin.take();
        let by = Some(request.invite.as_str());
        let entered = match peer {
            PeerId::Channel(id) => {
                self.enter_channel(id, user_id, actor, actor, by)
                    .and_then(|new| {
                        if new && !self.is_broadcast(peer) {
                            let draft = Draft {
                                action: Some(action),
                                ..Draft::default()
                            };
                            self.send_channel(user_id, id, draft)?;
                        }
                        Ok(())
                    })
            }
            other => self
                .enter_group((user_id, actor), other.bare(), user_id, actor, action, by)
                .map(drop),
        };
        self.origin = origin;
        entered
    }

    /// Those who ask to be let in, the newest first.
    pub(crate) fn requests(&self, peer: PeerId) -> Vec<(i64, JoinRequest)> {
        let requests = self.join_requests.get(&peer).into_iter().flatten();
        let mut list: Vec<(i64, JoinRequest)> = requests
            .map(|(id, request)| (*id, request.clone()))
            .collect();
        list.sort_by_key(|(id, request)| std::cmp::Reverse((request.date, *id)));
        list
    }
}
