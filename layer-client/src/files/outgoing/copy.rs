//! Copying whole messages.

use super::OutgoingMedia;
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::files::MediaKind;
use crate::messages::{InputMessage, Message};
use crate::peers::PeerRef;
use crate::text::FormattedText;

impl Client {
    /// Sends the text and the medium of a message once more, without uploading anything and
    /// without naming where they come from. Buttons are left out, and what it answered.
    ///
    /// # Errors
    /// When there is nothing to be sent again (service messages, invoices, stories and the like),
    /// and as [`send_media`](Self::send_media). What may not be saved or forwarded may not be
    /// copied either.
    pub async fn copy_message(
        &self,
        peer: impl Into<PeerRef>,
        message: &Message,
    ) -> Result<Message> {
        self.copy_to(peer.into(), message).await
    }

    fn copy_to<'a>(
        &'a self,
        peer: PeerRef,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<Message>> {
        Box::pin(async move {
            let text = InputMessage::formatted(FormattedText {
                text: message.text().unwrap_or_default().to_owned(),
                entities: message.entities().to_vec(),
            });
            let media = message
                .media()
                // The server makes a link's preview anew.
                .filter(|media| !matches!(media.kind(), MediaKind::WebPage(_)));
            match media {
                Some(media) => {
                    self.send_media(peer, OutgoingMedia::copy(media), text)
                        .await
                }
                None if message.text().is_some() => self.send(peer, text).await,
                None => Err(Error::input(
                    "there is neither a text nor a medium in this message to be copied",
                )),
            }
        })
    }
}
