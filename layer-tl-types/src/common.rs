//! The layer and the names of ids.

include!(concat!(env!("OUT_DIR"), "/common.rs"));

/// The TL name of a constructor or a method, such as `help.getConfig`, by its id.
///
/// ```
/// assert_eq!(layer_tl_types::name_for_id(0x56730bcc), Some("null"));
/// assert_eq!(layer_tl_types::name_for_id(0), None);
/// ```
#[cfg(feature = "name-for-id")]
#[must_use]
pub fn name_for_id(id: u32) -> Option<&'static str> {
    let index = NAMES.binary_search_by_key(&id, |(id, _)| *id).ok()?;
    NAMES.get(index).map(|(_, name)| *name)
}
