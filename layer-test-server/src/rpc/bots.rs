//! Calls between users and bots: callbacks, inline queries, commands, deep links.

use layer_tl_types::{Identifiable, enums, functions, types};

use super::{Call, Handler, Outcome, Reply, RpcError, decode, routes as table};
use crate::world::World;
use crate::world::edit::Edit;
use crate::world::ids::PeerId;
use crate::world::send::Draft;

mod plain {
    use super::*;

    table! {
        functions::messages::SetBotCallbackAnswer => set_callback_answer,
        functions::messages::SetInlineBotResults => set_inline_results,
        functions::messages::SendInlineBotResult => send_inline_result,
        functions::messages::StartBot => start_bot,
        functions::messages::EditInlineBotMessage => edit_inline_message,
        functions::bots::SetBotCommands => set_commands,
        functions::bots::ResetBotCommands => reset_commands,
        functions::bots::GetBotCommands => get_commands,
        functions::bots::SetBotInfo => set_info,
        functions::bots::GetBotInfo => get_info,
        functions::bots::GetBotMenuButton => menu_button,
        functions::bots::AnswerWebhookJsonquery => answer_webhook,
    }
}

/// The handler of a method of this module, by constructor id.
pub(crate) fn route(id: u32) -> Option<Handler> {
    match id {
        functions::messages::GetBotCallbackAnswer::CONSTRUCTOR_ID => Some(get_callback_answer),
        functions::messages::GetInlineBotResults::CONSTRUCTOR_ID => Some(get_inline_results),
        _ => plain::route(id),
    }
}

fn require_bot(world: &World, call: &Call) -> Result<i64, RpcError> {
    let user_id = call.user()?;
    if world.is_bot(user_id) {
        Ok(user_id)
    } else {
        Err(RpcError::bad("USER_BOT_REQUIRED"))
    }
}

fn get_callback_answer(world: &mut World, call: &Call, bytes: &[u8]) -> Reply {
    let request: functions::messages::GetBotCallbackAnswer = decode(bytes)?;
    let user_id = call.user()?;
    if world.is_bot(user_id) {
        return Err(RpcError::bad("BOT_METHOD_INVALID"));
    }
    let peer = world.peer(user_id, &request.peer)?;
    world
        .ask_callback(user_id, peer, request.msg_id, request.data)
        .map(Outcome::Deferred)
}

fn get_inline_results(world: &mut World, call: &Call, bytes: &[u8]) -> Reply {
    let request: functions::messages::GetInlineBotResults = decode(bytes)?;
    let user_id = call.user()?;
    let bot = world.input_user(user_id, &request.bot)?;
    world
        .ask_inline(user_id, bot, &request.query, &request.offset)
        .map(Outcome::Deferred)
}

fn set_callback_answer(
    world: &mut World,
    call: &Call,
    request: functions::messages::SetBotCallbackAnswer,
) -> Result<bool, RpcError> {
    let bot = require_bot(world, call)?;
    let answer = types::messages::BotCallbackAnswer {
        alert: request.alert,
        has_url: request.url.is_some(),
        native_ui: true,
        message: request.message,
        url: request.url,
        cache_time: request.cache_time,
    };
    world.answer_callback(bot, request.query_id, answer)?;
    Ok(true)
}

fn set_inline_results(
    world: &mut World,
    call: &Call,
    request: functions::messages::SetInlineBotResults,
) -> Result<bool, RpcError> {
    let bot = require_bot(world, call)?;
    let (query_id, gallery, cache_time) = (request.query_id, request.gallery, request.cache_time);
    world.answer_inline(
        bot,
        query_id,
        request.results,
        gallery,
        cache_time,
        request.next_offset,
    )?;
    Ok(true)
}

fn send_inline_result(
    world: &mut World,
    call: &Call,
    request: functions::messages::SendInlineBotResult,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    let (bot, result) = world.inline_result(user_id, request.query_id, &request.id)?;
    let enums::InputBotInlineMessage::Text(text) = result.send_message else {
        return Err(RpcError::bad("RESULT_TYPE_INVALID"));
    };
    let entities = world.entities(user_id, &text.message, text.entities.clone())?;
    let draft = Draft {
        text: text.message.clone(),
        entities,
        markup: if request.hide_via {
            None
        } else {
            text.reply_markup.clone()
        },
        via_bot: (!request.hide_via).then_some(bot),
        random_id: request.random_id,
        silent: request.silent,
        clear_draft: request.clear_draft,
        ..Draft::default()
    };
    let sent = world.send(user_id, peer, draft)?;
    let chosen = types::UpdateBotInlineSend {
        user_id,
        query: String::new(),
        geo: None,
        id: request.id,
        msg_id: None,
    };
    world.push_short(bot, chosen.into(), true);
    Ok(world.sent_updates(user_id, &sent, Vec::new()))
}

fn start_bot(
    world: &mut World,
    call: &Call,
    request: functions::messages::StartBot,
) -> Result<enums::Updates, RpcError> {
    let user_id = call.user()?;
    let bot = world.input_user(user_id, &request.bot)?;
    if !world.is_bot(bot) {
        return Err(RpcError::bad("BOT_INVALID"));
    }
    let peer = match &request.peer {
        enums::InputPeer::Empty => PeerId::User(bot),
        peer => world.peer(user_id, peer)?,
    };
    if request.start_param.len() > 64 {
        return Err(RpcError::bad("START_PARAM_TOO_LONG"));
    }
    let mut text = match (
        peer,
        world
            .users
            .get(&bot)
            .and_then(|user| user.username.as_deref()),
    ) {
        (PeerId::User(_), _) | (_, None) => "/start".to_owned(),
        (_, Some(username)) => format!("/start@{username}"),
    };
    if !request.start_param.is_empty() {
        text = format!("{text} {}", request.start_param);
    }
    let draft = Draft {
        text,
        random_id: request.random_id,
        ..Draft::default()
    };
    let sent = world.send(user_id, peer, draft)?;
    Ok(world.sent_updates(user_id, &sent, Vec::new()))
}

fn edit_inline_message(
    world: &mut World,
    call: &Call,
    request: functions::messages::EditInlineBotMessage,
) -> Result<bool, RpcError> {
    let bot = require_bot(world, call)?;
    let (owner, id) = match &request.id {
        enums::InputBotInlineMessageId::Id64(id) => (id.owner_id, id.id),
        enums::InputBotInlineMessageId::Id(_) => return Err(RpcError::bad("MESSAGE_ID_INVALID")),
    };
    let entry = world
        .accounts
        .get(&owner)
        .and_then(|account| account.messages.get(&id))
        .copied();
    let entry = entry.ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
    let via = world.bodies.get(&entry.body).and_then(|body| body.via_bot);
    if via != Some(bot) {
        return Err(RpcError::bad("MESSAGE_ID_INVALID"));
    }
    let entities = match &request.message {
        Some(text) => world.entities(bot, text, request.entities)?,
        None => Vec::new(),
    };
    let edit = Edit {
        text: request.message,
        entities,
        media: None,
        markup: request.reply_markup,
        close_poll: false,
    };
    // The bot edits in the name of whoever sent its result.
    let origin = world.origin.take();
    let done = world.edit(owner, entry.peer, id, edit);
    world.origin = origin;
    done.map(|_| true)
}

fn set_commands(
    world: &mut World,
    call: &Call,
    request: functions::bots::SetBotCommands,
) -> Result<bool, RpcError> {
    let bot = require_bot(world, call)?;
    if request.commands.len() > 100 {
        return Err(RpcError::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let mut commands = Vec::new();
    for command in request.commands {
        let enums::BotCommand::Command(command) = command;
        let good = !command.command.is_empty()
            && command.command.len() <= 32
            && command
                .command
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !good {
            return Err(RpcError::bad("BOT_COMMAND_INVALID"));
        }
        if command.description.is_empty() || command.description.chars().count() > 256 {
            return Err(RpcError::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
        commands.push((command.command, command.description));
    }
    store_commands(world, bot, commands);
    Ok(true)
}

fn store_commands(world: &mut World, bot: i64, commands: Vec<(String, String)>) {
    if let Some(info) = world.users.get_mut(&bot).and_then(|user| user.bot.as_mut()) {
        info.commands = commands;
    }
}

fn reset_commands(
    world: &mut World,
    call: &Call,
    _: functions::bots::ResetBotCommands,
) -> Result<bool, RpcError> {
    let bot = require_bot(world, call)?;
    store_commands(world, bot, Vec::new());
    Ok(true)
}

fn get_commands(
    world: &mut World,
    call: &Call,
    _: functions::bots::GetBotCommands,
) -> Result<Vec<enums::BotCommand>, RpcError> {
    let bot = require_bot(world, call)?;
    let commands = world
        .users
        .get(&bot)
        .and_then(|user| user.bot.as_ref())
        .map(|bot| bot.commands.clone());
    Ok(commands
        .unwrap_or_default()
        .into_iter()
        .map(|(command, description)| {
            types::BotCommand {
                command,
                description,
            }
            .into()
        })
        .collect())
}

/// The bot that a call is about: the one named, if it is the caller's, else the caller itself.
fn bot_meant(
    world: &World,
    call: &Call,
    named: Option<&enums::InputUser>,
) -> Result<i64, RpcError> {
    let user_id = call.user()?;
    let Some(named) = named else {
        return require_bot(world, call);
    };
    let bot = world.input_user(user_id, named)?;
    let owner = world
        .users
        .get(&bot)
        .and_then(|user| user.bot.as_ref())
        .map(|bot| bot.owner);
    if owner == Some(user_id) || bot == user_id {
        Ok(bot)
    } else {
        Err(RpcError::bad("BOT_INVALID"))
    }
}

fn set_info(
    world: &mut World,
    call: &Call,
    request: functions::bots::SetBotInfo,
) -> Result<bool, RpcError> {
    let bot = bot_meant(world, call, request.bot.as_ref())?;
    if let Some(info) = world.users.get_mut(&bot).and_then(|user| user.bot.as_mut())
        && let Some(description) = request.description
    {
        info.description = description;
    }
    world.set_profile(bot, request.name, None, request.about);
    Ok(true)
}

fn get_info(
    world: &mut World,
    call: &Call,
    request: functions::bots::GetBotInfo,
) -> Result<enums::bots::BotInfo, RpcError> {
    let bot = bot_meant(world, call, request.bot.as_ref())?;
    let user = world.user(bot)?;
    let description = user
        .bot
        .as_ref()
        .map(|bot| bot.description.clone())
        .unwrap_or_default();
    Ok(types::bots::BotInfo {
        name: user.first_name.clone(),
        about: user.about.clone(),
        description,
    }
    .into())
}

fn menu_button(
    _: &mut World,
    call: &Call,
    _: functions::bots::GetBotMenuButton,
) -> Result<enums::BotMenuButton, RpcError> {
    call.user().map(|_| enums::BotMenuButton::Default)
}

fn answer_webhook(
    world: &mut World,
    call: &Call,
    _: functions::bots::AnswerWebhookJsonquery,
) -> Result<bool, RpcError> {
    require_bot(world, call)?;
    Err(RpcError::bad("QUERY_ID_INVALID"))
}
