//! What bots answer: callback queries and inline queries; and pressing a bot's button as a user.

use layer_tl_types as tl;

use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::peers::PeerRef;

impl Client {
    /// Answers the press of a button, with a text to show or without. With `alert` the text stays
    /// until the user closes it. For bots.
    ///
    /// # Errors
    /// `QUERY_ID_INVALID` when it is too late, and the like (`messages.setBotCallbackAnswer`).
    pub async fn answer_callback_query(
        &self,
        query_id: i64,
        text: Option<&str>,
        alert: bool,
    ) -> Result<()> {
        let message = text.map(ToOwned::to_owned);
        self.set_callback_answer(query_id, message, alert).await
    }

    /// Answers an inline query. For bots.
    ///
    /// # Errors
    /// `QUERY_ID_INVALID` when it is too late, and the like (`messages.setInlineBotResults`).
    pub async fn answer_inline_query(
        &self,
        query_id: i64,
        results: Vec<tl::enums::InputBotInlineResult>,
        cache_seconds: i32,
    ) -> Result<()> {
        self.set_inline_results(query_id, results, cache_seconds)
            .await
    }

    /// Presses a bot's button and waits for what the bot answers. For users.
    ///
    /// # Errors
    /// `BOT_RESPONSE_TIMEOUT` when the bot keeps silent, and the like
    /// (`messages.getBotCallbackAnswer`).
    pub async fn press_button(
        &self,
        peer: impl Into<PeerRef>,
        msg_id: i32,
        data: impl Into<Vec<u8>>,
    ) -> Result<tl::types::messages::BotCallbackAnswer> {
        self.get_callback_answer(peer.into(), msg_id, data.into())
            .await
    }

    fn set_callback_answer(
        &self,
        query_id: i64,
        message: Option<String>,
        alert: bool,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let request = tl::functions::messages::SetBotCallbackAnswer {
                alert,
                query_id,
                message,
                url: None,
                cache_time: 0,
            };
            self.invoke(&request).await.map(drop)
        })
    }

    fn set_inline_results(
        &self,
        query_id: i64,
        results: Vec<tl::enums::InputBotInlineResult>,
        cache_time: i32,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let request = tl::functions::messages::SetInlineBotResults {
                gallery: false,
                private: false,
                query_id,
                results,
                cache_time,
                next_offset: None,
                switch_pm: None,
                switch_webview: None,
            };
            self.invoke(&request).await.map(drop)
        })
    }

    fn get_callback_answer(
        &self,
        peer: PeerRef,
        msg_id: i32,
        data: Vec<u8>,
    ) -> BoxFuture<'_, Result<tl::types::messages::BotCallbackAnswer>> {
        Box::pin(async move {
            let peer = self.resolve_input(peer).await?;
            let request = tl::functions::messages::GetBotCallbackAnswer {
                game: false,
                peer,
                msg_id,
                data: Some(data),
                password: None,
            };
            let tl::enums::messages::BotCallbackAnswer::Answer(answer) =
                self.invoke(&request).await?;
            Ok(*answer)
        })
    }
}
