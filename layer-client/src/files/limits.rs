//! How large a file may be: how many parts an account may upload, as `help.getAppConfig` says.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use layer_tl_types as tl;
use tokio::time::Instant;

use crate::client::{BoxFuture, Client};
use crate::error::{Error, FileTooLarge, Result};

/// Bytes of a part: the most that may be, as the documentation wants it, whatever the file's size.
pub(super) const PART: u64 = 512 * 1024;
/// So many parts a small file has at most, about which nobody needs to ask.
pub(super) const SURE: u64 = 20;
/// For so long an answer holds.
const LIFE: Duration = Duration::from_secs(60 * 60);

/// What the server said, and when.
#[derive(Default)]
pub(crate) struct Limits {
    known: Mutex<Option<(Instant, PartLimits)>>,
}

/// How many parts a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PartLimits {
    default: u64,
    premium: u64,
}

/// What the documentation says, for where the server does not.
const DOCUMENTED: PartLimits = PartLimits {
    default: 4000,
    premium: 8000,
};

impl PartLimits {
    fn read(config: &tl::enums::Jsonvalue) -> Self {
        let tl::enums::Jsonvalue::JsonObject(config) = config else {
            return DOCUMENTED;
        };
        let number = |key: &str| {
            config.value.iter().find_map(|entry| {
                let tl::enums::JsonobjectValue::JsonObjectValue(entry) = entry;
                match &entry.value {
                    tl::enums::Jsonvalue::JsonNumber(number) if entry.key == key => {
                        whole(number.value)
                    }
                    _ => None,
                }
            })
        };
        let default = number("upload_max_fileparts_default").unwrap_or(DOCUMENTED.default);
        let premium = number("upload_max_fileparts_premium").unwrap_or(DOCUMENTED.premium);
        Self {
            default,
            premium: premium.max(default),
        }
    }
}

/// A number of parts, if that can be one.
fn whole(number: f64) -> Option<u64> {
    // Looked at before: it is one that fits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (1.0..=f64::from(i32::MAX))
        .contains(&number)
        .then_some(number as u64)
}

impl Client {
    /// How many parts a file may have that has so many at least; of `size` bytes, if that is known.
    ///
    /// # Errors
    /// [`Error::FileTooLarge`] if that is too much, and what Telegram answers when it is asked for the
    /// account (`users.getUsers`).
    pub(super) fn parts_allowed(
        &self,
        parts: u64,
        size: Option<u64>,
    ) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            if parts <= SURE {
                return Ok(SURE);
            }
            let limits = self.part_limits().await?;
            if parts <= limits.default {
                return Ok(limits.default);
            }
            let premium = self.me().await?.raw().premium;
            let limit = if premium {
                limits.premium
            } else {
                limits.default
            };
            if parts <= limit {
                return Ok(limit);
            }
            Err(Error::FileTooLarge(FileTooLarge {
                size,
                limit: limit.saturating_mul(PART),
                parts: limit,
                premium,
            }))
        })
    }

    async fn part_limits(&self) -> Result<PartLimits> {
        let known = &self.inner.files.limits.known;
        let before = *known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, limits)) = before
            && asked.elapsed() < LIFE
        {
            return Ok(limits);
        }
        let request = tl::functions::help::GetAppConfig { hash: 0 };
        let limits = match self.invoke(&request).await {
            Ok(tl::enums::help::AppConfig::Config(config)) => PartLimits::read(&config.config),
            Ok(tl::enums::help::AppConfig::NotModified) => DOCUMENTED,
            Err(error) if error.is_closed() || error.is_terminal() => return Err(error),
            // The upload itself will show whether that was right.
            Err(error) => {
                log::info!("how large files may be was not to be learned: {error}");
                before.map_or(DOCUMENTED, |(_, limits)| limits)
            }
        };
        *known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), limits));
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, f64)]) -> tl::enums::Jsonvalue {
        let entries = entries.iter().map(|(key, value)| {
            tl::types::JsonObjectValue {
                key: (*key).to_owned(),
                value: tl::types::JsonNumber { value: *value }.into(),
            }
            .into()
        });
        let value = entries.collect();
        tl::types::JsonObject { value }.into()
    }

    #[test]
    fn limits_are_what_the_configuration_says_or_the_documentation() {
        let read = |entries: &[(&str, f64)]| {
            let limits = PartLimits::read(&config(entries));
            (limits.default, limits.premium)
        };
        let (default, premium) = (
            "upload_max_fileparts_default",
            "upload_max_fileparts_premium",
        );
        assert_eq!(read(&[]), (4000, 8000));
        assert_eq!(
            read(&[("a", 1.0), (default, 30.0), (premium, 60.0)]),
            (30, 60)
        );
        assert_eq!(read(&[(default, 9000.0)]), (9000, 9000));
        for nonsense in [0.0, -5.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(
                read(&[(default, nonsense), (premium, nonsense)]),
                (4000, 8000)
            );
        }
        assert_eq!(
            PartLimits::read(&tl::enums::Jsonvalue::JsonNull),
            DOCUMENTED
        );
    }
}
