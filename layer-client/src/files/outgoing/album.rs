//! Albums: several media that are shown as one (`messages.sendMultiMedia`, page `api/files`, "albums,
//! grouped media").

use std::future::poll_fn;
use std::task::Poll;

use layer_tl_types as tl;

use super::known::{cover_of, set_cover};
use super::prepare::Prepared;
use super::source::Source;
use super::{Kind, OutgoingMedia, What};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::files::{KnownFiles, Media, UploadedFile, file_id};
use crate::messages::{InputMessage, Message, random_id, reply_header, unexpected};
use crate::peers::{Peer, PeerId, PeerRef, unusable};

/// Uploads under way at the same time; each has parts of its own under way.
const AT_ONCE: usize = 3;

/// One medium of an album, as it is sent.
struct Item {
    media: tl::enums::InputMedia,
    known: KnownFiles,
    caption: InputMessage,
    random_id: i64,
}

impl Client {
    /// Sends 2 to 10 media as one album: photos and videos, or files, or music. Each has its own
    /// [caption](OutgoingMedia::caption); what the first caption says besides its text (what it
    /// answers, silent, and so on) goes for the album.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// use layer_client::files::OutgoingMedia;
    ///
    /// let album = [
    ///     OutgoingMedia::photo("one.jpg").caption("The way there"),
    ///     OutgoingMedia::video("two.mp4").caption("The way back"),
    /// ];
    /// let messages = client.send_album("me", album).await?;
    /// assert_eq!(messages[0].album(), messages[1].album());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When there are too few or too many, or of kinds that do not go together, and what Telegram
    /// answers (`upload.saveFilePart`, `messages.uploadMedia`, `messages.sendMultiMedia`). Nothing
    /// was sent then.
    pub async fn send_album<'a>(
        &'a self,
        peer: impl Into<PeerRef>,
        media: impl IntoIterator<Item = OutgoingMedia<'a>>,
    ) -> Result<Vec<Message>> {
        self.send_group(peer.into(), media.into_iter().collect())
            .await
    }

    fn send_group<'a>(
        &'a self,
        peer: PeerRef,
        media: Vec<OutgoingMedia<'a>>,
    ) -> BoxFuture<'a, Result<Vec<Message>>> {
        Box::pin(async move {
            check(&media)?;
            let peer = self.resolve(peer).await?;
            let input = peer.to_input().ok_or_else(|| unusable(peer.key()))?;
            let uploads = media
                .into_iter()
                .map(|media| self.album_item(input.clone(), media))
                .collect();
            let mut items = all(uploads).await?;
            loop {
                match self.invoke(&self.album_request(&input, &items)).await {
                    Ok(updates) => {
                        let found = self.absorb(updates);
                        let sent = items.iter().map(|item| found.sent(item.random_id));
                        return sent.collect::<Option<Vec<_>>>().ok_or_else(|| {
                            unexpected("messages.sendMultiMedia", "not all messages were shown")
                        });
                    }
                    // The answer to an earlier copy of the request never came.
                    Err(error) if error.is("RANDOM_ID_DUPLICATE") => {
                        let found = self.find_album(&peer, &items).await;
                        return found.unwrap_or(None).ok_or(error);
                    }
                    Err(error) => self.renew_items(&mut items, error).await?,
                }
            }
        })
    }

    /// Uploads one medium, and has the server keep it: an album is made of such only.
    fn album_item<'a>(
        &'a self,
        peer: tl::enums::InputPeer,
        media: OutgoingMedia<'a>,
    ) -> BoxFuture<'a, Result<Item>> {
        Box::pin(async move {
            let Prepared {
                mut media,
                mut known,
                uploaded,
                caption,
            } = media.prepare(self, peer.clone()).await?;
            while file_id(&media).is_none() {
                let keep = || self.keep(peer.clone(), media.clone());
                match UploadedFile::mended(uploaded.as_ref(), self, keep).await {
                    Ok(kept) => media = kept,
                    Err(error) => known.renew(self, &mut media, error).await?,
                }
            }
            Ok(Item {
                media,
                known,
                caption,
                random_id: random_id()?,
            })
        })
    }

    /// `messages.uploadMedia`: what was uploaded, as a medium that the server has.
    pub(super) async fn keep(
        &self,
        peer: tl::enums::InputPeer,
        mut media: tl::enums::InputMedia,
    ) -> Result<tl::enums::InputMedia> {
        let cover = cover_of(&mut media);
        let request = tl::functions::messages::UploadMedia {
            business_connection_id: None,
            peer,
            media,
        };
        let kept = match self.invoke(&request).await? {
            tl::enums::MessageMedia::Photo(media) => match media.photo {
                Some(tl::enums::Photo::Photo(photo)) => Some(
                    tl::types::InputMediaPhoto {
                        spoiler: media.spoiler,
                        id: tl::types::InputPhoto {
                            id: photo.id,
                            access_hash: photo.access_hash,
                            file_reference: photo.file_reference.clone(),
                        }
                        .into(),
                        ttl_seconds: media.ttl_seconds,
                    }
                    .into(),
                ),
                _ => None,
            },
            tl::enums::MessageMedia::Document(media) => match &media.document {
                Some(tl::enums::Document::Document(document)) => Some(
                    tl::types::InputMediaDocument {
                        spoiler: media.spoiler,
                        id: tl::types::InputDocument {
                            id: document.id,
                            access_hash: document.access_hash,
                            file_reference: document.file_reference.clone(),
                        }
                        .into(),
                        video_cover: None,
                        video_timestamp: None,
                        ttl_seconds: media.ttl_seconds,
                        query: None,
                    }
                    .into(),
                ),
                _ => None,
            },
            _ => None,
        };
        let mut kept: tl::enums::InputMedia = kept
            .ok_or_else(|| unexpected("messages.uploadMedia", "it became no photo or document"))?;
        set_cover(&mut kept, cover);
        Ok(kept)
    }

    fn album_request(
        &self,
        peer: &tl::enums::InputPeer,
        items: &[Item],
    ) -> tl::functions::messages::SendMultiMedia {
        let first = items.first().map(|item| item.caption.clone());
        let first = first.unwrap_or_default();
        let multi_media = items.iter().map(|item| {
            tl::types::InputSingleMedia {
                media: item.media.clone(),
                random_id: item.random_id,
                message: item.caption.text.clone(),
                entities: self.outgoing_entities(&item.caption.entities),
            }
            .into()
        });
        tl::functions::messages::SendMultiMedia {
            silent: first.silent,
            background: first.background,
            clear_draft: first.clear_draft,
            noforwards: first.protected,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: peer.clone(),
            reply_to: first.reply_to.map(reply_header),
            multi_media: multi_media.collect(),
            schedule_date: first.schedule,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
        }
    }

    /// Gets the file references anew that `error` says have run out: `FILE_REFERENCE_2_EXPIRED` is
    /// about the third medium, without a number it may be about any. Each is got anew once.
    async fn renew_items(&self, items: &mut [Item], error: Error) -> Result<()> {
        let Some(reason) = error.rpc().filter(|reason| reason.is("FILE_REFERENCE_*")) else {
            return Err(error);
        };
        let only = reason.value.and_then(|index| usize::try_from(index).ok());
        let mut any = false;
        for (index, item) in items.iter_mut().enumerate() {
            if only.is_some_and(|only| only != index) {
                continue;
            }
            if item.known.is_empty() {
                continue;
            }
            item.known
                .renew(self, &mut item.media, error.clone())
                .await?;
            any = true;
        }
        if any { Ok(()) } else { Err(error) }
    }

    /// An album of ours that the server has already, by the files that it is made of.
    async fn find_album(&self, peer: &Peer, items: &[Item]) -> Result<Option<Vec<Message>>> {
        let newest = self.newest(peer).await?;
        let to_myself = peer.key() == PeerId::user(self.my_id());
        let ours = |sent: &&Message| sent.outgoing() || to_myself;
        let of = |item: &Item, album: Option<i64>| {
            let file = file_id(&item.media);
            newest.iter().filter(ours).find(|sent| {
                let same = sent.media().and_then(Media::file_id) == file;
                same && sent.album().is_some() && (album.is_none() || sent.album() == album)
            })
        };
        let album = items.first().and_then(|item| of(item, None)?.album());
        let found = items.iter().map(|item| of(item, album).cloned());
        Ok(found.collect())
    }
}

/// What goes together in an album.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Visual,
    Files,
    Music,
    /// A document that somebody brought along as the raw API has it.
    Any,
}

/// Whether these can be an album, before anything is uploaded.
fn check(media: &[OutgoingMedia<'_>]) -> Result<()> {
    if !(2..=10).contains(&media.len()) {
        return Err(Error::input(format!(
            "an album has 2 to 10 media, not {}; send more in several albums, and one by send_media",
            media.len()
        )));
    }
    let mut family = Family::Any;
    for one in media {
        let own = family_of(one).ok_or_else(|| {
            Error::input(
                "only photos, videos, files and music go into albums; send voice messages, \
                 animations, stickers and the like by send_media",
            )
        })?;
        if family != Family::Any && own != Family::Any && own != family {
            return Err(Error::input(
                "an album has photos and videos, or files, or music, and no two of these together",
            ));
        }
        if own != Family::Any {
            family = own;
        }
    }
    Ok(())
}

fn family_of(media: &OutgoingMedia<'_>) -> Option<Family> {
    match &media.what {
        What::File(kind, source) => match kind {
            Kind::Photo | Kind::Video => Some(Family::Visual),
            Kind::Document => match source {
                // The server may make something else of it.
                Source::Upload(_) | Source::Uploaded(_)
                    if media.options.force_file == Some(false) =>
                {
                    Some(Family::Any)
                }
                _ => Some(Family::Files),
            },
            Kind::Audio => Some(Family::Music),
            Kind::Voice | Kind::RoundVideo | Kind::Animation | Kind::Sticker => None,
        },
        What::PhotoUrl(_) => Some(Family::Visual),
        What::DocumentUrl(_) => Some(Family::Any),
        What::Raw(media) => match **media {
            tl::enums::InputMedia::UploadedPhoto(_)
            | tl::enums::InputMedia::Photo(_)
            | tl::enums::InputMedia::PhotoExternal(_) => Some(Family::Visual),
            tl::enums::InputMedia::UploadedDocument(_)
            | tl::enums::InputMedia::Document(_)
            | tl::enums::InputMedia::DocumentExternal(_) => Some(Family::Any),
            _ => None,
        },
        What::Nothing => None,
    }
}

/// The results of all, in their order, of which a few are under way at a time. The first error ends
/// it.
async fn all<T>(waiting: Vec<BoxFuture<'_, Result<T>>>) -> Result<Vec<T>> {
    let waiting = waiting.into_iter().map(|future| (Some(future), None));
    let mut running: Vec<_> = waiting.collect();
    poll_fn(|context| {
        let mut under_way = 0;
        for (future, result) in &mut running {
            let Some(work) = future else { continue };
            if under_way == AT_ONCE {
                break;
            }
            match work.as_mut().poll(context) {
                Poll::Pending => under_way += 1,
                Poll::Ready(Ok(done)) => {
                    *result = Some(done);
                    *future = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        if under_way > 0 {
            return Poll::Pending;
        }
        Poll::Ready(Ok(running
            .iter_mut()
            .filter_map(|(_, result)| result.take())
            .collect()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn photo() -> OutgoingMedia<'static> {
        OutgoingMedia::photo("a.jpg")
    }

    fn refused(media: Vec<OutgoingMedia<'_>>) -> Option<String> {
        check(&media).err().map(|error| error.to_string())
    }

    #[test]
    fn an_album_has_two_to_ten() {
        for (count, good) in [(0, false), (1, false), (2, true), (10, true), (11, false)] {
            let media = (0..count).map(|_| photo()).collect();
            assert_eq!(refused(media).is_none(), good, "{count}");
        }
    }

    #[test]
    fn only_what_goes_together_is_an_album() {
        type M = OutgoingMedia<'static>;
        let good = [
            vec![photo(), M::video("a.mp4")],
            vec![M::document("a"), M::document("b.jpg")],
            vec![M::audio("a"), M::audio("b")],
            vec![photo(), M::photo_url("https://example.org/a.jpg")],
        ];
        for media in good {
            assert_eq!(refused(media), None);
        }
        let bad = [
            vec![photo(), M::document("a.txt")],
            vec![M::audio("a"), M::document("a")],
            vec![M::audio("a"), photo()],
            vec![photo(), M::voice("a")],
            vec![photo(), M::round_video("a")],
            vec![photo(), M::animation("a")],
            vec![M::sticker("a"), M::sticker("b")],
            vec![photo(), M::geo_point(1.0, 2.0)],
            vec![M::dice("a"), M::dice("b")],
        ];
        for media in bad {
            assert!(refused(media).is_some());
        }
    }

    #[tokio::test]
    async fn a_few_are_under_way_at_a_time_and_the_order_stays() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = (0..10_usize).map(|index| -> BoxFuture<'_, Result<usize>> {
            let (now, most) = (&now, &most);
            Box::pin(async move {
                let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(running, Ordering::SeqCst);
                for _ in 0..(10 - index) {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(index)
            })
        });
        let done = all(work.collect()).await.unwrap();
        assert_eq!(done, (0..10).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), AT_ONCE);
    }

    #[tokio::test]
    async fn the_first_error_ends_it() {
        let fails: BoxFuture<'_, Result<i32>> = Box::pin(async { Err(Error::input("no")) });
        let never: BoxFuture<'_, Result<i32>> = Box::pin(std::future::pending());
        assert!(all(vec![never, fails]).await.is_err());
    }
}
