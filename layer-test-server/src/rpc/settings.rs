//! `account.*`, the part that programs keep on the server: notifications, privacy and other settings.
//!
//! What changes nothing in this data centre is stored and handed back; lists of things that it does not have (themes,
//! wallpapers, ringtones) are answered empty, so that programs get past them.

use layer_tl_types::{Identifiable, Serializable, enums, functions as f, types};

use super::{Call, RpcError, routes};
use crate::world::World;

type Result<T> = std::result::Result<T, RpcError>;

routes! {
    f::account::GetNotifySettings => get_notify_settings,
    f::account::UpdateNotifySettings => update_notify_settings,
    f::account::ResetNotifySettings => reset_notify_settings,
    f::account::GetNotifyExceptions => get_notify_exceptions,
    f::account::GetReactionsNotifySettings => get_reactions_notify_settings,
    f::account::SetReactionsNotifySettings => set_reactions_notify_settings,
    f::account::GetContactSignUpNotification => get_sign_up_notification,
    f::account::SetContactSignUpNotification => set_sign_up_notification,
    f::account::GetPrivacy => get_privacy,
    f::account::SetPrivacy => set_privacy,
    f::account::GetGlobalPrivacySettings => get_global_privacy,
    f::account::SetGlobalPrivacySettings => set_global_privacy,
    f::account::GetContentSettings => get_content_settings,
    f::account::SetContentSettings => set_content_settings,
    f::account::GetAccountTtl => get_account_ttl,
    f::account::SetAccountTtl => set_account_ttl,
    f::account::GetChatThemes => get_chat_themes,
    f::account::GetThemes => get_themes,
    f::account::GetUniqueGiftChatThemes => get_gift_themes,
    f::account::GetWallPapers => get_wall_papers,
    f::account::GetSavedRingtones => get_saved_ringtones,
    f::account::GetSavedMusicIds => get_saved_music_ids,
    f::account::GetAutoDownloadSettings => get_auto_download,
    f::account::SaveAutoDownloadSettings => save_auto_download,
    f::account::GetAutoSaveSettings => get_auto_save,
    f::account::GetDefaultEmojiStatuses => get_default_statuses,
    f::account::GetRecentEmojiStatuses => get_recent_statuses,
    f::account::GetChannelDefaultEmojiStatuses => get_channel_statuses,
    f::account::GetCollectibleEmojiStatuses => get_collectible_statuses,
    f::account::GetChannelRestrictedStatusEmojis => get_restricted_emojis,
    f::account::GetDefaultProfilePhotoEmojis => get_profile_emojis,
    f::account::GetDefaultGroupPhotoEmojis => get_group_emojis,
    f::account::GetDefaultBackgroundEmojis => get_background_emojis,
    f::account::GetConnectedBots => get_connected_bots,
    f::account::GetBusinessChatLinks => get_business_links,
    f::account::GetPasskeys => get_passkeys,
}

// -- notifications ----------------------------------------------------------------------------------------

fn default_notify() -> types::PeerNotifySettings {
    types::PeerNotifySettings {
        show_previews: Some(true),
        silent: Some(false),
        mute_until: Some(0),
        ios_sound: None,
        android_sound: None,
        other_sound: None,
        stories_muted: None,
        stories_hide_sender: None,
        stories_ios_sound: None,
        stories_android_sound: None,
        stories_other_sound: None,
    }
}

fn get_notify_settings(
    world: &mut World,
    call: &Call,
    request: f::account::GetNotifySettings,
) -> Result<enums::PeerNotifySettings> {
    let account = world.auth.account(call.user()?);
    let stored = account.notify(&request.peer.to_bytes()).cloned();
    Ok(stored.unwrap_or_else(default_notify).into())
}

fn update_notify_settings(
    world: &mut World,
    call: &Call,
    request: f::account::UpdateNotifySettings,
) -> Result<bool> {
    let user = call.user()?;
    let enums::InputPeerNotifySettings::Settings(new) = request.settings;
    let settings = types::PeerNotifySettings {
        show_previews: new.show_previews,
        silent: new.silent,
        mute_until: new.mute_until,
        ios_sound: None,
        android_sound: None,
        other_sound: new.sound,
        stories_muted: new.stories_muted,
        stories_hide_sender: new.stories_hide_sender,
        stories_ios_sound: None,
        stories_android_sound: None,
        stories_other_sound: new.stories_sound,
    };
    world
        .auth
        .account(user)
        .set_notify(request.peer.to_bytes(), settings);
    Ok(true)
}

fn reset_notify_settings(
    world: &mut World,
    call: &Call,
    _: f::account::ResetNotifySettings,
) -> Result<bool> {
    world.auth.account(call.user()?).reset_notify();
    Ok(true)
}

fn get_notify_exceptions(
    _: &mut World,
    call: &Call,
    _: f::account::GetNotifyExceptions,
) -> Result<enums::Updates> {
    call.user()?;
    let (date, seq) = (call.now, 0);
    Ok(types::Updates {
        updates: vec![],
        users: vec![],
        chats: vec![],
        date,
        seq,
    }
    .into())
}

fn get_reactions_notify_settings(
    world: &mut World,
    call: &Call,
    _: f::account::GetReactionsNotifySettings,
) -> Result<enums::ReactionsNotifySettings> {
    let stored = world.auth.account(call.user()?).reactions_notify.clone();
    Ok(stored.unwrap_or_else(|| {
        types::ReactionsNotifySettings {
            messages_notify_from: Some(enums::ReactionNotificationsFrom::All),
            stories_notify_from: Some(enums::ReactionNotificationsFrom::All),
            sound: enums::NotificationSound::Default,
            show_previews: true,
        }
        .into()
    }))
}

fn set_reactions_notify_settings(
    world: &mut World,
    call: &Call,
    request: f::account::SetReactionsNotifySettings,
) -> Result<enums::ReactionsNotifySettings> {
    world.auth.account(call.user()?).reactions_notify = Some(request.settings.clone());
    Ok(request.settings)
}

fn get_sign_up_notification(
    world: &mut World,
    call: &Call,
    _: f::account::GetContactSignUpNotification,
) -> Result<bool> {
    Ok(world.auth.account(call.user()?).silent_sign_ups)
}

fn set_sign_up_notification(
    world: &mut World,
    call: &Call,
    request: f::account::SetContactSignUpNotification,
) -> Result<bool> {
    world.auth.account(call.user()?).silent_sign_ups = request.silent;
    Ok(true)
}

// -- privacy ----------------------------------------------------------------------------------------------

/// The constructor id of the `PrivacyKey` that an `InputPrivacyKey` names.
fn privacy_key(key: &enums::InputPrivacyKey) -> u32 {
    use enums::InputPrivacyKey as K;
    match key {
        K::StatusTimestamp => types::PrivacyKeyStatusTimestamp::CONSTRUCTOR_ID,
        K::ChatInvite => types::PrivacyKeyChatInvite::CONSTRUCTOR_ID,
        K::PhoneCall => types::PrivacyKeyPhoneCall::CONSTRUCTOR_ID,
        K::PhoneP2P => types::PrivacyKeyPhoneP2P::CONSTRUCTOR_ID,
        K::Forwards => types::PrivacyKeyForwards::CONSTRUCTOR_ID,
        K::ProfilePhoto => types::PrivacyKeyProfilePhoto::CONSTRUCTOR_ID,
        K::PhoneNumber => types::PrivacyKeyPhoneNumber::CONSTRUCTOR_ID,
        K::AddedByPhone => types::PrivacyKeyAddedByPhone::CONSTRUCTOR_ID,
        K::VoiceMessages => types::PrivacyKeyVoiceMessages::CONSTRUCTOR_ID,
        K::About => types::PrivacyKeyAbout::CONSTRUCTOR_ID,
        K::Birthday => types::PrivacyKeyBirthday::CONSTRUCTOR_ID,
        K::StarGiftsAutoSave => types::PrivacyKeyStarGiftsAutoSave::CONSTRUCTOR_ID,
        K::NoPaidMessages => types::PrivacyKeyNoPaidMessages::CONSTRUCTOR_ID,
        K::SavedMusic => types::PrivacyKeySavedMusic::CONSTRUCTOR_ID,
    }
}

fn privacy(world: &mut World, user: i64, key: u32) -> enums::account::PrivacyRules {
    let rules = world.auth.account(user).privacy.get(&key).cloned();
    let rules = rules.unwrap_or_else(|| vec![enums::PrivacyRule::PrivacyValueAllowAll]);
    types::account::PrivacyRules {
        rules,
        chats: vec![],
        users: vec![],
    }
    .into()
}

fn get_privacy(
    world: &mut World,
    call: &Call,
    request: f::account::GetPrivacy,
) -> Result<enums::account::PrivacyRules> {
    Ok(privacy(world, call.user()?, privacy_key(&request.key)))
}

fn set_privacy(
    world: &mut World,
    call: &Call,
    request: f::account::SetPrivacy,
) -> Result<enums::account::PrivacyRules> {
    use enums::InputPrivacyRule as In;
    use enums::PrivacyRule as Out;
    let user = call.user()?;
    // Rules about single accounts and chats are left out: nothing here depends on them.
    let rules: Vec<_> = request
        .rules
        .iter()
        .filter_map(|rule| match rule {
            In::InputPrivacyValueAllowContacts => Some(Out::PrivacyValueAllowContacts),
            In::InputPrivacyValueAllowAll => Some(Out::PrivacyValueAllowAll),
            In::InputPrivacyValueDisallowContacts => Some(Out::PrivacyValueDisallowContacts),
            In::InputPrivacyValueDisallowAll => Some(Out::PrivacyValueDisallowAll),
            In::InputPrivacyValueAllowCloseFriends => Some(Out::PrivacyValueAllowCloseFriends),
            In::InputPrivacyValueAllowPremium => Some(Out::PrivacyValueAllowPremium),
            In::InputPrivacyValueAllowBots => Some(Out::PrivacyValueAllowBots),
            In::InputPrivacyValueDisallowBots => Some(Out::PrivacyValueDisallowBots),
            _ => None,
        })
        .take(16)
        .collect();
    let key = privacy_key(&request.key);
    world.auth.account(user).privacy.insert(key, rules);
    Ok(privacy(world, user, key))
}

fn get_global_privacy(
    world: &mut World,
    call: &Call,
    _: f::account::GetGlobalPrivacySettings,
) -> Result<enums::GlobalPrivacySettings> {
    let stored = world.auth.account(call.user()?).global_privacy.clone();
    Ok(stored.unwrap_or_else(|| {
        types::GlobalPrivacySettings {
            archive_and_mute_new_noncontact_peers: false,
            keep_archived_unmuted: false,
            keep_archived_folders: false,
            hide_read_marks: false,
            new_noncontact_peers_require_premium: false,
            display_gifts_button: false,
            noncontact_peers_paid_stars: None,
            disallowed_gifts: None,
        }
        .into()
    }))
}

fn set_global_privacy(
    world: &mut World,
    call: &Call,
    request: f::account::SetGlobalPrivacySettings,
) -> Result<enums::GlobalPrivacySettings> {
    world.auth.account(call.user()?).global_privacy = Some(request.settings.clone());
    Ok(request.settings)
}

fn get_content_settings(
    world: &mut World,
    call: &Call,
    _: f::account::GetContentSettings,
) -> Result<enums::account::ContentSettings> {
    let sensitive_enabled = world.auth.account(call.user()?).sensitive_content;
    Ok(types::account::ContentSettings {
        sensitive_enabled,
        sensitive_can_change: true,
    }
    .into())
}

fn set_content_settings(
    world: &mut World,
    call: &Call,
    request: f::account::SetContentSettings,
) -> Result<bool> {
    world.auth.account(call.user()?).sensitive_content = request.sensitive_enabled;
    Ok(true)
}

fn get_account_ttl(
    world: &mut World,
    call: &Call,
    _: f::account::GetAccountTtl,
) -> Result<enums::AccountDaysTtl> {
    let days = world.auth.account(call.user()?).ttl_days.unwrap_or(548);
    Ok(types::AccountDaysTtl { days }.into())
}

fn set_account_ttl(
    world: &mut World,
    call: &Call,
    request: f::account::SetAccountTtl,
) -> Result<bool> {
    let user = call.user()?;
    let enums::AccountDaysTtl::Ttl(ttl) = request.ttl;
    if !(30..=730).contains(&ttl.days) {
        return Err(RpcError::bad("TTL_DAYS_INVALID"));
    }
    world.auth.account(user).ttl_days = Some(ttl.days);
    Ok(true)
}

// -- things that this data centre has none of ---------------------------------------------------------------

/// Writes handlers that ask only that somebody is signed in, and answer the same to everybody.
macro_rules! constants {
    ($($name:ident: $method:path => $answer:expr, $type:path;)*) => {
        $(fn $name(_: &mut World, call: &Call, _: $method) -> Result<$type> {
            call.user()?;
            Ok($answer.into())
        })*
    };
}

fn no_themes() -> types::account::Themes {
    types::account::Themes {
        hash: 0,
        themes: vec![],
    }
}

fn no_statuses() -> types::account::EmojiStatuses {
    types::account::EmojiStatuses {
        hash: 0,
        statuses: vec![],
    }
}

fn no_emojis() -> types::EmojiList {
    types::EmojiList {
        hash: 0,
        document_id: vec![],
    }
}

fn auto_save() -> enums::AutoSaveSettings {
    types::AutoSaveSettings {
        photos: false,
        videos: false,
        video_max_size: None,
    }
    .into()
}

fn auto_download(video: i64) -> enums::AutoDownloadSettings {
    types::AutoDownloadSettings {
        disabled: false,
        video_preload_large: true,
        audio_preload_next: true,
        phonecalls_less_data: false,
        stories_preload: true,
        photo_size_max: 1 << 20,
        video_size_max: video,
        file_size_max: 1 << 20,
        video_upload_maxbitrate: 50,
        small_queue_active_operations_max: 0,
        large_queue_active_operations_max: 0,
    }
    .into()
}

constants! {
    get_chat_themes: f::account::GetChatThemes => no_themes(), enums::account::Themes;
    get_themes: f::account::GetThemes => no_themes(), enums::account::Themes;
    get_gift_themes: f::account::GetUniqueGiftChatThemes => types::account::ChatThemes {
        hash: 0, themes: vec![], chats: vec![], users: vec![], next_offset: None,
    }, enums::account::ChatThemes;
    get_wall_papers: f::account::GetWallPapers =>
        types::account::WallPapers { hash: 0, wallpapers: vec![] }, enums::account::WallPapers;
    get_saved_ringtones: f::account::GetSavedRingtones =>
        types::account::SavedRingtones { hash: 0, ringtones: vec![] },
        enums::account::SavedRingtones;
    get_saved_music_ids: f::account::GetSavedMusicIds =>
        types::account::SavedMusicIds { ids: vec![] }, enums::account::SavedMusicIds;
    get_auto_download: f::account::GetAutoDownloadSettings => types::account::AutoDownloadSettings {
        low: auto_download(0), medium: auto_download(10 << 20), high: auto_download(15 << 20),
    }, enums::account::AutoDownloadSettings;
    save_auto_download: f::account::SaveAutoDownloadSettings => true, bool;
    get_auto_save: f::account::GetAutoSaveSettings => types::account::AutoSaveSettings {
        users_settings: auto_save(),
        chats_settings: auto_save(),
        broadcasts_settings: auto_save(),
        exceptions: vec![],
        chats: vec![],
        users: vec![],
    }, enums::account::AutoSaveSettings;
    get_default_statuses: f::account::GetDefaultEmojiStatuses =>
        no_statuses(), enums::account::EmojiStatuses;
    get_recent_statuses: f::account::GetRecentEmojiStatuses =>
        no_statuses(), enums::account::EmojiStatuses;
    get_channel_statuses: f::account::GetChannelDefaultEmojiStatuses =>
        no_statuses(), enums::account::EmojiStatuses;
    get_collectible_statuses: f::account::GetCollectibleEmojiStatuses =>
        no_statuses(), enums::account::EmojiStatuses;
    get_restricted_emojis: f::account::GetChannelRestrictedStatusEmojis =>
        no_emojis(), enums::EmojiList;
    get_profile_emojis: f::account::GetDefaultProfilePhotoEmojis =>
        no_emojis(), enums::EmojiList;
    get_group_emojis: f::account::GetDefaultGroupPhotoEmojis => no_emojis(), enums::EmojiList;
    get_background_emojis: f::account::GetDefaultBackgroundEmojis =>
        no_emojis(), enums::EmojiList;
    get_connected_bots: f::account::GetConnectedBots =>
        types::account::ConnectedBots { connected_bots: vec![], users: vec![] },
        enums::account::ConnectedBots;
    get_business_links: f::account::GetBusinessChatLinks =>
        types::account::BusinessChatLinks { links: vec![], chats: vec![], users: vec![] },
        enums::account::BusinessChatLinks;
    get_passkeys: f::account::GetPasskeys =>
        types::account::Passkeys { passkeys: vec![] }, enums::account::Passkeys;
}
