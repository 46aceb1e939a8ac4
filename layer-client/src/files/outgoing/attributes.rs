//! The attributes of a document that is uploaded (type `DocumentAttribute`), from what was set by hand
//! and what the file says.

use std::mem::discriminant;
use std::time::Duration;

use layer_tl_types as tl;
use tl::enums::DocumentAttribute as A;

use super::info::{FileInfo, Look};
use super::{Kind, Options};
use crate::files::media::waveform;
use crate::files::mime_of;

impl Kind {
    /// What to read the file for, if there is anything that nobody said.
    pub(super) fn look(self, options: &Options<'_>, mime_type: &str) -> Option<Look> {
        let sized = options.size.is_some();
        let timed = options.duration.is_some();
        match self {
            Self::Photo => None,
            Self::Document | Self::Sticker => {
                (!sized && mime_type.starts_with("image/")).then_some(Look::Picture)
            }
            Self::Animation if mime_type == "image/gif" => (!sized).then_some(Look::Picture),
            Self::Video | Self::RoundVideo | Self::Animation => {
                (!sized || !timed).then_some(Look::Tracks)
            }
            Self::Audio => {
                let named = options.title.is_some() && options.performer.is_some();
                (!timed || !named).then_some(Look::Tracks)
            }
            Self::Voice => (!timed).then_some(Look::Tracks),
        }
    }

    /// The MIME type by the name, or what such files are as a rule.
    pub(super) fn mime_type(self, name: &str) -> String {
        let by_name = mime_of(name);
        let (fits, usual) = match self {
            Self::Photo => ("image/", "image/jpeg"),
            Self::Document => ("", by_name),
            Self::Video | Self::RoundVideo => ("video/", "video/mp4"),
            Self::Audio => ("audio/", "audio/mpeg"),
            Self::Voice => ("audio/", "audio/ogg"),
            Self::Animation if by_name == "image/gif" => ("", by_name),
            Self::Animation => ("video/", "video/mp4"),
            Self::Sticker if by_name == "application/octet-stream" => ("image/", "image/webp"),
            Self::Sticker => ("", by_name),
        };
        let mime_type = if by_name.starts_with(fits) {
            by_name
        } else {
            usual
        };
        mime_type.to_owned()
    }
}

/// The attributes of a document of this kind.
pub(super) fn attributes(
    kind: Kind,
    options: &Options<'_>,
    info: FileInfo,
    name: &str,
    mime_type: &str,
) -> Vec<A> {
    let size = options.size.or(info.size);
    let duration = options.duration.or(info.duration).unwrap_or_default();
    let mut attributes = Vec::new();
    let video = |round_message| {
        let silent = info.sound == Some(false) || kind == Kind::Animation;
        let (w, h) = size.unwrap_or_default();
        let streaming = kind == Kind::Video && mime_type == "video/mp4";
        A::from(tl::types::DocumentAttributeVideo {
            round_message,
            supports_streaming: options.supports_streaming.unwrap_or(streaming),
            nosound: options.nosound.unwrap_or(silent),
            duration: duration.as_secs_f64(),
            w,
            h,
            preload_prefix_size: None,
            video_start_ts: None,
            video_codec: None,
        })
    };
    let audio = |voice: bool| {
        let waveform = options.waveform.as_deref().filter(|_| voice);
        let text = |set: &Option<String>, read: Option<String>| set.clone().or(read);
        A::from(tl::types::DocumentAttributeAudio {
            voice,
            duration: whole_seconds(duration),
            title: text(&options.title, info.title.clone().filter(|_| !voice)),
            performer: text(
                &options.performer,
                info.performer.clone().filter(|_| !voice),
            ),
            waveform: waveform.map(waveform::encode),
        })
    };
    match kind {
        Kind::Video => attributes.push(video(false)),
        Kind::RoundVideo => attributes.push(video(true)),
        Kind::Audio => attributes.push(audio(false)),
        Kind::Voice => attributes.push(audio(true)),
        Kind::Animation => {
            if mime_type != "image/gif" {
                attributes.push(video(false));
            }
            attributes.push(A::Animated);
        }
        Kind::Sticker => attributes.push(
            tl::types::DocumentAttributeSticker {
                mask: false,
                alt: options.emoji.clone(),
                stickerset: tl::enums::InputStickerSet::Empty,
                mask_coords: None,
            }
            .into(),
        ),
        Kind::Photo | Kind::Document => {}
    }
    let picture = match kind {
        Kind::Document | Kind::Sticker => true,
        Kind::Animation => mime_type == "image/gif",
        _ => false,
    };
    if let Some((w, h)) = size.filter(|_| picture) {
        attributes.push(tl::types::DocumentAttributeImageSize { w, h }.into());
    }
    // Voice messages and round videos have no name unless somebody gave them one.
    let nameless = matches!(kind, Kind::Voice | Kind::RoundVideo) && options.file_name.is_none();
    if !name.is_empty() && !nameless {
        let file_name = name.to_owned();
        attributes.push(tl::types::DocumentAttributeFilename { file_name }.into());
    }
    for attribute in &options.attributes {
        attributes.retain(|own| discriminant(own) != discriminant(attribute));
        attributes.push(attribute.clone());
    }
    attributes
}

/// Rounded, but something that can be heard lasts for a second at least.
fn whole_seconds(duration: Duration) -> i32 {
    let seconds = i32::try_from(duration.as_millis().saturating_add(500) / 1000);
    let least = i32::from(!duration.is_zero());
    seconds.unwrap_or(i32::MAX).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, options: &Options<'_>, info: FileInfo, name: &str) -> Vec<A> {
        attributes(kind, options, info, name, &kind.mime_type(name))
    }

    fn film() -> FileInfo {
        FileInfo {
            size: Some((640, 480)),
            duration: Some(Duration::from_millis(2600)),
            title: Some("T".to_owned()),
            performer: Some("P".to_owned()),
            sound: Some(true),
        }
    }

    #[test]
    fn what_was_set_by_hand_goes_before_what_the_file_says() {
        let options = Options {
            size: Some((1, 2)),
            duration: Some(Duration::from_secs(9)),
            title: Some("Mine".to_owned()),
            ..Options::default()
        };
        let [A::Video(video), A::Filename(_)] = &of(Kind::Video, &options, film(), "a.mp4")[..]
        else {
            panic!("a video and a name");
        };
        assert_eq!((video.w, video.h, video.duration), (1, 2, 9.0));
        assert!(video.supports_streaming && !video.nosound && !video.round_message);
        let audio = of(Kind::Audio, &options, film(), "");
        let [A::Audio(audio)] = &audio[..] else {
            panic!("sound: {audio:?}");
        };
        assert_eq!(audio.title.as_deref(), Some("Mine"));
        assert_eq!(audio.performer.as_deref(), Some("P"));
        assert_eq!((audio.duration, audio.voice), (9, false));
    }

    #[test]
    fn each_kind_has_its_attributes() {
        let none = Options::default();
        let voice = Options {
            waveform: Some(vec![31; 8]),
            ..Options::default()
        };
        let [A::Audio(audio)] = &of(Kind::Voice, &voice, film(), "v.ogg")[..] else {
            panic!("a voice without a name");
        };
        assert_eq!((audio.voice, audio.duration), (true, 3));
        assert_eq!(audio.waveform.as_deref(), Some(&[255; 5][..]));
        assert_eq!((&audio.title, &audio.performer), (&None, &None));
        let [A::Video(round)] = &of(Kind::RoundVideo, &none, film(), "r.mp4")[..] else {
            panic!("a round video without a name");
        };
        assert!(round.round_message && !round.supports_streaming);
        let [A::Video(gif), A::Animated, A::Filename(_)] =
            &of(Kind::Animation, &none, film(), "g.mp4")[..]
        else {
            panic!("an animation");
        };
        assert!(gif.nosound);
        let gif = of(Kind::Animation, &none, film(), "g.gif");
        assert!(
            matches!(gif[..], [A::Animated, A::ImageSize(_), A::Filename(_)]),
            "{gif:?}"
        );
        let sticker = of(Kind::Sticker, &none, film(), "s.webp");
        assert!(matches!(
            sticker[..],
            [A::Sticker(_), A::ImageSize(_), A::Filename(_)]
        ));
        let plain = of(Kind::Document, &none, FileInfo::default(), "a.txt");
        assert!(matches!(plain[..], [A::Filename(_)]));
    }

    #[test]
    fn an_attribute_given_as_it_is_takes_the_place_of_its_kind() {
        let name = |name: &str| -> A {
            tl::types::DocumentAttributeFilename {
                file_name: name.to_owned(),
            }
            .into()
        };
        let options = Options {
            attributes: vec![A::HasStickers, name("b.txt")],
            ..Options::default()
        };
        let attributes = of(Kind::Document, &options, FileInfo::default(), "a.txt");
        assert_eq!(attributes, [A::HasStickers, name("b.txt")]);
    }

    #[test]
    fn a_mime_type_fits_the_kind() {
        for (kind, name, mime_type) in [
            (Kind::Video, "a.webm", "video/webm"),
            (Kind::Video, "a.bin", "video/mp4"),
            (Kind::Voice, "a", "audio/ogg"),
            (Kind::Audio, "a.flac", "audio/flac"),
            (Kind::Audio, "a.txt", "audio/mpeg"),
            (Kind::Animation, "a.gif", "image/gif"),
            (Kind::Animation, "a", "video/mp4"),
            (Kind::Sticker, "a.tgs", "application/x-tgsticker"),
            (Kind::Sticker, "a", "image/webp"),
            (Kind::Document, "a.pdf", "application/pdf"),
            (Kind::Document, "a", "application/octet-stream"),
        ] {
            assert_eq!(kind.mime_type(name), mime_type, "{kind:?} {name}");
        }
    }

    #[test]
    fn a_file_is_only_read_for_what_nobody_said() {
        let none = Options::default();
        let whole = Options {
            size: Some((1, 1)),
            duration: Some(Duration::from_secs(1)),
            title: Some(String::new()),
            performer: Some(String::new()),
            ..Options::default()
        };
        for kind in [Kind::Video, Kind::Audio, Kind::Voice, Kind::RoundVideo] {
            assert_eq!(kind.look(&none, "video/mp4"), Some(Look::Tracks));
            assert_eq!(kind.look(&whole, "video/mp4"), None);
        }
        assert_eq!(Kind::Document.look(&none, "image/png"), Some(Look::Picture));
        assert_eq!(Kind::Document.look(&none, "text/plain"), None);
        assert_eq!(Kind::Photo.look(&none, "image/png"), None);
    }

    #[test]
    fn seconds_are_rounded_and_never_wrap() {
        let seconds = |millis| whole_seconds(Duration::from_millis(millis));
        assert_eq!(
            (seconds(0), seconds(1), seconds(1499), seconds(1500)),
            (0, 1, 1, 2)
        );
        assert_eq!(whole_seconds(Duration::MAX), i32::MAX);
    }
}
