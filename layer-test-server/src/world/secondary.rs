//! What counts in `qts` and in `seq` rather than in `pts` (documentation page `api/updates`).
//!
//! `qts` numbers what only bots are told of: who came and went where they are administrators, who stopped them, who
//! voted and reacted. `seq` numbers the containers of what concerns an account as a whole. Both are contiguous for the
//! account, so every session hears of them, that of the call that made them too: its answer has no place for them.

use layer_tl_types::{enums, types};

use super::World;
use super::ids::PeerId;
use super::named::Named;
use super::owed::Lost;

/// A change that counts in `qts`.
#[derive(Clone, Debug)]
pub(crate) struct Secondary {
    pub(crate) qts: i32,
    pub(crate) update: enums::Update,
    pub(crate) names: Vec<PeerId>,
}

/// The `qts` of an update, if it is of a kind that has one.
pub(crate) fn qts(update: &enums::Update) -> Option<i32> {
    use enums::Update as U;
    macro_rules! of {
        ($($variant:ident)*) => { match update { $(U::$variant(update) => Some(update.qts),)* _ => None } };
    }
    of!(ChatParticipant ChannelParticipant BotStopped BotChatInviteRequester MessagePollVote BotMessageReaction
        BotMessageReactions BotChatBoost NewEncryptedMessage BotBusinessConnect BotNewBusinessMessage
        BotEditBusinessMessage BotDeleteBusinessMessage BotPurchasedPaidMedia)
}

/// Gives an update its `qts`; false if it is of a kind that has none.
fn set_qts(update: &mut enums::Update, value: i32) -> bool {
    use enums::Update as U;
    macro_rules! set {
        ($($variant:ident)*) => {
            match update {
                $(U::$variant(update) => update.qts = value,)*
                _ => return false,
            }
        };
    }
    set!(ChatParticipant ChannelParticipant BotStopped BotChatInviteRequester MessagePollVote BotMessageReaction
        BotMessageReactions BotChatBoost NewEncryptedMessage BotBusinessConnect BotNewBusinessMessage
        BotEditBusinessMessage BotDeleteBusinessMessage BotPurchasedPaidMedia);
    true
}

/// Whether a container of this update is one that `seq` numbers. Telegram does not document for which it does so;
/// here it is what concerns the account as a whole and no message.
pub(crate) fn is_in_sequence(update: &enums::Update) -> bool {
    use enums::Update as U;
    matches!(
        update,
        U::UserName(_)
            | U::UserPhone(_)
            | U::PeerBlocked(_)
            | U::DialogPinned(_)
            | U::PinnedDialogs(_)
            | U::DialogUnreadMark(_)
            | U::DraftMessage(_)
            | U::ContactsReset
            | U::Privacy(_)
            | U::NotifySettings(_)
            | U::NewAuthorization(_)
    )
}

impl World {
    /// Counts an update in the account's `qts`, keeps it for differences and tells all sessions. Without effect for
    /// updates of a kind that has no `qts`.
    pub(crate) fn emit_qts(&mut self, user_id: i64, mut update: enums::Update, names: &[PeerId]) {
        let limit = self.config.log_limit;
        let Some(account) = self.accounts.get_mut(&user_id) else {
            return;
        };
        let next = account.qts.saturating_add(1);
        if !set_qts(&mut update, next) {
            return;
        }
        account.qts = next;
        account.secondary.push_back(Secondary {
            qts: next,
            update: update.clone(),
            names: names.to_vec(),
        });
        while account.secondary.len() > limit {
            account.secondary.pop_front();
        }
        self.record(user_id, 0, |_| update.clone());
        let container = self.container(user_id, vec![update], &Named::of(names));
        self.push(user_id, container, true);
    }

    /// Tells all sessions of an account of something that `seq` numbers, and keeps it for differences.
    pub(super) fn note_in_sequence(
        &mut self,
        user_id: i64,
        updates: Vec<enums::Update>,
        names: &[PeerId],
    ) {
        let Some(account) = self.accounts.get_mut(&user_id) else {
            return;
        };
        account.seq = account.seq.saturating_add(1);
        let seq = account.seq;
        self.keep_notes(user_id, &updates, names, seq);
        let (users, chats) = self.describe(user_id, &Named::of(names));
        let container = types::Updates {
            updates,
            users,
            chats,
            date: self.date_for(user_id),
            seq,
        };
        self.push(user_id, container.into(), true);
    }

    /// The `seq` that a client has which knows everything up to `date` but what was lost.
    pub(super) fn seq_at(&self, user_id: i64, date: i32, lost: &Lost) -> i32 {
        let Some(account) = self.accounts.get(&user_id) else {
            return 0;
        };
        let first_unknown = account
            .notes
            .iter()
            .find(|noted| noted.seq > 0 && (noted.date > date || lost.notes.contains(&noted.date)));
        first_unknown.map_or(account.seq, |noted| noted.seq - 1)
    }
}
