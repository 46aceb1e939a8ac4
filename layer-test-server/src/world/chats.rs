//! Basic groups: their members, and the service messages that tell of changes.

use std::collections::{BTreeMap, BTreeSet};

use layer_tl_types::{enums, types};

use super::World;
use super::blank;
use super::ids::PeerId;
use super::participants::Standing;
use super::send::{Draft, Sent};
use crate::rpc::RpcError;

/// A basic group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) photo: Option<i64>,
    pub(crate) about: String,
    pub(crate) creator: i64,
    pub(crate) date: i32,
    /// Grows with each change of the members.
    pub(crate) version: i32,
    pub(crate) members: BTreeMap<i64, GroupMember>,
    /// Those who left by themselves and may come back.
    pub(crate) left: BTreeSet<i64>,
    pub(crate) deactivated: bool,
    /// The hash of its invite link.
    pub(crate) invite: Option<String>,
    /// The bot that spoke last.
    pub(crate) last_bot: Option<i64>,
}

/// A member of a basic group.
#[derive(Clone, Debug)]
pub(crate) struct GroupMember {
    pub(crate) inviter: i64,
    pub(crate) date: i32,
    pub(crate) admin: bool,
}

/// How many members a basic group may have.
const GROUP_LIMIT: usize = 200;
/// How long a title may be, in characters.
const TITLE_LIMIT: usize = 128;

/// Checks and trims the title of a group or channel.
pub(crate) fn check_title(title: &str) -> Result<String, RpcError> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > TITLE_LIMIT {
        return Err(RpcError::bad("CHAT_TITLE_EMPTY"));
    }
    Ok(title.to_owned())
}

impl World {
    /// The group, if `viewer` has something to do with it.
    pub(crate) fn group_of(&self, viewer: i64, id: i64) -> Result<&Group, RpcError> {
        let known = self
            .accounts
            .get(&viewer)
            .is_some_and(|account| account.dialogs.contains_key(&PeerId::Chat(id)));
        self.chats
            .get(&id)
            .filter(|group| known || group.members.contains_key(&viewer))
            .ok_or_else(|| RpcError::bad("CHAT_ID_INVALID"))
    }

    pub(super) fn may_write_group(&self, from: i64, id: i64) -> Result<(), RpcError> {
        let group = self
            .chats
            .get(&id)
            .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
        if group.deactivated || !group.members.contains_key(&from) {
            return Err(RpcError::forbidden("CHAT_WRITE_FORBIDDEN"));
        }
        Ok(())
    }

    /// Makes a group of `creator` and `users`, and tells all of them.
    pub(crate) fn create_group(
        &mut self,
        creator: i64,
        title: &str,
        users: &[i64],
    ) -> Result<Sent, RpcError> {
        let title = check_title(title)?;
        if users.len() >= GROUP_LIMIT {
            return Err(RpcError::bad("USERS_TOO_MUCH"));
        }
        let id = self.next_chat_id;
        self.next_chat_id += 1;
        let date = self.now;
        let mut members = BTreeMap::new();
        members.insert(
            creator,
            GroupMember {
                inviter: creator,
                date,
                admin: true,
            },
        );
        for user in users {
            self.user(*user)?;
            members.entry(*user).or_insert(GroupMember {
                inviter: creator,
                date,
                admin: false,
            });
        }
        let listed: Vec<i64> = members.keys().copied().collect();
        self.chats.insert(
            id,
            Group {
                id,
                title: title.clone(),
                photo: None,
                about: String::new(),
                creator,
                date,
                version: 1,
                members,
                left: BTreeSet::new(),
                deactivated: false,
                invite: None,
                last_bot: None,
            },
        );
        let action = types::MessageActionChatCreate {
            title,
            users: listed.clone(),
        }
        .into();
        let sent = self.group_service(creator, id, action, &[])?;
        for member in listed {
            self.standing_changed(
                PeerId::Chat(id),
                creator,
                member,
                Standing::Group(None),
                None,
            );
        }
        Ok(sent)
    }

    /// Sends a service message with the list of members beside it.
    pub(super) fn group_service(
        &mut self,
        actor: i64,
        chat: i64,
        action: enums::MessageAction,
        also: &[i64],
    ) -> Result<Sent, RpcError> {
        let names = self.group_names(chat);
        let extra = vec![
            types::UpdateChatParticipants {
                participants: self.tl_participants(chat),
            }
            .into(),
        ];
        let draft = Draft {
            action: Some(action),
            ..Draft::default()
        };
        self.send_group(actor, chat, draft, also, extra, &names)
    }

    /// The group and all its members.
    pub(crate) fn group_names(&self, chat: i64) -> Vec<PeerId> {
        let members = self
            .chats
            .get(&chat)
            .into_iter()
            .flat_map(|group| group.members.keys());
        std::iter::once(PeerId::Chat(chat))
            .chain(members.map(|id| PeerId::User(*id)))
            .collect()
    }

    /// Adds a user to a group.
    pub(crate) fn add_to_group(
        &mut self,
        actor: i64,
        chat: i64,
        user_id: i64,
    ) -> Result<Sent, RpcError> {
        self.may_write_group(actor, chat)?;
        self.user(user_id)?;
        let action = types::MessageActionChatAddUser {
            users: vec![user_id],
        }
        .into();
        self.enter_group((actor, actor), chat, user_id, actor, action, None)
    }

    /// Enters a group by its link.
    pub(crate) fn join_group(
        &mut self,
        user_id: i64,
        chat: i64,
        invite: &str,
    ) -> Result<Sent, RpcError> {
        let inviter = self.chats.get(&chat).map_or(0, |group| group.creator);
        let action = types::MessageActionChatJoinedByLink {
            inviter_id: inviter,
        }
        .into();
        let by = (user_id, user_id);
        self.enter_group(by, chat, user_id, inviter, action, Some(invite))
    }

    /// Puts somebody into a group: `author` is whose service message says so, and `actor` who did it. `invite` is the
    /// hash of the link by which they came.
    pub(super) fn enter_group(
        &mut self,
        (author, actor): (i64, i64),
        chat: i64,
        user_id: i64,
        inviter: i64,
        action: enums::MessageAction,
        invite: Option<&str>,
    ) -> Result<Sent, RpcError> {
        let now = self.now;
        let before = self.standing(PeerId::Chat(chat), user_id);
        let group = self
            .chats
            .get_mut(&chat)
            .ok_or_else(|| RpcError::bad("CHAT_ID_INVALID"))?;
        if group.members.contains_key(&user_id) {
            return Err(RpcError::bad("USER_ALREADY_PARTICIPANT"));
        }
        if group.members.len() >= GROUP_LIMIT {
            return Err(RpcError::bad("USERS_TOO_MUCH"));
        }
        group.left.remove(&user_id);
        group.members.insert(
            user_id,
            GroupMember {
                inviter,
                date: now,
                admin: false,
            },
        );
        group.version += 1;
        let sent = self.group_service(author, chat, action, &[])?;
        self.forget_request(PeerId::Chat(chat), user_id);
        self.standing_changed(PeerId::Chat(chat), actor, user_id, before, invite);
        Ok(sent)
    }

    /// Takes a user out of a group; also how one leaves.
    pub(crate) fn remove_from_group(
        &mut self,
        actor: i64,
        chat: i64,
        user_id: i64,
    ) -> Result<Sent, RpcError> {
        self.may_write_group(actor, chat)?;
        let before = self.standing(PeerId::Chat(chat), user_id);
        let group = self
            .chats
            .get_mut(&chat)
            .ok_or_else(|| RpcError::bad("CHAT_ID_INVALID"))?;
        let Some(member) = group.members.get(&user_id) else {
            return Err(RpcError::bad("USER_NOT_PARTICIPANT"));
        };
        let allowed = actor == user_id
            || actor == group.creator
            || member.inviter == actor
            || (group.members.get(&actor).is_some_and(|member| member.admin)
                && user_id != group.creator);
        if !allowed {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        group.members.remove(&user_id);
        group.version += 1;
        if actor == user_id {
            group.left.insert(user_id);
        }
        let action = types::MessageActionChatDeleteUser { user_id }.into();
        let sent = self.group_service(actor, chat, action, &[user_id])?;
        self.standing_changed(PeerId::Chat(chat), actor, user_id, before, None);
        Ok(sent)
    }

    /// Renames a group.
    pub(crate) fn rename_group(
        &mut self,
        actor: i64,
        chat: i64,
        title: &str,
    ) -> Result<Sent, RpcError> {
        self.may_write_group(actor, chat)?;
        let title = check_title(title)?;
        let group = self
            .chats
            .get_mut(&chat)
            .ok_or_else(|| RpcError::bad("CHAT_ID_INVALID"))?;
        if group.title == title {
            return Err(RpcError::bad("CHAT_NOT_MODIFIED"));
        }
        group.title.clone_from(&title);
        let draft = Draft {
            action: Some(types::MessageActionChatEditTitle { title }.into()),
            ..Draft::default()
        };
        self.send_group(actor, chat, draft, &[], Vec::new(), &[])
    }

    /// Makes a member an administrator, or no longer one.
    pub(crate) fn set_group_admin(
        &mut self,
        actor: i64,
        chat: i64,
        user_id: i64,
        admin: bool,
    ) -> Result<(), RpcError> {
        let before = self.standing(PeerId::Chat(chat), user_id);
        let group = self
            .chats
            .get_mut(&chat)
            .ok_or_else(|| RpcError::bad("CHAT_ID_INVALID"))?;
        if group.creator != actor {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        let member = group
            .members
            .get_mut(&user_id)
            .ok_or_else(|| RpcError::bad("USER_NOT_PARTICIPANT"))?;
        member.admin = admin;
        group.version += 1;
        let names = self.group_names(chat);
        let update: enums::Update = types::UpdateChatParticipants {
            participants: self.tl_participants(chat),
        }
        .into();
        for reader in self.group_members(chat) {
            self.note(reader, vec![update.clone()], &names);
        }
        self.standing_changed(PeerId::Chat(chat), actor, user_id, before, None);
        Ok(())
    }

    /// Who is in a group.
    pub(crate) fn group_members(&self, chat: i64) -> Vec<i64> {
        self.chats
            .get(&chat)
            .map(|group| group.members.keys().copied().collect())
            .unwrap_or_default()
    }

    /// A group as `viewer` sees it.
    pub(crate) fn tl_group(&self, viewer: i64, id: i64) -> Option<enums::Chat> {
        let group = self.chats.get(&id)?;
        let member = group.members.get(&viewer);
        if member.is_none() && !group.left.contains(&viewer) {
            return Some(
                types::ChatForbidden {
                    id,
                    title: group.title.clone(),
                }
                .into(),
            );
        }
        let count = i32::try_from(group.members.len()).unwrap_or(i32::MAX);
        Some(
            types::Chat {
                creator: group.creator == viewer,
                left: member.is_none(),
                deactivated: group.deactivated,
                admin_rights: member
                    .filter(|member| member.admin && group.creator != viewer)
                    .map(|_| super::channels::all_rights().into()),
                default_banned_rights: Some(blank::no_banned_rights(i32::MAX).into()),
                ..blank::chat(
                    id,
                    group.title.clone(),
                    self.tl_chat_photo(group.photo),
                    if member.is_some() { count } else { 0 },
                    group.date,
                    group.version,
                )
            }
            .into(),
        )
    }

    /// Somebody's standing in a group.
    pub(crate) fn tl_group_member(
        &self,
        chat_id: i64,
        user_id: i64,
    ) -> Option<enums::ChatParticipant> {
        let group = self.chats.get(&chat_id)?;
        let member = group.members.get(&user_id)?;
        Some(if user_id == group.creator {
            types::ChatParticipantCreator {
                user_id,
                rank: None,
            }
            .into()
        } else if member.admin {
            types::ChatParticipantAdmin {
                user_id,
                inviter_id: member.inviter,
                date: member.date,
                rank: None,
            }
            .into()
        } else {
            types::ChatParticipant {
                user_id,
                inviter_id: member.inviter,
                date: member.date,
                rank: None,
            }
            .into()
        })
    }

    /// Who is in a group, as TL.
    pub(crate) fn tl_participants(&self, chat_id: i64) -> enums::ChatParticipants {
        let Some(group) = self.chats.get(&chat_id) else {
            return types::ChatParticipantsForbidden {
                chat_id,
                self_participant: None,
            }
            .into();
        };
        let members = group.members.keys();
        let participants = members
            .filter_map(|user_id| self.tl_group_member(chat_id, *user_id))
            .collect();
        types::ChatParticipants {
            chat_id,
            participants,
            version: group.version,
        }
        .into()
    }
}
