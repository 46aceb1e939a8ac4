//! Random histories: people write, edit, delete, read, come, go and are banned in the chats of one watched account, on an
//! embedded data centre in which things go wrong. What the account has in the end is asked of the data centre.

#![allow(dead_code, unreachable_pub)] // each program uses a part

use std::collections::BTreeMap;

use layer_client::tl;
use layer_test_server::{ApiError, NewUser, Peer, Server, UserHandle};

/// What the text of a message is where it has none, being one of service.
pub const SERVICE: &str = "(service)";

/// A message's id and text, by chat, as clients number chats (`-100…` for channels).
pub type Chats = BTreeMap<i64, BTreeMap<i32, String>>;

/// Everything that goes wrong with connections, sessions and calls.
pub const WEATHER: &[&str] = &[
    "now: close",
    "now: close",
    "now: new-session",
    "now: rotate-salts",
    "connect times=2: close",
    "out chance=3%: cut 20",
    "out chance=10%: duplicate",
    "out chance=10%: reorder",
    "out chance=5%: delay 200ms",
    "in chance=10%: duplicate",
    "method=updates.getDifference times=2: error 500 INTERNAL",
    "method=updates.getDifference nth=1: flood-wait 1",
    "method=updates.getDifference nth=1: close-after-ack",
    "method=updates.getChannelDifference times=3: error 500 INTERNAL",
    "method=updates.getChannelDifference chance=50% times=4: delay 700ms",
    "push chance=30%: drop",
    "push: drop",
    "push chance=20%: duplicate",
    "push chance=20%: reorder",
    "push chance=20%: delay 300ms",
    "push chance=10%: malformed",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Private,
    Group,
    Supergroup,
    Channel,
}

/// A chat of the watched account.
struct Chat {
    kind: Kind,
    /// As the watched account addresses it.
    peer: Peer,
    /// Who made it, or is the other side of it: an index into the others.
    owner: usize,
    /// Whether the watched account is in it.
    member: bool,
    /// Of a channel: its newest message when the watched account came in last.
    since: i32,
    /// Authors and the ids by which they know their messages, the newest last.
    messages: Vec<(usize, i32)>,
}

/// How long back messages are still edited and deleted.
const RECENT: usize = 30;
/// Who writes: so many others.
const OTHERS: usize = 6;

/// Plays a history, step by step.
pub struct Player<'a> {
    server: &'a Server,
    pub rng: fastrand::Rng,
    me: UserHandle,
    others: Vec<UserHandle>,
    chats: Vec<Chat>,
    most: usize,
    weather: Vec<&'static str>,
    /// Steps until the weather clears up.
    stormy: usize,
    said: usize,
}

impl<'a> Player<'a> {
    /// For an account, with this many chats in the end, half of them from the start.
    pub fn new(
        server: &'a Server,
        me: UserHandle,
        seed: u64,
        chats: usize,
        weather: &[&'static str],
    ) -> Self {
        let others = (0..OTHERS.max(chats / 4))
            .map(|n| {
                server.add_user(NewUser::named(
                    format!("+1666{:06}", me.id() % 1000 * 1000 + n as i64),
                    format!("Friend {n}"),
                ))
            })
            .collect();
        let mut player = Self {
            server,
            rng: fastrand::Rng::with_seed(seed),
            me,
            others,
            chats: Vec::new(),
            most: chats,
            weather: weather.to_vec(),
            stormy: 0,
            said: 0,
        };
        while player.chats.len() < chats.div_ceil(2) {
            player.found();
        }
        player
    }

    /// A new chat, which somebody says something in.
    fn found(&mut self) {
        let place = self.chats.len();
        let owner = place / 4 % self.others.len();
        let host = &self.others[owner];
        let title = format!("Chat {place}");
        let guests: Vec<&UserHandle> = self.others.iter().skip(owner + 1).take(2).collect();
        let kind = [Kind::Private, Kind::Group, Kind::Supergroup, Kind::Channel][place % 4];
        let made = match kind {
            Kind::Private => Ok(host.peer()),
            Kind::Group => host.create_group(&title, &[vec![&self.me], guests].concat()),
            Kind::Supergroup => host
                .create_supergroup(&title)
                .and_then(|peer| host.invite(peer, &guests).map(|()| peer)),
            Kind::Channel => host.create_channel(&title),
        };
        self.chats.push(Chat {
            kind,
            peer: made.expect("a chat can be made"),
            owner,
            member: matches!(kind, Kind::Private | Kind::Group),
            since: 0,
            messages: Vec::new(),
        });
        if !self.chats[place].member {
            self.come_or_go(place);
        }
        self.say(place);
    }

    /// Where an author writes to, to be read in this chat.
    fn place_of(&self, chat: usize) -> Peer {
        match self.chats[chat].kind {
            Kind::Private => self.me.peer(),
            _ => self.chats[chat].peer,
        }
    }

    fn text(&mut self) -> String {
        self.said += 1;
        let words = "so it was said and nobody knew by whom nor when but all had heard of it";
        let length = self.rng.usize(4..words.len());
        format!("{} {}", self.said, words[..length].trim_end())
    }

    fn say(&mut self, chat: usize) {
        let text = self.text();
        self.say_text(chat, &text);
    }

    fn say_text(&mut self, chat: usize, text: &str) {
        let owner = self.chats[chat].owner;
        let author = match self.chats[chat].kind {
            Kind::Group | Kind::Supergroup => {
                (owner + self.rng.usize(0..3)).min(self.others.len() - 1)
            }
            _ => owner,
        };
        let sent = self.others[author].send_message(self.place_of(chat), text);
        let id = sent.expect("members may write");
        let messages = &mut self.chats[chat].messages;
        messages.push((author, id));
        if messages.len() > RECENT {
            messages.remove(0);
        }
    }

    /// One thing happens.
    pub fn step(&mut self) {
        match self.stormy {
            0 if !self.weather.is_empty() && self.rng.u8(0..12) == 0 => {
                let rule = self.weather[self.rng.usize(0..self.weather.len())];
                let rule = rule.parse().expect("the rules make sense");
                self.server.faults().add(rule).expect("they do as a whole");
                self.stormy = self.rng.usize(1..12);
            }
            0 => {}
            1 => {
                self.server.faults().clear();
                self.stormy = 0;
            }
            _ => self.stormy -= 1,
        }
        let chat = self.rng.usize(0..self.chats.len());
        match self.rng.u8(0..100) {
            0..55 => self.say(chat),
            55..67 => self.edit(chat),
            67..76 => self.delete(chat),
            76..82 => self.read(chat),
            82..87 => self.write(chat),
            87..94 => self.come_or_go(chat),
            94..97 if self.chats.len() < self.most => self.found(),
            _ => {
                for _ in 0..self.rng.usize(5..40) {
                    self.say(chat);
                }
            }
        }
    }

    fn edit(&mut self, chat: usize) {
        let text = format!("{}, edited", self.text());
        if let Some(&(author, id)) = self.rng.choice(&self.chats[chat].messages) {
            let edited = self.others[author].edit_message(self.place_of(chat), id, &text);
            edited.expect("one may edit what one wrote");
        }
    }

    fn delete(&mut self, chat: usize) {
        let Some(&(author, _)) = self.rng.choice(&self.chats[chat].messages) else {
            return;
        };
        let most = self.rng.usize(1..4);
        let mut doomed = Vec::new();
        self.chats[chat].messages.retain(|&(by, id)| {
            let chosen = by == author && doomed.len() < most;
            if chosen {
                doomed.push(id);
            }
            !chosen
        });
        let deleted = self.others[author].delete_messages(self.place_of(chat), &doomed);
        deleted.expect("one may delete what one wrote");
    }

    /// The watched account reads with another device, or somebody reads what it wrote.
    fn read(&mut self, chat: usize) {
        let Chat { peer, member, .. } = self.chats[chat];
        if member && self.rng.bool() {
            self.me.read(peer, 0).expect("members may read");
        } else {
            let reader = &self.others[self.chats[chat].owner];
            let read = reader.read(self.place_of(chat), 0);
            read.expect("members may read");
        }
    }

    /// The watched account writes with another device.
    fn write(&mut self, chat: usize) {
        let Chat {
            kind, peer, member, ..
        } = self.chats[chat];
        if member && kind != Kind::Channel {
            let text = self.text();
            let sent = self.me.send_message(peer, &text);
            sent.expect("members may write");
        }
    }

    /// The watched account leaves, is removed or banned; or is brought back.
    fn come_or_go(&mut self, chat: usize) {
        let Chat {
            kind,
            peer,
            member,
            owner,
            ..
        } = self.chats[chat];
        let host = &self.others[owner];
        let done = match (kind, member) {
            (Kind::Private, _) => return,
            (Kind::Group, false) => host.invite(peer, &[&self.me]),
            (_, false) => {
                self.chats[chat].since = self.newest(chat);
                host.invite(peer, &[&self.me])
            }
            (_, true) if self.rng.bool() => self.me.leave(peer),
            (Kind::Group, true) => self.remove(chat),
            (_, true) => self.ban(chat),
        };
        done.expect("the host may do that");
        self.chats[chat].member = !member;
    }

    fn remove(&self, chat: usize) -> Result<(), ApiError> {
        let Peer::Group(chat_id) = self.chats[chat].peer else {
            return Ok(());
        };
        let host = &self.others[self.chats[chat].owner];
        let user_id = tl::types::InputUser {
            user_id: self.me.id(),
            access_hash: host.access_hash(self.me.peer()),
        };
        let request = tl::functions::messages::DeleteChatUser {
            revoke_history: false,
            chat_id,
            user_id: user_id.into(),
        };
        host.invoke(&request).map(drop)
    }

    fn ban(&self, chat: usize) -> Result<(), ApiError> {
        let host = &self.others[self.chats[chat].owner];
        let Peer::Channel(channel_id) = self.chats[chat].peer else {
            return Ok(());
        };
        let channel = tl::types::InputChannel {
            channel_id,
            access_hash: host.access_hash(self.chats[chat].peer),
        };
        let request = tl::functions::channels::EditBanned {
            channel: channel.into(),
            participant: host.input_peer(self.me.peer()),
            banned_rights: MAY_NOTHING.into(),
        };
        host.invoke(&request).map(drop)
    }

    fn newest(&self, chat: usize) -> i32 {
        let host = &self.others[self.chats[chat].owner];
        let last = host.messages(self.chats[chat].peer).pop();
        last.map_or(0, |message| message.id)
    }

    /// Nothing goes wrong any more.
    pub fn clear_up(&mut self) {
        self.server.faults().clear();
        self.stormy = 0;
    }

    /// Somebody says this wherever the watched account hears it: then whoever lacks something knows.
    pub fn say_everywhere(&mut self, text: &str) {
        for chat in 0..self.chats.len() {
            if self.chats[chat].member {
                self.say_text(chat, text);
            }
        }
    }

    /// A chat that the watched account can write in.
    pub fn a_place_to_write(&mut self) -> Option<Peer> {
        let chat = &self.chats[self.rng.usize(0..self.chats.len())];
        (chat.member && chat.kind != Kind::Channel).then_some(chat.peer)
    }

    /// What the watched account has, by the data centre, in the chats that it is in. Of channels only what came after it did: what
    /// was before, or while it was away, nobody told it.
    pub fn chats(&self) -> Chats {
        let told = self.chats.iter().filter(|chat| {
            let boxed = matches!(chat.kind, Kind::Private | Kind::Group);
            boxed || chat.member
        });
        told.map(|chat| {
            let messages = self.me.messages(chat.peer).into_iter();
            let told = messages.filter(|message| message.id > chat.since);
            let told = told.map(|message| (message.id, text_of(&message.raw)));
            (marked(chat.peer), told.collect())
        })
        .collect()
    }
}

/// Of somebody who is banned, for ever.
const MAY_NOTHING: tl::types::ChatBannedRights = tl::types::ChatBannedRights {
    view_messages: true,
    send_messages: true,
    send_media: true,
    send_stickers: true,
    send_gifs: true,
    send_games: true,
    send_inline: true,
    embed_links: true,
    send_polls: true,
    change_info: true,
    invite_users: true,
    pin_messages: true,
    manage_topics: true,
    send_photos: true,
    send_videos: true,
    send_roundvideos: true,
    send_audios: true,
    send_voices: true,
    send_docs: true,
    send_plain: true,
    edit_rank: true,
    until_date: 0,
};

pub fn text_of(message: &tl::enums::Message) -> String {
    match message {
        tl::enums::Message::Message(message) => message.message.clone(),
        _ => SERVICE.to_owned(),
    }
}

/// A chat's number as clients have it.
pub fn marked(peer: Peer) -> i64 {
    match peer {
        Peer::User(id) => id,
        Peer::Group(id) => -id,
        Peer::Channel(id) => -1_000_000_000_000 - id,
        _ => 0,
    }
}
