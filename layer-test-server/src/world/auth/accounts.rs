//! What an account has set and nobody but its own programs looks at: kept as it came, handed back as asked.

use std::collections::BTreeMap;

use layer_tl_types as tl;

/// Entries of one kind kept for an account at most.
const MAX_ENTRIES: usize = 2_000;

/// The settings of one account.
#[derive(Debug, Default)]
pub(crate) struct AccountSettings {
    /// Privacy rules by the constructor id of the privacy key.
    pub(crate) privacy: BTreeMap<u32, Vec<tl::enums::PrivacyRule>>,
    /// Notification settings by the serialised peer they are for.
    notify: BTreeMap<Vec<u8>, tl::types::PeerNotifySettings>,
    pub(crate) global_privacy: Option<tl::enums::GlobalPrivacySettings>,
    pub(crate) reactions_notify: Option<tl::enums::ReactionsNotifySettings>,
    /// Days without a visit after which the account would be deleted.
    pub(crate) ttl_days: Option<i32>,
    /// Days without a visit after which a login would end.
    pub(crate) authorization_ttl_days: Option<i32>,
    pub(crate) sensitive_content: bool,
    pub(crate) silent_sign_ups: bool,
}

impl AccountSettings {
    pub(crate) fn notify(&self, peer: &[u8]) -> Option<&tl::types::PeerNotifySettings> {
        self.notify.get(peer)
    }

    pub(crate) fn set_notify(&mut self, peer: Vec<u8>, settings: tl::types::PeerNotifySettings) {
        if self.notify.len() < MAX_ENTRIES || self.notify.contains_key(&peer) {
            self.notify.insert(peer, settings);
        }
    }

    pub(crate) fn reset_notify(&mut self) {
        self.notify.clear();
    }
}
