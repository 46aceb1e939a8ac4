//! The data centre's process: chats of one watched account in which things are said at a steady rate, or as fast as they are taken.
//!
//! Its first line on standard output says where it listens and its key. Then, ten times a second, `sent` and how many updates it has
//! made; after `stop` on standard input `total` with how many of each kind.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use layer_test_server::{NewUser, Peer, Server, UserHandle};
use tokio::sync::mpsc;

use crate::{Options, Outcome};

pub(crate) const PHONE: &str = "+15550001";
pub(crate) const CODE: &str = "22222";
/// Messages of a chat that are kept. Older ones are deleted, so that the data centre's own memory is bounded.
const KEPT: usize = 1200;
/// Deletions come so many messages at a time.
const AT_ONCE: usize = 100;

/// A chat, and what was said in it.
struct Chat {
    number: usize,
    peer: Peer,
    /// Who says it, and where they say it.
    host: UserHandle,
    place: Peer,
    said: u64,
    steps: u64,
    ids: VecDeque<i32>,
}

/// How much happened. What was read is not counted, for there may have been nothing to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) said: u64,
    pub(crate) edited: u64,
    pub(crate) deleted: u64,
}

impl Totals {
    pub(crate) fn all(&self) -> u64 {
        self.said + self.edited + self.deleted / AT_ONCE as u64
    }
}

pub(crate) fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

pub(crate) async fn serve(options: &Options) -> Outcome<()> {
    let server = Server::builder()
        .data_centres(1)
        .login_code(CODE)
        .start()
        .await?;
    let me = server.add_user(NewUser::named(PHONE, "Ann"));
    let mut chats = chats(&server, &me, options)?;
    let address = server.address(1).ok_or("no address")?;
    let key = server.public_key_pem().replace('\n', "|");
    say(&format!("{address}\t{key}"))?;

    let (lines, mut orders) = mpsc::channel(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
        let _ = lines.blocking_send("stop".to_owned());
    });

    let mut totals = Totals::default();
    let (mut taken, mut running) = (0, false);
    let (mut begun, mut due_from) = (Instant::now(), 0);
    let (mut told, mut cut) = (Instant::now(), Instant::now());
    let mut turn = 0;
    let mut waiting = None;
    loop {
        while let Some(order) = waiting.take().or_else(|| orders.try_recv().ok()) {
            match order.split_once(' ').unwrap_or((&order, "")) {
                ("start", _) => {
                    running = true;
                    (begun, due_from, cut) = (Instant::now(), totals.all(), Instant::now());
                    if options.lost > 0.0 {
                        let rule = format!("push chance={}%: drop", options.lost);
                        server.faults().add(rule.parse()?)?;
                    }
                }
                ("cut", _) => {
                    say(&format!("cut\t{}", micros()))?;
                    server.drop_connections();
                }
                ("taken", count) => taken = count.parse()?,
                ("pause", _) => running = false,
                // What was lost last is found out by what comes next.
                ("end", _) => {
                    running = false;
                    server.faults().clear();
                    for chat in &mut chats {
                        chat.say(&mut totals)?;
                    }
                    let Totals {
                        said,
                        edited,
                        deleted,
                        ..
                    } = totals;
                    say(&format!("total\t{said}\t{edited}\t{deleted}"))?;
                }
                _ => {
                    server.shutdown().await;
                    return Ok(());
                }
            }
        }
        if running {
            let seconds = begun.elapsed().as_secs_f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let due = match options.window {
                0 => due_from + (seconds * options.rate as f64) as u64,
                window => totals.all().max(taken + window),
            };
            // In pieces, so that orders are heard and packets go out.
            let due = due.min(totals.all() + 100);
            while totals.all() < due {
                let chat = turn % chats.len();
                turn += 1;
                chats[chat].step(&me, &mut totals)?;
            }
            if options.cut_every > 0 && cut.elapsed() > Duration::from_secs(options.cut_every) {
                cut = Instant::now();
                server.drop_connections();
            }
        }
        if told.elapsed() > Duration::from_millis(100) {
            told = Instant::now();
            say(&format!("sent\t{}", totals.all()))?;
        }
        if running && totals.all() < taken + options.window {
            tokio::task::yield_now().await;
        } else {
            let order = tokio::time::timeout(Duration::from_millis(2), orders.recv()).await;
            waiting = order.unwrap_or_default();
        }
    }
}

fn chats(server: &Server, me: &UserHandle, options: &Options) -> Outcome<Vec<Chat>> {
    let hosts = options.chats.div_ceil(4).min(250);
    let hosts: Vec<UserHandle> = (0..hosts)
        .map(|n| {
            let phone = format!("+1666{n:06}");
            server.add_user(NewUser::named(phone, format!("Friend {n}")))
        })
        .collect();
    let chats = (0..options.chats).map(|number| {
        let host = hosts[number / 4 % hosts.len()].clone();
        let title = format!("Chat {number}");
        let peer = match number % 4 {
            _ if options.only_channels => host.create_channel(&title)?,
            0 => host.peer(),
            1 => host.create_group(&title, &[me])?,
            2 => host.create_supergroup(&title)?,
            _ => host.create_channel(&title)?,
        };
        if let Peer::Channel(_) = peer {
            host.invite(peer, &[me])?;
        }
        let place = match peer {
            Peer::User(_) => me.peer(),
            peer => peer,
        };
        Ok(Chat {
            number,
            peer,
            host,
            place,
            said: 0,
            steps: 0,
            ids: VecDeque::new(),
        })
    });
    chats.collect()
}

impl Chat {
    /// One update: most say something, a tenth edit what was said a little before, some read, some delete what is old.
    fn step(&mut self, me: &UserHandle, totals: &mut Totals) -> Outcome<()> {
        self.steps += 1;
        if self.ids.len() >= KEPT {
            let old: Vec<i32> = self.ids.drain(..AT_ONCE).collect();
            self.host.delete_messages(self.place, &old)?;
            totals.deleted += AT_ONCE as u64;
        } else if self.steps % 10 == 5 && self.ids.len() > 4 {
            let place = self.ids.len() - 3;
            let text = format!("{} {} {} edited", self.number, self.said - 3, micros());
            self.host.edit_message(self.place, self.ids[place], &text)?;
            totals.edited += 1;
        } else if self.steps % 40 == 9 {
            me.read(self.peer, 0)?;
        } else {
            self.say(totals)?;
        }
        Ok(())
    }

    fn say(&mut self, totals: &mut Totals) -> Outcome<()> {
        let text = format!("{} {} {} said", self.number, self.said, micros());
        let id = self.host.send_message(self.place, &text)?;
        self.ids.push_back(id);
        self.said += 1;
        totals.said += 1;
        Ok(())
    }
}

fn say(line: &str) -> Outcome<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()?;
    Ok(())
}
