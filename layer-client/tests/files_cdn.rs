//! Files on a CDN (page `cdn`), of the embedded data centre's.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use layer_client::files::{Downloadable, FileLocation, Upload};
use layer_client::{Client, Message};
use layer_test_server::faults::FaultId;
use layer_test_server::{CdnFiles, Server};
use util::user;

const MIB: usize = 1024 * 1024;

fn noise(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(u64::try_from(len).unwrap());
    (0..len).map(|_| rng.u8(..)).collect()
}

fn rule(server: &Server, rule: &str) -> FaultId {
    server.faults().add(rule.parse().unwrap()).unwrap()
}

/// A person, and a file of theirs that lies on a CDN.
async fn on_cdn(bytes: &[u8]) -> (Server, Client, Message) {
    let server = Server::builder()
        .login_code("22222")
        .cdn(CdnFiles::Everything);
    let server = server.start().await.unwrap();
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let upload = Upload::bytes("a.bin", bytes);
    let message = ann.send_file("me", upload, "").await.unwrap();
    (server, ann, message)
}

#[tokio::test]
async fn a_file_is_fetched_from_the_cdn() {
    let bytes = noise(5 * MIB + 77);
    let (server, ann, message) = on_cdn(&bytes).await;
    let from_cdn = rule(&server, "method=upload.getCdnFile: delay 1ms");
    let from_home = rule(&server, "method=upload.getFile: delay 1ms");
    let brought = rule(&server, "method=upload.reuploadCdnFile: delay 1ms");
    let sessions = server.sessions().len();
    assert!(ann.download(&message).bytes().await.unwrap() == bytes);
    let fired = |rule| server.faults().fired(rule);
    // Eleven parts, the first of which found out that the CDN does not have the file yet.
    assert!(fired(from_cdn) >= 11, "{}", fired(from_cdn));
    assert!(fired(from_home) <= 4, "{}", fired(from_home));
    assert!((1..=4).contains(&fired(brought)), "{}", fired(brought));
    assert_eq!(server.cdn().stored(), 1);
    assert!(server.sessions().len() > sessions);

    // A piece of it.
    let piece = ann.download(&message).range(1_000_001..1_000_020);
    assert_eq!(piece.bytes().await.unwrap(), bytes[1_000_001..1_000_020]);
    // Who does not want it is not sent there.
    let before = fired(from_cdn);
    assert!(ann.download(&message).cdn(false).bytes().await.unwrap() == bytes);
    assert_eq!(fired(from_cdn), before);
    // Of a size that nobody told.
    let known = message.file_location().unwrap();
    let unknown = FileLocation::new(known.raw().clone(), known.dc_id(), None);
    assert!(ann.download(&unknown).bytes().await.unwrap() == bytes);
}

#[tokio::test]
async fn whatever_the_cdn_does_the_bytes_are_right() {
    let bytes = noise(4 * MIB + 5);
    for what in [
        "method=upload.getCdnFile nth=3: wrong-bytes",
        "method=upload.getCdnFile nth=5: cdn-forgets",
        "method=upload.getCdnFile nth=4: expire-tokens",
        "method=upload.getCdnFile chance=20%: error 500 RPC_CALL_FAIL",
        "method=upload.getCdnFile chance=20%: flood-wait 0",
        "method=upload.getCdnFile chance=20%: close",
        "method=upload.getCdnFile: wrong-bytes",
        "method=upload.getCdnFile: error 400 FILE_TOKEN_INVALID",
        "method=upload.getCdnFile: error 400 SOMETHING_ELSE",
        "method=upload.getFile: wrong-hashes",
        "method=upload.reuploadCdnFile: error 400 REQUEST_TOKEN_INVALID",
        "method=upload.getCdnFileHashes: error 400 FILE_TOKEN_INVALID",
        "method=help.getCdnConfig: error 400 SOMETHING_ELSE",
    ] {
        let (server, ann, message) = on_cdn(&bytes).await;
        server.faults().seed(3);
        let fault = rule(&server, what);
        assert!(
            ann.download(&message).bytes().await.unwrap() == bytes,
            "{what}"
        );
        assert!(server.faults().fired(fault) > 0, "{what}");
        let from_home = rule(&server, "method=upload.getFile: delay 1ms");
        server.faults().remove(fault);
        assert!(
            ann.download(&message).bytes().await.unwrap() == bytes,
            "{what}"
        );
        assert!(server.faults().fired(from_home) <= 4, "{what}");
    }
}

#[tokio::test]
async fn a_cdn_that_is_not_there_is_done_without() {
    let bytes = noise(2 * MIB);
    let (server, ann, message) = on_cdn(&bytes).await;
    let cdn = server.cdn().dc_id().unwrap();
    let hung_up = rule(&server, &format!("connect dc={cdn}: close"));
    assert!(ann.download(&message).bytes().await.unwrap() == bytes);
    assert!(server.faults().fired(hung_up) > 0);
}

#[tokio::test]
async fn a_key_that_the_cdn_forgot_is_made_anew() {
    let bytes = noise(4 * MIB);
    let (server, ann, message) = on_cdn(&bytes).await;
    let cdn = server.cdn().dc_id().unwrap();
    assert!(ann.download(&message).bytes().await.unwrap() == bytes);
    let forgot = rule(
        &server,
        &format!("method=upload.getCdnFile dc={cdn} nth=3: forget-key permanent"),
    );
    let from_home = rule(&server, "method=upload.getFile: delay 1ms");
    assert!(ann.download(&message).bytes().await.unwrap() == bytes);
    assert_eq!(server.faults().fired(forgot), 1);
    assert!(server.faults().fired(from_home) <= 4);
}
