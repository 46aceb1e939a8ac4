//! The CDN's data centre (documentation page `cdn`).

use std::collections::BTreeSet;

use layer_crypto::aes::AesCtr;
use layer_mtproto::handshake::Purpose;
use layer_mtproto::session::SessionParams;
use layer_test_server::tl::{self, enums, functions as f, types};
use layer_test_server::{CdnFiles, Server};

use crate::util::{Client, Way, Wire, error, in_time, is};
use crate::{KIB, MIB, ann, bytes, get, hashes, location, piece, plain, stored};

/// A client of the CDN, which knows it by what the main data centre says of it.
async fn on_cdn(server: &Server, client: &mut Client) -> Client {
    let enums::CdnConfig::Config(config) = client.invoke(&f::help::GetCdnConfig {}).await.unwrap();
    let [enums::CdnPublicKey::Key(key)] = &config.public_keys[..] else {
        panic!("one CDN has one key: {config:?}")
    };
    let enums::Config::Config(config) = client.invoke(&f::help::GetConfig {}).await.unwrap();
    let option = config.dc_options.iter().find_map(|option| {
        let enums::DcOption::Option(option) = option;
        option.cdn.then(|| option.clone())
    });
    let option = option.unwrap();
    assert_eq!(
        (option.id, Some(option.id)),
        (key.dc_id, server.cdn().dc_id())
    );
    assert_ne!(key.public_key, server.public_key_pem());
    let address = format!("{}:{}", option.ip_address, option.port);
    let mut wire = Wire::open(address.parse().unwrap(), Way::default()).await;
    let made = wire.handshake(&key.public_key, option.id, Purpose::Permanent);
    let params = SessionParams::after_handshake(&made.await.unwrap());
    Client::with(wire, params)
}

async fn redirect(
    client: &mut Client,
    document: &types::Document,
    offset: usize,
) -> Option<types::upload::FileCdnRedirect> {
    let request = f::upload::GetFile {
        cdn_supported: true,
        ..get(&location(document), offset, 128 * KIB)
    };
    match client.invoke(&request).await.unwrap() {
        enums::upload::File::File(_) => None,
        enums::upload::File::CdnRedirect(redirect) => Some(*redirect),
    }
}

fn get_cdn(file_token: &[u8], offset: usize, limit: usize) -> f::upload::GetCdnFile {
    f::upload::GetCdnFile {
        file_token: file_token.to_vec(),
        offset: i64::try_from(offset).unwrap(),
        limit: i32::try_from(limit).unwrap(),
    }
}

/// Asks the CDN for a piece: its encrypted bytes, or the token to have the file brought there.
async fn ask(
    cdn: &mut Client,
    token: &[u8],
    offset: usize,
    limit: usize,
) -> Result<Vec<u8>, Vec<u8>> {
    match cdn.invoke(&get_cdn(token, offset, limit)).await.unwrap() {
        enums::upload::CdnFile::File(file) => Ok(file.bytes),
        enums::upload::CdnFile::ReuploadNeeded(needed) => Err(needed.request_token),
    }
}

fn decrypt(redirect: &types::upload::FileCdnRedirect, offset: usize, bytes: &mut [u8]) {
    let key = redirect.encryption_key[..].try_into().unwrap();
    let mut iv: [u8; 16] = redirect.encryption_iv[..].try_into().unwrap();
    iv[12..].copy_from_slice(&u32::try_from(offset / 16).unwrap().to_be_bytes());
    AesCtr::new(&key, &iv).apply(bytes);
}

async fn reupload(
    client: &mut Client,
    file_token: &[u8],
    request_token: &[u8],
) -> Result<Vec<enums::FileHash>, (i32, String)> {
    let request = f::upload::ReuploadCdnFile {
        file_token: file_token.to_vec(),
        request_token: request_token.to_vec(),
    };
    client.invoke(&request).await
}

#[tokio::test]
async fn a_file_comes_from_the_cdn_encrypted_with_hashes_that_the_main_data_centre_has() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder().cdn(CdnFiles::Everything)).await;
        let data = bytes(3 * MIB + 100_001);
        let document = stored(&mut ann, &data).await;
        // Who does not say that it knows CDNs is not sent there.
        assert_eq!(
            piece(&mut ann, &location(&document), 0, MIB).await.unwrap(),
            data[..MIB]
        );
        let redirect = redirect(&mut ann, &document, 0).await.unwrap();
        assert_eq!(Some(redirect.dc_id), server.cdn().dc_id());
        let mut cdn = on_cdn(&server, &mut ann).await;
        // The first request comes wrapped, as from any client.
        let first = f::InvokeWithLayer {
            layer: tl::LAYER,
            query: f::InitConnection {
                api_id: 1,
                device_model: String::new(),
                system_version: String::new(),
                app_version: String::new(),
                system_lang_code: String::new(),
                lang_pack: String::new(),
                lang_code: String::new(),
                proxy: None,
                params: None,
                query: get_cdn(&redirect.file_token, 0, 128 * KIB),
            },
        };
        let enums::upload::CdnFile::ReuploadNeeded(needed) = cdn.invoke(&first).await.unwrap()
        else {
            panic!("nobody has brought the file there")
        };
        let brought = reupload(&mut ann, &redirect.file_token, &needed.request_token).await;
        assert_eq!(plain(&brought.unwrap()), hashes(&data)[..8]);
        assert_eq!(server.cdn().stored(), 1);

        let (mut whole, mut got) = (Vec::new(), plain(&redirect.file_hashes));
        // Who does not know the size asks until nothing comes.
        for offset in (0..).step_by(512 * KIB) {
            let mut bytes = ask(&mut cdn, &redirect.file_token, offset, 512 * KIB)
                .await
                .unwrap();
            if bytes.is_empty() {
                break;
            }
            assert_ne!(bytes, data[offset..offset + bytes.len()], "encrypted");
            decrypt(&redirect, offset, &mut bytes);
            whole.extend(bytes);
        }
        assert!(whole == data, "the bytes are those that were stored");
        while got.len() * 128 * KIB < data.len() {
            let request = f::upload::GetCdnFileHashes {
                file_token: redirect.file_token.clone(),
                offset: i64::try_from(got.len() * 128 * KIB).unwrap(),
            };
            let more = ann.invoke(&request).await.unwrap();
            assert!((1..=8).contains(&more.len()));
            got.extend(plain(&more));
        }
        assert_eq!(got, hashes(&data));
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_cdn_takes_nothing_but_the_question_for_a_file() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder().cdn(CdnFiles::Everything)).await;
        let document = stored(&mut ann, &bytes(5000)).await;
        let redirect = redirect(&mut ann, &document, 0).await.unwrap();
        let mut cdn = on_cdn(&server, &mut ann).await;
        let refused = is(400, "CDN_METHOD_INVALID");
        assert_eq!(error(cdn.invoke(&f::help::GetConfig {}).await), refused);
        assert_eq!(error(cdn.invoke(&f::updates::GetState {}).await), refused);
        assert_eq!(
            error(cdn.invoke(&get(&location(&document), 0, 4096)).await),
            refused
        );
        assert_eq!(error(cdn.send_code("15550001").await), refused);
        // The key is of no use elsewhere, nor is the method.
        let invalid = is(400, "FILE_TOKEN_INVALID");
        let asked = ann.invoke(&get_cdn(&redirect.file_token, 0, 4096)).await;
        assert_eq!(error(asked), invalid);
        assert_eq!(
            error(cdn.invoke(&get_cdn(b"token", 0, 4096)).await),
            invalid
        );
        let asked = cdn.invoke(&get_cdn(&redirect.file_token, 0, 4095)).await;
        assert_eq!(error(asked), is(400, "LIMIT_INVALID"));
        let asked = cdn.invoke(&get_cdn(&redirect.file_token, 1, 4096)).await;
        assert_eq!(error(asked), is(400, "OFFSET_INVALID"));
        // The main data centres have another key than the CDN.
        let mut wire = Wire::open(server.cdn().addresses()[0], Way::default()).await;
        let made = wire
            .exchange(server.public_key_pem(), 203, Purpose::Permanent)
            .await;
        assert!(made.is_err());
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn tokens_are_checked_and_expire() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder().cdn(CdnFiles::Everything)).await;
        let document = stored(&mut ann, &bytes(5000)).await;
        let old = redirect(&mut ann, &document, 0).await.unwrap();
        let other = redirect(&mut ann, &document, 0).await.unwrap();
        assert_ne!(
            old.file_token, other.file_token,
            "each redirect has its own"
        );
        assert_eq!(
            old.encryption_key, other.encryption_key,
            "the file has one key"
        );
        let mut cdn = on_cdn(&server, &mut ann).await;
        let request_token = ask(&mut cdn, &old.file_token, 0, 4096).await.unwrap_err();
        let (invalid, refused) = (
            is(400, "FILE_TOKEN_INVALID"),
            is(400, "REQUEST_TOKEN_INVALID"),
        );
        let wrong = reupload(&mut ann, &old.file_token, &old.file_token).await;
        assert_eq!(error(wrong), refused);
        let wrong = reupload(&mut ann, &request_token, &request_token).await;
        assert_eq!(error(wrong), invalid);
        reupload(&mut ann, &old.file_token, &request_token)
            .await
            .unwrap();
        ask(&mut cdn, &old.file_token, 0, 4096).await.unwrap();

        server.cdn().expire_tokens();
        assert_eq!(
            error(cdn.invoke(&get_cdn(&old.file_token, 0, 4096)).await),
            invalid
        );
        let late = reupload(&mut ann, &old.file_token, &request_token).await;
        assert_eq!(error(late), invalid);
        let hashes = f::upload::GetCdnFileHashes {
            file_token: old.file_token.clone(),
            offset: 0,
        };
        assert_eq!(error(ann.invoke(&hashes).await), invalid);
        let new = redirect(&mut ann, &document, 0).await.unwrap();
        let late = reupload(&mut ann, &new.file_token, &request_token).await;
        assert_eq!(error(late), refused);
        ask(&mut cdn, &new.file_token, 0, 4096).await.unwrap();
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn which_files_are_on_the_cdn_is_for_a_rule_to_say() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder().cdn(CdnFiles::AtLeast(4000))).await;
        let (small, large) = (
            stored(&mut ann, &bytes(3999)).await,
            stored(&mut ann, &bytes(4000)).await,
        );
        assert!(redirect(&mut ann, &small, 0).await.is_none());
        assert!(redirect(&mut ann, &large, 0).await.is_some());
        server
            .cdn()
            .serve(CdnFiles::These(BTreeSet::from([small.id])));
        assert!(redirect(&mut ann, &small, 0).await.is_some());
        assert!(redirect(&mut ann, &large, 0).await.is_none());
        server.cdn().serve(CdnFiles::Nothing);
        assert!(redirect(&mut ann, &small, 0).await.is_none());
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_cdn_forgets_and_lies_where_a_fault_says_so() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder().cdn(CdnFiles::Everything)).await;
        let data = bytes(300 * KIB);
        let document = stored(&mut ann, &data).await;
        let to = redirect(&mut ann, &document, 0).await.unwrap();
        let mut cdn = on_cdn(&server, &mut ann).await;
        let token = ask(&mut cdn, &to.file_token, 0, 4096).await.unwrap_err();
        reupload(&mut ann, &to.file_token, &token).await.unwrap();
        let add = |rule: &str| server.faults().add(rule.parse().unwrap()).unwrap();
        add("method=upload.getCdnFile nth=2: wrong-bytes");
        add("method=upload.getCdnFile nth=4: cdn-forgets");
        let mut wrong = Vec::new();
        for number in 1..=3 {
            let mut bytes = ask(&mut cdn, &to.file_token, 0, 4096).await.unwrap();
            decrypt(&to, 0, &mut bytes);
            if bytes != data[..4096] {
                wrong.push(number);
            }
        }
        assert_eq!(wrong, [2]);
        let token = ask(&mut cdn, &to.file_token, 0, 4096).await.unwrap_err();
        add("method=upload.reuploadCdnFile nth=1: wrong-hashes");
        let wrong = reupload(&mut ann, &to.file_token, &token).await.unwrap();
        assert_ne!(plain(&wrong), hashes(&data));
        ask(&mut cdn, &to.file_token, 0, 4096).await.unwrap();
        server.cdn().forget();
        let token = ask(&mut cdn, &to.file_token, 0, 4096).await.unwrap_err();
        let right = reupload(&mut ann, &to.file_token, &token).await.unwrap();
        assert_eq!(plain(&right), hashes(&data));
        // Those of the main data centre lie as well where they are told to.
        add("method=upload.getFileHashes nth=1: wrong-hashes");
        add("method=upload.getFile nth=1: wrong-bytes");
        let request = f::upload::GetFileHashes {
            location: location(&document),
            offset: 0,
        };
        assert_ne!(plain(&ann.invoke(&request).await.unwrap()), hashes(&data));
        assert_eq!(plain(&ann.invoke(&request).await.unwrap()), hashes(&data));
        assert_ne!(
            piece(&mut ann, &location(&document), 0, 4096)
                .await
                .unwrap(),
            data[..4096]
        );
        assert_eq!(
            piece(&mut ann, &location(&document), 0, 4096)
                .await
                .unwrap(),
            data[..4096]
        );
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_cdn_there_is_no_trace_of_one() {
    in_time(async {
        let (server, mut ann) = ann(Server::builder()).await;
        let document = stored(&mut ann, &bytes(5000)).await;
        assert!(redirect(&mut ann, &document, 0).await.is_none());
        let enums::CdnConfig::Config(config) = ann.invoke(&f::help::GetCdnConfig {}).await.unwrap();
        assert!(config.public_keys.is_empty() && server.cdn().dc_id().is_none());
        assert!(server.cdn().addresses().is_empty());
        server.shutdown().await;
    })
    .await;
}
