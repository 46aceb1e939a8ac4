//! What a reader was given, held against what happened.

use super::model::{COMMON, Kind, PLACES, Place, QTS, SEQ, Shown};
use crate::session::UpdatesState;

/// What happened to a reader.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It was given the delivery of this number.
    Given(usize),
    /// It had to begin anew, with this cursor.
    Began(UpdatesState),
    /// It need not be given what lies before this state of a box.
    Excused(usize, i32),
}

/// How far a reader has come in one box. Differences tell messages first and what became of them after, so
/// these two are each in order, and nothing is told of messages before they are.
#[derive(Clone, Copy, Default)]
struct Reach {
    /// The next message, and the next of all others.
    next: [usize; 2],
    /// It begins wherever the first of them does.
    open: [bool; 2],
    /// Up to this state it was told that something is missing.
    excused: i32,
    /// It was given something.
    met: bool,
}

impl Place {
    fn is_due(&self, number: usize, reach: &Reach) -> bool {
        let event = &self.events[number];
        event.kind != Kind::Read
            && !event.own
            && !event.absent
            && !event.doomed
            && event.end > reach.excused
    }

    fn begin(&self, state: Option<i32>) -> Reach {
        let Some(state) = state else {
            return Reach {
                open: [true; 2],
                ..Reach::default()
            };
        };
        let next = self.events.partition_point(|event| event.end <= state);
        Reach {
            next: [next; 2],
            ..Reach::default()
        }
    }
}

/// Panics when the reader was given anything twice, too early or not at all. `horizons` tells for each delivery up to
/// which state something may be missing when it says so, and the same for `qts`. Returns how often that was said of
/// boxes that were known. `refused` when the server ever refused a state.
pub(super) fn check(
    places: &[Place],
    pushed: &[Shown],
    horizons: &[(i32, i32)],
    steps: &[Step],
    refused: bool,
) -> usize {
    let mut reaches: Vec<Reach> = places
        .iter()
        .map(|place| place.begin(place.known.then_some(0)))
        .collect();
    let mut missed = 0;
    for step in steps {
        let given = match step {
            Step::Given(number) => *number,
            Step::Excused(place, state) => {
                let reach = &mut reaches[*place];
                reach.excused = reach.excused.max(*state);
                continue;
            }
            Step::Began(cursor) => {
                for (number, place) in places.iter().enumerate() {
                    let id = super::model::id_of(number);
                    let state = match number {
                        COMMON => Some(cursor.pts),
                        QTS => Some(cursor.qts),
                        SEQ => Some(cursor.seq),
                        _ => cursor.channels.get(&id).copied(),
                    };
                    let Reach { excused, met, .. } = reaches[number];
                    reaches[number] = Reach {
                        excused,
                        met,
                        ..place.begin(state)
                    };
                }
                continue;
            }
        };
        match pushed[given] {
            Shown::Damaged | Shown::Loose => {}
            Shown::Missed(place) => {
                missed += usize::from(places[place].known);
                let (upto, qts) = horizons[given];
                reaches[place].excused = reaches[place].excused.max(upto);
                if place == COMMON {
                    reaches[QTS].excused = reaches[QTS].excused.max(qts);
                }
            }
            Shown::Event {
                place,
                number,
                kind,
            } => {
                let reach = &mut reaches[place];
                // Where the server refused our state, what was said to be missing may come again.
                if refused && places[place].events[number].end <= reach.excused {
                    let class = usize::from(kind != Kind::New);
                    reach.next[class] = reach.next[class].min(number);
                }
                give(places, &mut reaches, place, number, kind);
            }
        }
    }
    for (number, place) in places.iter().enumerate() {
        let reach = &reaches[number];
        let never = reach.open == [true; 2];
        if number == SEQ || (never && reach.met) {
            continue;
        }
        for at in 0..place.events.len() {
            let class = usize::from(place.events[at].kind != Kind::New);
            let ahead = at >= reach.next[class] && !reach.open[class];
            assert!(
                !((ahead || never) && place.is_due(at, reach)),
                "box {number} ends before {at} of {}: {:?}",
                place.events.len(),
                place.events[at]
            );
        }
    }
    assert_eq!(reaches.len(), PLACES);
    missed
}

fn give(places: &[Place], reaches: &mut [Reach], place: usize, number: usize, kind: Kind) {
    let (log, reach) = (&places[place], &mut reaches[place]);
    let skipped = |class: usize, reach: &Reach| {
        let new = class == 0;
        (reach.next[class]..number)
            .filter(|&at| (log.events[at].kind == Kind::New) == new)
            .find(|&at| log.is_due(at, reach))
    };
    let class = usize::from(kind != Kind::New);
    if kind != Kind::Read {
        assert!(
            number >= reach.next[class],
            "box {place}: {number} ({kind:?}) twice, or too late"
        );
    }
    // What no difference brings may be missing.
    if place != SEQ {
        for before in 0..=class {
            if !reach.open[before]
                && let Some(at) = skipped(before, reach)
            {
                panic!(
                    "box {place}: {at} skipped before {number}: {:?}",
                    log.events[at]
                );
            }
        }
    }
    reach.met = true;
    if kind == Kind::Read {
        return;
    }
    for before in 0..=class {
        reach.next[before] = reach.next[before].max(number + usize::from(before == class));
        reach.open[before] = false;
    }
}
