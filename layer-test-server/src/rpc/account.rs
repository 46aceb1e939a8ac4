//! `account.*`: the profile, the password and the devices. What programs only keep on the server is in
//! [`settings`](super::settings).

use layer_tl_types::{enums, functions as f, types};

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
