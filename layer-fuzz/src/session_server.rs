//! A server's session: a script of answers, pushes, passing time, and packets of a client that has the key and keeps no
//! rule.

use std::time::{Duration, Instant};

use layer_crypto::message::{self, Sender};
use layer_mtproto::session::{
    SaltBook, ServerSession, ServerSessionConfig, ServerSessionEvent, open_packet,
};

use crate::input::Input;
use crate::wire::{Message, Seeded, Tl, UNIX, container, gzip, int, key, messages, seal, start};

/// A script may take this many steps.
const STEPS: usize = 96;
const SESSION: i64 = 0x7e57;

struct World {
    session: ServerSession,
    salts: SaltBook,
    now: Instant,
    /// Messages that the client sent.
    received: Vec<i64>,
    /// Messages that the server sent.
    sent: Vec<i64>,
    calls: Vec<i64>,
    ids: i64,
}

pub(crate) fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let flags = input.byte();
    let salts = SaltBook::new(&key(), None, UNIX);
    let mut config = ServerSessionConfig::default();
    if flags & 1 != 0 {
        config.max_unacked = 4;
        config.max_unacked_bytes = 1000;
    }
    let kept = config.max_unacked;
    let mut world = World {
        session: ServerSession::new(key(), SESSION, salts.clone(), Seeded::boxed(2), config),
        salts,
        now: start(),
        received: Vec::new(),
        sent: Vec::new(),
        calls: Vec::new(),
        ids: 0,
    };
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        assert!(
            world.session.unacknowledged() <= 2 * kept + 1,
            "more is kept than allowed"
        );
    }
    world.drain();
}

impl World {
    fn unix(&self) -> Duration {
        UNIX + (self.now - start())
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let op = input.byte();
        match op % 12 {
            0..=3 => {
                let message = self.message(input, 0);
                self.deliver(&message, input);
            }
            4 => {
                let count = input.byte() % 5;
                let inner: Vec<Message> = (0..count).map(|_| self.message(input, 1)).collect();
                let mut outer = self.message(input, 2);
                outer.body = container(&inner);
                self.deliver(&outer, input);
            }
            5 => {
                let mut plaintext = input.piece().to_vec();
                if plaintext.len() >= 16 {
                    let salt = self.salts.current(self.unix());
                    plaintext[..8].copy_from_slice(&salt.to_le_bytes());
                    plaintext[8..16].copy_from_slice(&SESSION.to_le_bytes());
                }
                self.handle(seal(Sender::Client, &plaintext));
            }
            6 => {
                let call = input.choose(&self.calls);
                self.session.respond(call, input.piece().to_vec());
            }
            7 => {
                let call = input.choose(&self.calls);
                self.session
                    .respond_error(call, input.int(), "FLOOD_WAIT_3");
            }
            8 => {
                let mut body = input.piece().to_vec();
                body.resize(body.len().next_multiple_of(4), 0);
                self.session.push(body);
            }
            9 => {
                self.now += Duration::from_millis(1 << (input.byte() % 22));
                self.session.handle_timeout(self.now);
            }
            10 => match input.byte() % 3 {
                0 => self.session.connected(),
                1 => self.salts.rotate(),
                _ => self.session.respond_destroy_session(input.long(), true),
            },
            _ => self.drain(),
        }
        while let Some(event) = self.session.poll_event() {
            match event {
                ServerSessionEvent::Request { msg_id, .. } => {
                    assert!(
                        !self.calls.contains(&msg_id),
                        "{msg_id} was handed out twice"
                    );
                    self.calls.push(msg_id);
                }
                ServerSessionEvent::DisconnectAfter(delay) => {
                    assert!(delay <= Duration::from_secs(24 * 3600));
                }
                _ => {}
            }
        }
        if op & 0x80 != 0 {
            self.drain();
        }
    }

    fn drain(&mut self) {
        for round in 0..64 {
            let mut packets = 0;
            let mut packet = Vec::new();
            while self
                .session
                .poll_transmit(self.now, self.unix(), &mut packet)
            {
                packets += 1;
                assert!(packets < 256, "it does not stop sending");
                self.overhear(&mut packet);
                packet.clear();
            }
            match self.session.poll_timeout() {
                Some(at) if at <= self.now => self.session.handle_timeout(self.now),
                _ => return,
            }
            assert!(round < 63, "a timer that is never satisfied");
        }
    }

    fn overhear(&mut self, packet: &mut [u8]) {
        let plain = match message::open(&key(), Sender::Server, packet) {
            Ok(plain) => plain,
            Err(error) => panic!("it sent what nobody can open: {error}"),
        };
        let mut header = Input::new(plain);
        let (_salt, session_id) = (header.long(), header.long());
        let (msg_id, _seqno, len) = (header.long(), header.int(), header.int());
        assert_eq!(session_id, SESSION);
        let body = header.take(usize::try_from(len).unwrap_or(0));
        self.sent
            .extend(messages(msg_id, body).iter().map(|(msg_id, _)| *msg_id));
        self.sent.drain(..self.sent.len().saturating_sub(64));
    }

    fn deliver(&mut self, message: &Message, input: &mut Input<'_>) {
        let salt = match input.byte() {
            0 => input.long(),
            _ => self.salts.current(self.unix()),
        };
        self.received.push(message.msg_id);
        self.handle(message.seal(Sender::Client, salt, SESSION));
    }

    fn handle(&mut self, mut packet: Vec<u8>) {
        if let Ok(opened) = open_packet(&key(), &mut packet) {
            let unix = self.unix();
            let _ = self
                .session
                .handle_opened(&opened, &packet.into(), self.now, unix);
        }
    }

    fn message(&mut self, input: &mut Input<'_>, depth: u8) -> Message {
        let how = input.byte();
        let seconds = i64::try_from(self.unix().as_secs()).unwrap_or(0);
        self.ids += 4;
        let msg_id = match how & 15 {
            0 => input.long(),
            1 => input.choose(&self.received),
            2 => (seconds + i64::from(input.int())) << 32 | self.ids,
            3 => seconds << 32 | (self.ids + i64::from(input.byte())),
            _ => seconds << 32 | self.ids,
        };
        let seqno = if how & 16 != 0 {
            input.int()
        } else {
            int(usize::from(how >> 5))
        };
        let body = if depth < 2 {
            self.body(input, depth)
        } else {
            Vec::new()
        };
        Message {
            msg_id,
            seqno,
            body,
        }
    }

    /// What a client may say, about messages that were sent or never were.
    fn body(&mut self, input: &mut Input<'_>, depth: u8) -> Vec<u8> {
        let about = if input.byte() == 0 {
            input.long()
        } else {
            input.choose(&self.sent)
        };
        let call = |bytes: &[u8]| Tl::new(0x7e57_ca11).raw(bytes).0;
        match input.byte() % 20 {
            0 => input.piece().to_vec(),
            1 | 2 => call(input.piece()),
            3 => Tl::new(0x7abe_77ec).long(input.long()).0,
            4 => Tl::new(0xf342_7b8c).long(input.long()).int(input.int()).0,
            5 => {
                Tl::new(0x62d6_b459)
                    .longs(&[about, input.choose(&self.sent)])
                    .0
            }
            6 => {
                Tl::new(0xda69_fb52)
                    .longs(&[input.choose(&self.received), input.long()])
                    .0
            }
            7 => Tl::new(0x7d86_1a08).longs(&[about, input.long()]).0,
            8 => Tl::new(0xb921_bd04).int(input.int()).0,
            9 => Tl::new(0xe751_2126).long(input.long()).0,
            10 => Tl::new(0x58e4_a740).long(input.choose(&self.calls)).0,
            11 => Tl::new(0xd143_5160).0,
            12 => gzip(&call(input.piece())),
            13 => Tl::new(0x3072_cfa1).bytes(input.piece()).0,
            14 => {
                let after = input.choose(&self.calls);
                Tl::new(0xcb9f_372d).long(after).raw(&call(input.piece())).0
            }
            15 if depth == 0 => {
                let inner = self.message(input, 1);
                container(&[inner])
            }
            16 if depth == 0 => {
                let inner = self.message(input, 1);
                let mut copy = Tl::new(0xe060_46b2).0;
                inner.write(&mut copy);
                copy
            }
            17 if depth == 0 => {
                let inner = self.body(input, 1);
                gzip(&inner)
            }
            18 => Tl::new(0x04de_b57d).long(about).bytes(input.piece()).0,
            _ => {
                Tl::new(0x9299_359f)
                    .int(input.int())
                    .int(input.int())
                    .int(input.int())
                    .0
            }
        }
    }
}
