//! A client's session: a script of requests, losses, passing time, and packets of a server that has the key and keeps
//! no rule.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use layer_crypto::message::{self, Sender};
use layer_mtproto::session::{
    ClientEvent, ClientSession, RequestId, SaltBook, SessionParams, SubmitOptions,
};

use crate::input::Input;
use crate::wire::{Message, Seeded, Tl, UNIX, container, gzip, int, key, messages, seal, start};

/// A script may take this many steps.
const STEPS: usize = 96;

struct World {
    session: ClientSession,
    now: Instant,
    /// Messages that the client sent.
    sent: Vec<i64>,
    /// Messages that the server sent.
    received: Vec<i64>,
    pings: Vec<i64>,
    outcomes: BTreeMap<RequestId, u32>,
    last: Vec<u8>,
    ids: i64,
}

pub(crate) fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let mut params = SessionParams::new(key());
    let flags = input.byte();
    if flags & 1 != 0 {
        params.salts = SaltBook::new(&key(), None, UNIX).future(UNIX, 3);
    }
    if flags & 2 != 0 {
        params.time_offset_secs = input.int().into();
    }
    let mut world = World {
        session: ClientSession::new(params, Seeded::boxed(1), start(), UNIX),
        now: start(),
        sent: Vec::new(),
        received: Vec::new(),
        pings: Vec::new(),
        outcomes: BTreeMap::new(),
        last: Vec::new(),
        ids: 1,
    };
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
    }
    world.drain();
    world.session.close();
    world.events();
    assert_eq!(
        world.session.pending(),
        0,
        "requests that a closed session still has"
    );
    for (id, count) in &world.outcomes {
        assert_eq!(*count, 1, "outcomes of {id:?}");
    }
}

impl World {
    fn step(&mut self, input: &mut Input<'_>) {
        let op = input.byte();
        match op % 12 {
            0 | 1 => self.submit(input),
            2 | 3 => {
                let message = self.message(input, 0);
                self.deliver(&message);
            }
            4 => {
                let count = input.byte() % 5;
                let inner: Vec<Message> = (0..count).map(|_| self.message(input, 1)).collect();
                let mut outer = self.message(input, 2);
                outer.body = container(&inner);
                self.deliver(&outer);
            }
            5 => {
                let mut packet = input.piece().to_vec();
                let _ = self.session.handle_packet(&mut packet, self.now);
            }
            6 => {
                let mut plaintext = input.piece().to_vec();
                if plaintext.len() >= 16 {
                    let id = self.session.session_id().to_le_bytes();
                    plaintext[8..16].copy_from_slice(&id);
                }
                let mut packet = seal(Sender::Server, &plaintext);
                let _ = self.session.handle_packet(&mut packet, self.now);
            }
            7 => {
                self.now += Duration::from_millis(1 << (input.byte() % 22));
                self.session.handle_timeout(self.now);
            }
            8 => self.session.connection_lost(self.now),
            9 => {
                let known: Vec<RequestId> = self.outcomes.keys().copied().collect();
                if !known.is_empty() {
                    let id = known[usize::from(input.byte()) % known.len()];
                    self.session.cancel(id, self.now);
                }
            }
            10 => match input.byte() % 3 {
                0 => self.pings.push(self.session.ping()),
                1 => self.session.destroy_session(input.long()),
                _ => {
                    let mut packet = self.last.clone();
                    let _ = self.session.handle_packet(&mut packet, self.now);
                }
            },
            _ => self.drain(),
        }
        self.events();
        if op & 0x80 != 0 {
            self.drain();
        }
    }

    fn submit(&mut self, input: &mut Input<'_>) {
        let flags = input.byte();
        let mut body = 0x7e57_ca11_u32.to_le_bytes().to_vec();
        body.extend_from_slice(input.piece());
        if flags & 8 != 0 {
            body = body.repeat(100);
        }
        body.resize(body.len().next_multiple_of(4), 0);
        let mut options = SubmitOptions::default();
        options.resend_on_reconnect = flags & 1 == 0;
        options.ask_before_resend = flags & 16 != 0;
        if flags & 2 != 0 {
            options.deadline = Some(self.now + Duration::from_secs(input.byte().into()));
        }
        if flags & 4 != 0 {
            options.after = self
                .outcomes
                .keys()
                .next_back()
                .copied()
                .into_iter()
                .collect();
        }
        let id = self.session.submit(body, options, self.now);
        self.outcomes.insert(id, 0);
    }

    fn events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            if let ClientEvent::Response { id, .. }
            | ClientEvent::RpcError { id, .. }
            | ClientEvent::Failed { id, .. } = &event
            {
                match self.outcomes.get_mut(id) {
                    Some(count) => *count += 1,
                    None => panic!("{id:?} was never submitted"),
                }
            }
        }
    }

    /// Lets the client send all it has to, and do all that is due, which must come to an end.
    fn drain(&mut self) {
        for round in 0..64 {
            let mut packets = 0;
            let mut packet = Vec::new();
            while self.session.poll_transmit(self.now, &mut packet) {
                packets += 1;
                assert!(packets < 256, "it does not stop sending");
                self.overhear(&mut packet);
                packet.clear();
            }
            match self.session.poll_timeout() {
                Some(at) if at <= self.now => self.session.handle_timeout(self.now),
                _ => return,
            }
            self.events();
            assert!(round < 63, "a timer that is never satisfied");
        }
    }

    fn overhear(&mut self, packet: &mut [u8]) {
        let plain = match message::open(&key(), Sender::Client, packet) {
            Ok(plain) => plain,
            Err(error) => panic!("it sent what nobody can open: {error}"),
        };
        let mut header = Input::new(plain);
        let (_salt, session_id) = (header.long(), header.long());
        let (msg_id, _seqno, len) = (header.long(), header.int(), header.int());
        assert_eq!(session_id, self.session.session_id());
        let body = header.take(usize::try_from(len).unwrap_or(0));
        self.sent.push(msg_id);
        for (msg_id, body) in messages(msg_id, body) {
            self.sent.push(msg_id);
            // ping and ping_delay_disconnect
            if body.starts_with(&[0xec, 0x77, 0xbe, 0x7a])
                || body.starts_with(&[0x8c, 0x7b, 0x42, 0xf3])
            {
                self.pings.push(Input::new(&body[4..]).long());
            }
        }
        self.sent.drain(..self.sent.len().saturating_sub(64));
    }

    fn deliver(&mut self, message: &Message) {
        let packet = message.seal(Sender::Server, 5, self.session.session_id());
        self.received.push(message.msg_id);
        self.last.clone_from(&packet);
        let mut packet = packet;
        let _ = self.session.handle_packet(&mut packet, self.now);
    }

    fn message(&mut self, input: &mut Input<'_>, depth: u8) -> Message {
        let how = input.byte();
        let time = UNIX + (self.now - start());
        self.ids += 4;
        let at = |seconds: i64, id: i64| {
            (i64::try_from(time.as_secs()).unwrap_or(0) + seconds) << 32 | id
        };
        let msg_id = match how & 15 {
            0 => input.long(),
            1 => input.choose(&self.received),
            2 => at(input.int().into(), self.ids),
            3 => at(0, self.ids + i64::from(input.byte())),
            _ => at(0, self.ids),
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

    /// What a server may say, about messages that were sent or never were.
    fn body(&mut self, input: &mut Input<'_>, depth: u8) -> Vec<u8> {
        let about = if input.byte() == 0 {
            input.long()
        } else {
            input.choose(&self.sent)
        };
        let result = |body: &[u8]| Tl::new(0xf35c_6d01).long(about).raw(body).0;
        match input.byte() % 24 {
            0 => input.piece().to_vec(),
            1 => result(input.piece()),
            2 => result(&Tl::new(0x2144_ca19).int(input.int()).bytes(input.piece()).0),
            3 => result(&gzip(input.piece())),
            4 => {
                Tl::new(0xa7ef_f811)
                    .long(about)
                    .int(input.int())
                    .int(input.byte().into())
                    .0
            }
            5 => {
                Tl::new(0xedab_447b)
                    .long(about)
                    .int(0)
                    .int(48)
                    .long(input.long())
                    .0
            }
            6 => {
                Tl::new(0x9ec2_0908)
                    .long(about)
                    .long(input.long())
                    .long(input.long())
                    .0
            }
            7 => {
                let ping = input.choose(&self.pings);
                Tl::new(0x3477_73c5).long(about).long(ping).0
            }
            8 => Tl::new(0x62d6_b459).longs(&[about, input.long()]).0,
            9 => Tl::new(0x04de_b57d).long(about).bytes(input.piece()).0,
            10 => {
                let ids = [about, input.choose(&self.sent), input.long()];
                Tl::new(0x8cc0_d131).longs(&ids).bytes(input.piece()).0
            }
            11 => {
                let answer = input.long();
                Tl::new(0x276d_3ec6)
                    .long(about)
                    .long(answer)
                    .int(9)
                    .int(input.int())
                    .0
            }
            12 => {
                Tl::new(0x809d_b6df)
                    .long(input.long())
                    .int(9)
                    .int(input.int())
                    .0
            }
            13 => {
                let mut salts = Tl::new(0xae50_0895).long(about).int(input.int());
                let count = input.byte();
                salts = salts.int(count.into());
                for _ in 0..count.min(8) {
                    salts = salts.int(input.int()).int(input.int()).long(input.long());
                }
                salts.0
            }
            14 => gzip(input.piece()),
            15 => Tl::new(0xe220_45fc).long(input.long()).0,
            16 if depth == 0 => {
                let inner = self.message(input, 1);
                container(&[inner])
            }
            17 if depth == 0 => {
                let inner = self.message(input, 1);
                let mut copy = Tl::new(0xe060_46b2).0;
                inner.write(&mut copy);
                copy
            }
            18 => Tl::new(0xda69_fb52).longs(&[about, input.long()]).0,
            19 => {
                Tl::new(0x7d86_1a08)
                    .longs(&[about, input.choose(&self.received)])
                    .0
            }
            20 => {
                let dropped = [0x5e2a_d36e, 0xcd78_e586, 0xa43a_d8b7];
                result(&Tl::new(input.choose(&dropped)).raw(input.piece()).0)
            }
            21 if depth == 0 => {
                let inner = self.body(input, 1);
                gzip(&inner)
            }
            22 => Tl::new(0x3072_cfa1).bytes(input.piece()).0,
            _ => Tl::new(0xe317_af7e).0,
        }
    }
}
