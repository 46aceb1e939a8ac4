//! Parts that fail, lag and get lost; references that expire; data centres that are not the right one.

use std::time::Duration;

use layer_mtproto::session::ClientEvent;
use layer_test_server::tl::{enums, functions as f, types};
use layer_test_server::{Server, Speed};

use crate::util::{Client, error, in_time, is};
use crate::{
    KIB, MIB, PHONE, ann, bytes, document, get, location, piece, send, stored, the_document, upload,
};

fn part(file_id: i64, file_part: i32, bytes: &[u8]) -> f::upload::SaveBigFilePart {
    f::upload::SaveBigFilePart {
        file_id,
        file_part,
        file_total_parts: 3,
        bytes: bytes.to_vec(),
    }
}

fn add(server: &Server, rule: &str) {
    server.faults().add(rule.parse().unwrap()).unwrap();
}

#[tokio::test]
async fn one_part_fails_as_often_as_it_is_told_to_and_no_other() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        add(
            &server,
            "method=upload.save* part=1 times=2: error -503 Timeout",
        );
        let data = bytes(1100 * KIB);
        let mut parts = data.chunks(512 * KIB);
        let mut results = Vec::new();
        for number in [0, 1, 1, 1, 2] {
            let bytes = match number {
                1 => &data[512 * KIB..1024 * KIB],
                _ => parts.next().unwrap(),
            };
            if number == 0 {
                parts.next();
            }
            results.push(ann.invoke(&part(5, number, bytes)).await);
        }
        let failed = Err(is(-503, "Timeout"));
        let saved = Ok(true);
        let expected = [saved.clone(), failed.clone(), failed, saved.clone(), saved];
        assert_eq!(results, expected);
        let named = types::InputFileBig {
            id: 5,
            parts: 3,
            name: String::new(),
        };
        let (_, media) = send(&mut ann, document(named.into())).await.unwrap();
        let at = location(&the_document(&media));
        assert!(piece(&mut ann, &at, 0, MIB).await.unwrap() == data[..MIB]);

        // Of a read, the piece that holds the byte.
        add(
            &server,
            "method=upload.getFile offset=600KiB times=1: flood-premium-wait 3",
        );
        piece(&mut ann, &at, 0, 512 * KIB).await.unwrap();
        let read = piece(&mut ann, &at, 512 * KIB, 128 * KIB).await;
        assert_eq!(error(read), is(420, "FLOOD_PREMIUM_WAIT_3"));
        piece(&mut ann, &at, 512 * KIB, 128 * KIB).await.unwrap();

        // Of one file.
        let other = stored(&mut ann, &bytes(5000)).await;
        let rule = format!(
            "method=upload.getFile file={}: error 500 RPC_CALL_FAIL",
            other.id
        );
        add(&server, &rule);
        let read = piece(&mut ann, &location(&other), 0, 4096).await;
        assert_eq!(error(read), is(500, "RPC_CALL_FAIL"));
        piece(&mut ann, &at, 0, 4096).await.unwrap();
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_lost_part_is_named_when_the_file_is_sent_and_can_be_saved_again() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        add(
            &server,
            "method=upload.saveBigFilePart part=1 times=1: lose-part",
        );
        let data = bytes(1100 * KIB);
        let file = upload(&mut ann, 5, &data).await;
        let sent = send(&mut ann, document(file.clone())).await;
        assert_eq!(error(sent), is(400, "FILE_PART_1_MISSING"));
        let again = part(5, 1, &data[512 * KIB..1024 * KIB]);
        assert!(ann.invoke(&again).await.unwrap());
        let (_, media) = send(&mut ann, document(file.clone())).await.unwrap();
        let at = location(&the_document(&media));
        assert!(piece(&mut ann, &at, 0, MIB).await.unwrap() == data[..MIB]);
        server.files().forget_uploads();
        let sent = send(&mut ann, document(file)).await;
        assert_eq!(error(sent), is(400, "FILE_PART_0_MISSING"));
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn references_expire_in_the_middle_and_the_message_has_a_fresh_one() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        let data = bytes(2 * MIB);
        let file = upload(&mut ann, 5, &data).await;
        let (message, media) = send(&mut ann, document(file)).await.unwrap();
        let at = location(&the_document(&media));
        let expired = is(400, "FILE_REFERENCE_EXPIRED");
        add(
            &server,
            "method=upload.getFile offset=1MiB times=1: expire-references",
        );
        piece(&mut ann, &at, 0, MIB).await.unwrap();
        assert_eq!(error(piece(&mut ann, &at, MIB, MIB).await), expired);
        let fresh = async |ann: &mut Client| {
            let id = vec![types::InputMessageId { id: message }.into()];
            let found = ann.invoke(&f::messages::GetMessages { id }).await.unwrap();
            let enums::messages::Messages::Messages(list) = found else {
                panic!("all of them")
            };
            let enums::Message::Message(message) = &list.messages[0] else {
                panic!("the message")
            };
            location(&the_document(message.media.as_ref().unwrap()))
        };
        let at = fresh(&mut ann).await;
        assert!(piece(&mut ann, &at, MIB, MIB).await.unwrap() == data[MIB..]);

        server.files().set_reference_uses(Some(2));
        piece(&mut ann, &at, 0, 4096).await.ok();
        let at = fresh(&mut ann).await;
        let mut good = 0;
        while piece(&mut ann, &at, 0, 4096).await.is_ok() {
            good += 1;
        }
        assert!((1..=2).contains(&good), "{good}");
        server.files().set_reference_uses(None);

        server
            .files()
            .set_reference_life(Some(Duration::from_secs(25)));
        let at = fresh(&mut ann).await;
        piece(&mut ann, &at, 0, 4096).await.unwrap();
        // As far ahead as a client still believes.
        server.skew_clock(27);
        assert_eq!(error(piece(&mut ann, &at, 0, 4096).await), expired);
        let at = fresh(&mut ann).await;
        piece(&mut ann, &at, 0, 4096).await.unwrap();
        let enums::InputFileLocation::InputDocumentFileLocation(document) = &at else {
            panic!("a document")
        };
        server.files().expire_reference(document.id);
        assert_eq!(error(piece(&mut ann, &at, 0, 4096).await), expired);
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn who_does_not_pay_waits_and_who_does_pay_does_not() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        let document = stored(&mut ann, &bytes(MIB)).await;
        let at = location(&document);
        server.files().set_speed(Some(Speed {
            bytes_per_second: 1000,
            burst: 2_000_000,
        }));
        piece(&mut ann, &at, 0, MIB).await.unwrap();
        let (code, message) = error(piece(&mut ann, &at, 0, MIB).await);
        let seconds: i64 = message
            .strip_prefix("FLOOD_PREMIUM_WAIT_")
            .unwrap()
            .parse()
            .unwrap();
        // 97,152 bytes too many, less what passed meanwhile.
        assert!(code == 420 && (60..=98).contains(&seconds), "{message}");
        let saved = ann.invoke(&part(9, 0, &bytes(512 * KIB))).await;
        assert!(saved.is_ok(), "a smaller one may still go: {saved:?}");
        let saved = ann.invoke(&part(9, 1, &bytes(512 * KIB))).await;
        assert_eq!(error(saved).0, 420);
        server.user_by_phone(PHONE).unwrap().set_premium(true);
        piece(&mut ann, &at, 0, MIB).await.unwrap();
        server.user_by_phone(PHONE).unwrap().set_premium(false);
        assert_eq!(error(piece(&mut ann, &at, 0, MIB).await).0, 420);
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_slow_to_come_does_not_hold_up_the_rest() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        let document = stored(&mut ann, &bytes(MIB)).await;
        let request = get(&location(&document), 0, 256 * KIB);
        for rule in [
            "method=upload.getFile: bandwidth 512KiB",
            "method=upload.getFile dc=1: shared-bandwidth 512KiB",
        ] {
            server.faults().clear();
            add(&server, rule);
            let slow = [ann.submit(&request), ann.submit(&request)];
            let quick = ann.submit(&f::help::GetNearestDc {});
            ann.answer(quick).await.unwrap();
            let answered = |event: &&ClientEvent| matches!(event, ClientEvent::Response { .. });
            let came = ann.events.iter().filter(answered).count();
            for slow in slow {
                ann.answer(slow).await.unwrap();
            }
            assert_eq!(came, 0, "{rule}: the file came before the short answer");
        }
        server.shutdown().await;
    })
    .await;
}

/// The same account on another data centre.
async fn elsewhere(server: &Server, ann: &mut Client, dc_id: i32) -> Client {
    let mut there = Client::connect(server, dc_id).await;
    let exported = ann
        .invoke(&f::auth::ExportAuthorization { dc_id })
        .await
        .unwrap();
    let enums::auth::ExportedAuthorization::Authorization(exported) = exported;
    let import = f::auth::ImportAuthorization {
        id: exported.id,
        bytes: exported.bytes,
    };
    there.invoke(&import).await.unwrap();
    there
}

#[tokio::test]
async fn a_file_is_where_its_account_lives_and_its_parts_are_where_they_were_saved() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        let document = stored(&mut ann, &bytes(5000)).await;
        assert_eq!(document.dc_id, 1);
        let mut there = elsewhere(&server, &mut ann, 2).await;
        let asked = there.invoke(&get(&location(&document), 0, 4096)).await;
        assert_eq!(error(asked), is(303, "FILE_MIGRATE_1"));
        let hashes = f::upload::GetFileHashes {
            location: location(&document),
            offset: 0,
        };
        assert_eq!(
            error(there.invoke(&hashes).await),
            is(303, "FILE_MIGRATE_1")
        );
        let file = upload(&mut there, 9, &bytes(5000)).await;
        let sent = send(&mut ann, crate::document(file)).await;
        assert_eq!(error(sent), is(400, "FILE_PART_0_MISSING"));
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn parts_saved_by_a_media_connection_are_the_data_centres() {
    in_time(async {
        let builder = Server::builder().media_listen(([127, 0, 0, 1], 0).into());
        let (server, mut ann) = ann(builder).await;
        let enums::Config::Config(config) = ann.invoke(&f::help::GetConfig {}).await.unwrap();
        let media = config.dc_options.iter().find_map(|option| {
            let enums::DcOption::Option(option) = option;
            let fits = option.media_only && option.id == 1;
            fits.then(|| format!("{}:{}", option.ip_address, option.port))
        });
        let mut media = ann.sibling(media.unwrap().parse().unwrap()).await;
        let data = bytes(700 * KIB);
        let file = upload(&mut media, 9, &data).await;
        let (_, sent) = send(&mut ann, document(file)).await.unwrap();
        let at = location(&the_document(&sent));
        assert!(piece(&mut media, &at, 0, MIB).await.unwrap() == data);
        server.shutdown().await;
    })
    .await;
}
