use super::*;
use layer_client::tl::{self, Serializable};

fn schema() -> Schema {
    Schema::load().unwrap()
}

#[test]
fn a_call_without_parameters_is_its_id() {
    let call = schema().encode("help.getConfig", 0).unwrap();
    assert_eq!(call.body, tl::functions::help::GetConfig {}.to_bytes());
    assert_eq!(call.returns.full_name(), "Config");
}

#[test]
fn a_typed_call_is_what_the_generated_type_writes() {
    let typed = schema()
        .encode(
            r#"messages.sendMessage peer:(inputPeerUser user_id:7 access_hash:-8) message:"a \"b\"\n" silent:true"#,
            99,
        )
        .unwrap();
    let peer = tl::types::InputPeerUser {
        user_id: 7,
        access_hash: -8,
    };
    let mut expected = tl::functions::messages::SendMessage {
        no_webpage: false,
        silent: true,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: peer.into(),
        reply_to: None,
        message: "a \"b\"\n".into(),
        random_id: 99,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
    };
    assert_eq!(typed.body, expected.to_bytes());
    expected.silent = false;
    assert_ne!(typed.body, expected.to_bytes());
}

#[test]
fn vectors_and_bytes_are_written() {
    let typed = schema().encode(
        "users.getUsers id:[inputUserSelf, (inputUser user_id:1 access_hash:2)]",
        0,
    );
    let expected = tl::functions::users::GetUsers {
        id: vec![
            tl::enums::InputUser::UserSelf,
            tl::types::InputUser {
                user_id: 1,
                access_hash: 2,
            }
            .into(),
        ],
    };
    assert_eq!(typed.unwrap().body, expected.to_bytes());
}

#[test]
fn an_answer_is_laid_out_by_the_schema() {
    let schema = schema();
    let call = schema.encode("help.getNearestDc", 0).unwrap();
    let answer = tl::types::NearestDc {
        country: "NL".into(),
        this_dc: 1,
        nearest_dc: 2,
    };
    let bytes = tl::enums::NearestDc::from(answer).to_bytes();
    assert_eq!(
        schema.show(&bytes, &call.returns).unwrap(),
        "nearestDc\n  country: \"NL\"\n  this_dc: 1\n  nearest_dc: 2"
    );
    assert!(
        schema
            .show(&bytes[..bytes.len() - 1], &call.returns)
            .is_err()
    );
}

#[test]
fn mistakes_are_named() {
    let schema = schema();
    let error = |line: &str| schema.encode(line, 0).unwrap_err();
    assert!(error("help.getNearest").contains("help.getNearestDc"));
    assert!(error("users.getUsers").contains("'id' is missing"));
    assert!(error("users.getUsers id:[inputPeerSelf]").contains("is no InputUser"));
    assert!(error("users.getUsers who:1").contains("no parameter 'who'"));
    assert!(error("help.getConfig extra").contains("expected 'extra:'"));
    assert!(error("users.getUsers id:[inputUser]").contains("in parentheses"));
    assert!(error("").contains("expected a name"));
    assert!(error("invokeWithLayer layer:1 query:help").contains("within a call"));
}

#[test]
fn garbage_answers_are_errors() {
    let schema = schema();
    let call = schema.encode("help.getConfig", 0).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let config = schema.constructors["config"];
    for _ in 0..500 {
        let mut bytes = schema.definitions[config].id.to_le_bytes().to_vec();
        bytes.extend((0..random.usize(0..200)).map(|_| random.u8(..)));
        let _ = schema.show(&bytes, &call.returns);
    }
}
