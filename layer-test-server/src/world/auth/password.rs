//! 2FA passwords: what is kept of them, and the proofs of knowing them (documentation page `api/srp`).

use std::collections::VecDeque;

use layer_crypto::dh::TELEGRAM_PRIME;
use layer_crypto::srp::{self, Challenge, PasswordKdf, SrpError};
use layer_tl_types::{enums, types};

use super::AuthBook;
use crate::rpc::RpcError;

/// Challenges of one account that wait for an answer at most.
const MAX_CHALLENGES: usize = 16;
/// Bytes of `salt1` that the server hands out; the client adds 32 more of its own.
const SALT1: usize = 8;
/// What a client may make of `salt1` at most.
const MAX_SALT: usize = 1024;

/// The algorithm by its full name.
type Algo = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow;

/// One account's password. The password itself is never here, only its verifier.
pub(crate) struct Password {
    kdf: PasswordKdf,
    verifier: [u8; 256],
    pub(crate) hint: String,
    /// Questions that were asked and not answered yet, by `srp_id`.
    challenges: VecDeque<(i64, Challenge)>,
}

impl Password {
    /// The form in which a password given by the server's own user is kept.
    pub(crate) fn from_text(
        password: &str,
        kdf: PasswordKdf,
        hint: &str,
    ) -> Result<Self, SrpError> {
        let verifier = srp::verifier(password.as_bytes(), &kdf)?;
        Ok(Self {
            kdf,
            verifier,
            hint: hint.to_owned(),
            challenges: VecDeque::new(),
        })
    }

    fn from_settings(
        algo: &enums::PasswordKdfAlgo,
        hash: &[u8],
        hint: Option<String>,
    ) -> Option<Self> {
        let enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo) = algo
        else {
            return None;
        };
        let known_group = algo.g == 3 && algo.p == TELEGRAM_PRIME;
        let salts = SALT1..=MAX_SALT;
        if !known_group || !salts.contains(&algo.salt1.len()) || !salts.contains(&algo.salt2.len())
        {
            return None;
        }
        Some(Self {
            kdf: PasswordKdf {
                salt1: algo.salt1.clone(),
                salt2: algo.salt2.clone(),
                g: algo.g,
                p: algo.p.clone(),
            },
            verifier: hash.try_into().ok()?,
            hint: hint.unwrap_or_default(),
            challenges: VecDeque::new(),
        })
    }
}

fn tl_algo(kdf: &PasswordKdf) -> enums::PasswordKdfAlgo {
    Algo {
        salt1: kdf.salt1.clone(),
        salt2: kdf.salt2.clone(),
        g: kdf.g,
        p: kdf.p.clone(),
    }
    .into()
}

impl AuthBook {
    /// Fresh parameters for a password to come.
    pub(crate) fn new_kdf(&mut self) -> PasswordKdf {
        PasswordKdf {
            salt1: self.random::<SALT1>().to_vec(),
            salt2: self.random::<16>().to_vec(),
            g: 3,
            p: TELEGRAM_PRIME.to_vec(),
        }
    }

    /// The answer to `account.getPassword`, with a new challenge if a password is set.
    pub(crate) fn tl_password(
        &mut self,
        user_id: i64,
    ) -> Result<enums::account::Password, RpcError> {
        let srp_id = self.random_id();
        let new_algo = tl_algo(&self.new_kdf());
        let new_secure_algo: enums::SecurePasswordKdfAlgo =
            types::SecurePasswordKdfAlgoPbkdf2Hmacsha512iter100000 {
                salt: self.random::<SALT1>().to_vec(),
            }
            .into();
        let mut answer = types::account::Password {
            has_recovery: false,
            has_secure_values: false,
            has_password: false,
            current_algo: None,
            srp_b: None,
            srp_id: None,
            hint: None,
            email_unconfirmed_pattern: None,
            new_algo,
            new_secure_algo,
            secure_random: self.random::<256>().to_vec(),
            pending_reset_date: None,
            login_email_pattern: None,
        };
        if let Some(password) = self.passwords.get_mut(&user_id) {
            let challenge = Challenge::new(&password.kdf, &password.verifier, &mut *self.rng)
                .map_err(|_| RpcError::new(500, "PASSWORD_UNUSABLE"))?;
            answer.has_password = true;
            answer.current_algo = Some(tl_algo(&password.kdf));
            answer.srp_b = Some(challenge.b().to_vec());
            answer.srp_id = Some(srp_id);
            answer.hint = (!password.hint.is_empty()).then(|| password.hint.clone());
            while password.challenges.len() >= MAX_CHALLENGES {
                password.challenges.pop_front();
            }
            password.challenges.push_back((srp_id, challenge));
        }
        Ok(answer.into())
    }

    /// Checks the proof against the account's password. A challenge is good for one answer.
    pub(crate) fn check_password(
        &mut self,
        user_id: i64,
        proof: &enums::InputCheckPasswordSrp,
    ) -> Result<(), RpcError> {
        let wrong = || RpcError::bad("PASSWORD_HASH_INVALID");
        let Some(password) = self.passwords.get_mut(&user_id) else {
            // Nothing to prove; the empty proof is the right one.
            return match proof {
                enums::InputCheckPasswordSrp::InputCheckPasswordEmpty => Ok(()),
                enums::InputCheckPasswordSrp::Srp(_) => Err(wrong()),
            };
        };
        let enums::InputCheckPasswordSrp::Srp(proof) = proof else {
            return Err(wrong());
        };
        let position = password
            .challenges
            .iter()
            .position(|(id, _)| *id == proof.srp_id)
            .ok_or_else(|| RpcError::bad("SRP_ID_INVALID"))?;
        let (_, challenge) = password
            .challenges
            .remove(position)
            .ok_or_else(|| RpcError::bad("SRP_ID_INVALID"))?;
        challenge.check(&proof.a, &proof.m1).map_err(|_| wrong())
    }

    /// Sets, changes or removes a password; the old one was proven already.
    pub(crate) fn change_password(
        &mut self,
        user_id: i64,
        settings: types::account::PasswordInputSettings,
    ) -> Result<(), RpcError> {
        let (Some(algo), Some(hash)) = (&settings.new_algo, &settings.new_password_hash) else {
            return match self.password(user_id) {
                // Only the recovery address or the passport secret changes, and neither is kept here.
                Some(_) => Ok(()),
                None => Err(RpcError::bad("NEW_SETTINGS_EMPTY")),
            };
        };
        let removal = matches!(algo, enums::PasswordKdfAlgo::Unknown) || hash.is_empty();
        if removal {
            if self.password(user_id).is_none() {
                return Err(RpcError::bad("NEW_SETTINGS_EMPTY"));
            }
            self.set_password(user_id, None);
            return Ok(());
        }
        let password = Password::from_settings(algo, hash, settings.hint)
            .ok_or_else(|| RpcError::bad("NEW_SETTINGS_INVALID"))?;
        // A verifier that is no number to compute with would lock the account.
        Challenge::new(&password.kdf, &password.verifier, &mut *self.rng)
            .map_err(|_| RpcError::bad("NEW_SETTINGS_INVALID"))?;
        self.set_password(user_id, Some(password));
        Ok(())
    }
}
