//! `auth.*`: the way in by code, password, bot token, another data centre or another device, and the way out.
//!
//! The rules are those of the documentation's pages `api/auth`, `api/qr-login`, `api/pfs` and of each method.

use layer_crypto::message;
use layer_tl_types::{Cursor, Deserializable, Identifiable, enums, functions as f, types};

use super::{Call, RpcError, routes};
use crate::world::auth::KeyNotice;
use crate::world::auth::codes::{CodeError, normalise_phone};
use crate::world::{NewUser, World};

type Result<T> = std::result::Result<T, RpcError>;

/// Digits of a random login code.
const CODE_LENGTH: usize = 5;
/// Seconds until a client should offer to send the code another way.
const RESEND_AFTER: i32 = 60;

routes! {
    f::auth::SendCode => send_code,
    f::auth::ResendCode => resend_code,
    f::auth::CancelCode => cancel_code,
    f::auth::SignIn => sign_in,
    f::auth::SignUp => sign_up,
    f::auth::CheckPassword => check_password,
    f::auth::ImportBotAuthorization => import_bot,
    f::auth::LogOut => log_out,
    f::auth::ResetAuthorizations => reset_authorizations,
    f::auth::ExportAuthorization => export_authorization,
    f::auth::ImportAuthorization => import_authorization,
    f::auth::BindTempAuthKey => bind_temp_auth_key,
    f::auth::DropTempAuthKeys => drop_temp_auth_keys,
    f::auth::ExportLoginToken => export_login_token,
    f::auth::ImportLoginToken => import_login_token,
    f::auth::AcceptLoginToken => accept_login_token,
    f::auth::RequestPasswordRecovery => request_password_recovery,
    f::auth::CheckRecoveryPassword => check_recovery_password,
    f::auth::ReportMissingCode => report_missing_code,
}

// -- codes ------------------------------------------------------------------------------------------------

/// A number as the books hold it, or the error for what is none.
fn phone_number(phone: &str) -> Result<String> {
    normalise_phone(phone).ok_or_else(|| RpcError::new(406, "PHONE_NUMBER_INVALID"))
}

fn check_application(world: &World, api_id: i32, api_hash: &str) -> Result<()> {
    let known = match &world.auth.settings.api {
        Some((id, hash)) => *id == api_id && hash == api_hash,
        None => api_id > 0 && !api_hash.is_empty(),
    };
    known
        .then_some(())
        .ok_or_else(|| RpcError::bad("API_ID_INVALID"))
}

/// An account is served by its home data centre; the others send its programs there.
fn at_home(world: &World, call: &Call, user_id: i64, error: &str) -> Result<()> {
    match world.users.get(&user_id).map(|user| user.home_dc) {
        Some(home) if home != call.dc_id => Err(RpcError::new(303, format!("{error}_{home}"))),
        _ => Ok(()),
    }
}

/// Makes a code for `phone`, "sends" it and describes how.
fn deliver_code(
    world: &mut World,
    call: &Call,
    phone: &str,
    by_call: bool,
) -> enums::auth::SentCode {
    let code = match &world.auth.settings.login_code {
        Some(code) => code.clone(),
        None => {
            let random = u32::from_le_bytes(world.auth.random()) % 100_000;
            format!("{random:0width$}", width = CODE_LENGTH)
        }
    };
    let hash: String = world
        .auth
        .random::<9>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    world
        .auth
        .codes
        .sent(phone, code.clone(), hash.clone(), call.now);
    log::info!(target: "layer_test_server::codes", "login code for +{phone}: {code}");

    let length = i32::try_from(code.chars().count()).unwrap_or(i32::MAX);
    let elsewhere = world.user_by_phone(phone).filter(|user| {
        world
            .auth
            .keys_of(*user)
            .iter()
            .any(|key| *key != call.auth_key_id)
    });
    let (r#type, next_type): (enums::auth::SentCodeType, _) = match elsewhere {
        _ if by_call => (types::auth::SentCodeTypeCall { length }.into(), None),
        Some(user) => {
            world.service_text(
                user,
                &format!(
                    "Login code: {code}. Do not give this code to anyone, even if they say they are from Telegram!"
                ),
            );
            (
                types::auth::SentCodeTypeApp { length }.into(),
                Some(enums::auth::CodeType::Sms),
            )
        }
        None => (
            types::auth::SentCodeTypeSms { length }.into(),
            Some(enums::auth::CodeType::Call),
        ),
    };
    let timeout = next_type.is_some().then_some(RESEND_AFTER);
    types::auth::SentCode {
        r#type,
        phone_code_hash: hash,
        next_type,
        timeout,
    }
    .into()
}

fn send_code(
    world: &mut World,
    call: &Call,
    request: f::auth::SendCode,
) -> Result<enums::auth::SentCode> {
    check_application(world, request.api_id, &request.api_hash)?;
    let phone = phone_number(&request.phone_number)?;
    if let Some(user) = world.user_by_phone(&phone) {
        at_home(world, call, user, "PHONE_MIGRATE")?;
    }
    Ok(deliver_code(world, call, &phone, false))
}

fn expired(error: CodeError) -> RpcError {
    RpcError::bad(match error {
        CodeError::Expired => "PHONE_CODE_EXPIRED",
        CodeError::Wrong => "PHONE_CODE_INVALID",
    })
}

fn hash_given(hash: &str) -> Result<()> {
    if hash.is_empty() {
        Err(RpcError::bad("PHONE_CODE_HASH_EMPTY"))
    } else {
        Ok(())
    }
}

fn resend_code(
    world: &mut World,
    call: &Call,
    request: f::auth::ResendCode,
) -> Result<enums::auth::SentCode> {
    let phone = phone_number(&request.phone_number)?;
    hash_given(&request.phone_code_hash)?;
    world
        .auth
        .codes
        .find(&phone, &request.phone_code_hash, call.now)
        .map_err(expired)?;
    world.auth.codes.spend(&request.phone_code_hash);
    Ok(deliver_code(world, call, &phone, true))
}

fn cancel_code(world: &mut World, call: &Call, request: f::auth::CancelCode) -> Result<bool> {
    let phone = phone_number(&request.phone_number)?;
    hash_given(&request.phone_code_hash)?;
    world
        .auth
        .codes
        .find(&phone, &request.phone_code_hash, call.now)
        .map_err(expired)?;
    Ok(world.auth.codes.spend(&request.phone_code_hash))
}

fn report_missing_code(
    world: &mut World,
    call: &Call,
    request: f::auth::ReportMissingCode,
) -> Result<bool> {
    let phone = phone_number(&request.phone_number)?;
    world
        .auth
        .codes
        .find(&phone, &request.phone_code_hash, call.now)
        .map_err(expired)?;
    Ok(true)
}

// -- signing in -------------------------------------------------------------------------------------------

/// Signs the caller's key in, unless a password stands before it.
fn enter(world: &mut World, call: &Call, user_id: i64) -> Result<enums::auth::Authorization> {
    if world.auth.password(user_id).is_some() {
        world.auth.logout(call.auth_key_id);
        if let Some(record) = world.auth.record_mut(call.auth_key_id) {
            record.password_pending = Some(user_id);
        }
        return Err(RpcError::new(401, "SESSION_PASSWORD_NEEDED"));
    }
    Ok(admit(world, call, user_id, false))
}

/// Signs the caller's key in.
fn admit(
    world: &mut World,
    call: &Call,
    user_id: i64,
    imported: bool,
) -> enums::auth::Authorization {
    world
        .auth
        .login(call.auth_key_id, user_id, imported, call.now);
    authorization(world, user_id)
}

fn authorization(world: &World, user_id: i64) -> enums::auth::Authorization {
    types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user: world.tl_user(user_id, user_id),
    }
    .into()
}

fn sign_in(
    world: &mut World,
    call: &Call,
    request: f::auth::SignIn,
) -> Result<enums::auth::Authorization> {
    let phone = phone_number(&request.phone_number)?;
    hash_given(&request.phone_code_hash)?;
    let answer = request
        .phone_code
        .as_deref()
        .map(str::trim)
        .unwrap_or_default();
    if answer.is_empty() {
        return Err(RpcError::bad("PHONE_CODE_EMPTY"));
    }
    let hash = &request.phone_code_hash;
    world
        .auth
        .codes
        .check(&phone, hash, answer, call.now)
        .map_err(expired)?;
    let Some(user) = world.user_by_phone(&phone) else {
        // The code stays: auth.signUp names it again.
        return Ok(types::auth::AuthorizationSignUpRequired {
            terms_of_service: None,
        }
        .into());
    };
    at_home(world, call, user, "PHONE_MIGRATE")?;
    world.auth.codes.spend(hash);
    enter(world, call, user)
}

fn sign_up(
    world: &mut World,
    call: &Call,
    request: f::auth::SignUp,
) -> Result<enums::auth::Authorization> {
    let phone = phone_number(&request.phone_number)?;
    hash_given(&request.phone_code_hash)?;
    let hash = &request.phone_code_hash;
    let code = world
        .auth
        .codes
        .find(&phone, hash, call.now)
        .map_err(expired)?;
    if !code.verified {
        return Err(RpcError::bad("PHONE_CODE_INVALID"));
    }
    if world.user_by_phone(&phone).is_some() {
        return Err(RpcError::bad("PHONE_NUMBER_OCCUPIED"));
    }
    let (first_name, last_name) = (request.first_name.trim(), request.last_name.trim());
    if first_name.is_empty() || first_name.chars().count() > 64 {
        return Err(RpcError::bad("FIRSTNAME_INVALID"));
    }
    if last_name.chars().count() > 64 {
        return Err(RpcError::bad("LASTNAME_INVALID"));
    }
    world.auth.codes.spend(hash);
    let user = world.create_user(NewUser {
        phone,
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        username: None,
        home_dc: call.dc_id,
        premium: false,
    });
    Ok(admit(world, call, user, false))
}

fn check_password(
    world: &mut World,
    call: &Call,
    request: f::auth::CheckPassword,
) -> Result<enums::auth::Authorization> {
    let pending = world
        .auth
        .record(call.auth_key_id)
        .and_then(|record| record.password_pending);
    let user = pending
        .or(call.user_id)
        .ok_or_else(|| RpcError::new(401, "AUTH_KEY_UNREGISTERED"))?;
    world.auth.check_password(user, &request.password)?;
    Ok(match pending {
        Some(user) => admit(world, call, user, false),
        None => authorization(world, user),
    })
}

fn request_password_recovery(
    world: &mut World,
    call: &Call,
    _: f::auth::RequestPasswordRecovery,
) -> Result<enums::auth::PasswordRecovery> {
    let pending = world
        .auth
        .record(call.auth_key_id)
        .and_then(|record| record.password_pending);
    let user = pending
        .or(call.user_id)
        .ok_or_else(|| RpcError::new(401, "AUTH_KEY_UNREGISTERED"))?;
    // No mail is ever sent from here, so no address was ever confirmed.
    Err(match world.auth.password(user) {
        Some(_) => RpcError::bad("PASSWORD_RECOVERY_NA"),
        None => RpcError::bad("PASSWORD_EMPTY"),
    })
}

fn check_recovery_password(
    _: &mut World,
    _: &Call,
    _: f::auth::CheckRecoveryPassword,
) -> Result<bool> {
    Err(RpcError::bad("PASSWORD_RECOVERY_EXPIRED"))
}

fn import_bot(
    world: &mut World,
    call: &Call,
    request: f::auth::ImportBotAuthorization,
) -> Result<enums::auth::Authorization> {
    check_application(world, request.api_id, &request.api_hash)?;
    let bot = world
        .user_by_token(&request.bot_auth_token)
        .ok_or_else(|| RpcError::bad("ACCESS_TOKEN_INVALID"))?;
    at_home(world, call, bot, "USER_MIGRATE")?;
    Ok(admit(world, call, bot, false))
}

// -- signing out ------------------------------------------------------------------------------------------

fn log_out(world: &mut World, call: &Call, _: f::auth::LogOut) -> Result<enums::auth::LoggedOut> {
    // Half signed in counts as signed in: a program may turn back at the password.
    let pending = world
        .auth
        .record(call.auth_key_id)
        .and_then(|record| record.password_pending);
    if pending.is_none() {
        call.user()?;
    }
    world.auth.logout(call.auth_key_id);
    Ok(types::auth::LoggedOut {
        future_auth_token: None,
    }
    .into())
}

fn reset_authorizations(
    world: &mut World,
    call: &Call,
    _: f::auth::ResetAuthorizations,
) -> Result<bool> {
    let user = call.user()?;
    for key in world.auth.keys_of(user) {
        if key != call.auth_key_id {
            world.auth.revoke(key);
        }
    }
    Ok(true)
}

// -- other data centres -----------------------------------------------------------------------------------

fn export_authorization(
    world: &mut World,
    call: &Call,
    request: f::auth::ExportAuthorization,
) -> Result<enums::auth::ExportedAuthorization> {
    let id = call.user()?;
    let known = world
        .auth
        .settings
        .dcs
        .iter()
        .any(|listing| listing.dc_id == request.dc_id);
    if !known || request.dc_id == call.dc_id {
        return Err(RpcError::bad("DC_ID_INVALID"));
    }
    let bytes = world.auth.random::<96>().to_vec();
    world
        .auth
        .tokens
        .export(bytes.clone(), id, request.dc_id, call.now);
    Ok(types::auth::ExportedAuthorization { id, bytes }.into())
}

fn import_authorization(
    world: &mut World,
    call: &Call,
    request: f::auth::ImportAuthorization,
) -> Result<enums::auth::Authorization> {
    if !world
        .auth
        .tokens
        .import(&request.bytes, request.id, call.dc_id, call.now)
    {
        return Err(RpcError::bad("AUTH_BYTES_INVALID"));
    }
    Ok(admit(world, call, request.id, true))
}

// -- temporary keys ---------------------------------------------------------------------------------------

fn bind_temp_auth_key(
    world: &mut World,
    call: &Call,
    request: f::auth::BindTempAuthKey,
) -> Result<bool> {
    let caller = world.auth.caller;
    let Some(temporary) = world
        .auth
        .record(caller.auth_key_id)
        .and_then(|record| record.temporary.clone())
    else {
        return Err(RpcError::bad("TEMP_AUTH_KEY_EMPTY"));
    };
    if temporary
        .bound_to
        .is_some_and(|bound| bound != request.perm_auth_key_id)
    {
        return Err(RpcError::bad("TEMP_AUTH_KEY_ALREADY_BOUND"));
    }
    if request.expires_at <= call.now {
        return Err(RpcError::bad("EXPIRES_AT_INVALID"));
    }
    let invalid = || RpcError::bad("ENCRYPTED_MESSAGE_INVALID");
    let permanent = world
        .auth
        .record(request.perm_auth_key_id)
        .ok_or_else(invalid)?;
    if permanent.temporary.is_some() || permanent.dc_id != call.dc_id {
        return Err(invalid());
    }
    let plaintext =
        message::open_v1(&permanent.key, &request.encrypted_message).map_err(|_| invalid())?;
    let binding = Binding::parse(&plaintext).ok_or_else(invalid)?;
    let inner = &binding.inner;
    let fits = binding.msg_id == caller.msg_id
        && binding.seqno == 0
        && inner.nonce == request.nonce
        && inner.temp_auth_key_id == caller.auth_key_id
        && inner.perm_auth_key_id == request.perm_auth_key_id
        && inner.temp_session_id == call.session_id
        && inner.expires_at == request.expires_at;
    if !fits {
        return Err(invalid());
    }
    world.auth.bind(
        caller.auth_key_id,
        request.perm_auth_key_id,
        request.expires_at,
    );
    Ok(true)
}

/// The message inside `encrypted_message`: 16 random bytes, `msg_id`, `seqno`, length 40, the body.
struct Binding {
    msg_id: i64,
    seqno: i32,
    inner: types::BindAuthKeyInner,
}

impl Binding {
    fn parse(plaintext: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(plaintext.get(16..)?);
        let msg_id = i64::deserialize(&mut cursor).ok()?;
        let seqno = i32::deserialize(&mut cursor).ok()?;
        let length = i32::deserialize(&mut cursor).ok()?;
        let id = u32::deserialize(&mut cursor).ok()?;
        if length != 40 || id != types::BindAuthKeyInner::CONSTRUCTOR_ID {
            return None;
        }
        let inner = types::BindAuthKeyInner::deserialize(&mut cursor).ok()?;
        Some(Self {
            msg_id,
            seqno,
            inner,
        })
    }
}

fn drop_temp_auth_keys(
    world: &mut World,
    call: &Call,
    request: f::auth::DropTempAuthKeys,
) -> Result<bool> {
    let mut except = request.except_auth_keys;
    except.push(world.auth.caller.auth_key_id);
    world.auth.drop_temporary(call.auth_key_id, &except);
    Ok(true)
}

// -- QR codes ---------------------------------------------------------------------------------------------

fn export_login_token(
    world: &mut World,
    call: &Call,
    request: f::auth::ExportLoginToken,
) -> Result<enums::auth::LoginToken> {
    check_application(world, request.api_id, &request.api_hash)?;
    if let Some((token, user)) = world.auth.tokens.accepted(call.auth_key_id, call.now) {
        let home = world
            .users
            .get(&user)
            .map_or(call.dc_id, |user| user.home_dc);
        if home != call.dc_id {
            return Ok(types::auth::LoginTokenMigrateTo { dc_id: home, token }.into());
        }
        world.auth.tokens.spend(&token);
        let authorization = enter(world, call, user)?;
        return Ok(types::auth::LoginTokenSuccess { authorization }.into());
    }
    let token = world.auth.random::<32>().to_vec();
    let expires = world
        .auth
        .tokens
        .offer(token.clone(), call.auth_key_id, call.now);
    Ok(types::auth::LoginToken { expires, token }.into())
}

fn import_login_token(
    world: &mut World,
    call: &Call,
    request: f::auth::ImportLoginToken,
) -> Result<enums::auth::LoginToken> {
    let login = world
        .auth
        .tokens
        .find(&request.token)
        .ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
    if login.expires <= call.now {
        return Err(RpcError::bad("AUTH_TOKEN_EXPIRED"));
    }
    let user = login
        .accepted_by
        .ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
    world.auth.tokens.spend(&request.token);
    let authorization = enter(world, call, user)?;
    Ok(types::auth::LoginTokenSuccess { authorization }.into())
}

fn accept_login_token(
    world: &mut World,
    call: &Call,
    request: f::auth::AcceptLoginToken,
) -> Result<enums::Authorization> {
    let user = call.user()?;
    let login = world
        .auth
        .tokens
        .find(&request.token)
        .cloned()
        .ok_or_else(|| RpcError::bad("AUTH_TOKEN_INVALID"))?;
    if login.expires <= call.now {
        return Err(RpcError::bad("AUTH_TOKEN_EXPIRED"));
    }
    if login.accepted_by.is_some() {
        return Err(RpcError::bad("AUTH_TOKEN_ALREADY_ACCEPTED"));
    }
    world.auth.tokens.accept(&request.token, user, call.now);
    let update = types::UpdateShort {
        update: enums::Update::LoginToken,
        date: call.now,
    };
    world.auth.notices.push(KeyNotice {
        auth_key_id: login.auth_key_id,
        updates: update.into(),
    });
    let record = world.auth.record(login.auth_key_id);
    Ok(super::account::tl_authorization(
        login.auth_key_id,
        record,
        call.auth_key_id,
    ))
}
