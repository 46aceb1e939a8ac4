//! Calls come wrapped: in `invokeWithLayer`, `initConnection`, `invokeAfterMsg` and their kin, and in gzip or zlib.
//!
//! [`Unwrapped::new`] takes the wrappers off and keeps what they said (documentation page `api/invoking`).

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::{GzDecoder, ZlibDecoder};
use layer_tl_types::{Cursor, Deserializable, Identifiable, enums, functions as f};

use super::RpcError;
use crate::world::auth::Device;

/// Wrappers around one call at most.
const MAX_DEPTH: usize = 16;
/// A call may inflate to this many bytes at most.
const MAX_INFLATED: u64 = 16 * 1024 * 1024;
/// Messages that one call may wait for at most.
const MAX_AFTER: usize = 100;
/// `gzip_packed`, which the schema leaves to hand-written code.
pub(crate) const GZIP_PACKED: u32 = 0x3072_cfa1;

/// A call without its wrappers, and what they said.
#[derive(Debug)]
pub(crate) struct Unwrapped<'a> {
    bytes: Cow<'a, [u8]>,
    start: usize,
    /// The layer that the client speaks.
    pub(crate) layer: Option<i32>,
    /// The program and the machine behind the client.
    pub(crate) device: Option<Device>,
    /// Messages that must have been answered without an error before.
    pub(crate) after: Vec<i64>,
    /// The session does not ask for updates by this call.
    pub(crate) without_updates: bool,
}

impl<'a> Unwrapped<'a> {
    /// Takes the wrappers off.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, RpcError> {
        let mut call = Self {
            bytes: Cow::Borrowed(bytes),
            start: 0,
            layer: None,
            device: None,
            after: Vec::new(),
            without_updates: false,
        };
        for _ in 0..MAX_DEPTH {
            if !call
                .take_off()
                .map_err(|_| RpcError::bad("INPUT_FETCH_ERROR"))?
            {
                return Ok(call);
            }
        }
        Err(RpcError::bad("INPUT_LAYER_INVALID"))
    }

    /// The call itself, with its constructor id.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Its constructor id, if it has one.
    pub(crate) fn id(&self) -> Option<u32> {
        self.body().first_chunk().map(|id| u32::from_le_bytes(*id))
    }

    /// Takes one wrapper off; false when there is none.
    fn take_off(&mut self) -> Result<bool, Malformed> {
        let Some(id) = self.id() else {
            return Ok(false);
        };
        // Cloned, so that `self` may change while the cursor reads; borrowed bytes cost nothing.
        let bytes = std::mem::take(&mut self.bytes);
        let result = self.read_wrapper(id, &bytes);
        self.bytes = bytes;
        match result? {
            Wrapper::None => Ok(false),
            Wrapper::Inside { remaining } => {
                self.start = self.bytes.len().saturating_sub(remaining);
                Ok(true)
            }
            Wrapper::Packed(inflated) => {
                self.bytes = Cow::Owned(inflated);
                self.start = 0;
                Ok(true)
            }
        }
    }

    fn read_wrapper(&mut self, id: u32, bytes: &[u8]) -> Result<Wrapper, Malformed> {
        let rest = bytes.get(self.start + 4..).ok_or(Malformed)?;
        let mut input = Input(Cursor::new(rest));
        match id {
            f::InvokeWithLayer::<()>::CONSTRUCTOR_ID => self.layer = Some(input.read()?),
            f::InitConnection::<()>::CONSTRUCTOR_ID => self.device = Some(input.device()?),
            f::InvokeAfterMsg::<()>::CONSTRUCTOR_ID => self.wait_for(&[input.read()?])?,
            f::InvokeAfterMsgs::<()>::CONSTRUCTOR_ID => {
                let ids: Vec<i64> = input.read()?;
                self.wait_for(&ids)?;
            }
            f::InvokeWithoutUpdates::<()>::CONSTRUCTOR_ID => self.without_updates = true,
            f::InvokeWithMessagesRange::<()>::CONSTRUCTOR_ID => {
                input.read::<enums::MessageRange>()?;
            }
            f::InvokeWithTakeout::<()>::CONSTRUCTOR_ID => {
                input.read::<i64>()?;
            }
            f::InvokeWithBusinessConnection::<()>::CONSTRUCTOR_ID
            | f::InvokeWithReCaptcha::<()>::CONSTRUCTOR_ID => {
                input.read::<String>()?;
            }
            f::InvokeWithGooglePlayIntegrity::<()>::CONSTRUCTOR_ID
            | f::InvokeWithApnsSecret::<()>::CONSTRUCTOR_ID => {
                input.read::<String>()?;
                input.read::<String>()?;
            }
            GZIP_PACKED => return Ok(Wrapper::Packed(inflate(&input.read::<Vec<u8>>()?)?)),
            _ => return Ok(Wrapper::None),
        }
        Ok(Wrapper::Inside {
            remaining: input.0.remaining().len(),
        })
    }

    fn wait_for(&mut self, ids: &[i64]) -> Result<(), Malformed> {
        self.after.extend_from_slice(ids);
        if self.after.len() > MAX_AFTER {
            Err(Malformed)
        } else {
            Ok(())
        }
    }
}

/// What stands at the beginning of a call.
enum Wrapper {
    None,
    Inside { remaining: usize },
    Packed(Vec<u8>),
}

/// A wrapper that does not say what it should.
struct Malformed;

struct Input<'a>(Cursor<'a>);

impl Input<'_> {
    fn read<T: Deserializable>(&mut self) -> Result<T, Malformed> {
        T::deserialize(&mut self.0).map_err(|_| Malformed)
    }

    /// The parameters of `initConnection`.
    fn device(&mut self) -> Result<Device, Malformed> {
        let flags: u32 = self.read()?;
        let device = Device {
            api_id: self.read()?,
            model: self.read()?,
            system: self.read()?,
            app_version: self.read()?,
            lang_code: {
                self.read::<String>()?; // system_lang_code
                self.read::<String>()?; // lang_pack
                self.read()?
            },
        };
        if flags & 1 != 0 {
            self.read::<enums::InputClientProxy>()?;
        }
        if flags & 2 != 0 {
            self.read::<enums::Jsonvalue>()?;
        }
        Ok(device)
    }
}

/// Inflates gzip, or the zlib form that some clients put in its place, up to a bound.
fn inflate(packed: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut inflated = Vec::new();
    let read = if packed.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(packed)
            .take(MAX_INFLATED + 1)
            .read_to_end(&mut inflated)
    } else {
        ZlibDecoder::new(packed)
            .take(MAX_INFLATED + 1)
            .read_to_end(&mut inflated)
    };
    match read {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= MAX_INFLATED) => {
            Ok(inflated)
        }
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use layer_tl_types::{Serializable, types};

    use super::*;

    fn config() -> Vec<u8> {
        f::help::GetConfig {}.to_bytes()
    }

    fn init(query: &[u8]) -> Vec<u8> {
        let proxy: enums::InputClientProxy = types::InputClientProxy {
            address: "a".into(),
            port: 1,
        }
        .into();
        let params: enums::Jsonvalue = types::JsonObject { value: vec![] }.into();
        let mut bytes = f::InitConnection::<()>::CONSTRUCTOR_ID.to_bytes();
        3_u32.serialize(&mut bytes);
        17_i32.serialize(&mut bytes);
        for text in ["phone", "os", "1.0", "en", "pack", "de"] {
            text.to_owned().serialize(&mut bytes);
        }
        proxy.serialize(&mut bytes);
        params.serialize(&mut bytes);
        bytes.extend_from_slice(query);
        bytes
    }

    fn packed(data: Vec<u8>) -> Vec<u8> {
        let mut bytes = GZIP_PACKED.to_bytes();
        data.serialize(&mut bytes);
        bytes
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        packed(encoder.finish().unwrap())
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        packed(encoder.finish().unwrap())
    }

    fn with_layer(query: &[u8]) -> Vec<u8> {
        let id = f::InvokeWithLayer::<()>::CONSTRUCTOR_ID.to_bytes();
        [id, 223_i32.to_bytes(), query.to_vec()].concat()
    }

    #[test]
    fn every_wrapper_comes_off_and_tells_what_it_carries() {
        let without = f::InvokeWithoutUpdates::<()>::CONSTRUCTOR_ID.to_bytes();
        let after = f::InvokeAfterMsgs::<()>::CONSTRUCTOR_ID.to_bytes();
        let bytes = [
            after,
            vec![4_i64, 8].to_bytes(),
            zlib(&[without, gzip(&with_layer(&init(&config())))].concat()),
        ]
        .concat();
        let call = Unwrapped::new(&bytes).unwrap();
        assert_eq!(call.body(), config());
        assert_eq!(call.after, [4, 8]);
        assert_eq!(call.layer, Some(223));
        assert!(call.without_updates);
        let device = call.device.unwrap();
        assert_eq!(
            (device.api_id, &*device.model, &*device.lang_code),
            (17, "phone", "de")
        );
    }

    #[test]
    fn a_bare_call_stays_as_it_is() {
        let bytes = config();
        let call = Unwrapped::new(&bytes).unwrap();
        assert_eq!(call.body(), bytes);
        assert!(!call.without_updates && call.layer.is_none());
        assert_eq!(Unwrapped::new(&[1, 2]).unwrap().id(), None);
    }

    #[test]
    fn what_is_cut_off_or_endless_is_refused() {
        let whole = with_layer(&init(&config()));
        for length in 4..whole.len() - config().len() {
            let refused = Unwrapped::new(&whole[..length]);
            assert!(
                refused.is_err() || refused.unwrap().id().is_none(),
                "{length}"
            );
        }
        let mut deep = config();
        for _ in 0..MAX_DEPTH + 1 {
            deep = with_layer(&deep);
        }
        assert!(Unwrapped::new(&deep).is_err());
        let bomb = gzip(&vec![0; 17 * 1024 * 1024]);
        assert!(Unwrapped::new(&bomb).is_err());
        assert!(Unwrapped::new(&packed(vec![1, 2, 3])).is_err());
    }
}
