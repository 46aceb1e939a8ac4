//! Messages of one album, which the server sends one by one, put together again.
//!
//! Nothing waits for an album but the messages of its own chat; and none waits longer than it may.

use std::collections::VecDeque;
use std::task::Context;
use std::time::Duration;

use tokio::time::Instant;

use super::stream::Given;
use super::types::{Album, Update};
use crate::alarm::Alarm;
use crate::messages::Message;
use crate::peers::PeerId;

/// An album has no more messages.
const FULL: usize = 10;
/// Albums that are waited for at once. Beyond, the oldest is given as it is.
const AT_ONCE: usize = 64;

pub(super) struct Albums {
    wait: Duration,
    /// Oldest first.
    open: VecDeque<Collected>,
    whole: VecDeque<Given>,
    alarm: Alarm,
}

struct Collected {
    chat: Option<PeerId>,
    album: i64,
    numbers: Vec<u64>,
    messages: Vec<Message>,
    due: Instant,
}

impl Albums {
    pub(super) fn new(wait: Duration) -> Self {
        Self {
            wait,
            open: VecDeque::new(),
            whole: VecDeque::new(),
            alarm: Alarm::default(),
        }
    }

    /// The next of what is whole.
    pub(super) fn pop(&mut self) -> Option<Given> {
        self.whole.pop_front()
    }

    /// Takes what came out of the queue.
    pub(super) fn take(&mut self, number: Option<u64>, update: Update) {
        let chat = update.peer().map(|peer| peer.key());
        let (message, album) = match update {
            Update::NewMessage(message) => match message.album() {
                Some(album) => (message, album),
                None => return self.other(number, chat, Update::NewMessage(message)),
            },
            update => return self.other(number, chat, update),
        };
        self.end_if(|open| open.chat == chat && open.album != album);
        let at = match self.open.iter().position(|open| open.album == album) {
            Some(at) => at,
            None => {
                if self.open.len() == AT_ONCE {
                    self.end(0);
                }
                self.open.push_back(Collected {
                    chat,
                    album,
                    numbers: Vec::new(),
                    messages: Vec::new(),
                    due: Instant::now() + self.wait,
                });
                self.open.len() - 1
            }
        };
        let Some(open) = self.open.get_mut(at) else {
            return;
        };
        open.numbers.extend(number);
        open.messages.push(message);
        if open.messages.len() == FULL {
            self.end(at);
        }
    }

    /// Something else; it follows the album of its chat.
    fn other(&mut self, number: Option<u64>, chat: Option<PeerId>, update: Update) {
        // What names no chat may be about any.
        self.end_if(|open| chat.is_none() || open.chat == chat);
        let numbers = number.into_iter().collect();
        self.whole.push_back(Given { numbers, update });
    }

    fn end_if(&mut self, ends: impl Fn(&Collected) -> bool) {
        while let Some(at) = self.open.iter().position(&ends) {
            self.end(at);
        }
    }

    fn end(&mut self, at: usize) {
        let Some(mut open) = self.open.remove(at) else {
            return;
        };
        let update = match (open.messages.len(), open.messages.pop()) {
            (1, Some(alone)) => Update::NewMessage(alone),
            (_, last) => {
                open.messages.extend(last);
                Update::Album(Album::new(open.messages))
            }
        };
        self.whole.push_back(Given {
            numbers: open.numbers,
            update,
        });
    }

    /// Ends what has waited long enough, or everything; tells whether there was something.
    pub(super) fn poll_due(&mut self, context: &mut Context<'_>, everything: bool) -> bool {
        loop {
            let Some(due) = self.open.front().map(|open| open.due) else {
                return false;
            };
            let now = Instant::now();
            if everything || due <= now {
                self.end_if(|open| everything || open.due <= now);
                return true;
            }
            if self.alarm.poll(due, context).is_pending() {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;
    use crate::messages::blank_message;
    use crate::peers::{Finder, PeerMap};
    use crate::tl;

    fn message(id: i32, chat: i64, album: Option<i64>) -> Update {
        let peer = tl::types::PeerUser { user_id: chat }.into();
        let mut message = blank_message(id, peer, 0, String::new());
        message.grouped_id = album;
        let nobody = PeerMap::default();
        let finder = Finder {
            packet: &nobody,
            cache: None,
            me: 0,
        };
        Update::NewMessage(Message::new(message.into(), &finder))
    }

    /// The ids of the messages in what is whole.
    fn whole(albums: &mut Albums) -> Vec<Vec<i32>> {
        std::iter::from_fn(|| albums.pop())
            .map(|given| {
                let ids: Vec<i32> = match given.update {
                    Update::Album(album) => album.messages().iter().map(Message::id).collect(),
                    Update::NewMessage(message) => vec![message.id()],
                    _ => vec![],
                };
                let numbers: Vec<i32> = given
                    .numbers
                    .iter()
                    .map(|&n| n.try_into().unwrap())
                    .collect();
                assert_eq!(ids, numbers);
                ids
            })
            .collect()
    }

    fn take(albums: &mut Albums, id: i32, chat: i64, album: Option<i64>) {
        albums.take(u64::try_from(id).ok(), message(id, chat, album));
    }

    #[tokio::test(start_paused = true)]
    async fn an_album_is_given_when_it_has_waited_long_enough() {
        let wait = Duration::from_millis(500);
        let mut albums = Albums::new(wait);
        let begun = Instant::now();
        take(&mut albums, 1, 7, Some(5));
        tokio::time::advance(Duration::from_millis(400)).await;
        // The one that comes later does not put it off.
        take(&mut albums, 2, 7, Some(5));
        assert!(whole(&mut albums).is_empty());
        poll_fn(|context| match albums.poll_due(context, false) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        assert_eq!(whole(&mut albums), [[1, 2]]);
        let waited = begun.elapsed();
        assert!(waited >= wait && waited < wait + Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_in_the_chat_ends_an_album_and_other_chats_pass_by() {
        let mut albums = Albums::new(Duration::from_secs(1));
        take(&mut albums, 1, 7, Some(5));
        take(&mut albums, 2, 8, None);
        take(&mut albums, 3, 7, Some(5));
        take(&mut albums, 4, 8, Some(6));
        assert_eq!(whole(&mut albums), [[2]]);
        take(&mut albums, 5, 7, None);
        assert_eq!(whole(&mut albums), [vec![1, 3], vec![5]]);
        // Another album of the same chat does too, and one message alone is a message.
        take(&mut albums, 6, 8, Some(9));
        assert_eq!(whole(&mut albums), [[4]]);
    }

    #[tokio::test(start_paused = true)]
    async fn ten_messages_are_a_whole_album_at_once_and_albums_are_bounded() {
        let mut albums = Albums::new(Duration::from_secs(1));
        for id in 1..=11 {
            take(&mut albums, id, 7, Some(5));
        }
        assert_eq!(whole(&mut albums), [(1..=10).collect::<Vec<_>>()]);
        for chat in 100..1000 {
            take(&mut albums, chat, chat.into(), Some(chat.into()));
        }
        assert_eq!(albums.open.len(), AT_ONCE);
        assert_eq!(whole(&mut albums)[0], [11]);
    }
}
