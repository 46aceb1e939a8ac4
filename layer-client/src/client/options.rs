//! Where the data centres are, as `help.getConfig` says: kept in the session, and asked for again
//! when its time has passed or the server says that it changed (`updateConfig`,
//! `updateDcOptions`).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{Inner, WeakClient};
use crate::error::{Error, Result};
use crate::net;
use crate::tl::{self, Deserializable, Identifiable, Serializable};

/// However often the server says that something changed, it is asked no sooner than this after it
/// was asked last.
const SOONEST: Duration = Duration::from_secs(60);
/// What the server says holds for this long at most.
const LATEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes an answer to `help.getConfig`, and says for how long it holds.
pub(super) fn keep(inner: &Inner, answer: &[u8]) -> Result<Duration> {
    let tl::enums::Config::Config(config) = tl::enums::Config::from_bytes(answer)
        .map_err(|error| Error::unreadable("help.getConfig", &error))?;
    let home = inner.home_dc();
    if config.this_dc != home {
        log::warn!("data centre {home} says it is {}", config.this_dc);
    }
    inner
        .force_try_ipv6
        .store(config.force_try_ipv6, Ordering::Relaxed);
    inner
        .webfile_dc
        .store(config.webfile_dc_id, Ordering::Relaxed);
    let known = net::known(&config.dc_options);
    inner.session.update(|session| {
        for (dc_id, _) in &known {
            session.dcs.entry(*dc_id).or_default().options.clear();
        }
        for (dc_id, option) in known {
            let options = &mut session.dcs.entry(dc_id).or_default().options;
            if !options.contains(&option) {
                options.push(option);
            }
        }
    });
    let life = config.expires.saturating_sub(config.date);
    let life = Duration::from_secs(u64::try_from(life).unwrap_or(0));
    Ok(life.clamp(SOONEST, LATEST))
}

/// Asks again and again, for as long as the client lives.
pub(super) async fn refresh(client: WeakClient, changed: Arc<Notify>, life: Duration) {
    let mut asked = Instant::now();
    let mut due = asked + life;
    loop {
        tokio::select! {
            () = sleep_until(due) => {}
            () = changed.notified() => sleep_until(asked + SOONEST).await,
        }
        let Some(client) = client.upgrade() else {
            return;
        };
        asked = Instant::now();
        let request = tl::functions::help::GetConfig {}.to_bytes();
        let answer = client.invoke_bytes(None, request).await;
        let life = match answer.and_then(|answer| keep(&client.inner, &answer)) {
            Ok(life) => life,
            Err(Error::Closed) => return,
            Err(error) => {
                log::info!("the addresses of the data centres were not refreshed: {error}");
                SOONEST
            }
        };
        due = Instant::now() + life;
    }
}

/// Whether the bytes of an `Updates` may say that the addresses changed. They are looked for
/// without being read: a text that holds the same bytes costs no more than one question.
pub(crate) fn may_change_options(updates: &[u8]) -> bool {
    const IDS: [u32; 2] = [
        tl::types::UpdateConfig::CONSTRUCTOR_ID,
        tl::types::UpdateDcOptions::CONSTRUCTOR_ID,
    ];
    let words = updates.chunks_exact(4);
    words
        .filter_map(|word| word.first_chunk().copied().map(u32::from_le_bytes))
        .any(|word| IDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_that_tell_of_new_addresses_are_recognised() {
        let short = |update: tl::enums::Update| {
            tl::enums::Updates::from(tl::types::UpdateShort { update, date: 1 }).to_bytes()
        };
        assert!(may_change_options(&short(
            tl::types::UpdateConfig {}.into()
        )));
        let options = tl::types::UpdateDcOptions {
            dc_options: Vec::new(),
        };
        assert!(may_change_options(&short(options.into())));
        assert!(!may_change_options(&short(
            tl::types::UpdatePtsChanged {}.into()
        )));
        assert!(!may_change_options(&[1, 2, 3]));
    }
}
