//! What values are like to work with, and what the runtime says about bytes that are none.
#![cfg(feature = "tl-api")]
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use layer_tl_types::{
    Cursor, Deserializable, DeserializeError, MAX_DEPTH, RemoteCall, Serializable, enums,
    functions, types,
};

fn peer(user_id: i64) -> enums::Peer {
    enums::Peer::User(types::PeerUser { user_id })
}

#[cfg(feature = "impl-debug")]
#[test]
fn debug_prints_what_a_derived_one_would() {
    assert_eq!(format!("{:?}", peer(7)), "User(PeerUser { user_id: 7 })");
    assert_eq!(format!("{:?}", enums::InputPeer::PeerSelf), "PeerSelf");
    assert_eq!(format!("{:?}", types::InputPeerSelf), "InputPeerSelf");
    assert_eq!(format!("{:?}", functions::help::GetConfig {}), "GetConfig");
    let restriction = types::RestrictionReason {
        platform: "a\"b".into(),
        reason: String::new(),
        text: "ü".into(),
    };
    assert_eq!(
        format!("{restriction:?}"),
        "RestrictionReason { platform: \"a\\\"b\", reason: \"\", text: \"ü\" }"
    );
    let call = functions::messages::SetTyping {
        peer: enums::InputPeer::PeerSelf,
        top_msg_id: Some(3),
        action: enums::SendMessageAction::SendMessageTypingAction,
    };
    assert_eq!(
        format!("{call:#?}"),
        "SetTyping {\n    peer: PeerSelf,\n    top_msg_id: Some(\n        3,\n    ),\n    action: SendMessageTypingAction,\n}"
    );
    let with_layer = functions::InvokeWithLayer {
        layer: 1,
        query: functions::updates::GetState {},
    };
    assert_eq!(
        format!("{with_layer:?}"),
        "InvokeWithLayer { layer: 1, query: GetState }"
    );
    let ids = functions::messages::GetMessages {
        id: vec![
            enums::InputMessage::Id(types::InputMessageId { id: 5 }),
            enums::InputMessage::Pinned,
        ],
    };
    assert_eq!(
        format!("{ids:?}"),
        "GetMessages { id: [Id(InputMessageId { id: 5 }), Pinned] }"
    );
}

#[test]
fn equality_is_that_of_the_fields() {
    let forwarded = |date| {
        let mut header = types::MessageFwdHeader::from_bytes(&[0; 8]).unwrap();
        header.date = date;
        header.from_id = Some(peer(1));
        header
    };
    assert!(forwarded(1) == forwarded(1));
    assert!(forwarded(1) != forwarded(2));
    assert!(peer(1) == peer(1) && peer(1) != peer(2));
}

#[test]
fn a_call_knows_what_it_returns_also_through_generic_ones() {
    fn returns<R: RemoteCall<Return = T>, T>(_: &R) {}
    let query = functions::help::GetConfig {};
    returns::<_, enums::Config>(&query);
    let call = functions::InvokeWithLayer { layer: 223, query };
    returns::<_, enums::Config>(&call);
    assert_eq!(
        call.to_bytes(),
        [0x0d, 0x0d, 0x9b, 0xda, 223, 0, 0, 0, 0x6b, 0x18, 0xf9, 0xc4]
    );
    returns::<_, bool>(&functions::account::CheckUsername {
        username: String::new(),
    });
}

#[test]
fn strings_that_are_not_utf8_lose_only_what_is_wrong() {
    assert_eq!(
        String::from_bytes(b"\x03a\xffb"),
        Ok("a\u{fffd}b".to_owned())
    );
}

#[test]
fn errors_name_what_was_expected_and_what_came() {
    let error = enums::Peer::from_bytes(&0x56730bcc_u32.to_le_bytes()).unwrap_err();
    assert_eq!(
        error,
        DeserializeError::UnexpectedConstructor {
            expected: "Peer",
            id: 0x56730bcc
        }
    );
    let text = if cfg!(feature = "name-for-id") {
        "expected a constructor of Peer, found null#56730bcc"
    } else {
        "expected a constructor of Peer, found the id #56730bcc, which this schema (layer 223) may not know"
    };
    assert_eq!(error.to_string(), text);
    let error = i64::from_bytes(&[0; 5]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected 8 more bytes of a value, found 5"
    );
}

#[test]
fn fields_that_share_a_bit_are_sent_together_or_not_at_all() {
    fn again<T: Serializable + Deserializable>(value: &T) -> T {
        T::from_bytes(&value.to_bytes()).unwrap()
    }
    // Numbers, strings and vectors go along empty.
    let mut user = types::RequestedPeerUser::from_bytes(&[0; 12]).unwrap();
    user.last_name = Some("Li".into());
    let user = again(&user);
    assert!(user.first_name.as_deref() == Some("") && user.last_name.as_deref() == Some("Li"));
    // A constructor cannot, and nothing is sent without it.
    let mut header = types::MessageFwdHeader::from_bytes(&[0; 8]).unwrap();
    header.saved_from_msg_id = Some(5);
    assert!(again(&header).saved_from_msg_id.is_none());
    header.saved_from_peer = Some(peer(1));
    header.saved_from_msg_id = None;
    assert!(again(&header).saved_from_peer == Some(peer(1)));
    assert_eq!(again(&header).saved_from_msg_id, Some(0));
}

#[test]
fn the_first_error_stays_with_the_cursor() {
    let mut cursor = Cursor::new(&[1, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(cursor.read_i32(), Ok(1));
    let error = cursor.read_bool().unwrap_err();
    assert_eq!(
        error,
        DeserializeError::UnexpectedConstructor {
            expected: "Bool",
            id: 2
        }
    );
    assert_eq!(cursor.read_i32(), Err(error));
}

#[test]
fn a_vector_takes_no_more_memory_than_its_bytes_allow() {
    let mut bytes = 0x1cb5c415_u32.to_le_bytes().to_vec();
    bytes.extend(u32::MAX.to_le_bytes());
    bytes.extend([0; 64]);
    let error = Vec::<i64>::from_bytes(&bytes).unwrap_err();
    assert_eq!(
        error,
        DeserializeError::VectorTooLong {
            count: u32::MAX,
            left: 64
        }
    );
}

/// `textBold` in `textBold` …
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for _ in 1..depth {
        bytes.extend(0x6724abc4_u32.to_le_bytes());
    }
    bytes.extend(0xdc3d824f_u32.to_le_bytes());
    bytes
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let run = || {
        let deepest = usize::from(MAX_DEPTH);
        let value = enums::RichText::from_bytes(&nested(deepest)).unwrap();
        assert_eq!(value.clone().to_bytes(), nested(deepest));
        assert_eq!(
            enums::RichText::from_bytes(&nested(deepest + 1)),
            Err(DeserializeError::TooDeep)
        );
        assert_eq!(
            enums::RichText::from_bytes(&nested(1_000_000)),
            Err(DeserializeError::TooDeep)
        );
        // The largest of the recursive types: a rich message of blocks of blocks of …, and JSON arrays of arrays.
        let mut json: Vec<u8> = Vec::new();
        for _ in 0..100_000 {
            json.extend(0xf7444763_u32.to_le_bytes());
            json.extend(0x1cb5c415_u32.to_le_bytes());
            json.extend(1_u32.to_le_bytes());
        }
        assert_eq!(
            enums::Jsonvalue::from_bytes(&json),
            Err(DeserializeError::TooDeep)
        );
        let mut blocks: Vec<u8> = Vec::new();
        for _ in 0..10_000 {
            // pageBlockDetails with one block inside
            blocks.extend(0x76768bed_u32.to_le_bytes());
            blocks.extend(0_u32.to_le_bytes());
            blocks.extend(0x1cb5c415_u32.to_le_bytes());
            blocks.extend(1_u32.to_le_bytes());
        }
        assert_eq!(
            enums::PageBlock::from_bytes(&blocks),
            Err(DeserializeError::TooDeep)
        );
    };
    // A quarter of what a thread has by default, also without optimisation.
    std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[cfg(all(feature = "impl-from-type", feature = "impl-from-enum"))]
#[test]
fn constructors_become_their_type_and_come_back() {
    let user = types::PeerUser { user_id: 1 };
    let as_enum: enums::Peer = user.clone().into();
    assert!(types::PeerUser::try_from(as_enum.clone()) == Ok(user));
    let error = types::PeerChat::try_from(as_enum).err().unwrap();
    let name = if cfg!(feature = "name-for-id") {
        "peerChat"
    } else {
        ""
    };
    assert_eq!(
        error.to_string(),
        format!("expected the constructor {name}#36c6019a, found another one of its type")
    );
    // Boxed in its variant or not, the conversion is the same.
    let state = types::updates::State {
        pts: 1,
        qts: 2,
        date: 3,
        seq: 4,
        unread_count: 5,
    };
    let as_enum: enums::updates::State = state.clone().into();
    assert!(types::updates::State::from(as_enum) == state);
}

#[cfg(feature = "impl-serde")]
#[test]
fn serde_gives_back_what_it_took() {
    let value = enums::updates::State::State(types::updates::State {
        pts: 1,
        qts: 2,
        date: 3,
        seq: 4,
        unread_count: 5,
    });
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(
        text,
        r#"{"State":{"pts":1,"qts":2,"date":3,"seq":4,"unread_count":5}}"#
    );
    assert!(serde_json::from_str::<enums::updates::State>(&text).unwrap() == value);
}
