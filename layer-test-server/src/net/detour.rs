//! What faults make of updates before the session has them: what is lost here is sent again by nobody.

use std::time::{Duration, Instant};

use layer_tl_types::{Serializable, enums, name_for_id};

use super::Hub;
use super::registry::{Slot, SlotState};
use crate::faults::{Action, Event, Point, Scene, matches};

/// Updates of one session that are put off at most; further ones are lost.
const MAX_LATER: usize = 1_000;
/// How long an object waits for another one to change places with.
const SWAP_PATIENCE: Duration = Duration::from_millis(500);

/// Updates of one session that go another way than straight.
#[derive(Debug, Default)]
pub(crate) struct Detour {
    later: Vec<(Instant, Vec<u8>)>,
    swapped: Option<(Instant, Vec<u8>)>,
}

impl Detour {
    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let later = self.later.iter().map(|(due, _)| *due);
        later
            .chain(self.swapped.as_ref().map(|(due, _)| *due))
            .min()
    }
}

/// The names by which a rule can mean an `Updates` object: its own and those of its updates.
pub(super) fn names(updates: &enums::Updates) -> Vec<&'static str> {
    let name = |bytes: Vec<u8>| {
        let id = bytes.first_chunk().map(|id| u32::from_le_bytes(*id));
        id.and_then(name_for_id)
    };
    let within: &[enums::Update] = match updates {
        enums::Updates::Updates(updates) => &updates.updates,
        enums::Updates::Combined(updates) => &updates.updates,
        enums::Updates::UpdateShort(short) => std::slice::from_ref(&short.update),
        _ => &[],
    };
    let own = name(updates.to_bytes());
    own.into_iter()
        .chain(within.iter().filter_map(|update| name(update.to_bytes())))
        .collect()
}

impl Hub {
    /// What is to happen to updates on their way to a session. Nothing, most of the time.
    pub(super) fn detour(
        &self,
        slot: &Slot,
        dc: i32,
        user: i64,
        names: &[&str],
        now: Instant,
    ) -> Vec<Action> {
        let scene = Scene {
            dc,
            ..Scene::default()
        };
        let event = Event::Push {
            user,
            key: slot.key_kind,
            holds: &|pattern| names.iter().any(|name| matches(pattern, name)),
        };
        self.faults().decide(&scene, &event, now).actions
    }

    /// Whether any rule is about updates on their way.
    pub(super) fn diverts(&self) -> bool {
        self.faults().watches(Point::Push)
    }
}

impl SlotState {
    /// Queues updates, or what these actions make of them; false when nothing comes of them.
    pub(super) fn push_by(
        &mut self,
        mut updates: Vec<u8>,
        actions: &[Action],
        noise: &mut dyn FnMut(u32) -> Vec<u8>,
        now: Instant,
    ) -> bool {
        let mut whole = true;
        let (mut lost, mut twice, mut swaps, mut delay) = (false, false, false, None);
        for action in actions {
            match action {
                Action::Drop => lost = true,
                Action::Duplicate => twice = true,
                Action::Reorder => swaps = true,
                Action::Delay(time) => delay = Some(*time),
                Action::TooLong => updates = enums::Updates::TooLong.to_bytes(),
                Action::Garbage(bytes) => updates = noise(*bytes),
                // Messages consist of whole words, so the end is where one begins.
                Action::Malformed => updates.truncate((updates.len() / 8 * 4).max(4)),
                _ => {}
            }
            whole &= !matches!(
                action,
                Action::Drop | Action::TooLong | Action::Garbage(_) | Action::Malformed
            );
        }
        if lost {
            return false;
        }
        let again = twice.then(|| updates.clone());
        for updates in [Some(updates), again].into_iter().flatten() {
            if let Some(delay) = delay {
                if self.detour.later.len() < MAX_LATER {
                    self.detour.later.push((now + delay, updates));
                }
                self.wake();
            } else if swaps {
                self.end_swap();
                self.detour.swapped = Some((now + SWAP_PATIENCE, updates));
                self.wake();
            } else {
                whole &= self.push(updates);
                self.end_swap();
            }
        }
        whole
    }

    fn end_swap(&mut self) {
        if let Some((_, updates)) = self.detour.swapped.take() {
            self.push(updates);
        }
    }

    /// Queues what was put off and is due.
    pub(super) fn end_detours(&mut self, now: Instant) {
        if self
            .detour
            .swapped
            .as_ref()
            .is_some_and(|(due, _)| *due <= now)
        {
            self.end_swap();
        }
        while let Some(at) = self.detour.later.iter().position(|(due, _)| *due <= now) {
            let (_, updates) = self.detour.later.remove(at);
            self.push(updates);
        }
    }
}
