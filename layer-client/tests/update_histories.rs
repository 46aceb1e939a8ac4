//! Random histories over real sockets: whatever happens to the connections, sessions, calls and updates of an account's two clients,
//! what each is delivered adds up to what the data centre has, and nothing is delivered twice unless the client was started again.
//!
//! A failure prints its seed. `LAYER_HISTORY_SEEDS` sets how many are played, `LAYER_HISTORY_SEED` picks one; `LAYER_HISTORY_CHATS`
//! and `LAYER_HISTORY_STEPS` make them longer.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod histories;
mod util;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use histories::{Chats, Player, WEATHER, marked, text_of};
use layer_client::update::{Update, UpdateStream};
use layer_client::{Client, Config, Message, PeerId};
use layer_test_server::{Limits, NewUser, Peer, Server};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

/// How long everything may take to come, once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(20);

/// The chats as a program has them that keeps what it is delivered, and nothing else.
#[derive(Default)]
struct Mirror {
    chats: Chats,
    /// Where the messages are whose deletions name no chat.
    place: HashMap<i32, i64>,
    /// In which run of the program each message was told of.
    told: HashMap<(i64, i32), usize>,
    /// The newest message that this run was told of, by chat.
    newest: BTreeMap<i64, i32>,
    run: usize,
    wrong: Option<String>,
}

impl Mirror {
    fn put(&mut self, chat: i64, message: &Message) {
        if chat > -1_000_000_000_000 {
            self.place.insert(message.id(), chat);
        }
        let texts = self.chats.entry(chat).or_default();
        texts.insert(message.id(), text_of(message.raw()));
    }

    fn apply(&mut self, update: &Update) {
        match update {
            Update::NewMessage(message) => {
                let chat = message.peer_id().unwrap().key().marked();
                let id = message.id();
                if self.told.insert((chat, id), self.run) == Some(self.run) {
                    self.complain(format!("message {id} of {chat} came twice"));
                }
                let newest = self.newest.entry(chat).or_default();
                if id < *newest {
                    let late = format!("message {id} of {chat} came after {newest}");
                    self.complain(late);
                } else {
                    *newest = id;
                }
                self.put(chat, message);
            }
            Update::MessageEdited(message) => {
                let chat = message.peer_id().unwrap().key().marked();
                self.put(chat, message);
            }
            Update::MessageDeleted(deleted) => {
                for id in &deleted.msg_ids {
                    let chat = match &deleted.peer {
                        Some(peer) => Some(peer.key().marked()),
                        None => self.place.remove(id),
                    };
                    if let Some(texts) = chat.and_then(|chat| self.chats.get_mut(&chat)) {
                        texts.remove(id);
                    }
                }
            }
            Update::Missed(missed) if missed.peer.is_none() => {
                self.complain("the common box was too long out of nothing".to_owned());
            }
            _ => {}
        }
    }

    fn complain(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    /// What is missing, or too much, against what the data centre has.
    fn lacks(&self, chats: &Chats) -> Option<String> {
        let nothing = BTreeMap::new();
        for (&chat, there) in chats {
            let here = self.chats.get(&chat).unwrap_or(&nothing);
            // A channel begins with what it was first told of after it came in.
            let is_channel = chat <= -1_000_000_000_000;
            let since = match there.keys().next() {
                Some(&first) if is_channel => {
                    let told = here.range(first..).next();
                    told.map_or(first, |(&id, _)| id)
                }
                _ => 0,
            };
            let there: Vec<_> = there.range(since..).collect();
            let here: Vec<_> = here.range(since..).collect();
            if here != there {
                let missing: Vec<_> = there.iter().filter(|one| !here.contains(one)).collect();
                let extra: Vec<_> = here.iter().filter(|one| !there.contains(one)).collect();
                return Some(format!("{chat} lacks {missing:?}, has {extra:?} besides"));
            }
        }
        None
    }
}

/// What a watcher is told to do.
enum Order {
    /// Takes its time with so many of the next updates.
    Slow(usize),
    /// Writes something itself.
    Write(Peer, String),
    /// Ends in order, and starts again.
    Restart,
    /// Is killed, and starts again from the session as it lies there.
    Kill,
    /// Says that everything before is done.
    Tell(oneshot::Sender<()>),
}

/// A program of the watched account.
struct Watcher {
    config: Config,
    mirror: Arc<Mutex<Mirror>>,
    changed: Arc<Notify>,
}

impl Watcher {
    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap()
    }

    async fn run(self, mut client: Client, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut updates = client.stream_updates();
        let mut slow = 0;
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    None => {
                        drop(updates);
                        return client.disconnect().await.unwrap();
                    }
                    Some(Order::Slow(count)) => slow = count,
                    Some(Order::Tell(done)) => drop(done),
                    Some(Order::Write(to, text)) => self.write(&client, to, &text).await,
                    Some(Order::Restart) => {
                        updates.ack();
                        (client, updates) = self.restart(client, updates, false).await;
                    }
                    Some(Order::Kill) => (client, updates) = self.restart(client, updates, true).await,
                },
                update = updates.next() => {
                    let Some(update) = update else {
                        self.mirror().complain(format!("the stream ended: {:?}", updates.reason()));
                        self.changed.notify_waiters();
                        return;
                    };
                    self.mirror().apply(&update);
                    if let Update::Missed(missed) = &update
                        && let Some(peer) = &missed.peer
                    {
                        self.fetch(&client, peer.key()).await;
                    }
                    self.changed.notify_waiters();
                    if slow > 0 {
                        slow -= 1;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        }
    }

    /// What is told by the answer is not told by an update. A message whose answer was lost comes as one.
    async fn write(&self, client: &Client, to: Peer, text: &str) {
        let to = PeerId::from_marked(marked(to)).unwrap();
        if let Ok(message) = client.send_message(to, text).await {
            self.mirror().put(to.marked(), &message);
            self.changed.notify_waiters();
        }
    }

    /// The library cannot tell what happened in a channel, so the program asks.
    async fn fetch(&self, client: &Client, channel: PeerId) {
        let mut messages = Vec::new();
        let mut history = client.iter_messages(channel);
        loop {
            match history.next().await {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                // It is not in there any more.
                Err(_) => return,
            }
        }
        let mut mirror = self.mirror();
        mirror.chats.remove(&channel.marked());
        for message in &messages {
            mirror.put(channel.marked(), message);
        }
    }

    async fn restart(
        &self,
        client: Client,
        updates: UpdateStream,
        killed: bool,
    ) -> (Client, UpdateStream) {
        let path: &PathBuf = &self.config.session_path;
        let kept = killed.then(|| std::fs::read(path).unwrap());
        drop(updates);
        let _ = client.disconnect().await;
        drop(client);
        if let Some(kept) = kept {
            std::fs::write(path, kept).unwrap();
        }
        {
            let mut mirror = self.mirror();
            mirror.run += 1;
            mirror.newest.clear();
        }
        let begun = Instant::now();
        loop {
            match Client::connect(self.config.clone()).await {
                Ok(client) => {
                    let updates = client.stream_updates();
                    return (client, updates);
                }
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
            }
        }
    }
}

/// A watcher from outside.
struct Watched {
    name: &'static str,
    orders: mpsc::UnboundedSender<Order>,
    mirror: Arc<Mutex<Mirror>>,
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Watched {
    /// Waits until it has what the data centre has.
    async fn settle(&self, chats: &Chats) {
        let begun = Instant::now();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let lacks = {
                let mirror = self.mirror.lock().unwrap();
                let wrong = mirror.wrong.clone();
                assert!(wrong.is_none(), "{}: {}", self.name, wrong.unwrap());
                mirror.lacks(chats)
            };
            let Some(lacks) = lacks else { return };
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let in_time = tokio::time::timeout(left, changed).await;
            assert!(in_time.is_ok(), "{}: {lacks}", self.name);
        }
    }
}

async fn play(seed: u64, chats: usize, steps: usize) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let server = Server::builder()
        .login_code("22222")
        .fault_seed(seed)
        .limits(Limits {
            difference_limit: rng.usize(3..100),
            ..Limits::default()
        })
        .start()
        .await
        .unwrap();
    let phone = "+15550001";
    let me = server.add_user(NewUser::named(phone, "Ann"));
    let directory = tempfile::tempdir().unwrap();
    let mut watched = Vec::new();
    for name in ["one", "two"] {
        let config = Config {
            session_path: directory.path().join(name),
            max_reconnect_delay: Duration::from_secs(1),
            // Who is told nothing hears of a forgotten session with its next ping.
            ping_interval: Duration::from_secs(2),
            pfs: rng.bool(),
            ..util::config(&server)
        };
        let client = Client::connect(config.clone()).await.unwrap();
        let token = client.request_login_code(phone).await.unwrap();
        client.sign_in(&token, "22222").await.unwrap();
        client.save_session().await.unwrap();
        let (orders, taken) = mpsc::unbounded_channel();
        let (mirror, changed) = (Arc::<Mutex<Mirror>>::default(), Arc::<Notify>::default());
        let watcher = Watcher {
            config,
            mirror: Arc::clone(&mirror),
            changed: Arc::clone(&changed),
        };
        let task = tokio::spawn(watcher.run(client, taken));
        watched.push(Watched {
            name,
            orders,
            mirror,
            changed,
            task,
        });
    }
    let mut player = Player::new(&server, me, seed, chats, WEATHER);
    for one in &watched {
        one.settle(&player.chats()).await;
    }
    for _ in 0..steps {
        player.step();
        let one = &watched[rng.usize(0..watched.len())];
        let order = match rng.u8(0..100) {
            0..3 => Some(Order::Slow(rng.usize(1..30))),
            3..5 => Some(Order::Restart),
            5..7 => Some(Order::Kill),
            7..15 => player.a_place_to_write().map(|peer| {
                let text = format!("{} itself, {}", one.name, rng.u32(..));
                Order::Write(peer, text)
            }),
            _ => None,
        };
        if let Some(order) = order {
            let _ = one.orders.send(order);
        }
        // Time goes by in the history; nobody waits for anything.
        tokio::time::sleep(Duration::from_millis(rng.u64(0..12))).await;
    }
    player.clear_up();
    for one in &watched {
        let (done, told) = oneshot::channel();
        let _ = one.orders.send(Order::Tell(done));
        let _ = told.await;
    }
    for text in ["nearly the end", "the end"] {
        player.say_everywhere(text);
        for one in &watched {
            one.settle(&player.chats()).await;
        }
    }
    drop(player);
    for Watched { orders, task, .. } in watched {
        drop(orders);
        // So that nothing is written any more when the folder goes.
        task.await.unwrap();
    }
    server.shutdown().await;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_delivered_adds_up_to_what_the_data_centre_has() {
    let chats = number("LAYER_HISTORY_CHATS").unwrap_or(12);
    let steps = number("LAYER_HISTORY_STEPS").unwrap_or(120);
    let seeds = match number("LAYER_HISTORY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LAYER_HISTORY_SEEDS").unwrap_or(30),
    };
    let (chats, steps) = (
        usize::try_from(chats).unwrap(),
        usize::try_from(steps).unwrap(),
    );
    let mut running = tokio::task::JoinSet::new();
    for seed in seeds {
        if running.len() >= 6 {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(async move {
            let played = tokio::spawn(play(seed, chats, steps)).await;
            assert!(
                played.is_ok(),
                "LAYER_HISTORY_SEED={seed} LAYER_HISTORY_CHATS={chats} LAYER_HISTORY_STEPS={steps}"
            );
        });
    }
    while let Some(played) = running.join_next().await {
        played.unwrap();
    }
}
