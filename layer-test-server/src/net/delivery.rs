//! What a call causes for others: updates to the sessions of an account, and answers that bots owe.

use std::sync::Arc;
use std::time::Duration;

use layer_tl_types::Serializable;
use tokio::sync::oneshot;

use super::registry::Slot;
use super::{Hub, detour, lock, now};
use crate::rpc::{Answer, Out, Push, RpcError, Ticket};
use crate::world::World;

/// Who waits for an answer that comes later.
pub(crate) enum Waiter {
    /// A call of a session.
    Session { slot: Arc<Slot>, msg_id: i64 },
    /// A call made through the library.
    Local(oneshot::Sender<Result<Vec<u8>, RpcError>>),
}

impl Hub {
    /// Hands out everything that the world has to say. The world stays locked meanwhile, which keeps the order.
    pub(super) fn deliver(self: &Arc<Self>, world: &mut World) {
        for out in world.take_outbox() {
            match out {
                Out::Push(push) => self.push(world, &push),
                Out::Answer(answer) => self.resolve(answer),
            }
        }
        for notice in std::mem::take(&mut world.auth.notices) {
            let bytes = notice.updates.to_bytes();
            for key in world.auth.with_temporary(notice.auth_key_id) {
                for slot in self.registry().of_key(key) {
                    lock(&slot.state).push(bytes.clone());
                }
            }
        }
        for key in std::mem::take(&mut world.auth.dropped) {
            for slot in self.registry().forget_key(key) {
                lock(&slot.state).close();
            }
        }
    }

    /// Pushes updates to all sessions of all keys signed in as the account, on its home data centre.
    fn push(&self, world: &mut World, push: &Push) {
        let keys = world.auth.devices_of(push.user_id);
        if keys.is_empty() {
            return;
        }
        let bytes = push.updates.to_bytes();
        let names = self.diverts().then(|| detour::names(&push.updates));
        let (now, mut without) = (now(), Vec::new());
        for (permanent, _) in keys {
            for key in world.auth.with_temporary(permanent) {
                for slot in self.registry().of_key(key) {
                    if push.except == Some((permanent, slot.session_id)) {
                        continue;
                    }
                    let mut state = lock(&slot.state);
                    if !state.wants_updates {
                        continue;
                    }
                    let gets = match &names {
                        None => state.push(bytes.clone()),
                        Some(names) => {
                            let dc = world.auth.record(permanent).map_or(0, |key| key.dc_id);
                            let actions = self.detour(&slot, dc, push.user_id, names, now);
                            let mut noise = |bytes| self.faults().noise(bytes);
                            state.push_by(bytes.clone(), &actions, &mut noise, now)
                        }
                    };
                    if !gets {
                        without.push(permanent);
                    }
                }
            }
        }
        for key in without {
            world.owe(push.user_id, key, &push.updates);
        }
    }

    /// Remembers who waits for a ticket, and gives up for them when the bot takes too long.
    pub(crate) fn wait_for(self: &Arc<Self>, world: &World, ticket: Ticket, waiter: Waiter) {
        lock(&self.waiters).insert(ticket, waiter);
        let patience = Duration::from_secs(u64::try_from(world.config.bot_timeout).unwrap_or(0));
        let hub = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            let Some(hub) = hub.upgrade() else { return };
            if lock(&hub.waiters).contains_key(&ticket) {
                hub.act(|world| world.give_up(ticket));
                let result = Err(RpcError::bad("BOT_RESPONSE_TIMEOUT"));
                hub.resolve(Answer { ticket, result });
            }
        });
    }

    fn resolve(self: &Arc<Self>, answer: Answer) {
        match lock(&self.waiters).remove(&answer.ticket) {
            Some(Waiter::Session { slot, msg_id }) => self.answer(&slot, msg_id, answer.result),
            Some(Waiter::Local(sender)) => {
                // Whoever asked may have stopped waiting.
                let _ = sender.send(answer.result);
            }
            None => {}
        }
    }
}
