//! [`MediaKind`]: what the medium of a message is, to be matched.

use std::ops::Deref;

use layer_tl_types as tl;

use super::{Document, DocumentKind, Media, Photo};
use crate::files::origin::Source;

/// What the medium of a message is (type `MessageMedia`).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum MediaKind<'a> {
    /// A photo.
    Photo(Photo<'a>),
    /// A video.
    Video(Document<'a>),
    /// Music.
    Audio(Document<'a>),
    /// A voice message.
    Voice(Document<'a>),
    /// A round video message.
    RoundVideo(Document<'a>),
    /// A GIF, or a short video without sound that is shown as one.
    Animation(Document<'a>),
    /// A sticker.
    Sticker(Document<'a>),
    /// Any other file.
    Document(Document<'a>),
    /// Somebody's name and number.
    Contact(&'a tl::types::MessageMediaContact),
    /// A place.
    Geo(&'a tl::types::GeoPoint),
    /// A place that moves with its sender.
    GeoLive(&'a tl::types::MessageMediaGeoLive),
    /// A place with a name.
    Venue(&'a tl::types::MessageMediaVenue),
    /// A poll, and how it stands.
    Poll(&'a tl::types::MessageMediaPoll),
    /// A die, or another emoji that chance decides.
    Dice(&'a tl::types::MessageMediaDice),
    /// The preview of a link.
    WebPage(WebPage<'a>),
    /// A game.
    Game(&'a tl::types::Game),
    /// A bill.
    Invoice(&'a tl::types::MessageMediaInvoice),
    /// A story.
    Story(&'a tl::types::MessageMediaStory),
    /// Media to be paid for.
    PaidMedia(&'a tl::types::MessageMediaPaidMedia),
    /// A list of things to do.
    ToDo(&'a tl::types::MessageMediaToDo),
    /// Anything else, also files and photos that destroyed themselves.
    Other(&'a tl::enums::MessageMedia),
}

/// The preview of a link (constructor `webPage`). What is not offered here is in the raw page that
/// it stands for: `page.title`, `page.description`.
#[derive(Clone, Copy, Debug)]
pub struct WebPage<'a> {
    raw: &'a tl::types::WebPage,
    source: Source<'a>,
}

impl<'a> WebPage<'a> {
    /// As the raw API has it.
    #[must_use]
    pub fn raw(self) -> &'a tl::types::WebPage {
        self.raw
    }

    /// Its photo.
    #[must_use]
    pub fn photo(self) -> Option<Photo<'a>> {
        Photo::new(self.raw.photo.as_ref(), self.source)
    }

    /// The file or video that it shows.
    #[must_use]
    pub fn document(self) -> Option<Document<'a>> {
        Document::new(self.raw.document.as_ref(), self.source)
    }
}

impl Deref for WebPage<'_> {
    type Target = tl::types::WebPage;

    fn deref(&self) -> &tl::types::WebPage {
        self.raw
    }
}

impl<'a> Media<'a> {
    /// What it is.
    #[must_use]
    pub fn kind(self) -> MediaKind<'a> {
        use tl::enums::MessageMedia as M;
        let other = MediaKind::Other(self.raw);
        match self.raw {
            M::Photo(_) => self.photo().map_or(other, MediaKind::Photo),
            M::Document(_) => self.document().map_or(other, of_document),
            M::Contact(media) => MediaKind::Contact(media),
            M::Geo(media) => match &media.geo {
                tl::enums::GeoPoint::Point(point) => MediaKind::Geo(point),
                tl::enums::GeoPoint::Empty => other,
            },
            M::GeoLive(media) => MediaKind::GeoLive(media),
            M::Venue(media) => MediaKind::Venue(media),
            M::Poll(media) => MediaKind::Poll(media),
            M::Dice(media) => MediaKind::Dice(media),
            M::WebPage(media) => match &media.webpage {
                tl::enums::WebPage::Page(raw) => MediaKind::WebPage(WebPage {
                    raw,
                    source: Source::WebPage(self.message, &raw.url),
                }),
                _ => other,
            },
            M::Game(media) => {
                let tl::enums::Game::Game(game) = &media.game;
                MediaKind::Game(game)
            }
            M::Invoice(media) => MediaKind::Invoice(media),
            M::Story(media) => MediaKind::Story(media),
            M::PaidMedia(media) => MediaKind::PaidMedia(media),
            M::ToDo(media) => MediaKind::ToDo(media),
            _ => other,
        }
    }
}

fn of_document(document: Document<'_>) -> MediaKind<'_> {
    match document.kind() {
        DocumentKind::Document => MediaKind::Document(document),
        DocumentKind::Video => MediaKind::Video(document),
        DocumentKind::Audio => MediaKind::Audio(document),
        DocumentKind::Voice => MediaKind::Voice(document),
        DocumentKind::RoundVideo => MediaKind::RoundVideo(document),
        DocumentKind::Animation => MediaKind::Animation(document),
        DocumentKind::Sticker | DocumentKind::CustomEmoji => MediaKind::Sticker(document),
    }
}

/// The medium as one would send it again.
pub(super) fn to_input(media: Media<'_>) -> Option<tl::enums::InputMedia> {
    Some(match media.kind() {
        MediaKind::Photo(photo) => tl::types::InputMediaPhoto {
            spoiler: media.is_spoiler(),
            id: tl::types::InputPhoto {
                id: photo.id,
                access_hash: photo.access_hash,
                file_reference: photo.file_reference.clone(),
            }
            .into(),
            ttl_seconds: None,
        }
        .into(),
        MediaKind::Contact(contact) => tl::types::InputMediaContact {
            phone_number: contact.phone_number.clone(),
            first_name: contact.first_name.clone(),
            last_name: contact.last_name.clone(),
            vcard: contact.vcard.clone(),
        }
        .into(),
        MediaKind::Geo(point) => tl::types::InputMediaGeoPoint {
            geo_point: input_point(point),
        }
        .into(),
        MediaKind::Venue(venue) => tl::types::InputMediaVenue {
            geo_point: match &venue.geo {
                tl::enums::GeoPoint::Point(point) => input_point(point),
                tl::enums::GeoPoint::Empty => tl::enums::InputGeoPoint::Empty,
            },
            title: venue.title.clone(),
            address: venue.address.clone(),
            provider: venue.provider.clone(),
            venue_id: venue.venue_id.clone(),
            venue_type: venue.venue_type.clone(),
        }
        .into(),
        // Whoever throws it again throws another number.
        MediaKind::Dice(dice) => tl::types::InputMediaDice {
            emoticon: dice.emoticon.clone(),
        }
        .into(),
        MediaKind::WebPage(page) => {
            let (large, small) = match media.raw {
                tl::enums::MessageMedia::WebPage(m) => (m.force_large_media, m.force_small_media),
                _ => (false, false),
            };
            tl::types::InputMediaWebPage {
                force_large_media: large,
                force_small_media: small,
                optional: true,
                url: page.url.clone(),
            }
            .into()
        }
        MediaKind::Poll(poll) => {
            let tl::enums::Poll::Poll(raw) = &poll.poll;
            let tl::enums::PollResults::Results(results) = &poll.results;
            let right = results.results.iter().flatten().filter_map(|answer| {
                let tl::enums::PollAnswerVoters::Voters(answer) = answer;
                answer.correct.then(|| answer.option.clone())
            });
            let right: Vec<_> = right.collect();
            // A quiz whose answer we do not know cannot be asked again.
            if raw.quiz && right.is_empty() {
                return None;
            }
            let poll = tl::types::Poll {
                id: 0,
                closed: false,
                close_date: None,
                ..(**raw).clone()
            };
            tl::types::InputMediaPoll {
                poll: poll.into(),
                correct_answers: raw.quiz.then_some(right),
                solution: results.solution.clone(),
                solution_entities: results.solution_entities.clone(),
            }
            .into()
        }
        _ => {
            let document = media.document()?;
            tl::types::InputMediaDocument {
                spoiler: media.is_spoiler(),
                id: tl::types::InputDocument {
                    id: document.id,
                    access_hash: document.access_hash,
                    file_reference: document.file_reference.clone(),
                }
                .into(),
                video_cover: media.cover().map(|photo| {
                    tl::types::InputPhoto {
                        id: photo.id,
                        access_hash: photo.access_hash,
                        file_reference: photo.file_reference.clone(),
                    }
                    .into()
                }),
                video_timestamp: media
                    .starts_at()
                    .and_then(|at| at.as_secs().try_into().ok()),
                ttl_seconds: None,
                query: None,
            }
            .into()
        }
    })
}

fn input_point(point: &tl::types::GeoPoint) -> tl::enums::InputGeoPoint {
    tl::types::InputGeoPoint {
        lat: point.lat,
        long: point.long,
        accuracy_radius: point.accuracy_radius,
    }
    .into()
}
