//! Who may do what in a channel: administrators, bans and restrictions.

use layer_tl_types::types;

use super::World;
use super::blank;
use super::channels::{Admin, Ban, Right};
use super::ids::PeerId;
use super::send::Sent;
use crate::rpc::RpcError;

impl World {
    /// `channels.editBanned`: restricts, bans or pardons.
    pub(crate) fn set_banned(
        &mut self,
        actor: i64,
        id: i64,
        user_id: i64,
        rights: types::ChatBannedRights,
    ) -> Result<Option<Sent>, RpcError> {
        let before = self.standing(PeerId::Channel(id), user_id);
        let sent = self.change_ban(actor, id, user_id, rights)?;
        self.standing_changed(PeerId::Channel(id), actor, user_id, before, None);
        Ok(sent)
    }

    fn change_ban(
        &mut self,
        actor: i64,
        id: i64,
        user_id: i64,
        rights: types::ChatBannedRights,
    ) -> Result<Option<Sent>, RpcError> {
        self.require(actor, id, Right::Ban)?;
        let now = self.now;
        let channel = self
            .channels
            .get_mut(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.creator == user_id {
            return Err(RpcError::bad("USER_ADMIN_INVALID"));
        }
        let free = rights == blank::no_banned_rights(rights.until_date);
        if rights.view_messages {
            channel.banned.insert(
                user_id,
                Ban {
                    by: actor,
                    date: now,
                    rights,
                },
            );
            if channel.members.contains_key(&user_id) {
                return self.drop_member(id, user_id, actor);
            }
            return Ok(None);
        }
        channel.banned.remove(&user_id);
        if let Some(member) = channel.members.get_mut(&user_id) {
            member.restricted = (!free).then_some(rights);
        }
        self.note(
            user_id,
            vec![types::UpdateChannel { channel_id: id }.into()],
            &[PeerId::Channel(id)],
        );
        Ok(None)
    }

    /// `channels.editAdmin`: no rights at all make the user an ordinary member again.
    pub(crate) fn set_admin(
        &mut self,
        actor: i64,
        id: i64,
        user_id: i64,
        rights: types::ChatAdminRights,
        rank: Option<String>,
    ) -> Result<(), RpcError> {
        self.require(actor, id, Right::Promote)?;
        self.enter_channel(id, user_id, actor, actor, None)?;
        let before = self.standing(PeerId::Channel(id), user_id);
        let channel = self
            .channels
            .get_mut(&id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.creator == user_id {
            return Err(RpcError::bad("USER_CREATOR"));
        }
        let member = channel
            .members
            .get_mut(&user_id)
            .ok_or_else(|| RpcError::bad("USER_NOT_PARTICIPANT"))?;
        let none = rights == blank::no_admin_rights();
        member.admin = (!none).then_some(Admin {
            rights,
            promoted_by: actor,
            rank,
        });
        self.note(
            user_id,
            vec![types::UpdateChannel { channel_id: id }.into()],
            &[PeerId::Channel(id)],
        );
        self.standing_changed(PeerId::Channel(id), actor, user_id, before, None);
        Ok(())
    }
}
