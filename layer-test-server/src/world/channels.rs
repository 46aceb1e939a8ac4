//! Channels and supergroups: one message list and one `pts` for all members.

use std::collections::{BTreeMap, VecDeque};

use layer_tl_types::{enums, types};

use super::World;
use super::blank;
use super::chats::check_title;
use super::ids::PeerId;
use super::privacy::View;
use super::send::{Draft, Sent};
use crate::rpc::RpcError;

/// A channel or supergroup.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) photo: Option<i64>,
    pub(crate) about: String,
    pub(crate) username: Option<String>,
    /// Only administrators post, in the channel's name.
    pub(crate) broadcast: bool,
    pub(crate) creator: i64,
    pub(crate) date: i32,
    pub(crate) members: BTreeMap<i64, Member>,
    pub(crate) banned: BTreeMap<i64, Ban>,
    /// Message id to body.
    pub(crate) messages: BTreeMap<i32, u64>,
    pub(crate) next_id: i32,
    pub(crate) pts: i32,
    pub(crate) log: VecDeque<ChannelLogged>,
    /// Those who are no members and look at it, by asking for its difference now and then, and until when they are
    /// pushed what happens.
    pub(crate) watchers: BTreeMap<i64, i32>,
    /// The boxes that bots have of it.
    pub(crate) views: BTreeMap<i64, View>,
    /// The bot that spoke last.
    pub(crate) last_bot: Option<i64>,
    /// The hash of its invite link.
    pub(crate) invite: Option<String>,
}

/// A member of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) date: i32,
    pub(crate) inviter: i64,
    pub(crate) admin: Option<Admin>,
    /// What the member may not do.
    pub(crate) restricted: Option<types::ChatBannedRights>,
}

/// An administrator's rights.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) rights: types::ChatAdminRights,
    pub(crate) promoted_by: i64,
    pub(crate) rank: Option<String>,
}

/// Somebody who may not be in a channel.
#[derive(Clone, Debug)]
pub(crate) struct Ban {
    pub(crate) by: i64,
    pub(crate) date: i32,
    pub(crate) rights: types::ChatBannedRights,
}

/// What happened in a channel. Each kind is one update with `pts` and `pts_count`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChannelChange {
    New { id: i32 },
    Edit { id: i32 },
    Delete { ids: Vec<i32> },
    Pinned { ids: Vec<i32>, pinned: bool },
}

impl ChannelChange {
    /// By how much it moves `pts`.
    pub(crate) fn count(&self) -> i32 {
        match self {
            Self::Delete { ids } | Self::Pinned { ids, .. } => {
                i32::try_from(ids.len()).unwrap_or(i32::MAX)
            }
            _ => 1,
        }
    }
}

/// A change with the state after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelLogged {
    pub(crate) pts: i32,
    pub(crate) pts_count: i32,
    pub(crate) change: ChannelChange,
}

/// What an administrator can be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Post,
    Edit,
    Delete,
    Ban,
    Invite,
    Pin,
    Info,
    Promote,
}

/// All that an administrator can be allowed to do, but for anonymity.
pub(crate) fn all_rights() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        post_messages: true,
        edit_messages: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: true,
        manage_call: true,
        other: true,
        ..blank::no_admin_rights()
    }
}

impl Channel {
    /// Appends to the log and returns what was appended.
    pub(crate) fn append(&mut self, change: ChannelChange, limit: usize) -> ChannelLogged {
        let pts_count = change.count();
        self.pts = self.pts.saturating_add(pts_count);
        let logged = ChannelLogged {
            pts: self.pts,
            pts_count,
            change,
        };
        self.log.push_back(logged.clone());
        while self.log.len() > limit {
            self.log.pop_front();
        }
        logged
    }

    /// The newest message, or 0.
    pub(crate) fn top(&self) -> i32 {
        self.messages.keys().next_back().copied().unwrap_or(0)
    }

    /// Whether the user may do this as an administrator.
    pub(crate) fn has_right(&self, user_id: i64, right: Right) -> bool {
        if self.creator == user_id {
            return self.members.contains_key(&user_id);
        }
        let Some(admin) = self
            .members
            .get(&user_id)
            .and_then(|member| member.admin.as_ref())
        else {
            return false;
        };
        let rights = &admin.rights;
        match right {
            Right::Post => rights.post_messages,
            Right::Edit => rights.edit_messages,
            Right::Delete => rights.delete_messages,
            Right::Ban => rights.ban_users,
            Right::Invite => rights.invite_users,
            Right::Pin => rights.pin_messages,
            Right::Info => rights.change_info,
            Right::Promote => rights.add_admins,
        }
    }

    /// Whether the user may not even read.
    pub(crate) fn is_banned(&self, user_id: i64, now: i32) -> bool {
        self.banned
            .get(&user_id)
            .is_some_and(|ban| ban.rights.until_date == 0 || ban.rights.until_date > now)
    }

    /// Whether a member is kept from writing.
    pub(crate) fn is_restricted(&self, user_id: i64, media: bool, now: i32) -> bool {
        self.members
            .get(&user_id)
            .and_then(|member| member.restricted.as_ref())
            .is_some_and(|rights| {
                let holds = rights.until_date == 0 || rights.until_date > now;
                holds
                    && (rights.send_messages
                        || (media && rights.send_media)
                        || (!media && rights.send_plain))
            })
    }

    /// Whether the user may read it.
    pub(crate) fn is_open_to(&self, user_id: i64, now: i32) -> bool {
        !self.is_banned(user_id, now)
            && (self.members.contains_key(&user_id) || self.username.is_some())
    }
}

impl World {
    /// Whether the peer is a broadcast channel.
    pub(crate) fn is_broadcast(&self, peer: PeerId) -> bool {
        matches!(peer, PeerId::Channel(id) if self.channels.get(&id).is_some_and(|channel| channel.broadcast))
    }

    /// The channel, if `viewer` may read it.
    pub(crate) fn channel_of(&self, viewer: i64, id: i64) -> Result<&Channel, RpcError> {
        let channel = self
            .channels
            .get(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.is_open_to(viewer, self.now) {
            Ok(channel)
        } else {
            Err(RpcError::bad("CHANNEL_PRIVATE"))
        }
    }

    pub(super) fn require(&self, user_id: i64, id: i64, right: Right) -> Result<(), RpcError> {
        let channel = self.channel_of(user_id, id)?;
        if channel.has_right(user_id, right) {
            Ok(())
        } else {
            Err(RpcError::bad("CHAT_ADMIN_REQUIRED"))
        }
    }

    /// Makes a channel (`broadcast`) or a supergroup.
    pub(crate) fn create_channel(
        &mut self,
        creator: i64,
        title: &str,
        about: &str,
        broadcast: bool,
    ) -> Result<Sent, RpcError> {
        let title = check_title(title)?;
        if about.chars().count() > 255 {
            return Err(RpcError::bad("CHAT_ABOUT_TOO_LONG"));
        }
        let id = self.next_channel_id;
        self.next_channel_id += 1;
        let mut members = BTreeMap::new();
        members.insert(
            creator,
            Member {
                date: self.now,
                inviter: creator,
                admin: None,
                restricted: None,
            },
        );
        self.channels.insert(
            id,
            Channel {
                id,
                title: title.clone(),
                photo: None,
                about: about.to_owned(),
                username: None,
                broadcast,
                creator,
                date: self.now,
                members,
                banned: BTreeMap::new(),
                messages: BTreeMap::new(),
                next_id: 1,
                pts: 1,
                log: VecDeque::new(),
                watchers: BTreeMap::new(),
                views: BTreeMap::new(),
                last_bot: None,
                invite: None,
            },
        );
        self.note(
            creator,
            vec![types::UpdateChannel { channel_id: id }.into()],
            &[PeerId::Channel(id)],
        );
        self.channel_service(
            creator,
            id,
            types::MessageActionChannelCreate { title }.into(),
        )
    }

    pub(super) fn channel_service(
        &mut self,
        actor: i64,
        id: i64,
        action: enums::MessageAction,
    ) -> Result<Sent, RpcError> {
        self.send_channel(
            actor,
            id,
            Draft {
                action: Some(action),
                ..Draft::default()
            },
        )
    }

    /// Puts somebody into a channel and tells them. `inviter` is themselves when they join; `actor` is who did it, and
    /// `invite` the hash of the link by which they came.
    pub(super) fn enter_channel(
        &mut self,
        id: i64,
        user_id: i64,
        inviter: i64,
        actor: i64,
        invite: Option<&str>,
    ) -> Result<bool, RpcError> {
        let now = self.now;
        let before = self.standing(PeerId::Channel(id), user_id);
        let bot = self.is_bot(user_id);
        let channel = self
            .channels
            .get_mut(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.members.contains_key(&user_id) {
            return Ok(false);
        }
        channel.banned.remove(&user_id);
        channel.members.insert(
            user_id,
            Member {
                date: now,
                inviter,
                admin: None,
                restricted: None,
            },
        );
        if bot && !channel.broadcast {
            channel.open_view(user_id);
        }
        let top = channel.top();
        if let Some(account) = self.accounts.get_mut(&user_id) {
            let dialog = account.dialog(PeerId::Channel(id));
            dialog.hidden = false;
            dialog.read_inbox = dialog.read_inbox.max(top);
            dialog.touched = now;
        }
        self.note(
            user_id,
            vec![types::UpdateChannel { channel_id: id }.into()],
            &[PeerId::Channel(id)],
        );
        self.forget_request(PeerId::Channel(id), user_id);
        self.standing_changed(PeerId::Channel(id), actor, user_id, before, invite);
        Ok(true)
    }

    /// `channels.joinChannel`: returns the service message of a supergroup.
    pub(crate) fn join_channel(
        &mut self,
        user_id: i64,
        id: i64,
        invite: Option<&str>,
    ) -> Result<Option<Sent>, RpcError> {
        let channel = self
            .channels
            .get(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.is_banned(user_id, self.now) {
            return Err(RpcError::bad("CHANNEL_PRIVATE"));
        }
        let broadcast = channel.broadcast;
        if !self.enter_channel(id, user_id, user_id, user_id, invite)? {
            return Err(RpcError::bad("USER_ALREADY_PARTICIPANT"));
        }
        if broadcast {
            return Ok(None);
        }
        let action = types::MessageActionChatAddUser {
            users: vec![user_id],
        }
        .into();
        self.channel_service(user_id, id, action).map(Some)
    }

    /// `channels.inviteToChannel`: returns the service message of a supergroup.
    pub(crate) fn invite_to_channel(
        &mut self,
        actor: i64,
        id: i64,
        users: &[i64],
    ) -> Result<Option<Sent>, RpcError> {
        let channel = self.channel_of(actor, id)?;
        if !channel.members.contains_key(&actor) {
            return Err(RpcError::forbidden("CHAT_WRITE_FORBIDDEN"));
        }
        if channel.broadcast && !channel.has_right(actor, Right::Invite) {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        let broadcast = channel.broadcast;
        for user in users {
            self.user(*user)?;
            if broadcast && self.is_bot(*user) {
                return Err(RpcError::bad("USER_BOT"));
            }
        }
        let mut added = Vec::new();
        for user in users {
            if self.enter_channel(id, *user, actor, actor, None)? {
                added.push(*user);
            }
        }
        if broadcast || added.is_empty() {
            return Ok(None);
        }
        let action = types::MessageActionChatAddUser { users: added }.into();
        self.channel_service(actor, id, action).map(Some)
    }

    /// `channels.leaveChannel`.
    pub(crate) fn leave_channel(&mut self, user_id: i64, id: i64) -> Result<(), RpcError> {
        let channel = self
            .channels
            .get(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if !channel.members.contains_key(&user_id) {
            return Err(RpcError::bad("USER_NOT_PARTICIPANT"));
        }
        let before = self.standing(PeerId::Channel(id), user_id);
        self.drop_member(id, user_id, user_id)?;
        self.standing_changed(PeerId::Channel(id), user_id, user_id, before, None);
        Ok(())
    }

    /// Takes a member out, with a service message in a supergroup.
    pub(super) fn drop_member(
        &mut self,
        id: i64,
        user_id: i64,
        actor: i64,
    ) -> Result<Option<Sent>, RpcError> {
        let channel = self
            .channels
            .get_mut(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        channel.members.remove(&user_id);
        let broadcast = channel.broadcast;
        if let Some(account) = self.accounts.get_mut(&user_id) {
            account.dialog(PeerId::Channel(id)).hidden = true;
            account.touched_channels.remove(&id);
            account.pinned.retain(|peer| *peer != PeerId::Channel(id));
        }
        self.note(
            user_id,
            vec![types::UpdateChannel { channel_id: id }.into()],
            &[PeerId::Channel(id)],
        );
        if !broadcast {
            let action = types::MessageActionChatDeleteUser { user_id }.into();
            // Whoever left by themselves learns it from the change of the channel.
            return self.channel_service(actor, id, action).map(Some);
        }
        Ok(None)
    }

    /// `channels.editTitle`.
    pub(crate) fn rename_channel(
        &mut self,
        actor: i64,
        id: i64,
        title: &str,
    ) -> Result<Sent, RpcError> {
        self.require(actor, id, Right::Info)?;
        let title = check_title(title)?;
        let channel = self
            .channels
            .get_mut(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.title == title {
            return Err(RpcError::bad("CHAT_NOT_MODIFIED"));
        }
        channel.title.clone_from(&title);
        self.channel_service(
            actor,
            id,
            types::MessageActionChatEditTitle { title }.into(),
        )
    }

    /// `channels.updateUsername`: an empty name makes the channel private.
    pub(crate) fn set_channel_username(
        &mut self,
        actor: i64,
        id: i64,
        username: &str,
    ) -> Result<(), RpcError> {
        let channel = self.channel_of(actor, id)?;
        if channel.creator != actor {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        if channel.username.as_deref().unwrap_or_default() == username {
            return Err(RpcError::bad("USERNAME_NOT_MODIFIED"));
        }
        let old = channel.username.clone();
        if !username.is_empty() {
            self.check_username(PeerId::Channel(id), username)?;
        }
        if let Some(old) = old {
            self.usernames.remove(&old.to_lowercase());
        }
        let name = (!username.is_empty()).then(|| username.to_owned());
        if let Some(name) = &name {
            self.usernames
                .insert(name.to_lowercase(), PeerId::Channel(id));
        }
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.username = name;
        }
        for member in self.channel_members(id) {
            self.note(
                member,
                vec![types::UpdateChannel { channel_id: id }.into()],
                &[PeerId::Channel(id)],
            );
        }
        Ok(())
    }

    /// Who is in a channel.
    pub(crate) fn channel_members(&self, id: i64) -> Vec<i64> {
        self.channels
            .get(&id)
            .map(|channel| channel.members.keys().copied().collect())
            .unwrap_or_default()
    }
}

impl World {
    /// `channels.deleteChannel`: everybody is put out, and the messages are gone.
    pub(crate) fn delete_channel(&mut self, id: i64) {
        let members = self.channel_members(id);
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let bodies: Vec<u64> = std::mem::take(&mut channel.messages)
            .into_values()
            .collect();
        channel.members.clear();
        let username = channel.username.take();
        for body in bodies {
            self.bodies.remove(&body);
        }
        if let Some(name) = username {
            self.usernames.remove(&name.to_lowercase());
        }
        let peer = PeerId::Channel(id);
        self.invites.retain(|_, invite| invite.peer != peer);
        self.join_requests.remove(&peer);
        for member in members {
            if let Some(account) = self.accounts.get_mut(&member) {
                account.dialogs.remove(&PeerId::Channel(id));
                account.touched_channels.remove(&id);
                account.pinned.retain(|peer| *peer != PeerId::Channel(id));
            }
            self.note(
                member,
                vec![types::UpdateChannel { channel_id: id }.into()],
                &[PeerId::Channel(id)],
            );
        }
    }
}
