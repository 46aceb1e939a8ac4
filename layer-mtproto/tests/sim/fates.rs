//! What became of each request, and what must never become of one.

use std::collections::{BTreeMap, BTreeSet};

use layer_mtproto::session::RequestId;

/// How a request ended, as the client was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With the server's answer, or its error.
    Answered,
    /// Without.
    Failed,
}

/// A key and a session.
pub(crate) type Place = (i64, i64);

#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) body: Vec<u8>,
    pub(crate) may_repeat: bool,
    pub(crate) after: Vec<RequestId>,
    pub(crate) executions: u32,
    /// The sessions in which the server is at it: one that was given up may be among them.
    pub(crate) running: BTreeSet<Place>,
    pub(crate) end: Option<End>,
    /// How often a session or a key was lost while it lived.
    pub(crate) sessions_lost: u32,
}

#[derive(Default)]
pub(crate) struct Fates {
    all: BTreeMap<RequestId, Fate>,
    by_body: BTreeMap<Vec<u8>, RequestId>,
}

impl Fates {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn open(&self) -> usize {
        self.all.values().filter(|fate| fate.end.is_none()).count()
    }

    pub(crate) fn nth(&self, n: usize) -> Option<RequestId> {
        self.all.keys().nth(n).copied()
    }

    pub(crate) fn last(&self) -> Option<RequestId> {
        self.all.keys().next_back().copied()
    }

    pub(crate) fn get(&self, id: RequestId) -> &Fate {
        &self.all[&id]
    }

    pub(crate) fn submitted(
        &mut self,
        id: RequestId,
        body: Vec<u8>,
        may_repeat: bool,
        after: Vec<RequestId>,
    ) {
        let fate = Fate {
            body: body.clone(),
            may_repeat,
            after,
            executions: 0,
            running: BTreeSet::new(),
            end: None,
            sessions_lost: 0,
        };
        let other = self.all.insert(id, fate);
        assert!(other.is_none(), "a name was given out twice");
        self.by_body.insert(body, id);
    }

    /// The server begins a call.
    pub(crate) fn executed(&mut self, body: &[u8], place: Place) {
        let id = *self
            .by_body
            .get(body)
            .expect("a call that nobody submitted, or a damaged one");
        let fate = &self.all[&id];
        let name = name(&fate.body);
        for before in &fate.after {
            let first = &self.all[before];
            let given_up = first.end == Some(End::Failed);
            assert!(
                given_up || first.end.is_some() || !first.running.contains(&place),
                "{name} was begun before its predecessor was done"
            );
        }
        if fate.executions == 0 && fate.end != Some(End::Failed) {
            let overtaken = |other: &Fate| other.after.contains(&id) && other.executions > 0;
            if let Some(other) = self.all.values().find(|other| overtaken(other)) {
                panic!("{} was done before its predecessor {name}", text(other));
            }
        }
        let fate = self.all.get_mut(&id).unwrap();
        fate.executions += 1;
        fate.running.insert(place);
        let allowed = if fate.may_repeat {
            1 + fate.sessions_lost
        } else {
            1
        };
        assert!(
            fate.executions <= allowed,
            "{name} was done {} times, at most {allowed} are allowed",
            fate.executions
        );
    }

    pub(crate) fn done(&mut self, body: &[u8], place: Place) {
        if let Some(fate) = self.by_body.get(body).and_then(|id| self.all.get_mut(id)) {
            fate.running.remove(&place);
        }
    }

    /// The server forgot what it was at.
    pub(crate) fn sessions_lost(&mut self) {
        for fate in self.all.values_mut() {
            fate.running.clear();
            fate.sessions_lost += 1;
        }
    }

    /// The client began another session, which the old one's calls know nothing of.
    pub(crate) fn session_changed(&mut self) {
        for fate in self.all.values_mut() {
            fate.sessions_lost += 1;
        }
    }

    /// The client was told how a request ended.
    pub(crate) fn ended(&mut self, id: RequestId, end: End) {
        let fate = self.all.get_mut(&id).expect("an outcome of no request");
        let before = fate.end.replace(end);
        assert_eq!(before, None, "{} has two outcomes", text(fate));
    }

    pub(crate) fn verdict(&self) {
        for fate in self.all.values() {
            assert!(fate.end.is_some(), "{} has no outcome", text(fate));
        }
    }
}

pub(crate) fn name(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[4..body.len().min(16)])
        .trim()
        .to_owned()
}

fn text(fate: &Fate) -> String {
    name(&fate.body)
}
