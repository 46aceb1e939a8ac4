//! Requests that are to be done one after the other (`invokeAfterMsg`, `invokeAfterMsgs`; page `api/invoking`).
//!
//! They go out together, each naming the messages that it comes after, and the server keeps the order. Where it
//! cannot (a predecessor failed, took too long, or goes by another name by now) it says so without having done
//! anything, and the request waits here until those before it have their outcomes.

use std::collections::BTreeMap;

use layer_tl_types::Serializable;

use super::{ClientSession, Request, RequestId, Turn};
use crate::session::wire::{INVOKE_AFTER_MSG, INVOKE_AFTER_MSGS};

/// The most messages that are named; who comes after more of them waits here.
pub(super) const MAX_NAMED: usize = 100;

/// What a request comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Another request without an outcome.
    Request(RequestId),
    /// A message whose request was given up here, and which the server may still be at.
    Message(i64),
}

/// Who comes after whom.
pub(super) type Successors = BTreeMap<RequestId, Vec<RequestId>>;

impl ClientSession {
    /// Notes what a new request comes after. What has its outcome already needs not be waited for.
    pub(super) fn line_up(&mut self, id: RequestId, after: &[RequestId]) -> Vec<Wait> {
        let mut waits = Vec::new();
        for before in after {
            let wait = Wait::Request(*before);
            if *before < id && self.requests.contains_key(before) && !waits.contains(&wait) {
                waits.push(wait);
                self.successors.entry(*before).or_default().push(id);
            }
        }
        waits
    }

    /// Lets those go on that came after a request which is no more. `given_up` is its message, if the server may
    /// still be at it.
    pub(super) fn move_up(&mut self, id: RequestId, given_up: Option<i64>) {
        for successor in self.successors.remove(&id).unwrap_or_default() {
            let Some(request) = self.requests.get_mut(&successor) else {
                continue;
            };
            request.waits.retain(|wait| *wait != Wait::Request(id));
            // Who was refused for waiting once does not try it a second time.
            if let Some(msg_id) = given_up
                && !request.held_back
            {
                request.waits.push(Wait::Message(msg_id));
            }
        }
    }

    /// Whether a request has to stay, given those that go now, in their order.
    pub(super) fn is_blocked(&self, request: &Request, going: &[RequestId]) -> bool {
        request.waits.iter().any(|wait| match wait {
            Wait::Request(before) => {
                let goes = going.binary_search(before).is_ok();
                request.held_back || (self.queue.contains(*before) && !goes)
            }
            Wait::Message(_) => false,
        })
    }

    /// What goes around a request so that it comes after others.
    pub(super) fn order_of(&self, request: &Request) -> Vec<u8> {
        let ids: Vec<i64> = request
            .waits
            .iter()
            .filter_map(|wait| match wait {
                Wait::Request(before) => self.requests.get(before)?.ids.last(),
                Wait::Message(msg_id) => Some(*msg_id),
            })
            .collect();
        let mut bytes = Vec::new();
        match ids.as_slice() {
            [] => {}
            [id] => {
                bytes.extend_from_slice(&INVOKE_AFTER_MSG.to_le_bytes());
                id.serialize(&mut bytes);
            }
            _ => {
                bytes.extend_from_slice(&INVOKE_AFTER_MSGS.to_le_bytes());
                ids.serialize(&mut bytes);
            }
        }
        bytes
    }

    /// The server would not let a request wait any longer, and has not begun it. Whether it goes again because of
    /// that; otherwise the error is its outcome.
    pub(super) fn hold_back(&mut self, id: RequestId, req_msg_id: i64) -> bool {
        let Some(request) = self.requests.get_mut(&id) else {
            return false;
        };
        // An answer to an older name: the present one will have its own.
        if request.ids.last() != Some(req_msg_id) {
            return true;
        }
        if !request.ordered {
            return false;
        }
        request.turn = Turn::Fresh;
        request.held_back = true;
        request
            .waits
            .retain(|wait| matches!(wait, Wait::Request(_)));
        self.queue.insert(id);
        true
    }

    /// Messages of an old session mean nothing in a new one.
    pub(super) fn forget_messages_waited_for(&mut self) {
        for request in self.requests.values_mut() {
            request
                .waits
                .retain(|wait| matches!(wait, Wait::Request(_)));
        }
    }
}
