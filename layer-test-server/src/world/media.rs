//! What clients attach to a message: uploads made into files, files sent again, places, contacts, dice.

use layer_tl_types::{Serializable, enums, types};

use super::World;
use super::message::{Cover, Media};
use crate::rpc::RpcError;

/// Bytes of an `InputMedia`, all its texts and attributes included.
const MEDIA_LIMIT: usize = 64 * 1024;

impl World {
    /// What an `InputMedia` stands for. Uploads become files of the data centre `dc_id`.
    pub(crate) fn input_media(
        &mut self,
        user_id: i64,
        dc_id: i32,
        media: enums::InputMedia,
    ) -> Result<Option<Media>, RpcError> {
        // Whatever is said beside the file is kept as it is, and must not be long.
        if media.to_bytes().len() > MEDIA_LIMIT {
            return Err(RpcError::bad("MEDIA_INVALID"));
        }
        Ok(Some(match media {
            enums::InputMedia::Empty => return Ok(None),
            enums::InputMedia::UploadedPhoto(media) => {
                let content = self.take_upload(user_id, dc_id, &media.file)?;
                Media::Photo {
                    id: self.store_photo(content, dc_id)?,
                    spoiler: media.spoiler,
                    ttl_seconds: media.ttl_seconds,
                }
            }
            enums::InputMedia::UploadedDocument(media) => {
                let content = self.take_upload(user_id, dc_id, &media.file)?;
                let thumb = match &media.thumb {
                    Some(thumb) => Some(self.take_upload(user_id, dc_id, thumb)?),
                    None => None,
                };
                let mut attributes = media.attributes;
                let named = attributes
                    .iter()
                    .any(|a| matches!(a, enums::DocumentAttribute::Filename(_)));
                let name = match &media.file {
                    enums::InputFile::File(file) => file.name.clone(),
                    enums::InputFile::Big(file) => file.name.clone(),
                    enums::InputFile::StoryDocument(_) => String::new(),
                };
                if !named && !name.is_empty() {
                    attributes.push(types::DocumentAttributeFilename { file_name: name }.into());
                }
                let mime = media.mime_type;
                let cover = self.cover(media.video_cover.as_ref(), media.video_timestamp)?;
                Media::Document {
                    id: self.store_document(content, thumb, dc_id, mime, attributes)?,
                    spoiler: media.spoiler,
                    ttl_seconds: media.ttl_seconds,
                    cover,
                }
            }
            enums::InputMedia::Photo(media) => {
                let enums::InputPhoto::Photo(photo) = &media.id else {
                    return Err(RpcError::bad("MEDIA_EMPTY"));
                };
                let file = self.locate(photo.id, photo.access_hash, &photo.file_reference)?;
                if !file.is_photo() {
                    return Err(RpcError::bad("PHOTO_INVALID"));
                }
                Media::Photo {
                    id: photo.id,
                    spoiler: media.spoiler,
                    ttl_seconds: media.ttl_seconds,
                }
            }
            enums::InputMedia::Document(media) => {
                let enums::InputDocument::Document(document) = &media.id else {
                    return Err(RpcError::bad("MEDIA_EMPTY"));
                };
                let file =
                    self.locate(document.id, document.access_hash, &document.file_reference)?;
                if file.is_photo() {
                    return Err(RpcError::bad("DOCUMENT_INVALID"));
                }
                Media::Document {
                    id: document.id,
                    spoiler: media.spoiler,
                    ttl_seconds: media.ttl_seconds,
                    cover: self.cover(media.video_cover.as_ref(), media.video_timestamp)?,
                }
            }
            enums::InputMedia::GeoPoint(media) => Media::Other(
                types::MessageMediaGeo {
                    geo: self.geo(&media.geo_point),
                }
                .into(),
            ),
            enums::InputMedia::Venue(media) => Media::Other(
                types::MessageMediaVenue {
                    geo: self.geo(&media.geo_point),
                    title: media.title.clone(),
                    address: media.address.clone(),
                    provider: media.provider.clone(),
                    venue_id: media.venue_id.clone(),
                    venue_type: media.venue_type.clone(),
                }
                .into(),
            ),
            enums::InputMedia::Contact(media) => Media::Other(
                types::MessageMediaContact {
                    user_id: self.user_by_phone(&media.phone_number).unwrap_or(0),
                    phone_number: media.phone_number.clone(),
                    first_name: media.first_name.clone(),
                    last_name: media.last_name.clone(),
                    vcard: media.vcard.clone(),
                }
                .into(),
            ),
            enums::InputMedia::Poll(media) => self.new_poll(user_id, *media)?,
            enums::InputMedia::Dice(media) => {
                let value = i32::try_from(self.dice.next() % 6).unwrap_or(0) + 1;
                let emoticon = media.emoticon.clone();
                Media::Other(
                    types::MessageMediaDice {
                        value,
                        emoticon,
                        game_outcome: None,
                    }
                    .into(),
                )
            }
            enums::InputMedia::PhotoExternal(media) => {
                self.fetched(&media.url, None, media.spoiler, media.ttl_seconds)?
            }
            enums::InputMedia::DocumentExternal(media) => {
                let cover = self.cover(media.video_cover.as_ref(), media.video_timestamp)?;
                self.fetched(&media.url, Some(cover), media.spoiler, media.ttl_seconds)?
            }
            enums::InputMedia::Invoice(media) => self.invoice(user_id, &media)?,
            enums::InputMedia::WebPage(media) => {
                return self.page_media(&media.url, media.optional);
            }
            _ => return Err(RpcError::bad("MEDIA_INVALID")),
        }))
    }

    /// What a video shows before it is played (documentation page `api/files`, "Video covers").
    fn cover(
        &mut self,
        photo: Option<&enums::InputPhoto>,
        timestamp: Option<i32>,
    ) -> Result<Cover, RpcError> {
        let photo = match photo {
            Some(photo) => self.input_photo(photo)?,
            None => None,
        };
        Ok(Cover { photo, timestamp })
    }

    /// What a bot wants paid.
    fn invoice(&self, user_id: i64, media: &types::InputMediaInvoice) -> Result<Media, RpcError> {
        if !self.is_bot(user_id) {
            return Err(RpcError::bad("MEDIA_INVALID"));
        }
        let enums::Invoice::Invoice(invoice) = &media.invoice;
        let mut total_amount = 0_i64;
        for price in &invoice.prices {
            let enums::LabeledPrice::Price(price) = price;
            total_amount = total_amount
                .checked_add(price.amount)
                .ok_or_else(|| RpcError::bad("CURRENCY_TOTAL_AMOUNT_INVALID"))?;
        }
        if total_amount <= 0 {
            return Err(RpcError::bad("CURRENCY_TOTAL_AMOUNT_INVALID"));
        }
        let shown = types::MessageMediaInvoice {
            shipping_address_requested: invoice.shipping_address_requested,
            test: invoice.test,
            title: media.title.clone(),
            description: media.description.clone(),
            photo: media.photo.as_ref().map(|photo| self.web_document(photo)),
            receipt_msg_id: None,
            currency: invoice.currency.clone(),
            total_amount,
            start_param: media.start_param.clone().unwrap_or_default(),
            extended_media: None,
        };
        Ok(Media::Other(shown.into()))
    }

    fn geo(&self, point: &enums::InputGeoPoint) -> enums::GeoPoint {
        match point {
            enums::InputGeoPoint::Empty => enums::GeoPoint::Empty,
            enums::InputGeoPoint::Point(point) => types::GeoPoint {
                long: point.long,
                lat: point.lat,
                access_hash: self.place_hash(point),
                accuracy_radius: point.accuracy_radius,
            }
            .into(),
        }
    }
}
