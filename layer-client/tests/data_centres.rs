//! More than one data centre and more than one connection to each: the account's authorisation
//! goes with the requests, files have connections of their own, and what is slow or dead delays
//! nothing else. The clock is tokio's, stopped.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod peer;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use layer_client::middleware::CallOptions;
use layer_client::session::{MemoryStorage, SelfUser, Session};
use layer_client::{Client, Config, DcAddress, Error, files::Upload, tl};
use peer::{Call, Peer, Reply, basics};
use tl::Serializable;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

type Nearest = tl::functions::help::GetNearestDc;
type Export = tl::functions::auth::ExportAuthorization;
type Import = tl::functions::auth::ImportAuthorization;
type SavePart = tl::functions::upload::SaveFilePart;

/// What a data centre answers to one who is signed in.
fn answers(call: &Call) -> Reply {
    if call.is::<Export>() {
        let exported = tl::types::auth::ExportedAuthorization {
            id: 7,
            bytes: vec![1; 16],
        };
        Reply::Result(tl::enums::auth::ExportedAuthorization::from(exported).to_bytes())
    } else if call.is::<Import>() {
        let imported = tl::types::auth::Authorization {
            setup_password_required: false,
            otherwise_relogin_days: None,
            tmp_sessions: None,
            future_auth_token: None,
            user: tl::types::UserEmpty { id: 7 }.into(),
        };
        Reply::Result(tl::enums::auth::Authorization::from(imported).to_bytes())
    } else if call.is::<SavePart>() {
        Reply::Result(0x9972_75b5_u32.to_le_bytes().to_vec())
    } else {
        basics(call)
    }
}

/// A client that is signed in at the first of these data centres.
async fn signed_in(peers: &[&Peer], change: impl FnOnce(&mut Config)) -> Client {
    let mut session = Session::default();
    session.home_dc = 1;
    session.user = Some(SelfUser::new(7, false));
    let storage = MemoryStorage::new();
    session.save(&storage).unwrap();
    let mut config = peers[0].config();
    config.session_storage = Some(Arc::new(storage));
    config.dc_addresses = (1..)
        .zip(peers)
        .map(|(id, peer)| DcAddress::new(id, peer.addr))
        .collect();
    change(&mut config);
    Client::connect(config).await.unwrap()
}

async fn ask_in(client: &Client, dc: i32) -> Result<tl::enums::NearestDc, Error> {
    client.invoke_in_dc(dc, &Nearest {}).await
}

#[tokio::test(start_paused = true)]
async fn the_authorisation_is_taken_once_however_many_need_it() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { ask_in(&client, 2).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(home.calls::<Export>().len(), 1);
    assert_eq!(away.calls::<Import>().len(), 1);
    assert_eq!(away.calls::<Nearest>().len(), 20);
    // Nothing that needs it goes before it.
    assert!(away.calls::<Import>()[0].msg_id < away.calls::<Nearest>()[0].msg_id);
}

#[tokio::test(start_paused = true)]
async fn one_who_gives_up_leaves_the_authorisation_to_the_others() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    home.answer(|call| {
        if call.is::<Export>() {
            Reply::Silence
        } else {
            answers(call)
        }
    });
    let first = tokio::spawn({
        let client = client.clone();
        async move { ask_in(&client, 2).await }
    });
    home.until(|home| home.calls::<Export>().len() == 1).await;
    let second = tokio::spawn({
        let client = client.clone();
        async move { ask_in(&client, 2).await }
    });
    sleep(SECOND).await;
    home.answer(answers);
    first.abort();
    second.await.unwrap().unwrap();
    assert_eq!(away.calls::<Import>().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_authorisation_that_was_used_or_is_too_old_is_exported_anew() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    let imports = AtomicUsize::new(0);
    away.answer(move |call| {
        if call.is::<Import>() && imports.fetch_add(1, Ordering::AcqRel) == 0 {
            return Reply::Error(400, "AUTH_BYTES_INVALID");
        }
        answers(call)
    });
    ask_in(&client, 2).await.unwrap();
    assert_eq!(home.calls::<Export>().len(), 2);
    // One that is always refused is not asked for for ever.
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    away.answer(|call| {
        if call.is::<Import>() {
            return Reply::Error(400, "AUTH_BYTES_INVALID");
        }
        answers(call)
    });
    let error = ask_in(&client, 2).await.unwrap_err();
    assert!(error.is("AUTH_BYTES_INVALID"), "{error}");
    assert_eq!(home.calls::<Export>().len(), 3);
    assert!(away.calls::<Nearest>().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_data_centre_that_forgot_the_account_is_told_again() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    ask_in(&client, 2).await.unwrap();
    let forgot = AtomicUsize::new(0);
    away.answer(move |call| {
        if call.is::<Nearest>() && forgot.fetch_add(1, Ordering::AcqRel) == 0 {
            return Reply::Error(401, "AUTH_KEY_UNREGISTERED");
        }
        answers(call)
    });
    ask_in(&client, 2).await.unwrap();
    assert_eq!(away.calls::<Import>().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_home_that_does_not_know_the_login_any_more_ends_it() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    home.answer(|call| {
        if call.is::<Export>() {
            return Reply::Error(401, "SESSION_REVOKED");
        }
        answers(call)
    });
    let error = ask_in(&client, 2).await.unwrap_err();
    assert!(error.is_terminal(), "{error:?}");
    assert!(format!("{client:?}").contains("user: None"), "{client:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_data_centre_delays_no_other_and_not_the_end() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    away.vanish(true);
    let client = signed_in(&[&home, &away], |_| {}).await;
    let begun = Instant::now();
    let stuck: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { (ask_in(&client, 2).await, Instant::now()) })
        })
        .collect();
    sleep(SECOND).await;
    // Home answers at once.
    let asked = Instant::now();
    client.invoke(&Nearest {}).await.unwrap();
    assert!(asked.elapsed() < SECOND, "{:?}", asked.elapsed());
    // Those who wait for the dead one wait to their own deadline, and not one after the other.
    for stuck in stuck {
        let (outcome, ended) = stuck.await.unwrap();
        let error = outcome.unwrap_err();
        assert!(error.is_connect() || error.is_timeout(), "{error:?}");
        assert!(ended - begun <= 61 * SECOND, "{:?}", ended - begun);
    }
    // Nor does one who has less time wait as long as those before.
    let patient = tokio::spawn({
        let client = client.clone();
        async move { ask_in(&client, 2).await }
    });
    sleep(SECOND).await;
    let begun = Instant::now();
    let options = CallOptions {
        dc: Some(2),
        timeout: Some(5 * SECOND),
        no_resend: true,
        ..CallOptions::default()
    };
    client.invoke_with(&Nearest {}, options).await.unwrap_err();
    assert!(begun.elapsed() <= 6 * SECOND, "{:?}", begun.elapsed());
    let closing = Instant::now();
    client.disconnect().await.unwrap();
    assert!(closing.elapsed() <= 4 * SECOND, "{:?}", closing.elapsed());
    assert!(patient.await.unwrap().unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_to_another_data_centre_ends_when_nobody_needs_it() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    ask_in(&client, 2).await.unwrap();
    sleep(280 * SECOND).await;
    assert_eq!(away.open_connections(), 1);
    sleep(40 * SECOND).await;
    assert_eq!((away.open_connections(), home.open_connections()), (0, 1));
    // It comes back under the same key, still authorised.
    ask_in(&client, 2).await.unwrap();
    assert_eq!(away.keys().0.len(), 1);
    assert_eq!(away.calls::<Import>().len(), 1);
}

/// Uploads so many parts.
async fn upload(client: &Client, parts: usize) {
    let bytes: Vec<u8> = (0..parts * 512 * 1024).map(|_| fastrand::u8(..)).collect();
    let file = client.upload_file(Upload::bytes("a", &bytes)).await;
    assert_eq!(file.unwrap().size(), u64::try_from(bytes.len()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn files_go_over_connections_of_their_own_and_hold_up_nothing_else() {
    let home = Peer::new(answers).await;
    let client = signed_in(&[&home], |_| {}).await;
    home.answer(|call| {
        if call.is::<SavePart>() {
            Reply::Silence
        } else {
            answers(call)
        }
    });
    let uploading = tokio::spawn({
        let client = client.clone();
        async move { upload(&client, 4).await }
    });
    home.until(|home| home.calls::<SavePart>().len() == 4).await;
    let asked = Instant::now();
    client.invoke(&Nearest {}).await.unwrap();
    assert!(asked.elapsed() < SECOND, "{:?}", asked.elapsed());
    let over = |calls: Vec<Call>| -> BTreeSet<usize> {
        calls.iter().map(|call| call.connection).collect()
    };
    let files = over(home.calls::<SavePart>());
    let rest = over(home.calls::<Nearest>());
    assert!(rest.is_disjoint(&files), "{rest:?} {files:?}");
    assert_eq!(files.len(), 4);
    for call in home.calls::<SavePart>() {
        home.respond(call.msg_id, 0x9972_75b5_u32.to_le_bytes().to_vec());
    }
    uploading.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connections_for_files_are_few_share_the_key_and_end_when_nothing_moves() {
    let home = Peer::new(answers).await;
    let client = signed_in(&[&home], |_| {}).await;
    upload(&client, 19).await;
    assert_eq!(home.open_connections(), 5);
    assert_eq!(home.keys().0.len(), 1);
    sleep(80 * SECOND).await;
    assert_eq!(home.open_connections(), 1);
    upload(&client, 1).await;
    assert_eq!(home.open_connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_for_files_that_breaks_is_made_again_for_the_part_that_was_under_way() {
    let home = Peer::new(answers).await;
    let client = signed_in(&[&home], |_| {}).await;
    let parts = AtomicUsize::new(0);
    home.answer(move |call| {
        if call.is::<SavePart>() && parts.fetch_add(1, Ordering::AcqRel) == 0 {
            return Reply::Cut;
        }
        answers(call)
    });
    // The server has the call, and answers it when the client comes back and asks.
    let uploading = tokio::spawn({
        let client = client.clone();
        async move { upload(&client, 2).await }
    });
    home.until(|home| home.connections().len() >= 4).await;
    for call in home.calls::<SavePart>() {
        home.respond(call.msg_id, 0x9972_75b5_u32.to_le_bytes().to_vec());
    }
    uploading.await.unwrap();
    // The main connection had no part in it.
    client.invoke(&Nearest {}).await.unwrap();
    assert_eq!(home.calls::<Nearest>()[0].connection, 0);
}

#[tokio::test(start_paused = true)]
async fn files_of_another_data_centre_wait_for_its_authorisation() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    // Uploads go home; a move of the account makes the other one home.
    let client = signed_in(&[&home, &away], |_| {}).await;
    home.answer(|call| {
        if call.is::<Nearest>() {
            return Reply::Error(303, "USER_MIGRATE_2");
        }
        answers(call)
    });
    client.invoke(&Nearest {}).await.unwrap();
    upload(&client, 2).await;
    assert_eq!(away.calls::<Import>().len(), 1);
    assert_eq!(away.calls::<SavePart>().len(), 2);
    assert!(home.calls::<SavePart>().is_empty());
}

#[tokio::test(start_paused = true)]
async fn errors_that_name_another_data_centre_are_followed() {
    for name in ["PHONE_MIGRATE_2", "USER_MIGRATE_2", "NETWORK_MIGRATE_2"] {
        let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
        let client = signed_in(&[&home, &away], |_| {}).await;
        home.answer(move |call| match answers(call) {
            Reply::Result(_) if call.is::<Nearest>() => Reply::Error(303, name),
            reply => reply,
        });
        let mut states = client.connection_states();
        client.invoke(&Nearest {}).await.unwrap();
        client.invoke(&Nearest {}).await.unwrap();
        assert_eq!(
            (home.calls::<Nearest>().len(), away.calls::<Nearest>().len()),
            (1, 2)
        );
        // How the connection stands is told of the new home.
        while !states.next().await.unwrap().is_online() {}
        away.refuse(true);
        away.cut();
        while states.next().await.unwrap().error().is_none() {}
    }
    for name in ["FILE_MIGRATE_2", "STATS_MIGRATE_2"] {
        let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
        let client = signed_in(&[&home, &away], |_| {}).await;
        home.answer(move |call| match answers(call) {
            Reply::Result(_) if call.is::<Nearest>() => Reply::Error(303, name),
            reply => reply,
        });
        client.invoke(&Nearest {}).await.unwrap();
        client.invoke(&Nearest {}).await.unwrap();
        // One request went elsewhere, and the next begins at home again.
        assert_eq!(
            (home.calls::<Nearest>().len(), away.calls::<Nearest>().len()),
            (2, 2)
        );
    }
}

fn option(id: i32, addr: SocketAddr, media_only: bool) -> tl::enums::DcOption {
    tl::types::DcOption {
        ipv6: false,
        media_only,
        tcpo_only: false,
        cdn: false,
        r#static: false,
        this_port_only: true,
        id,
        ip_address: addr.ip().to_string(),
        port: addr.port().into(),
        secret: None,
    }
    .into()
}

/// A client that knows home from its session, and the rest from what home says.
async fn knowing_home(
    home: &Peer,
    change: impl FnOnce(&mut Config),
) -> (Client, Arc<MemoryStorage>) {
    let mut session = Session::default();
    session.home_dc = 1;
    session.user = Some(SelfUser::new(7, false));
    let known = layer_client::session::DcOption::new(home.addr);
    session.dcs.entry(1).or_default().options = vec![known];
    let storage = Arc::new(MemoryStorage::new());
    session.save(&*storage).unwrap();
    let mut config = home.config();
    config.session_storage = Some(storage.clone());
    config.dc_addresses = Vec::new();
    change(&mut config);
    (Client::connect(config).await.unwrap(), storage)
}

/// Home, which says that the data centres are there.
fn naming(options: Vec<tl::enums::DcOption>) -> impl Fn(&Call) -> Reply + Send + Sync {
    move |call| {
        if call.is::<tl::functions::help::GetConfig>() {
            let config = peer::server_config(1, 3600, options.clone());
            return Reply::Result(config.to_bytes());
        }
        answers(call)
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_of_data_centres_is_kept_and_used() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    home.answer(naming(vec![
        option(1, home.addr, false),
        option(2, away.addr, false),
    ]));
    let (client, storage) = knowing_home(&home, |_| {}).await;
    ask_in(&client, 2).await.unwrap();
    assert_eq!(away.calls::<Nearest>().len(), 1);
    client.disconnect().await.unwrap();
    let session = Session::load(&*storage).unwrap().unwrap();
    assert_eq!(session.dcs[&2].options[0].address, away.addr);
    assert!(session.dcs[&2].options[0].this_port_only);
}

/// Goes to `target`, and notes that it was asked to.
async fn relay(at: &str, target: SocketAddr, asked: &Arc<Mutex<Vec<SocketAddr>>>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(at).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let asked = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            asked.lock().unwrap().push(addr);
            let mut onward = tokio::net::TcpStream::connect(target).await.unwrap();
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut stream, &mut onward).await },
            );
        }
    });
    addr
}

#[tokio::test]
async fn the_server_may_demand_that_ipv6_is_tried_first() {
    for force_try_ipv6 in [false, true] {
        let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
        let asked = Arc::default();
        let v4 = relay("127.0.0.1:0", away.addr, &asked).await;
        let v6 = relay("[::1]:0", away.addr, &asked).await;
        let addr = home.addr;
        home.answer(move |call| {
            if !call.is::<tl::functions::help::GetConfig>() {
                return answers(call);
            }
            let named = [(1, addr), (2, v4), (2, v6)];
            let named = named.map(|(id, addr)| option(id, addr, false));
            let tl::enums::Config::Config(mut config) = peer::server_config(1, 3600, named.into());
            config.force_try_ipv6 = force_try_ipv6;
            Reply::Result(tl::enums::Config::from(*config).to_bytes())
        });
        let (client, _) = knowing_home(&home, |_| {}).await;
        ask_in(&client, 2).await.unwrap();
        let expected = if force_try_ipv6 { v6 } else { v4 };
        assert_eq!(asked.lock().unwrap()[0], expected);
        client.disconnect().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_data_centre_that_moves_is_followed_when_the_server_says_so() {
    let (home, before, after) = (
        Peer::new(answers).await,
        Peer::numbered(2, answers).await,
        Peer::numbered(2, answers).await,
    );
    home.answer(naming(vec![
        option(1, home.addr, false),
        option(2, before.addr, false),
    ]));
    let (client, _) = knowing_home(&home, |_| {}).await;
    sleep(120 * SECOND).await;
    home.answer(naming(vec![
        option(1, home.addr, false),
        option(2, after.addr, false),
    ]));
    let moved = tl::types::UpdateShort {
        update: tl::types::UpdateDcOptions {
            dc_options: Vec::new(),
        }
        .into(),
        date: 1,
    };
    home.push(&moved.into());
    sleep(5 * SECOND).await;
    ask_in(&client, 2).await.unwrap();
    let asked = (
        before.calls::<Nearest>().len(),
        after.calls::<Nearest>().len(),
    );
    assert_eq!(asked, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn files_go_to_the_servers_that_are_for_nothing_else_and_nothing_else_goes_there() {
    for pfs in [false, true] {
        let home = Peer::new(answers).await;
        let files = home.listen_for_files().await;
        home.answer(naming(vec![
            option(1, files, true),
            option(1, home.addr, false),
        ]));
        let (client, _) = knowing_home(&home, |config| config.pfs = pfs).await;
        upload(&client, 2).await;
        client.invoke(&Nearest {}).await.unwrap();
        let (files, rest): (Vec<_>, Vec<_>) =
            home.all_calls().into_iter().partition(|call| call.files);
        assert_eq!(files.iter().filter(|call| call.is::<SavePart>()).count(), 2);
        assert!(!rest.iter().any(|call| call.is::<SavePart>()));
        assert!(!files.iter().any(|call| call.is::<Nearest>()));
        // Temporary keys for them are made for the data centre's negative number, and all are
        // bound to the one permanent key.
        let made: &[i32] = if pfs { &[-1, -1, 1, 1] } else { &[1] };
        assert_eq!(home.key_dcs(), made);
        assert_eq!(home.keys().0.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn with_temporary_keys_each_connection_has_one_of_its_own() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |config| config.pfs = true).await;
    ask_in(&client, 2).await.unwrap();
    upload(&client, 3).await;
    let (permanent, temporary) = away.keys();
    assert_eq!((permanent.len(), temporary.len()), (1, 1));
    let (permanent, temporary) = home.keys();
    assert_eq!((permanent.len(), temporary.len()), (1, 4));
    for call in home.calls::<tl::functions::auth::BindTempAuthKey>() {
        let named = i64::from_le_bytes(*call.body[4..].first_chunk().unwrap());
        assert_eq!(permanent, [named]);
    }
    // A temporary key for files that is forgotten is made anew, and the rest goes on.
    home.forget_keys(true);
    home.cut();
    upload(&client, 3).await;
    client.invoke(&Nearest {}).await.unwrap();
    assert_eq!(home.keys().0, permanent);
}

#[tokio::test(start_paused = true)]
async fn how_the_connection_stands_is_told_of_the_home_that_is() {
    let (home, away) = (Peer::new(answers).await, Peer::numbered(2, answers).await);
    let client = signed_in(&[&home, &away], |_| {}).await;
    let mut states = client.connection_states();
    let mut until = async |online: bool| {
        let search = async {
            loop {
                let state = states.next().await.unwrap();
                if state.is_online() == online && (online || state.error().is_some()) {
                    return;
                }
            }
        };
        let found = tokio::time::timeout(60 * SECOND, search).await;
        found.expect("it did not come to that");
    };
    home.answer(|call| match answers(call) {
        Reply::Result(_) if call.is::<Nearest>() => Reply::Error(303, "USER_MIGRATE_2"),
        reply => reply,
    });
    away.answer(|call| match answers(call) {
        Reply::Result(_) if call.is::<Import>() => Reply::Silence,
        reply => reply,
    });
    let moving = tokio::spawn({
        let client = client.clone();
        async move { client.invoke(&Nearest {}).await }
    });
    away.until(|away| !away.calls::<Import>().is_empty()).await;
    // The old home goes while the new one is told who we are.
    home.refuse(true);
    home.cut();
    until(false).await;
    let import = &away.calls::<Import>()[0];
    let Reply::Result(imported) = answers(import) else {
        panic!("no result")
    };
    away.respond(import.msg_id, imported);
    moving.await.unwrap().unwrap();
    until(true).await;
    away.refuse(true);
    away.cut();
    until(false).await;
}
