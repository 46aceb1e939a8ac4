//! What stands between a call and its handler: who may call what, where, and the refusals that were ordered.

use layer_tl_types::{Identifiable, Serializable, enums, functions as f, name_for_id, types};

use super::wrap::Unwrapped;
use super::{Call, Reply, RpcError, dispatch};
use crate::world::World;
use crate::world::auth::Caller;

/// Where a call came from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The key that the message came under, temporary or permanent.
    pub(crate) auth_key_id: i64,
    pub(crate) session_id: i64,
    pub(crate) msg_id: i64,
    pub(crate) dc_id: i32,
    /// Unix time.
    pub(crate) now: i32,
}

/// Serves a call that came over the network, or answers it with the refusal that was ordered. What it caused is in the
/// world's outbox afterwards.
pub(crate) fn serve(
    world: &mut World,
    source: &Source,
    unwrapped: Unwrapped<'_>,
    refusal: Option<RpcError>,
) -> Reply {
    let key = world.auth.permanent(source.auth_key_id);
    let mut layer = 0;
    let mut revoked = false;
    if let Some(record) = world.auth.record_mut(key) {
        record.used = source.now;
        if let Some(spoken) = unwrapped.layer {
            record.layer = spoken;
        }
        if let Some(device) = &unwrapped.device {
            record.device = device.clone();
        }
        layer = record.layer;
        revoked = record.revoked;
    }
    let call = Call {
        auth_key_id: key,
        session_id: source.session_id,
        dc_id: source.dc_id,
        user_id: world.auth.user_of(key),
        layer,
        now: source.now,
    };
    world.auth.caller = Caller {
        auth_key_id: source.auth_key_id,
        msg_id: source.msg_id,
    };
    let name = unwrapped.id().and_then(name_for_id).unwrap_or("unknown");
    log::debug!(
        "DC {}: {name} for {:?}, layer {}",
        call.dc_id,
        call.user_id,
        call.layer
    );
    let admitted = match refusal {
        Some(refusal) => Err(refusal),
        None => admit(world, &call, source, name, revoked),
    };
    let reply = match admitted {
        Ok(()) => dispatch(world, &call, unwrapped.body()),
        Err(error) => Err(error),
    };
    if let Err(error) = &reply {
        log::debug!(
            "DC {}: {name}: {} {}",
            call.dc_id,
            error.code,
            error.message
        );
        if error.message.starts_with("INPUT_METHOD_INVALID") {
            log::info!("{name} is not a method that this data centre serves");
        }
    }
    reply
}

/// Whether the call may reach its handler.
fn admit(
    world: &World,
    call: &Call,
    source: &Source,
    name: &str,
    revoked: bool,
) -> Result<(), RpcError> {
    if world.files.cdn.is(call.dc_id) {
        // A CDN is not of the cloud: it knows neither accounts nor anything but encrypted files.
        return match name {
            "upload.getCdnFile" => Ok(()),
            _ => Err(RpcError::bad("CDN_METHOD_INVALID")),
        };
    }
    let open = is_open(name);
    if world.auth.is_unbound(source.auth_key_id) && !needs_no_binding(name) {
        return Err(RpcError::new(401, "AUTH_KEY_PERM_EMPTY"));
    }
    if revoked && !open && !name.starts_with("auth.") {
        return Err(RpcError::new(401, "SESSION_REVOKED"));
    }
    let Some(user) = call.user_id.and_then(|user| world.users.get(&user)) else {
        return Ok(());
    };
    if user.deleted && !open {
        return Err(RpcError::new(401, "USER_DEACTIVATED"));
    }
    if user.home_dc != call.dc_id && only_at_home(name) {
        return Err(RpcError::new(303, format!("USER_MIGRATE_{}", user.home_dc)));
    }
    if user.bot.is_some() && only_for_people(name) {
        return Err(RpcError::bad("BOT_METHOD_INVALID"));
    }
    if user.bot.is_none() && only_for_bots(name) {
        return Err(RpcError::bad("USER_BOT_REQUIRED"));
    }
    Ok(())
}

/// The methods that a temporary key may call before it is bound (page `api/pfs`).
fn needs_no_binding(name: &str) -> bool {
    matches!(
        name,
        "auth.bindTempAuthKey" | "help.getConfig" | "help.getNearestDc"
    )
}

/// Methods that need no login.
fn is_open(name: &str) -> bool {
    name.starts_with("help.") || name.starts_with("langpack.")
}

/// Methods about an account's conversations, which only its home data centre serves.
fn only_at_home(name: &str) -> bool {
    ["messages.", "channels.", "updates.", "contacts."]
        .iter()
        .any(|namespace| name.starts_with(namespace))
}

/// Methods that the documentation does not mark with "Bots can use this method".
fn only_for_people(name: &str) -> bool {
    let namespace = name.split('.').next().unwrap_or_default();
    match namespace {
        "account" => true,
        "contacts" => !matches!(name, "contacts.resolveUsername" | "contacts.resolvePhone"),
        _ => matches!(
            name,
            "auth.acceptLoginToken"
                | "auth.resetAuthorizations"
                | "messages.getDialogs"
                | "messages.getPinnedDialogs"
                | "messages.getPeerDialogs"
                | "messages.getDialogFilters"
                | "messages.getHistory"
                | "messages.search"
                | "messages.searchGlobal"
                | "messages.readHistory"
                | "messages.readMessageContents"
                | "messages.deleteHistory"
                | "messages.createChat"
                | "messages.addChatUser"
                | "messages.importChatInvite"
                | "messages.checkChatInvite"
                | "messages.getChatInviteImporters"
                | "messages.hideAllChatJoinRequests"
                | "messages.getBotCallbackAnswer"
                | "messages.getInlineBotResults"
                | "messages.sendInlineBotResult"
                | "messages.getCommonChats"
                | "messages.getMessagesReactions"
                | "messages.getMessageReactionsList"
                | "messages.sendVote"
                | "messages.getPollResults"
                | "messages.getPollVotes"
                | "messages.saveDraft"
                | "messages.getPeerSettings"
                | "messages.startBot"
                | "messages.toggleDialogPin"
                | "channels.createChannel"
                | "channels.joinChannel"
                | "channels.readHistory"
                | "channels.deleteChannel"
        ),
    }
}

/// Methods that only bots may call.
fn only_for_bots(name: &str) -> bool {
    matches!(
        name,
        "messages.setBotCallbackAnswer"
            | "messages.setInlineBotResults"
            | "messages.setBotShippingResults"
            | "messages.setBotPrecheckoutResults"
            | "messages.setGameScore"
            | "bots.setBotCommands"
            | "bots.resetBotCommands"
            | "bots.getBotCommands"
            | "bots.sendCustomRequest"
            | "bots.answerWebhookJSONQuery"
            | "help.setBotUpdatesStatus"
    )
}

/// An error as the result of a call.
pub(crate) fn error_bytes(error: &RpcError) -> Vec<u8> {
    let error = types::RpcError {
        error_code: error.code,
        error_message: error.message.clone(),
    };
    enums::RpcError::from(error).to_bytes()
}

/// Whether a call by itself makes its session one that wants updates: those that only fetch files do not, nor does
/// what a session has to say before it may ask for anything.
pub(crate) fn asks_for_updates(call: &Unwrapped<'_>) -> bool {
    let silent = matches!(
        call.id(),
        Some(
            f::upload::GetFile::CONSTRUCTOR_ID
                | f::upload::GetWebFile::CONSTRUCTOR_ID
                | f::upload::SaveFilePart::CONSTRUCTOR_ID
                | f::upload::SaveBigFilePart::CONSTRUCTOR_ID
                | f::auth::BindTempAuthKey::CONSTRUCTOR_ID
        )
    );
    !call.without_updates && !silent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_only_binds_its_temporary_key_and_moves_files_hears_no_updates() {
        let asks = |id: u32| {
            let body = id.to_le_bytes();
            asks_for_updates(&Unwrapped::new(&body).unwrap())
        };
        assert!(!asks(f::auth::BindTempAuthKey::CONSTRUCTOR_ID));
        assert!(!asks(f::upload::SaveBigFilePart::CONSTRUCTOR_ID));
        assert!(asks(f::updates::GetState::CONSTRUCTOR_ID));
    }
}
