//! Looking messages up: history by offsets, search, and lists by id.

use layer_tl_types::{enums, types};

use super::World;
use super::ids::PeerId;
use super::message::{Body, Media};
use super::named::Named;

/// Which part of a list is wanted, by the rules of Telegram's page on pagination: first the offset (by id or date, and
/// shifted), then the limit, then the filters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    pub(crate) offset_id: i32,
    pub(crate) offset_date: i32,
    pub(crate) add_offset: i32,
    pub(crate) limit: i32,
    /// Only ids below, if positive.
    pub(crate) max_id: i32,
    /// Only ids above, if positive.
    pub(crate) min_id: i32,
}

/// How many messages one call returns at most.
const PAGE_LIMIT: i32 = 100;
/// What a limit of 0 means.
const DEFAULT_LIMIT: i32 = 20;

impl Window {
    /// Cuts the window out of a list of (id, date), newest first. Returns the ids and where the cut began.
    pub(crate) fn cut(&self, list: &[(i32, i32)]) -> (Vec<i32>, i32) {
        let limit = if self.limit == 0 {
            DEFAULT_LIMIT
        } else {
            self.limit.clamp(0, PAGE_LIMIT)
        };
        let newer = list
            .iter()
            .take_while(|(id, date)| {
                // An id says where exactly; a date beside it would skip the rest of its second.
                if self.offset_id > 0 {
                    *id >= self.offset_id
                } else {
                    self.offset_date > 0 && *date >= self.offset_date
                }
            })
            .count();
        let start = i64::try_from(newer)
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(self.add_offset));
        let end = usize::try_from(start.saturating_add(i64::from(limit)))
            .unwrap_or(0)
            .min(list.len());
        let start = usize::try_from(start).unwrap_or(0).min(end);
        let ids = list[start..end]
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| {
                (self.max_id <= 0 || *id < self.max_id) && (self.min_id <= 0 || *id > self.min_id)
            })
            .collect();
        (ids, i32::try_from(start).unwrap_or(i32::MAX))
    }
}

/// What `messages.search` looks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// Words, without regard to case; empty for any.
    pub(crate) text: String,
    pub(crate) from: Option<i64>,
    pub(crate) filter: Option<enums::MessagesFilter>,
    pub(crate) min_date: i32,
    pub(crate) max_date: i32,
}

impl Query {
    fn fits(&self, world: &World, viewer: i64, body: &Body) -> bool {
        (self.text.is_empty() || body.text.to_lowercase().contains(&self.text.to_lowercase()))
            && self.from.is_none_or(|from| body.from == from)
            && (self.min_date <= 0 || body.date > self.min_date)
            && (self.max_date <= 0 || body.date < self.max_date)
            && self
                .filter
                .as_ref()
                .is_none_or(|filter| world.fits_filter(viewer, body, filter))
    }
}

/// The answer's hash, as clients compute it from the ids.
pub(crate) fn list_hash(ids: impl Iterator<Item = i64>) -> i64 {
    let hash = ids.fold(0_u64, |mut hash, id| {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash.wrapping_add(id.cast_unsigned())
    });
    hash.cast_signed()
}

impl World {
    /// Ids and dates of a dialog, newest first, of the messages that `keep` lets through.
    fn listing(&self, viewer: i64, peer: PeerId, keep: impl Fn(&Body) -> bool) -> Vec<(i32, i32)> {
        let row = |(id, body): (i32, u64)| {
            let body = self.bodies.get(&body)?;
            keep(body).then_some((id, body.date))
        };
        match peer {
            PeerId::Channel(channel) => self
                .channels
                .get(&channel)
                .into_iter()
                .flat_map(|channel| channel.messages.iter().rev())
                .filter_map(|(id, body)| row((*id, *body)))
                .collect(),
            _ => self.accounts.get(&viewer).map_or_else(Vec::new, |account| {
                account
                    .ids(peer)
                    .rev()
                    .filter_map(|id| Some((id, account.messages.get(&id)?.body)))
                    .filter_map(row)
                    .collect()
            }),
        }
    }

    /// `messages.getHistory`.
    pub(crate) fn history(
        &mut self,
        viewer: i64,
        peer: PeerId,
        window: Window,
        hash: i64,
    ) -> enums::messages::Messages {
        let list = self.listing(viewer, peer, |_| true);
        self.answer(viewer, peer, &list, window, hash)
    }

    /// `messages.getSavedHistory`: what Saved Messages hold of one origin.
    pub(crate) fn saved_history(
        &mut self,
        viewer: i64,
        origin: PeerId,
        window: Window,
        hash: i64,
    ) -> enums::messages::Messages {
        let own = PeerId::User(viewer);
        let list = self.listing(viewer, own, |body| Self::saved_peer(viewer, body) == origin);
        self.answer(viewer, own, &list, window, hash)
    }

    /// `messages.search` in one dialog.
    pub(crate) fn search(
        &mut self,
        viewer: i64,
        peer: PeerId,
        query: &Query,
        window: Window,
        hash: i64,
    ) -> enums::messages::Messages {
        let list = self.listing(viewer, peer, |body| query.fits(self, viewer, body));
        self.answer(viewer, peer, &list, window, hash)
    }

    /// How many messages of a dialog a search finds.
    pub(crate) fn search_count(&self, viewer: i64, peer: PeerId, query: &Query) -> i32 {
        let count = self
            .listing(viewer, peer, |body| query.fits(self, viewer, body))
            .len();
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// `messages.searchGlobal` and `messages.search` without a peer: over all dialogs, newest first.
    pub(crate) fn search_everywhere(
        &mut self,
        viewer: i64,
        query: &Query,
        limit: i32,
    ) -> enums::messages::Messages {
        let peers: Vec<PeerId> = self
            .listed(viewer)
            .into_iter()
            .map(|(_, _, peer)| peer)
            .collect();
        let mut found: Vec<(i32, PeerId, i32)> = Vec::new();
        for peer in peers {
            let listing = self.listing(viewer, peer, |body| query.fits(self, viewer, body));
            found.extend(listing.into_iter().map(|(id, date)| (date, peer, id)));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        let limit = usize::try_from(limit.clamp(1, PAGE_LIMIT)).unwrap_or(1);
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let mut named = Named::default();
        let messages: Vec<enums::Message> = found
            .iter()
            .map(|&(_, peer, id)| {
                self.name_any(viewer, peer, id, &mut named);
                self.tl_any_message(viewer, peer, id)
            })
            .collect();
        let (users, chats) = self.describe(viewer, &named);
        if more {
            let next_rate = found.last().map(|(date, _, _)| *date);
            return types::messages::MessagesSlice {
                inexact: false,
                count,
                next_rate,
                offset_id_offset: None,
                search_flood: None,
                messages,
                topics: Vec::new(),
                chats,
                users,
            }
            .into();
        }
        types::messages::Messages {
            messages,
            topics: Vec::new(),
            chats,
            users,
        }
        .into()
    }

    fn answer(
        &mut self,
        viewer: i64,
        peer: PeerId,
        list: &[(i32, i32)],
        window: Window,
        hash: i64,
    ) -> enums::messages::Messages {
        let (ids, start) = window.cut(list);
        let count = i32::try_from(list.len()).unwrap_or(i32::MAX);
        if hash != 0 && list_hash(ids.iter().map(|id| i64::from(*id))) == hash {
            return types::messages::MessagesNotModified { count }.into();
        }
        self.messages(viewer, peer, &ids, Some((count, start)))
    }

    /// Messages of one dialog by id, in this order; `total` is the size of the list and where it was cut.
    pub(crate) fn messages(
        &mut self,
        viewer: i64,
        peer: PeerId,
        ids: &[i32],
        total: Option<(i32, i32)>,
    ) -> enums::messages::Messages {
        let mut named = Named::of(&[peer]);
        let messages: Vec<enums::Message> = ids
            .iter()
            .map(|&id| {
                self.name_any(viewer, peer, id, &mut named);
                self.tl_any_message(viewer, peer, id)
            })
            .collect();
        let (users, chats) = self.describe(viewer, &named);
        let topics = Vec::new();
        let returned = i32::try_from(messages.len()).unwrap_or(i32::MAX);
        let (count, start) = total.unwrap_or((returned, 0));
        self.date_for(viewer);
        if let PeerId::Channel(id) = peer {
            let pts = self
                .channels
                .get(&id)
                .map_or(1, |channel| channel.pts_for(viewer));
            let offset_id_offset = (total.is_some() && start > 0).then_some(start);
            return types::messages::ChannelMessages {
                inexact: false,
                pts,
                count,
                offset_id_offset,
                messages,
                topics,
                chats,
                users,
            }
            .into();
        }
        if count <= returned {
            return types::messages::Messages {
                messages,
                topics,
                chats,
                users,
            }
            .into();
        }
        types::messages::MessagesSlice {
            inexact: false,
            count,
            next_rate: None,
            offset_id_offset: (start > 0).then_some(start),
            search_flood: None,
            messages,
            topics,
            chats,
            users,
        }
        .into()
    }

    /// `messages.getMessages`: from the account's own box, whatever the dialog; `messageEmpty` for what is not there.
    pub(crate) fn own_messages(&mut self, viewer: i64, ids: &[i32]) -> enums::messages::Messages {
        let mut named = Named::default();
        let messages = ids
            .iter()
            .map(|&id| {
                self.name_message(viewer, id, &mut named);
                self.tl_message(viewer, id)
            })
            .collect();
        let (users, chats) = self.describe(viewer, &named);
        types::messages::Messages {
            messages,
            topics: Vec::new(),
            chats,
            users,
        }
        .into()
    }

    fn name_any(&self, viewer: i64, peer: PeerId, id: i32, named: &mut Named) {
        match peer {
            PeerId::Channel(channel) => self.name_channel_message(channel, id, named),
            _ => self.name_message(viewer, id, named),
        }
    }

    /// Whether a message is of the kind that a filter asks for.
    fn fits_filter(&self, viewer: i64, body: &Body, filter: &enums::MessagesFilter) -> bool {
        use enums::MessagesFilter as F;
        let kind = match &body.media {
            Some(Media::Document { id, .. }) => Some(self.files.kind(*id)),
            _ => None,
        };
        let photo = matches!(body.media, Some(Media::Photo { .. }));
        match filter {
            F::InputMessagesFilterEmpty => true,
            F::InputMessagesFilterPhotos => photo,
            F::InputMessagesFilterVideo => kind.is_some_and(|kind| kind.video && !kind.animated),
            F::InputMessagesFilterPhotoVideo => {
                photo || kind.is_some_and(|kind| kind.video && !kind.animated)
            }
            F::InputMessagesFilterDocument => kind.is_some_and(|kind| kind.is_plain()),
            F::InputMessagesFilterGif => kind.is_some_and(|kind| kind.animated),
            F::InputMessagesFilterVoice => kind.is_some_and(|kind| kind.voice),
            F::InputMessagesFilterMusic => kind.is_some_and(|kind| kind.audio),
            F::InputMessagesFilterRoundVideo => kind.is_some_and(|kind| kind.round),
            F::InputMessagesFilterRoundVoice => kind.is_some_and(|kind| kind.round || kind.voice),
            F::InputMessagesFilterUrl => body.entities.iter().any(|entity| {
                matches!(
                    entity,
                    enums::MessageEntity::Url(_) | enums::MessageEntity::TextUrl(_)
                )
            }),
            F::InputMessagesFilterContacts => {
                matches!(
                    body.media,
                    Some(Media::Other(enums::MessageMedia::Contact(_)))
                )
            }
            F::InputMessagesFilterGeo => {
                matches!(body.media, Some(Media::Other(enums::MessageMedia::Geo(_))))
            }
            F::InputMessagesFilterChatPhotos => {
                matches!(body.action, Some(enums::MessageAction::ChatEditPhoto(_)))
            }
            F::InputMessagesFilterMyMentions => self.is_mentioned(viewer, body),
            F::InputMessagesFilterPinned => body.is_pinned(viewer),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<(i32, i32)> {
        (1..=50).rev().map(|id| (id * 2, 1_000 + id)).collect()
    }

    fn cut(window: Window) -> Vec<i32> {
        window.cut(&list()).0
    }

    #[test]
    fn older_than_an_id() {
        assert_eq!(
            cut(Window {
                offset_id: 20,
                limit: 3,
                ..Window::default()
            }),
            [18, 16, 14]
        );
        assert_eq!(
            cut(Window {
                offset_id: 21,
                limit: 3,
                ..Window::default()
            }),
            [20, 18, 16]
        );
        assert_eq!(
            cut(Window {
                offset_id: 2,
                limit: 3,
                ..Window::default()
            }),
            Vec::<i32>::new()
        );
    }

    #[test]
    fn newer_than_an_id() {
        // As documented: offset_id inclusive, shifted back by the limit.
        assert_eq!(
            cut(Window {
                offset_id: 20,
                add_offset: -3,
                limit: 3,
                ..Window::default()
            }),
            [24, 22, 20]
        );
        assert_eq!(
            cut(Window {
                offset_id: 98,
                add_offset: -20,
                limit: 20,
                ..Window::default()
            }),
            [100, 98]
        );
    }

    #[test]
    fn around_an_id() {
        let around = cut(Window {
            offset_id: 20,
            add_offset: -2,
            limit: 4,
            ..Window::default()
        });
        assert_eq!(around, [22, 20, 18, 16]);
    }

    #[test]
    fn by_date() {
        assert_eq!(
            cut(Window {
                offset_date: 1_010,
                limit: 2,
                ..Window::default()
            }),
            [18, 16]
        );
    }

    #[test]
    fn by_an_id_and_the_date_of_its_message_the_rest_of_that_second_comes_too() {
        let (id, date) = (16, 1_000); // as mtcute asks for the next page
        let by_id = Window {
            offset_id: id,
            limit: 3,
            ..Window::default()
        };
        let by_both = Window {
            offset_date: date,
            ..by_id
        };
        assert_eq!(cut(by_both), cut(by_id));
    }

    #[test]
    fn filters_come_after_the_limit() {
        let window = Window {
            limit: 5,
            max_id: 98,
            min_id: 92,
            ..Window::default()
        };
        assert_eq!(cut(window), [96, 94]);
    }

    #[test]
    fn limit_zero_is_twenty_and_the_most_is_a_hundred() {
        assert_eq!(cut(Window::default()).len(), 20);
        assert_eq!(
            cut(Window {
                limit: 1_000,
                ..Window::default()
            })
            .len(),
            50
        );
        let long: Vec<(i32, i32)> = (1..=300).rev().map(|id| (id, id)).collect();
        assert_eq!(
            Window {
                limit: 1_000,
                ..Window::default()
            }
            .cut(&long)
            .0
            .len(),
            100
        );
    }

    #[test]
    fn extreme_numbers_do_no_harm() {
        for extreme in [i32::MIN, -1, i32::MAX] {
            let window = Window {
                offset_id: extreme,
                offset_date: extreme,
                add_offset: extreme,
                limit: extreme,
                max_id: extreme,
                min_id: extreme,
            };
            let _ = cut(window);
        }
    }
}
