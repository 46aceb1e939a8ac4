//! The methods of the embedded data centre: calls at random on a small world, each answered by an error or by what the
//! schema says the method returns.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use layer_test_server::{NewUser, Peer, Server, ServerConfig, UserHandle};
use layer_tl_types::{Cursor, Deserializable, RemoteCall, Serializable};
use tokio::runtime::{Builder, Runtime};

use crate::input::Input;
use crate::values::{method, returned};

/// A script may make this many calls.
const CALLS: usize = 24;

/// Bytes that are a call, whatever it returns.
struct Call(Vec<u8>);

impl Serializable for Call {
    fn serialize(&self, buf: &mut Vec<u8>) {
        buf.extend_from_slice(&self.0);
    }
}

impl RemoteCall for Call {
    type Return = Answer;
}

/// The bytes of an answer.
struct Answer(Vec<u8>);

impl Deserializable for Answer {
    fn deserialize(buf: &mut Cursor<'_>) -> layer_tl_types::Result<Self> {
        let len = buf.remaining().len();
        buf.read_slice(len).map(|bytes| Self(bytes.to_vec()))
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(
        || match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("no runtime: {error}"),
        },
    )
}

struct World {
    users: [UserHandle; 2],
    /// What marks in a call stand for: a fuzzer cannot know access hashes.
    marks: Vec<([u8; 8], i64)>,
}

/// The mark of a thing that a call may name: eight times this letter.
pub(crate) const MARKS: &[u8] = b"ABCDEFGH";

fn world(server: &Server) -> World {
    let ada = server.add_user(NewUser::named("+9996610001", "Ada"));
    let bob = server.add_user(NewUser::named("+9996610002", "Bob"));
    let made = (|| {
        let group = ada.create_group("Group", &[&bob])?;
        let channel = ada.create_channel("Channel")?;
        let supergroup = ada.create_supergroup("Supergroup")?;
        ada.invite(supergroup, &[&bob])?;
        ada.send_message(bob.peer(), "hello")?;
        bob.send_message(ada.peer(), "hello")?;
        Ok::<_, layer_test_server::ApiError>([group, channel, supergroup])
    })();
    let [group, channel, supergroup] = match made {
        Ok(made) => made,
        Err(error) => panic!("the world could not be made: {error}"),
    };
    let number = |peer: Peer| match ada.input_peer(peer) {
        layer_tl_types::enums::InputPeer::User(user) => user.user_id,
        layer_tl_types::enums::InputPeer::Chat(chat) => chat.chat_id,
        layer_tl_types::enums::InputPeer::Channel(channel) => channel.channel_id,
        _ => 0,
    };
    let values = [
        number(bob.peer()),
        ada.access_hash(bob.peer()),
        number(channel),
        ada.access_hash(channel),
        number(supergroup),
        ada.access_hash(supergroup),
        number(group),
        bob.access_hash(ada.peer()),
    ];
    let marks = MARKS
        .iter()
        .map(|letter| [*letter; 8])
        .zip(values)
        .collect();
    World {
        users: [ada, bob],
        marks,
    }
}

impl World {
    fn resolve(&self, call: &mut [u8]) {
        let mut at = 0;
        while let Some(window) = call.get_mut(at..at + 8) {
            if let Some((_, value)) = self.marks.iter().find(|(mark, _)| window == mark) {
                window.copy_from_slice(&value.to_le_bytes());
            }
            at += 4;
        }
    }
}

pub(crate) fn run(input: &[u8]) {
    let mut input = Input::new(input);
    runtime().block_on(async {
        let config = ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            dc_count: 1,
            ..ServerConfig::default()
        };
        let server = match Server::start(config).await {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        };
        let world = world(&server);
        for _ in 0..CALLS {
            if input.is_empty() {
                break;
            }
            let user = &world.users[usize::from(input.byte() & 1)];
            let (id, name, returns) = method(input.short());
            let mut call = id.to_le_bytes().to_vec();
            call.extend_from_slice(input.piece());
            world.resolve(&mut call);
            match user.invoke(&Call(call)) {
                Ok(Answer(bytes)) => returned(name, returns, &bytes),
                Err(error) => _ = error.to_string(),
            }
        }
        server.shutdown().await;
    });
}
