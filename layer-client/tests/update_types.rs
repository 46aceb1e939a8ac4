//! Updates as users and bots see them, made by the embedded data centre or pushed by hand: albums,
//! reactions, polls, payments, with their peers from the same packet.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use layer_client::middleware::{BoxFuture, Middleware, Next, Outcome, Request};
use layer_client::tl::{Deserializable, Serializable, functions as f};
use layer_client::update::{Presence, Reaction, StreamOptions, Update, UpdateKind};
use layer_client::{Client, Config, tl};
use layer_test_server::{NewUser, Peer, UserHandle};
use util::{
    config, config_with_session, next_text, next_that, no_message, server, user, user_with,
};

/// Sends an album of so many places on earth.
fn send_album(from: &UserHandle, to: Peer, count: i64, caption: &str) {
    let multi_media = (0..count).map(|n| {
        let place = tl::types::InputGeoPoint {
            lat: 48.0,
            long: 11.0,
            accuracy_radius: None,
        };
        let media = tl::types::InputMediaGeoPoint {
            geo_point: place.into(),
        };
        let single = tl::types::InputSingleMedia {
            media: media.into(),
            random_id: fastrand::i64(..),
            message: if n == 0 { caption } else { "" }.to_owned(),
            entities: None,
        };
        tl::enums::InputSingleMedia::from(single)
    });
    from.invoke(&f::messages::SendMultiMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: from.input_peer(to),
        reply_to: None,
        multi_media: multi_media.collect(),
        schedule_date: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
    })
    .unwrap();
}

#[tokio::test]
async fn an_album_comes_as_one_and_is_handled_as_one() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let albums = || StreamOptions::new().albums(Duration::from_millis(300));
    let mut updates = ann.stream_updates_with(albums());
    bob.send_message(ann_handle.peer(), "before").unwrap();
    assert_eq!(next_text(&mut updates).await, "before");
    no_message(&mut updates).await;
    let mut plain = ann.stream_updates();
    send_album(&bob, ann_handle.peer(), 3, "three places");
    bob.send_message(ann_handle.peer(), "after").unwrap();
    let Some((Update::Album(album), receipt)) = updates.next_with_receipt().await else {
        panic!("no album")
    };
    assert_eq!(
        (album.messages().len(), album.text()),
        (3, Some("three places"))
    );
    assert_eq!(album.sender().unwrap().id(), bob.id());
    assert!(album.messages().iter().all(|m| m.album() == album.id()));
    // Who did not ask for albums has them one by one.
    for text in ["three places", "", "", "after"] {
        assert_eq!(next_text(&mut plain).await, text);
    }
    plain.ack();
    drop(plain);
    // Given back, all of it comes again.
    drop(receipt);
    let again = next_that(&mut updates, |update| match update {
        Update::Album(album) => Some(album),
        _ => None,
    });
    assert_eq!(again.await.messages().len(), 3);
    // Not handled before the program ends, it comes again at the next start.
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates_with(albums());
    let album = next_that(&mut updates, |update| match update {
        Update::Album(album) => Some(album),
        _ => None,
    });
    assert_eq!(album.await.messages().len(), 3);
    assert_eq!(next_text(&mut updates).await, "after");
}

#[tokio::test]
async fn what_no_data_centre_of_ours_makes_is_typed_all_the_same() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "before").unwrap();
    assert_eq!(next_text(&mut updates).await, "before");
    let status = tl::types::UpdateUserStatus {
        user_id: bob.id(),
        status: tl::types::UserStatusOffline { was_online: 99 }.into(),
    };
    // Bob is named in the packet, Cid is nobody that was met.
    ann_handle.push(status.into(), &[bob.peer()]);
    let status = next_that(&mut updates, |update| match update {
        Update::UserStatus(status) => Some(status),
        _ => None,
    })
    .await;
    assert_eq!(
        (status.user.name(), status.status),
        ("Bob", Presence::Offline { since: 99 })
    );
    let emoticon = "👍".to_owned();
    let reaction = tl::types::UpdateBotMessageReaction {
        peer: tl::types::PeerUser { user_id: bob.id() }.into(),
        msg_id: 1,
        date: 5,
        actor: tl::types::PeerUser { user_id: bob.id() }.into(),
        old_reactions: vec![],
        new_reactions: vec![tl::types::ReactionEmoji { emoticon }.into()],
        qts: 0,
    };
    ann_handle.push(reaction.into(), &[bob.peer()]);
    let change = next_that(&mut updates, |update| match update {
        Update::Reaction(change) => Some(change),
        _ => None,
    })
    .await;
    assert_eq!(change.actor.as_ref().unwrap().name(), "Bob");
    assert_eq!(change.new, [Reaction::Emoji("👍".to_owned())]);
    // Peers can be written to as they stand there.
    ann.send_message(&change.peer, "thanks").await.unwrap();
}

/// Keeps the requests of payments and answers them, which our data centre cannot.
#[derive(Default)]
struct Till(Mutex<Vec<Vec<u8>>>);

impl Middleware for Till {
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let method = request.method().unwrap_or_default();
            if !method.starts_with("messages.setBot") {
                return next.run(request).await;
            }
            self.0.lock().unwrap().push(request.body().to_vec());
            Ok(true.to_bytes().into())
        })
    }
}

#[tokio::test]
async fn queries_of_payments_are_answered() {
    let server = server().await;
    let till = Arc::new(Till::default());
    let config = Config {
        layers: vec![till.clone()],
        ..config(&server)
    };
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let kinds = [UpdateKind::ShippingQuery, UpdateKind::PreCheckoutQuery];
    let mut updates = ann.stream_updates_with(StreamOptions::new().kinds(kinds));
    let address = tl::types::PostAddress {
        street_line1: "Main Street 1".to_owned(),
        street_line2: String::new(),
        city: "Town".to_owned(),
        state: String::new(),
        country_iso2: "DE".to_owned(),
        post_code: "12345".to_owned(),
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let shipping = tl::types::UpdateBotShippingQuery {
        query_id: 7,
        user_id: bob.id(),
        payload: b"a book".to_vec(),
        shipping_address: address.into(),
    };
    ann_handle.push(shipping.into(), &[bob.peer()]);
    let Some(Update::ShippingQuery(query)) = updates.next().await else {
        panic!()
    };
    assert_eq!(
        (query.user.name(), query.address.city.as_str()),
        ("Bob", "Town")
    );
    query.refuse(&ann, "too far").await.unwrap();
    let price = tl::types::LabeledPrice {
        label: "Post".to_owned(),
        amount: 499,
    };
    let option = tl::types::ShippingOption {
        id: "post".to_owned(),
        title: "By post".to_owned(),
        prices: vec![price.into()],
    };
    query.accept(&ann, vec![option.into()]).await.unwrap();

    let checkout = tl::types::UpdateBotPrecheckoutQuery {
        query_id: 8,
        user_id: bob.id(),
        payload: b"a book".to_vec(),
        info: None,
        shipping_option_id: Some("post".to_owned()),
        currency: "EUR".to_owned(),
        total_amount: 1999,
    };
    ann_handle.push(checkout.into(), &[bob.peer()]);
    let Some(Update::PreCheckoutQuery(query)) = updates.next().await else {
        panic!()
    };
    query.accept(&ann).await.unwrap();
    query.refuse(&ann, "sold").await.unwrap();

    let asked = std::mem::take(&mut *till.0.lock().unwrap());
    let shipping = |bytes: &[u8]| f::messages::SetBotShippingResults::from_bytes(bytes).unwrap();
    let checkout = |bytes: &[u8]| f::messages::SetBotPrecheckoutResults::from_bytes(bytes).unwrap();
    assert_eq!(shipping(&asked[0]).error.as_deref(), Some("too far"));
    assert_eq!(shipping(&asked[1]).shipping_options.unwrap().len(), 1);
    assert!(checkout(&asked[2]).success && checkout(&asked[2]).error.is_none());
    assert!(!checkout(&asked[3]).success);
    assert_eq!(checkout(&asked[3]).error.as_deref(), Some("sold"));
}
