//! Random histories: whatever happens, every session can follow it, and differences lead to the same boxes.
//!
//! Each person has a session that makes calls, one that only listens, and one that is away and catches up at times.
//! A failure prints its seed; `LAYER_SEED` runs that one alone, `LAYER_RUNS` sets how many.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use layer_tl_types::{enums, functions};

use super::replica::Replica;
use super::{Session, Stage, expected};
use crate::rpc::Out;
use crate::world::Config;
use crate::world::channels::all_rights;
use crate::world::ids::{BOT_FATHER_ID, ECHO_ID, PeerId};

struct Person {
    caller: Session,
    acting: Replica,
    listening: Replica,
    away: Replica,
    /// Another program, to which not every push comes.
    unlucky: Session,
    lossy: Replica,
    /// What it must be told, since the listening session and since the one that is away was asked.
    journal: u64,
    journal_away: u64,
}

pub(super) struct Run {
    pub(super) stage: Stage,
    people: Vec<Person>,
    /// States of long ago, from which differences must lead to the present.
    old: Vec<(usize, Replica)>,
    /// What happened so far, by kind.
    seen: BTreeMap<&'static str, usize>,
    pub(super) rng: fastrand::Rng,
}

/// What an answer tells the caller's own session.
#[expect(clippy::large_enum_variant, reason = "made one at a time")]
pub(super) enum Told {
    Updates(enums::Updates),
    /// A text that may have been answered by `updateShortSentMessage`.
    Sent(PeerId, functions::messages::SendMessage, enums::Updates),
    /// Messages that are gone, and the new `pts`.
    Deleted(Vec<i32>, i32, i32),
    DeletedInChannel(i64, Vec<i32>, i32, i32),
    Read(PeerId, i32, i32),
    ContentsRead(Vec<i32>, i32, i32),
    Nothing,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let config = Config {
            // Some worlds forget soon, so that "too long" happens.
            log_limit: if rng.u8(..4) == 0 { 30 } else { 20_000 },
            channel_difference_limit: if rng.u8(..4) == 0 { 20 } else { 1_000 },
            difference_limit: rng.usize(3..40),
            ..Config::default()
        };
        let mut stage = Stage::new(config);
        let mut sessions: Vec<Session> = ["Anna", "Robert", "Carla", "Dieter"]
            .iter()
            .map(|name| stage.person(name))
            .collect();
        let owner = sessions[0];
        sessions.extend(["first_bot", "second_bot"].map(|name| stage.bot(owner, name)));
        Self::found(&mut stage, &sessions);
        let people = sessions
            .into_iter()
            .map(|caller| {
                let fresh = Replica::fresh(&mut stage, caller);
                let (journal, journal_away) = (
                    stage.world.journals.open(caller.user),
                    stage.world.journals.open(caller.user),
                );
                Person {
                    unlucky: Session {
                        key: caller.key + 5,
                        ..caller
                    },
                    lossy: fresh.clone(),
                    journal,
                    journal_away,
                    caller,
                    acting: fresh.clone(),
                    listening: fresh.clone(),
                    away: fresh,
                }
            })
            .collect();
        Self {
            stage,
            people,
            old: Vec::new(),
            seen: BTreeMap::new(),
            rng,
        }
    }

    /// Makes a group, a supergroup and a channel in which one bot is an administrator.
    fn found(stage: &mut Stage, people: &[Session]) {
        let (creator, bot) = (people[0].user, people[people.len() - 1].user);
        let others: Vec<i64> = people[1..].iter().map(|person| person.user).collect();
        let world = &mut stage.world;
        world.create_group(creator, "Group", &others).unwrap();
        let group = *world.chats.keys().next_back().unwrap();
        world.set_group_admin(creator, group, bot, true).unwrap();
        for broadcast in [false, true] {
            let title = "Channel";
            world.create_channel(creator, title, "", broadcast).unwrap();
            let channel = *world.channels.keys().next_back().unwrap();
            let readers = if broadcast { &others[..2] } else { &others[..] };
            world.invite_to_channel(creator, channel, readers).unwrap();
            let rights = all_rights();
            world
                .set_admin(creator, channel, bot, rights, None)
                .unwrap();
        }
        world.take_outbox();
    }

    /// Delivers what was pushed, to each session that it is for.
    fn deliver(&mut self) {
        for out in std::mem::take(&mut self.stage.sent) {
            let Out::Push(push) = out else { continue };
            let Some(person) = self
                .people
                .iter_mut()
                .find(|person| person.caller.user == push.user_id)
            else {
                continue;
            };
            // What a difference brought meanwhile cannot be lost any more.
            let place = person.lossy.place_of(&push.updates);
            if place != Ordering::Less && self.rng.u8(..5) == 0 {
                let key = person.unlucky.key;
                self.stage.world.owe(push.user_id, key, &push.updates);
                *self.seen.entry("lost").or_default() += 1;
            } else {
                match place {
                    Ordering::Less => {}
                    Ordering::Equal => {
                        person.lossy.apply(push.user_id, &push.updates);
                        person.lossy.refresh(&self.stage, person.unlucky);
                    }
                    Ordering::Greater => {
                        let limit = self.rng.bool().then(|| self.rng.i32(1..30));
                        person
                            .lossy
                            .catch_up(&mut self.stage, person.unlucky, limit);
                    }
                }
            }
            let own = (person.caller.key, person.caller.id);
            person.listening.apply(push.user_id, &push.updates);
            person.listening.refresh(&self.stage, person.caller);
            if push.except != Some(own) {
                person.acting.apply(push.user_id, &push.updates);
                person.acting.refresh(&self.stage, person.caller);
            }
        }
    }

    fn peers(&self, viewer: Session) -> Vec<PeerId> {
        let mut peers: Vec<PeerId> = self
            .people
            .iter()
            .map(|person| PeerId::User(person.caller.user))
            .collect();
        peers.extend([PeerId::User(ECHO_ID), PeerId::User(BOT_FATHER_ID)]);
        peers.extend(self.stage.world.chats.keys().map(|id| PeerId::Chat(*id)));
        peers.extend(
            self.stage
                .world
                .channels
                .keys()
                .map(|id| PeerId::Channel(*id)),
        );
        let _ = viewer;
        peers
    }

    pub(super) fn some_peer(&mut self, viewer: Session) -> PeerId {
        let mut peers = self.peers(viewer);
        if self.rng.bool() {
            peers.retain(|peer| !matches!(peer, PeerId::User(_)));
        }
        peers[self.rng.usize(..peers.len())]
    }

    pub(super) fn somebody(&mut self) -> i64 {
        self.people[self.rng.usize(..self.people.len())].caller.user
    }

    /// A message of the dialog, preferably a late one.
    pub(super) fn some_id(&mut self, viewer: Session, peer: PeerId) -> i32 {
        let ids: Vec<i32> = match peer {
            PeerId::Channel(id) => self.stage.world.channels[&id]
                .messages
                .keys()
                .copied()
                .collect(),
            _ => self.stage.world.accounts[&viewer.user].ids(peer).collect(),
        };
        if ids.is_empty() {
            0
        } else {
            ids[self.rng.usize(ids.len().saturating_sub(8)..ids.len())]
        }
    }

    fn step(&mut self) {
        if self.rng.u8(..3) == 0 {
            self.stage.now += self.rng.i32(0..3);
        }
        let index = self.rng.usize(..self.people.len());
        let caller = self.people[index].caller;
        // What is refused must change nothing that is counted, which the sessions would notice.
        let told = self.act(caller).unwrap_or(Told::Nothing);
        let acting = &mut self.people[index].acting;
        match told {
            Told::Updates(updates) => acting.apply(caller.user, &updates),
            Told::Sent(peer, request, enums::Updates::UpdateShortSentMessage(sent)) => {
                acting.apply_sent(caller.user, peer, &request, &sent);
            }
            Told::Sent(_, _, updates) => acting.apply(caller.user, &updates),
            Told::Deleted(ids, pts, count) => {
                acting.count(pts, count, "a deletion of one's own");
                for id in ids {
                    acting.messages.remove(&id);
                }
            }
            Told::DeletedInChannel(channel, ids, pts, count) => {
                if let Some(copy) = acting.channels.get_mut(&channel) {
                    assert_eq!(
                        copy.pts + count,
                        pts,
                        "a gap before a deletion in a channel"
                    );
                    copy.pts = pts;
                }
                acting.channel_deleted(channel, &ids);
            }
            Told::Read(peer, pts, count) => {
                acting.count(pts, count, "one's own reading");
                if count > 0 {
                    let read = self.stage.world.accounts[&caller.user].dialogs[&peer].read_inbox;
                    acting.read_inbox.insert(peer, read);
                }
            }
            Told::ContentsRead(ids, pts, count) => {
                acting.count(pts, count, "one's own reading of contents");
                acting.contents_read(&ids);
            }
            Told::Nothing => {}
        }
        acting.refresh(&self.stage, caller);
        self.deliver();
        if self.rng.u8(..40) == 0 {
            let index = self.rng.usize(..self.people.len());
            self.catch_up(index);
        }
        if self.rng.u8(..60) == 0 {
            let index = self.rng.usize(..self.people.len());
            let listening = &self.people[index].listening;
            self.old.push((index, listening.clone()));
        }
    }

    fn catch_up(&mut self, index: usize) {
        let limit = self.rng.bool().then(|| self.rng.i32(1..30));
        let person = &mut self.people[index];
        let noted = expected::noted(&mut self.stage, person.journal);
        expected::check_pushes(&noted, &std::mem::take(&mut person.listening.told));
        person.acting.told.clear();
        for event in &noted {
            *self.seen.entry(expected::kind(event)).or_default() += 1;
        }
        let noted = expected::noted(&mut self.stage, person.journal_away);
        let anew = person.away.anew;
        let mut channels: Vec<i64> = person.away.channels.keys().copied().collect();
        person.away.catch_up(&mut self.stage, person.caller, limit);
        let told = std::mem::take(&mut person.away.told);
        *self.seen.entry("too long").or_default() += person.away.anew - anew;
        if person.away.anew == anew {
            channels.retain(|id| person.away.channels.contains_key(id));
            expected::check_difference(&noted, &told, &channels);
        }
        self.compare(index);
    }

    /// All sessions of a person, and the server, agree.
    fn compare(&self, index: usize) {
        let Person {
            acting,
            listening,
            away,
            ..
        } = &self.people[index];
        for (name, replica) in [("acting", acting), ("listening", listening), ("away", away)] {
            self.check(index, name, replica);
        }
        if self.stage.world.config.log_limit >= 100 {
            assert_eq!(away.read_inbox, listening.read_inbox, "what was read");
            assert_eq!(
                away.read_outbox, listening.read_outbox,
                "what others have read"
            );
            assert_eq!(away.names, listening.names, "names");
        }
    }

    /// A session of a person has what the server has.
    fn check(&self, index: usize, name: &str, replica: &Replica) {
        let caller = self.people[index].caller;
        let user = caller.user;
        let account = &self.stage.world.accounts[&user];
        assert_eq!(replica.pts, account.pts, "pts of the {name} session");
        assert_eq!(replica.qts, account.qts, "qts of the {name} session");
        assert_eq!(replica.seq, account.seq, "seq of the {name} session");
        expected::check_boxes(&expected::model(&self.stage, caller), replica);
        let seen: Vec<i32> = replica.messages.keys().copied().collect();
        let there: Vec<i32> = account.messages.keys().copied().collect();
        assert_eq!(seen, there, "ids of the {name} session");
        for (id, seen) in &replica.messages {
            let mut seen = seen.clone();
            let mut message = self.stage.world.tl_message(user, *id);
            for message in [&mut seen, &mut message] {
                // A reply to a message that is gone loses its header only where it is fetched anew.
                match message {
                    enums::Message::Message(message) => {
                        message.reply_to = None;
                        // These count in no pts, and are asked for.
                        message.reactions = None;
                        if let Some(enums::MessageMedia::Poll(_)) = message.media {
                            message.media = None;
                        }
                    }
                    enums::Message::Service(message) => message.reply_to = None,
                    enums::Message::Empty(_) => {}
                }
            }
            assert_eq!(seen, message, "message {id} of the {name} session");
        }
        let channels = self.stage.world.channels.values();
        let joined: Vec<i64> = channels
            .filter(|channel| channel.members.contains_key(&user))
            .map(|channel| channel.id)
            .collect();
        assert_eq!(
            replica.channels.keys().copied().collect::<Vec<_>>(),
            joined,
            "channels of the {name} session"
        );
        for id in joined {
            let channel = &self.stage.world.channels[&id];
            let copy = &replica.channels[&id];
            assert_eq!(
                copy.pts,
                channel.pts_for(user),
                "pts of channel {id} in the {name} session"
            );
            assert_eq!(
                copy.messages.keys().copied().collect::<Vec<_>>(),
                channel.ids_for(user).collect::<Vec<_>>(),
                "ids of channel {id} in the {name} session"
            );
        }
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
        for (index, mut replica) in std::mem::take(&mut self.old) {
            let limit = self.rng.bool().then(|| self.rng.i32(1..30));
            let caller = self.people[index].caller;
            replica.catch_up(&mut self.stage, caller, limit);
            self.check(index, "old", &replica);
        }
        for index in 0..self.people.len() {
            let Person {
                unlucky,
                lossy,
                listening,
                ..
            } = &mut self.people[index];
            lossy.catch_up(&mut self.stage, *unlucky, None);
            if self.stage.world.config.log_limit >= 100 {
                assert_eq!(lossy.names, listening.names, "names in spite of losses");
                assert_eq!(lossy.read_inbox, listening.read_inbox);
                assert_eq!(lossy.read_outbox, listening.read_outbox);
            }
            let lossy = self.people[index].lossy.clone();
            self.check(index, "lossy", &lossy);
            self.catch_up(index);
            // Having caught up, there is nothing more, but for pointers to channels of this very second.
            let (before, caller) = (self.people[index].away.clone(), self.people[index].caller);
            self.stage.now += 1;
            let mut again = before.clone();
            again.catch_up(&mut self.stage, caller, None);
            assert_eq!(again.messages, before.messages);
            assert_eq!(again.channels, before.channels);
        }
    }
}

#[test]
fn every_session_follows_any_history_without_a_gap_and_differences_lead_to_the_same_boxes() {
    let given = std::env::var("LAYER_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let runs = std::env::var("LAYER_RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(60);
    let seeds: Vec<u64> = given.map_or_else(|| (0..runs).collect(), |seed| vec![seed]);
    let whole = given.is_none();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| {
            let mut run = Run::new(seed);
            run.run(400);
            run.seen
        });
        match outcome {
            Ok(kinds) => {
                for (kind, count) in kinds {
                    *seen.entry(kind).or_default() += count;
                }
            }
            Err(panic) => {
                eprintln!("replay with LAYER_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    // A history in which something never happens proves nothing of it.
    for kind in [
        "common",
        "channel",
        "lost",
        "qts",
        "seq",
        "uncounted",
        "too long",
        "reaction",
        "vote",
        "asked",
    ] {
        assert!(!whole || seen.contains_key(kind), "no {kind}: {seen:?}");
    }
    if std::env::var("LAYER_RUNS").is_ok() {
        eprintln!("{seen:?}");
    }
}
