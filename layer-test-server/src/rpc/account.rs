//! `account.*`: the profile, the password, the devices and the settings that programs keep on the server.
//!
//! Settings that change nothing in this data centre are stored and handed back; lists of things that it does
//! not have (themes, wallpapers, ringtones) are answered empty, so that programs get past them.

use layer_tl_types::{Identifiable, Serializable, enums, functions as f, types};

use super::{Call, RpcError, routes};
use crate::world::World;
use crate::world::auth::codes::normalise_phone;
use crate::world::auth::{AuthBook, KeyRecord};
use crate::world::ids::PeerId;

type Result<T> = std::result::Result<T, RpcError>;

routes! {
    f::account::GetPassword => get_password,
    f::account::GetPasswordSettings => get_password_settings,
    f::account::UpdatePasswordSettings => update_password_settings,
    f::account::ResetPassword => reset_password,
    f::account::UpdateStatus => update_status,
    f::account::RegisterDevice => register_device,
    f::account::UnregisterDevice => unregister_device,
    f::account::UpdateDeviceLocked => update_device_locked,
    f::account::CheckUsername => check_username,
    f::account::UpdateUsername => update_username,
    f::account::UpdateProfile => update_profile,
    f::account::GetAuthorizations => get_authorizations,
    f::account::ResetAuthorization => reset_authorization,
    f::account::SetAuthorizationTtl => set_authorization_ttl,
    f::account::ChangeAuthorizationSettings => change_authorization_settings,
    f::account::InvalidateSignInCodes => invalidate_sign_in_codes,
    f::account::GetWebAuthorizations => get_web_authorizations,
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

// -- the password -----------------------------------------------------------------------------------------

fn get_password(
    world: &mut World,
    call: &Call,
    _: f::account::GetPassword,
) -> Result<enums::account::Password> {
    // Asked before auth.checkPassword too, when nobody is signed in yet.
    let pending = world
        .auth
        .record(call.auth_key_id)
        .and_then(|record| record.password_pending);
    let user = pending.map_or_else(|| call.user(), Ok)?;
    world.auth.tl_password(user)
}

fn get_password_settings(
    world: &mut World,
    call: &Call,
    request: f::account::GetPasswordSettings,
) -> Result<enums::account::PasswordSettings> {
    world.auth.check_password(call.user()?, &request.password)?;
    Ok(types::account::PasswordSettings {
        email: None,
        secure_settings: None,
    }
    .into())
}

fn update_password_settings(
    world: &mut World,
    call: &Call,
    request: f::account::UpdatePasswordSettings,
) -> Result<bool> {
    let user = call.user()?;
    world.auth.check_password(user, &request.password)?;
    let enums::account::PasswordInputSettings::Settings(settings) = request.new_settings;
    world.auth.change_password(user, *settings)?;
    Ok(true)
}

fn reset_password(
    world: &mut World,
    call: &Call,
    _: f::account::ResetPassword,
) -> Result<enums::account::ResetPasswordResult> {
    let user = call.user()?;
    if world.auth.password(user).is_none() {
        return Err(RpcError::bad("PASSWORD_EMPTY"));
    }
    let until_date = call.now.saturating_add(7 * 24 * 3600);
    Ok(types::account::ResetPasswordRequestedWait { until_date }.into())
}

// -- presence and profile ---------------------------------------------------------------------------------

fn update_status(
    world: &mut World,
    call: &Call,
    request: f::account::UpdateStatus,
) -> Result<bool> {
    world.set_online(call.user()?, !request.offline);
    Ok(true)
}

fn register_device(_: &mut World, call: &Call, _: f::account::RegisterDevice) -> Result<bool> {
    call.user().map(|_| true)
}

fn unregister_device(_: &mut World, call: &Call, _: f::account::UnregisterDevice) -> Result<bool> {
    call.user().map(|_| true)
}

fn update_device_locked(
    _: &mut World,
    call: &Call,
    _: f::account::UpdateDeviceLocked,
) -> Result<bool> {
    call.user().map(|_| true)
}

fn check_username(
    world: &mut World,
    call: &Call,
    request: f::account::CheckUsername,
) -> Result<bool> {
    let user = PeerId::User(call.user()?);
    match world.check_username(user, &request.username) {
        Err(error) if error.message == "USERNAME_OCCUPIED" => Ok(false),
        other => other.map(|()| true),
    }
}

fn update_username(
    world: &mut World,
    call: &Call,
    request: f::account::UpdateUsername,
) -> Result<enums::User> {
    let user = call.user()?;
    world.set_username(user, &request.username)?;
    Ok(world.tl_user(user, user))
}

fn update_profile(
    world: &mut World,
    call: &Call,
    request: f::account::UpdateProfile,
) -> Result<enums::User> {
    let user = call.user()?;
    let long = |text: &Option<String>, most| {
        text.as_ref()
            .is_some_and(|text| text.chars().count() > most)
    };
    if request
        .first_name
        .as_ref()
        .is_some_and(|name| name.trim().is_empty())
        || long(&request.first_name, 64)
    {
        return Err(RpcError::bad("FIRSTNAME_INVALID"));
    }
    if long(&request.last_name, 64) {
        return Err(RpcError::bad("LASTNAME_INVALID"));
    }
    if long(&request.about, 140) {
        return Err(RpcError::bad("ABOUT_TOO_LONG"));
    }
    world.set_profile(user, request.first_name, request.last_name, request.about);
    Ok(world.tl_user(user, user))
}

// -- devices ----------------------------------------------------------------------------------------------

/// A login as `account.getAuthorizations` shows it.
pub(super) fn tl_authorization(
    auth_key_id: i64,
    record: Option<&KeyRecord>,
    current: i64,
) -> enums::Authorization {
    let is_current = auth_key_id == current;
    let device = record
        .map(|record| record.device.clone())
        .unwrap_or_default();
    let login = record.and_then(|record| record.login.as_ref());
    let used = record.map_or(0, |record| record.used);
    types::Authorization {
        current: is_current,
        official_app: false,
        password_pending: record.is_some_and(|record| record.password_pending.is_some()),
        encrypted_requests_disabled: false,
        call_requests_disabled: false,
        unconfirmed: false,
        // The caller's own login has no name, so that it cannot end itself by mistake.
        hash: if is_current {
            0
        } else {
            login.map_or(0, |login| login.hash)
        },
        device_model: device.model,
        platform: String::new(),
        system_version: device.system,
        api_id: device.api_id,
        app_name: "Test".to_owned(),
        app_version: device.app_version,
        date_created: login.map_or(used, |login| login.since),
        date_active: used,
        ip: record.map(|record| record.ip.clone()).unwrap_or_default(),
        country: String::new(),
        region: String::new(),
    }
    .into()
}

fn get_authorizations(
    world: &mut World,
    call: &Call,
    _: f::account::GetAuthorizations,
) -> Result<enums::account::Authorizations> {
    let user = call.user()?;
    let authorization_ttl_days = world
        .auth
        .account(user)
        .authorization_ttl_days
        .unwrap_or(180);
    let mut devices = world.auth.devices_of(user);
    devices.sort_by_key(|(key, _)| *key != call.auth_key_id);
    let authorizations = devices
        .into_iter()
        .map(|(key, record)| tl_authorization(key, Some(record), call.auth_key_id))
        .collect();
    Ok(types::account::Authorizations {
        authorization_ttl_days,
        authorizations,
    }
    .into())
}

fn login_by_hash(auth: &AuthBook, user: i64, hash: i64) -> Result<i64> {
    auth.devices_of(user)
        .into_iter()
        .find(|(_, record)| {
            record
                .login
                .as_ref()
                .is_some_and(|login| login.hash == hash)
        })
        .map(|(key, _)| key)
        .ok_or_else(|| RpcError::bad("HASH_INVALID"))
}

fn reset_authorization(
    world: &mut World,
    call: &Call,
    request: f::account::ResetAuthorization,
) -> Result<bool> {
    let key = login_by_hash(&world.auth, call.user()?, request.hash)?;
    world.auth.revoke(key);
    Ok(true)
}

fn set_authorization_ttl(
    world: &mut World,
    call: &Call,
    request: f::account::SetAuthorizationTtl,
) -> Result<bool> {
    if !(1..=366).contains(&request.authorization_ttl_days) {
        return Err(RpcError::bad("TTL_DAYS_INVALID"));
    }
    let user = call.user()?;
    world.auth.account(user).authorization_ttl_days = Some(request.authorization_ttl_days);
    Ok(true)
}

fn change_authorization_settings(
    world: &mut World,
    call: &Call,
    request: f::account::ChangeAuthorizationSettings,
) -> Result<bool> {
    let user = call.user()?;
    if request.hash != 0 {
        login_by_hash(&world.auth, user, request.hash)?;
    }
    Ok(true)
}

fn invalidate_sign_in_codes(
    world: &mut World,
    call: &Call,
    request: f::account::InvalidateSignInCodes,
) -> Result<bool> {
    let phone = world
        .users
        .get(&call.user()?)
        .and_then(|user| user.phone.clone());
    if let Some(phone) = phone.as_deref().and_then(normalise_phone) {
        world.auth.codes.invalidate(&phone, &request.codes);
    }
    Ok(true)
}

fn get_web_authorizations(
    _: &mut World,
    call: &Call,
    _: f::account::GetWebAuthorizations,
) -> Result<enums::account::WebAuthorizations> {
    call.user()?;
    Ok(types::account::WebAuthorizations {
        authorizations: vec![],
        users: vec![],
    }
    .into())
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
