//! `PeerCache`: the access hash of every peer that was met, within a bound.

use std::collections::HashMap;

use super::peer::{MinContext, Peer, PeerId, PeerInfo, PeerKind, PeerMap};
use crate::session::{PeerKind as SavedKind, SavedPeer, SeenIn};

/// How many peers are kept. Beyond it those that were not used for the longest time go.
const CAPACITY: usize = 20_000;

/// Knows the access hash of every peer that was met.
#[derive(Default)]
pub(crate) struct PeerCache {
    peers: HashMap<PeerId, Entry>,
    usernames: HashMap<String, PeerId>,
    phones: HashMap<String, PeerId>,
    uses: u64,
    /// Something changed since the session was told.
    changed: bool,
}

struct Entry {
    peer: Peer,
    used: u64,
}

impl PeerCache {
    /// Begins with what the session remembers.
    pub(crate) fn load(peers: Vec<SavedPeer>) -> Self {
        let mut cache = Self::default();
        for saved in peers {
            cache.insert(&peer_of_saved(saved));
        }
        cache.changed = false;
        cache
    }

    /// What the session is to remember, unless it was told; asked for whenever it is saved.
    pub(crate) fn take_changes(&mut self) -> Option<Vec<SavedPeer>> {
        std::mem::take(&mut self.changed).then(|| self.snapshot())
    }

    fn snapshot(&self) -> Vec<SavedPeer> {
        let mut peers: Vec<SavedPeer> = self
            .peers
            .values()
            .filter_map(|entry| saved_of_peer(&entry.peer))
            .collect();
        peers.sort_unstable_by_key(|peer| (peer.kind, peer.id));
        peers
    }

    /// Takes every peer of a packet. Tells whether the session has something new to remember.
    pub(crate) fn extend(&mut self, peers: &PeerMap) -> bool {
        let mut changed = false;
        for peer in peers.iter() {
            changed |= self.insert(peer);
        }
        changed
    }

    /// Takes a peer. One known in part never takes the place of one known in full.
    pub(crate) fn insert(&mut self, peer: &Peer) -> bool {
        let changed = self.join(peer);
        self.changed |= changed;
        changed
    }

    fn join(&mut self, peer: &Peer) -> bool {
        self.uses += 1;
        let used = self.uses;
        let id = peer.key();
        let Some(entry) = self.peers.get_mut(&id) else {
            self.index(peer);
            self.peers.insert(
                id,
                Entry {
                    peer: peer.clone(),
                    used,
                },
            );
            self.evict();
            return is_worth_saving(peer);
        };
        entry.used = used;
        let old = entry.peer.info();
        let new = peer.info();
        let part = new.min && !old.min;
        // Of one known in full, what a `min` user says is not taken (constructor `user`); of a channel the
        // title and the username are.
        let mut merged = match (part, id.kind()) {
            (true, PeerKind::User) => old.clone(),
            _ => new.clone(),
        };
        merged.min = new.min && old.min;
        merged.access_hash = match part {
            true => old.access_hash.or(new.access_hash),
            false => new.access_hash.or(old.access_hash),
        };
        merged.context = new.context.or(old.context);
        merged.myself |= old.myself;
        if same(old, &merged) {
            return false;
        }
        let stale = (old.username.clone(), old.phone.clone());
        let merged = Peer::new(id, merged);
        entry.peer = merged.clone();
        if let (Some(name), _) = &stale {
            remove_if(&mut self.usernames, &name.to_ascii_lowercase(), id);
        }
        if let (_, Some(phone)) = &stale {
            remove_if(&mut self.phones, phone, id);
        }
        self.index(&merged);
        is_worth_saving(&merged)
    }

    /// Notes the message that showed a peer which cannot be addressed otherwise.
    pub(crate) fn note_context(&mut self, id: PeerId, context: MinContext) {
        match self.peers.get_mut(&id) {
            Some(entry) if !entry.peer.is_full() => {
                entry.peer = entry.peer.with_context(context);
                self.changed = true;
            }
            _ => {}
        }
    }

    fn index(&mut self, peer: &Peer) {
        if let Some(name) = peer.username() {
            self.usernames.insert(name.to_ascii_lowercase(), peer.key());
        }
        if let Some(phone) = peer.phone() {
            self.phones.insert(phone.to_owned(), peer.key());
        }
    }

    fn evict(&mut self) {
        if self.peers.len() <= CAPACITY {
            return;
        }
        let mut uses: Vec<u64> = self.peers.values().map(|entry| entry.used).collect();
        let middle = uses.len() / 8;
        let (_, &mut limit, _) = uses.select_nth_unstable(middle);
        self.peers
            .retain(|_, entry| entry.used > limit || entry.peer.is_self());
        let peers = &self.peers;
        self.usernames.retain(|_, id| peers.contains_key(id));
        self.phones.retain(|_, id| peers.contains_key(id));
    }

    /// The peer, and notes that it was used.
    pub(crate) fn get(&mut self, id: PeerId) -> Option<Peer> {
        self.uses += 1;
        let used = self.uses;
        let entry = self.peers.get_mut(&id)?;
        entry.used = used;
        Some(entry.peer.clone())
    }

    /// The peer with this username, without `@`.
    pub(crate) fn by_username(&mut self, name: &str) -> Option<Peer> {
        let id = *self.usernames.get(&name.to_ascii_lowercase())?;
        self.get(id)
    }

    /// The user with this phone number, digits only.
    pub(crate) fn by_phone(&mut self, digits: &str) -> Option<Peer> {
        let id = *self.phones.get(digits)?;
        self.get(id)
    }

    /// Whether the peer can be written to.
    pub(crate) fn is_known(&self, id: PeerId) -> bool {
        self.peers
            .get(&id)
            .is_some_and(|entry| entry.peer.is_full())
    }

    pub(crate) fn remove(&mut self, id: PeerId) {
        if let Some(entry) = self.peers.remove(&id) {
            self.changed = true;
            if let Some(name) = entry.peer.username() {
                remove_if(&mut self.usernames, &name.to_ascii_lowercase(), id);
            }
            if let Some(phone) = entry.peer.phone() {
                remove_if(&mut self.phones, phone, id);
            }
        }
    }
}

fn remove_if(map: &mut HashMap<String, PeerId>, key: &str, id: PeerId) {
    if map.get(key) == Some(&id) {
        map.remove(key);
    }
}

fn same(a: &PeerInfo, b: &PeerInfo) -> bool {
    (
        a.access_hash,
        a.min,
        &a.context,
        &a.name,
        &a.username,
        &a.phone,
        a.bot,
        a.broadcast,
        a.myself,
    ) == (
        b.access_hash,
        b.min,
        &b.context,
        &b.name,
        &b.username,
        &b.phone,
        b.bot,
        b.broadcast,
        b.myself,
    )
}

fn id_of_saved(kind: SavedKind, id: i64) -> PeerId {
    match kind {
        SavedKind::User | SavedKind::Bot => PeerId::user(id),
        SavedKind::Group => PeerId::group(id),
        SavedKind::Supergroup | SavedKind::Channel => PeerId::channel(id),
    }
}

/// Whether it can be addressed after a restart.
fn is_worth_saving(peer: &Peer) -> bool {
    peer.is_full() || peer.info().context.is_some()
}

fn peer_of_saved(saved: SavedPeer) -> Peer {
    let id = id_of_saved(saved.kind, saved.id);
    let context = saved.seen_in.map(|seen| MinContext {
        chat: (
            id_of_saved(seen.chat_kind, seen.chat_id),
            seen.chat_access_hash,
        ),
        msg_id: seen.msg_id,
    });
    let info = PeerInfo {
        access_hash: saved.access_hash,
        min: saved.min,
        context,
        name: saved.name,
        username: saved.usernames.into_iter().next(),
        phone: saved.phone,
        bot: saved.kind == SavedKind::Bot,
        broadcast: saved.kind == SavedKind::Channel,
        ..PeerInfo::default()
    };
    Peer::new(id, info)
}

fn saved_of_peer(peer: &Peer) -> Option<SavedPeer> {
    let info = peer.info();
    if !is_worth_saving(peer) {
        return None;
    }
    let kind = match peer.kind() {
        PeerKind::User if info.bot => SavedKind::Bot,
        PeerKind::User => SavedKind::User,
        PeerKind::Group => SavedKind::Group,
        PeerKind::Channel if info.broadcast => SavedKind::Channel,
        PeerKind::Channel => SavedKind::Supergroup,
    };
    let mut saved = SavedPeer::new(kind, peer.id());
    saved.access_hash = info.access_hash;
    saved.min = info.min;
    let context = info.context.filter(|_| info.access_hash.is_none());
    saved.seen_in = context.map(|context| {
        let (chat, hash) = context.chat;
        let kind = match chat.kind() {
            PeerKind::User => SavedKind::User,
            PeerKind::Group => SavedKind::Group,
            PeerKind::Channel => SavedKind::Supergroup,
        };
        SeenIn::new(kind, chat.bare(), hash, context.msg_id)
    });
    saved.usernames = info.username.clone().into_iter().collect();
    saved.phone.clone_from(&info.phone);
    saved.name.clone_from(&info.name);
    Some(saved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tl;

    fn user(id: i64, hash: i64, name: &str) -> Peer {
        let info = PeerInfo {
            access_hash: Some(hash),
            username: Some(name.to_owned()),
            name: name.to_owned(),
            ..PeerInfo::default()
        };
        Peer::new(PeerId::user(id), info)
    }

    /// A user known in part, who is called that.
    fn min(id: i64, name: &str) -> Peer {
        let info = PeerInfo {
            min: true,
            name: name.to_owned(),
            ..PeerInfo::default()
        };
        Peer::new(PeerId::user(id), info)
    }

    fn channel(id: i64, hash: Option<i64>, name: &str) -> Peer {
        let info = PeerInfo {
            access_hash: hash,
            min: hash.is_none(),
            username: Some(name.to_owned()),
            name: name.to_owned(),
            ..PeerInfo::default()
        };
        Peer::new(PeerId::channel(id), info)
    }

    fn context(msg_id: i32) -> MinContext {
        MinContext {
            chat: (PeerId::channel(77), Some(7)),
            msg_id,
        }
    }

    #[test]
    fn a_min_peer_never_takes_the_place_of_a_full_one() {
        let mut cache = PeerCache::default();
        assert!(cache.insert(&user(1, 11, "ann")));
        assert!(!cache.insert(&min(1, "?")));
        let ann = cache.get(PeerId::user(1)).unwrap();
        assert_eq!((ann.info().access_hash, ann.name()), (Some(11), "ann"));
        assert!(cache.is_known(PeerId::user(1)) && !ann.info().min);
        assert_eq!(cache.by_username("ann").unwrap().id(), 1);
    }

    #[test]
    fn of_a_min_channel_the_names_are_taken_and_the_access_hash_stays() {
        let mut cache = PeerCache::default();
        cache.insert(&channel(5, Some(55), "old_name"));
        cache.insert(&channel(5, None, "new_name"));
        let channel = cache.get(PeerId::channel(5)).unwrap();
        assert_eq!(
            (
                channel.info().access_hash,
                channel.name(),
                channel.info().min
            ),
            (Some(55), "new_name", false)
        );
        assert!(cache.by_username("old_name").is_none());
    }

    #[test]
    fn a_min_user_is_called_by_its_newest_name() {
        let mut cache = PeerCache::default();
        cache.insert(&min(1, "one"));
        cache.insert(&min(1, "two"));
        assert_eq!(cache.get(PeerId::user(1)).unwrap().name(), "two");
    }

    #[test]
    fn a_min_user_with_a_whole_access_hash_gives_it_to_one_who_has_none() {
        let mut cache = PeerCache::default();
        let mut whole = min(1, "ann").info().clone();
        whole.access_hash = Some(11);
        cache.insert(&min(1, "ann"));
        cache.insert(&Peer::new(PeerId::user(1), whole));
        cache.insert(&min(1, "ann"));
        let ann = cache.get(PeerId::user(1)).unwrap();
        assert_eq!((ann.info().access_hash, ann.info().min), (Some(11), true));
        assert!(cache.is_known(PeerId::user(1)));
    }

    #[test]
    fn a_full_peer_takes_the_place_of_a_min_one() {
        let mut cache = PeerCache::default();
        assert!(!cache.insert(&min(1, "?")));
        assert!(!cache.is_known(PeerId::user(1)));
        assert!(cache.insert(&user(1, 11, "ann")));
        assert_eq!(
            cache.by_username("ANN").unwrap().info().access_hash,
            Some(11)
        );
    }

    #[test]
    fn one_known_in_part_is_addressed_by_the_newest_message_that_showed_it() {
        let mut cache = PeerCache::default();
        cache.insert(&min(1, "ann"));
        cache.note_context(PeerId::user(1), context(34));
        cache.note_context(PeerId::user(1), context(35));
        // Another packet that shows the same user says nothing of the message.
        cache.insert(&min(1, "ann"));
        let saved = cache.snapshot();
        for cache in [&mut cache, &mut PeerCache::load(saved)] {
            let ann = cache.get(PeerId::user(1)).unwrap();
            let Some(tl::enums::InputPeer::UserFromMessage(input)) = ann.to_input() else {
                panic!("{:?}", ann.to_input())
            };
            assert_eq!((input.msg_id, input.user_id), (35, 1));
            let chat = tl::types::InputPeerChannel {
                channel_id: 77,
                access_hash: 7,
            };
            assert_eq!(input.peer, chat.into());
            assert!(!cache.is_known(PeerId::user(1)));
        }
        // Once there is an access hash the message is forgotten.
        cache.insert(&user(1, 11, "ann"));
        cache.note_context(PeerId::user(1), context(36));
        let ann = cache.get(PeerId::user(1)).unwrap();
        assert!(matches!(
            ann.to_input(),
            Some(tl::enums::InputPeer::User(_))
        ));
        assert_eq!(cache.snapshot()[0].seen_in, None);
    }

    #[test]
    fn a_username_that_moved_leads_to_its_new_owner() {
        let mut cache = PeerCache::default();
        cache.insert(&user(1, 11, "ann"));
        cache.insert(&user(2, 22, "ann"));
        assert_eq!(cache.by_username("ann").unwrap().id(), 2);
        cache.insert(&user(1, 11, "ann_old"));
        assert_eq!(cache.by_username("ann").unwrap().id(), 2);
        assert_eq!(cache.by_username("ann_old").unwrap().id(), 1);
    }

    #[test]
    fn the_session_is_told_when_there_is_something_new_and_not_again() {
        let mut cache = PeerCache::default();
        assert!(cache.take_changes().is_none());
        cache.insert(&user(1, 11, "ann"));
        let saved = cache.take_changes().unwrap();
        assert_eq!(saved.len(), 1);
        cache.insert(&user(1, 11, "ann"));
        assert!(cache.take_changes().is_none());
        let mut cache = PeerCache::load(saved);
        assert!(cache.take_changes().is_none());
        cache.insert(&min(2, "bob"));
        assert!(cache.take_changes().is_none());
        cache.note_context(PeerId::user(2), context(34));
        assert_eq!(cache.take_changes().unwrap().len(), 2);
        cache.remove(PeerId::user(1));
        assert_eq!(cache.take_changes().unwrap().len(), 1);
    }

    #[test]
    fn what_is_saved_comes_back() {
        let mut cache = PeerCache::default();
        cache.insert(&user(1, 11, "ann"));
        cache.insert(&min(2, "nobody"));
        cache.insert(&Peer::new(
            PeerId::group(1),
            PeerInfo {
                name: "group".into(),
                ..PeerInfo::default()
            },
        ));
        let saved = cache.snapshot();
        assert_eq!(saved.len(), 2);
        let mut again = PeerCache::load(saved.clone());
        assert_eq!(again.snapshot(), saved);
        assert_eq!(
            again.by_username("ann").unwrap().info().access_hash,
            Some(11)
        );
        assert_eq!(again.get(PeerId::group(1)).unwrap().name(), "group");
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let mut cache = PeerCache::default();
        for id in 1..=i64::try_from(CAPACITY * 2).unwrap() {
            cache.insert(&user(id, id, &format!("u{id}")));
            assert!(cache.get(PeerId::user(1)).is_some());
        }
        assert!(cache.peers.len() <= CAPACITY && cache.usernames.len() <= CAPACITY);
    }
}
