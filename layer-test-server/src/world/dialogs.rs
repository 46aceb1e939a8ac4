//! The list of conversations: order, pages, pins, marks and drafts.

use layer_tl_types::{enums, types};

use super::World;
use super::blank;
use super::ids::{PeerId, SERVICE_ID};
use super::named::Named;
use crate::rpc::RpcError;

/// A page of the dialog list: what `messages.getDialogs` and its kin answer with.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) dialogs: Vec<enums::Dialog>,
    pub(crate) messages: Vec<enums::Message>,
    pub(crate) chats: Vec<enums::Chat>,
    pub(crate) users: Vec<enums::User>,
}

/// Where a page of dialogs begins: after the dialog whose last message was this.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DialogOffset {
    pub(crate) date: i32,
    pub(crate) id: i32,
    pub(crate) peer: Option<PeerId>,
}

/// How many dialogs can be pinned.
const PINNED_LIMIT: usize = 10;

impl World {
    /// The dialog's newest message and its date.
    pub(crate) fn top_of(&self, viewer: i64, peer: PeerId) -> (i32, i32) {
        let touched = self
            .accounts
            .get(&viewer)
            .and_then(|account| account.dialogs.get(&peer))
            .map_or(0, |dialog| dialog.touched);
        let top = match peer {
            PeerId::Channel(id) => self
                .channels
                .get(&id)
                .and_then(|channel| channel.ids_for(viewer).next_back())
                .unwrap_or(0),
            _ => self
                .accounts
                .get(&viewer)
                .and_then(|account| account.ids(peer).next_back())
                .unwrap_or(0),
        };
        let date = self
            .body_of(viewer, peer, top)
            .map_or(touched, |body| body.date);
        (top, date)
    }

    fn is_listed(&self, viewer: i64, peer: PeerId) -> bool {
        let Some(dialog) = self
            .accounts
            .get(&viewer)
            .and_then(|account| account.dialogs.get(&peer))
        else {
            return false;
        };
        let present = match peer {
            PeerId::Channel(id) => self
                .channels
                .get(&id)
                .is_some_and(|channel| channel.members.contains_key(&viewer)),
            PeerId::Chat(_) => true,
            PeerId::User(_) => {
                !dialog.ids.is_empty() || dialog.draft.is_some() || dialog.touched > 0
            }
        };
        present && !dialog.hidden
    }

    /// The account's dialogs, newest first; the peer breaks ties so that the order is total.
    pub(crate) fn listed(&self, viewer: i64) -> Vec<(i32, i32, PeerId)> {
        let Some(account) = self.accounts.get(&viewer) else {
            return Vec::new();
        };
        let mut listed: Vec<(i32, i32, PeerId)> = account
            .dialogs
            .keys()
            .filter(|peer| self.is_listed(viewer, **peer))
            .map(|&peer| {
                let (top, date) = self.top_of(viewer, peer);
                (date, top, peer)
            })
            .collect();
        listed.sort_unstable_by(|a, b| b.cmp(a));
        listed
    }

    /// `messages.getDialogs`: a page and how many there are in all. Pinned ones come first, on the first page.
    pub(crate) fn dialogs(
        &mut self,
        viewer: i64,
        offset: DialogOffset,
        limit: usize,
        exclude_pinned: bool,
    ) -> (Page, usize) {
        let pinned: Vec<PeerId> = self
            .accounts
            .get(&viewer)
            .map(|account| account.pinned.clone())
            .unwrap_or_default();
        let listed = self.listed(viewer);
        let total = if exclude_pinned {
            listed.len() - pinned.len().min(listed.len())
        } else {
            listed.len()
        };
        let first_page = offset.date == 0 && offset.id == 0 && offset.peer.is_none();
        let mut chosen: Vec<PeerId> = Vec::new();
        if first_page && !exclude_pinned {
            chosen.extend(pinned.iter().filter(|peer| self.is_listed(viewer, **peer)));
        }
        let after = |date: i32, top: i32, peer: PeerId| match offset.peer {
            Some(last) => (date, top, peer) < (offset.date, offset.id, last),
            None => (date, top) < (offset.date, offset.id),
        };
        chosen.extend(
            listed
                .into_iter()
                .filter(|(date, top, peer)| {
                    !pinned.contains(peer) && (first_page || after(*date, *top, *peer))
                })
                .map(|(_, _, peer)| peer),
        );
        chosen.truncate(limit);
        (self.page(viewer, &chosen), total)
    }

    /// These dialogs, with their newest messages and every peer named.
    pub(crate) fn page(&mut self, viewer: i64, peers: &[PeerId]) -> Page {
        let mut named = Named::of(peers);
        let mut page = Page::default();
        for &peer in peers {
            page.dialogs.push(self.tl_dialog(viewer, peer));
            let (top, _) = self.top_of(viewer, peer);
            if self.body_of(viewer, peer, top).is_some() {
                page.messages.push(self.tl_any_message(viewer, peer, top));
                match peer {
                    PeerId::Channel(channel) => self.name_channel_message(channel, top, &mut named),
                    _ => self.name_message(viewer, top, &mut named),
                }
            }
        }
        (page.users, page.chats) = self.describe(viewer, &named);
        self.date_for(viewer);
        page
    }

    /// A dialog as TL.
    pub(crate) fn tl_dialog(&self, viewer: i64, peer: PeerId) -> enums::Dialog {
        let account = self.accounts.get(&viewer);
        let dialog = account.and_then(|account| account.dialogs.get(&peer));
        let read_inbox = dialog.map_or(0, |dialog| dialog.read_inbox);
        let unread_mentions = match peer {
            PeerId::Channel(_) => 0,
            _ => account.map_or(0, |account| {
                account
                    .ids(peer)
                    .filter_map(|id| account.messages.get(&id))
                    .filter(|entry| entry.mentioned && entry.media_unread)
                    .count()
            }),
        };
        types::Dialog {
            pinned: account.is_some_and(|account| account.pinned.contains(&peer)),
            unread_mark: dialog.is_some_and(|dialog| dialog.unread_mark),
            pts: match peer {
                PeerId::Channel(id) => self
                    .channels
                    .get(&id)
                    .map(|channel| channel.pts_for(viewer)),
                _ => None,
            },
            draft: dialog.and_then(|dialog| dialog.draft.clone()),
            ..blank::dialog(
                peer.to_tl(),
                self.top_of(viewer, peer).0,
                read_inbox,
                dialog.map_or(0, |dialog| dialog.read_outbox),
                self.unread_after(viewer, peer, read_inbox),
                i32::try_from(unread_mentions).unwrap_or(i32::MAX),
                0,
                blank::notify_settings().into(),
            )
        }
        .into()
    }

    /// All unread messages of an account.
    pub(crate) fn unread_total(&self, viewer: i64) -> i32 {
        let Some(account) = self.accounts.get(&viewer) else {
            return 0;
        };
        account
            .dialogs
            .iter()
            .filter(|(peer, _)| self.is_listed(viewer, **peer))
            .map(|(peer, dialog)| self.unread_after(viewer, *peer, dialog.read_inbox))
            .fold(0, i32::saturating_add)
    }

    /// `messages.toggleDialogPin`.
    pub(crate) fn pin_dialog(
        &mut self,
        viewer: i64,
        peer: PeerId,
        pinned: bool,
    ) -> Result<(), RpcError> {
        let account = self
            .accounts
            .get_mut(&viewer)
            .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
        account.pinned.retain(|other| *other != peer);
        if pinned {
            if account.pinned.len() >= PINNED_LIMIT {
                return Err(RpcError::bad("PINNED_DIALOGS_TOO_MUCH"));
            }
            account.pinned.insert(0, peer);
        }
        let peer_tl = types::DialogPeer { peer: peer.to_tl() }.into();
        self.note(
            viewer,
            vec![
                types::UpdateDialogPinned {
                    pinned,
                    folder_id: None,
                    peer: peer_tl,
                }
                .into(),
            ],
            &[peer],
        );
        Ok(())
    }

    /// `messages.reorderPinnedDialogs`.
    pub(crate) fn reorder_pinned(&mut self, viewer: i64, order: Vec<PeerId>, force: bool) {
        let Some(account) = self.accounts.get_mut(&viewer) else {
            return;
        };
        let mut pinned: Vec<PeerId> = order;
        pinned.truncate(PINNED_LIMIT);
        if !force {
            let missing: Vec<PeerId> = account
                .pinned
                .iter()
                .copied()
                .filter(|peer| !pinned.contains(peer))
                .collect();
            pinned.extend(missing);
        }
        account.pinned.clone_from(&pinned);
        let order = pinned
            .iter()
            .map(|peer| types::DialogPeer { peer: peer.to_tl() }.into())
            .collect();
        self.note(
            viewer,
            vec![
                types::UpdatePinnedDialogs {
                    folder_id: None,
                    order: Some(order),
                }
                .into(),
            ],
            &pinned,
        );
    }

    /// `messages.markDialogUnread`.
    pub(crate) fn mark_unread(&mut self, viewer: i64, peer: PeerId, unread: bool) {
        let Some(account) = self.accounts.get_mut(&viewer) else {
            return;
        };
        account.dialog(peer).unread_mark = unread;
        let dialog_peer = types::DialogPeer { peer: peer.to_tl() }.into();
        let update = types::UpdateDialogUnreadMark {
            unread,
            peer: dialog_peer,
            saved_peer_id: None,
        }
        .into();
        self.note(viewer, vec![update], &[peer]);
    }

    /// `messages.saveDraft`: `None` clears it.
    pub(crate) fn save_draft(
        &mut self,
        viewer: i64,
        peer: PeerId,
        draft: Option<types::DraftMessage>,
    ) {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(&viewer) else {
            return;
        };
        let dialog = account.dialog(peer);
        dialog.draft = draft.map(Into::into);
        let draft = dialog
            .draft
            .clone()
            .unwrap_or_else(|| types::DraftMessageEmpty { date: Some(now) }.into());
        let update = types::UpdateDraftMessage {
            peer: peer.to_tl(),
            top_msg_id: None,
            saved_peer_id: None,
            draft,
        }
        .into();
        self.note(viewer, vec![update], &[peer]);
    }

    /// What sending with `clear_draft` does.
    pub(crate) fn clear_draft(&mut self, viewer: i64, peer: PeerId) {
        let has = self
            .accounts
            .get(&viewer)
            .and_then(|account| account.dialogs.get(&peer))
            .is_some_and(|dialog| dialog.draft.is_some());
        if has {
            self.save_draft(viewer, peer, None);
        }
    }
}

impl World {
    /// The newest pinned message of a dialog.
    pub(crate) fn pinned_in(&self, viewer: i64, peer: PeerId) -> Option<i32> {
        let pinned = |body: &u64| {
            self.bodies
                .get(body)
                .is_some_and(|body| body.is_pinned(viewer))
        };
        match peer {
            PeerId::Channel(id) => self
                .channels
                .get(&id)?
                .messages
                .iter()
                .rev()
                .find(|(_, body)| pinned(body))
                .map(|(id, _)| *id),
            _ => {
                let account = self.accounts.get(&viewer)?;
                account.ids(peer).rev().find(|id| {
                    account
                        .messages
                        .get(id)
                        .is_some_and(|entry| pinned(&entry.body))
                })
            }
        }
    }

    /// The action bar over a private chat.
    pub(crate) fn peer_settings(&self, viewer: i64, id: i64) -> enums::PeerSettings {
        let known = self
            .accounts
            .get(&viewer)
            .is_some_and(|account| account.contacts.contains_key(&id));
        let stranger = viewer != id && !self.is_bot(id) && id != SERVICE_ID && !known;
        // Whoever was answered is no longer somebody to report.
        let answered = self.accounts.get(&viewer).is_some_and(|account| {
            account
                .ids(PeerId::User(id))
                .filter_map(|message| self.bodies.get(&account.messages.get(&message)?.body))
                .any(|body| body.from == viewer)
        });
        types::PeerSettings {
            add_contact: stranger,
            report_spam: stranger && !answered,
            block_contact: stranger && !answered,
            ..blank::peer_settings()
        }
        .into()
    }
}
