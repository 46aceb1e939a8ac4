//! Questions to bots that a user waits for: callback queries and inline queries.

use std::collections::BTreeMap;

use layer_tl_types::{Serializable, enums, types};

use super::World;
use super::ids::{self, PeerId};
use super::named::Named;
use crate::rpc::{Answer, Out, RpcError, Ticket};

/// How many open queries are kept; older ones cannot be answered any more.
const OPEN_LIMIT: usize = 10_000;
const DATA_LIMIT: usize = 64;
/// Bytes of what a bot offers for one inline query.
const RESULTS_LIMIT: usize = 256 * 1024;
/// How many answered inline queries can still be chosen from.
const RESULTS_KEPT: usize = 200;

/// Open queries, and inline results that a user may still send.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    next_ticket: u64,
    open: BTreeMap<i64, Open>,
    results: BTreeMap<i64, Results>,
}

#[derive(Clone, Debug)]
struct Open {
    ticket: Ticket,
    bot: i64,
    user: i64,
    inline: bool,
}

/// What a bot offered for an inline query.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(crate) bot: i64,
    pub(crate) user: i64,
    pub(crate) results: Vec<enums::InputBotInlineResult>,
}

impl World {
    fn open_query(&mut self, bot: i64, user: i64, inline: bool) -> (i64, Ticket) {
        let query_id = self.dice.positive();
        let ticket = Ticket(self.queries.next_ticket);
        self.queries.next_ticket += 1;
        self.queries.open.insert(
            query_id,
            Open {
                ticket,
                bot,
                user,
                inline,
            },
        );
        while self.queries.open.len() > OPEN_LIMIT {
            self.queries.open.pop_first();
        }
        (query_id, ticket)
    }

    /// Forgets a query that nobody waits for any more.
    pub(crate) fn give_up(&mut self, ticket: Ticket) {
        self.queries.open.retain(|_, open| open.ticket != ticket);
    }

    /// `messages.getBotCallbackAnswer`: asks the bot that made the message. The answer comes by the ticket.
    pub(crate) fn ask_callback(
        &mut self,
        user_id: i64,
        peer: PeerId,
        msg_id: i32,
        data: Option<Vec<u8>>,
    ) -> Result<Ticket, RpcError> {
        let body = self
            .body_of(user_id, peer, msg_id)
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        let bot = body.via_bot.unwrap_or(body.from);
        if !self.is_bot(bot) {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        let data = data.ok_or_else(|| RpcError::bad("DATA_INVALID"))?;
        let offered = match &body.markup {
            Some(enums::ReplyMarkup::ReplyInlineMarkup(markup)) => markup.rows.iter().any(|row| {
                let enums::KeyboardButtonRow::Row(row) = row;
                row.buttons
                    .iter()
                    .any(|button| matches!(button, enums::KeyboardButton::Callback(button) if button.data == data))
            }),
            _ => false,
        };
        if !offered || data.len() > DATA_LIMIT {
            return Err(RpcError::bad("DATA_INVALID"));
        }
        let bots_id = body
            .id_for(bot)
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        let bots_peer = match peer {
            PeerId::User(_) => PeerId::User(user_id),
            other => other,
        };
        let (query_id, ticket) = self.open_query(bot, user_id, false);
        if self.is_resident(bot) {
            self.resident_callback(bot, query_id, user_id, bots_peer, bots_id, &data);
            return Ok(ticket);
        }
        let chat_instance = ids::keyed(self.config.secret, &[6, bot, user_id, bots_peer.bare()]);
        let update = types::UpdateBotCallbackQuery {
            query_id,
            user_id,
            peer: bots_peer.to_tl(),
            msg_id: bots_id,
            chat_instance,
            data: Some(data),
            game_short_name: None,
        }
        .into();
        let named = Named::of(&[bots_peer, PeerId::User(user_id)]);
        let container = self.container(bot, vec![update], &named);
        self.push(bot, container, true);
        Ok(ticket)
    }

    /// `messages.setBotCallbackAnswer`.
    pub(crate) fn answer_callback(
        &mut self,
        bot: i64,
        query_id: i64,
        answer: types::messages::BotCallbackAnswer,
    ) -> Result<(), RpcError> {
        let open = self.close_query(bot, query_id, false)?;
        if answer
            .message
            .as_ref()
            .is_some_and(|message| message.chars().count() > 200)
        {
            return Err(RpcError::bad("MESSAGE_TOO_LONG"));
        }
        let result = Ok(enums::messages::BotCallbackAnswer::from(answer).to_bytes());
        self.outbox.push(Out::Answer(Answer {
            ticket: open.ticket,
            result,
        }));
        Ok(())
    }

    fn close_query(&mut self, bot: i64, query_id: i64, inline: bool) -> Result<Open, RpcError> {
        let fits = self
            .queries
            .open
            .get(&query_id)
            .is_some_and(|open| open.bot == bot && open.inline == inline);
        if !fits {
            return Err(RpcError::bad("QUERY_ID_INVALID"));
        }
        self.queries
            .open
            .remove(&query_id)
            .ok_or_else(|| RpcError::bad("QUERY_ID_INVALID"))
    }

    /// `messages.getInlineBotResults`: asks the bot. The answer comes by the ticket.
    pub(crate) fn ask_inline(
        &mut self,
        user_id: i64,
        bot: i64,
        query: &str,
        offset: &str,
    ) -> Result<Ticket, RpcError> {
        let inline = self
            .users
            .get(&bot)
            .and_then(|user| user.bot.as_ref())
            .map(|bot| bot.inline_placeholder.is_some());
        match inline {
            None => return Err(RpcError::bad("BOT_INVALID")),
            Some(false) => return Err(RpcError::bad("BOT_INLINE_DISABLED")),
            Some(true) => {}
        }
        let (query_id, ticket) = self.open_query(bot, user_id, true);
        let update = types::UpdateBotInlineQuery {
            query_id,
            user_id,
            query: query.to_owned(),
            geo: None,
            peer_type: None,
            offset: offset.to_owned(),
        }
        .into();
        let container = self.container(bot, vec![update], &Named::of(&[PeerId::User(user_id)]));
        self.push(bot, container, true);
        Ok(ticket)
    }

    /// `messages.setInlineBotResults`.
    pub(crate) fn answer_inline(
        &mut self,
        bot: i64,
        query_id: i64,
        results: Vec<enums::InputBotInlineResult>,
        gallery: bool,
        cache_time: i32,
        next_offset: Option<String>,
    ) -> Result<(), RpcError> {
        if results.to_bytes().len() > RESULTS_LIMIT {
            return Err(RpcError::bad("RESULTS_TOO_MUCH"));
        }
        if results.len() > 50 {
            return Err(RpcError::bad("RESULTS_TOO_MUCH"));
        }
        let shown: Vec<enums::BotInlineResult> = results
            .iter()
            .map(|result| self.tl_inline(result))
            .collect::<Result<_, _>>()?;
        let open = self.close_query(bot, query_id, true)?;
        self.queries.results.insert(
            query_id,
            Results {
                bot,
                user: open.user,
                results,
            },
        );
        while self.queries.results.len() > RESULTS_KEPT {
            self.queries.results.pop_first();
        }
        let answer: enums::messages::BotResults = types::messages::BotResults {
            gallery,
            query_id,
            next_offset,
            switch_pm: None,
            switch_webview: None,
            results: shown,
            cache_time,
            users: vec![self.tl_user(open.user, bot)],
        }
        .into();
        self.outbox.push(Out::Answer(Answer {
            ticket: open.ticket,
            result: Ok(answer.to_bytes()),
        }));
        Ok(())
    }

    /// What was offered for a query, to be sent by `messages.sendInlineBotResult`.
    pub(crate) fn inline_result(
        &self,
        user_id: i64,
        query_id: i64,
        id: &str,
    ) -> Result<(i64, types::InputBotInlineResult), RpcError> {
        let offered = self
            .queries
            .results
            .get(&query_id)
            .filter(|offered| offered.user == user_id);
        let offered = offered.ok_or_else(|| RpcError::bad("QUERY_ID_INVALID"))?;
        offered
            .results
            .iter()
            .find_map(|result| match result {
                enums::InputBotInlineResult::Result(result) if result.id == id => {
                    Some((offered.bot, (*result).clone()))
                }
                _ => None,
            })
            .map(|(bot, result)| (bot, types::InputBotInlineResult::clone(&result)))
            .ok_or_else(|| RpcError::bad("RESULT_ID_INVALID"))
    }

    fn tl_inline(
        &self,
        result: &enums::InputBotInlineResult,
    ) -> Result<enums::BotInlineResult, RpcError> {
        let enums::InputBotInlineResult::Result(result) = result else {
            return Err(RpcError::bad("RESULT_TYPE_INVALID"));
        };
        let enums::InputBotInlineMessage::Text(text) = &result.send_message else {
            return Err(RpcError::bad("SEND_MESSAGE_TYPE_INVALID"));
        };
        let entities = text.entities.as_deref().unwrap_or_default();
        super::send::check_text(&text.message, entities, false)?;
        let send_message = types::BotInlineMessageText {
            no_webpage: text.no_webpage,
            invert_media: text.invert_media,
            message: text.message.clone(),
            entities: text.entities.clone(),
            reply_markup: text.reply_markup.clone(),
        }
        .into();
        Ok(types::BotInlineResult {
            id: result.id.clone(),
            r#type: result.r#type.clone(),
            title: result.title.clone(),
            description: result.description.clone(),
            url: result.url.clone(),
            thumb: result.thumb.as_ref().map(|file| self.web_document(file)),
            content: result.content.as_ref().map(|file| self.web_document(file)),
            send_message,
        }
        .into())
    }
}
