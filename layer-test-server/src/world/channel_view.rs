//! How a channel, and somebody's standing in it, look to a viewer.

use layer_tl_types::{enums, types};

use super::World;
use super::blank;
use super::channels::all_rights;
use super::ids::PeerId;

impl World {
    /// A channel as `viewer` sees it.
    pub(crate) fn tl_channel(&self, viewer: i64, id: i64) -> Option<enums::Chat> {
        let channel = self.channels.get(&id)?;
        let access_hash = self.access_hash(viewer, PeerId::Channel(id));
        if !channel.is_open_to(viewer, self.now) && channel.is_banned(viewer, self.now) {
            return Some(
                types::ChannelForbidden {
                    broadcast: channel.broadcast,
                    megagroup: !channel.broadcast,
                    monoforum: false,
                    id,
                    access_hash,
                    title: channel.title.clone(),
                    until_date: None,
                }
                .into(),
            );
        }
        let member = channel.members.get(&viewer);
        let admin_rights = if channel.creator == viewer && member.is_some() {
            Some(all_rights().into())
        } else {
            member
                .and_then(|member| member.admin.as_ref())
                .map(|admin| admin.rights.clone().into())
        };
        Some(
            types::Channel {
                creator: channel.creator == viewer,
                left: member.is_none(),
                broadcast: channel.broadcast,
                megagroup: !channel.broadcast,
                access_hash: Some(access_hash),
                username: channel.username.clone(),
                admin_rights,
                banned_rights: member
                    .and_then(|member| member.restricted.as_ref())
                    .map(|rights| rights.clone().into()),
                default_banned_rights: (!channel.broadcast)
                    .then(|| blank::no_banned_rights(i32::MAX).into()),
                participants_count: Some(i32::try_from(channel.members.len()).unwrap_or(i32::MAX)),
                ..blank::channel(
                    id,
                    channel.title.clone(),
                    self.tl_chat_photo(channel.photo),
                    member.map_or(channel.date, |member| member.date),
                )
            }
            .into(),
        )
    }

    /// Somebody's standing in a channel, as `viewer` sees it.
    pub(crate) fn tl_channel_member(
        &self,
        viewer: i64,
        id: i64,
        user_id: i64,
    ) -> Option<enums::ChannelParticipant> {
        let channel = self.channels.get(&id)?;
        if let Some(ban) = channel.banned.get(&user_id) {
            return Some(
                types::ChannelParticipantBanned {
                    left: true,
                    peer: PeerId::User(user_id).to_tl(),
                    kicked_by: ban.by,
                    date: ban.date,
                    banned_rights: ban.rights.clone().into(),
                    rank: None,
                }
                .into(),
            );
        }
        let member = channel.members.get(&user_id)?;
        if channel.creator == user_id {
            return Some(
                types::ChannelParticipantCreator {
                    user_id,
                    admin_rights: all_rights().into(),
                    rank: None,
                }
                .into(),
            );
        }
        if let Some(admin) = &member.admin {
            return Some(
                types::ChannelParticipantAdmin {
                    can_edit: viewer == channel.creator || viewer == admin.promoted_by,
                    is_self: viewer == user_id,
                    user_id,
                    inviter_id: (viewer == user_id).then_some(member.inviter),
                    promoted_by: admin.promoted_by,
                    date: member.date,
                    admin_rights: admin.rights.clone().into(),
                    rank: admin.rank.clone(),
                }
                .into(),
            );
        }
        if let Some(rights) = &member.restricted {
            return Some(
                types::ChannelParticipantBanned {
                    left: false,
                    peer: PeerId::User(user_id).to_tl(),
                    kicked_by: channel.creator,
                    date: member.date,
                    banned_rights: rights.clone().into(),
                    rank: None,
                }
                .into(),
            );
        }
        Some(if viewer == user_id {
            types::ChannelParticipantSelf {
                via_request: false,
                user_id,
                inviter_id: member.inviter,
                date: member.date,
                subscription_until_date: None,
                rank: None,
            }
            .into()
        } else {
            types::ChannelParticipant {
                user_id,
                date: member.date,
                subscription_until_date: None,
                rank: None,
            }
            .into()
        })
    }
}
