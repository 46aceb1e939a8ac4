//! The client's side: what came is compared with what was said, and what it cost is measured.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use layer_client::update::{Update, UpdateStream};
use layer_client::{Client, Config, DcAddress, RsaPublicKey};
use tokio::sync::mpsc;

use crate::measure::{computed, machine, mean, quantile, resident, slope};
use crate::serve::{CODE, PHONE, Totals, micros};
use crate::{HELD, Options, Outcome, plot};

/// How long all of it may take to come in the end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the data centre is told what was taken, where it waits for that.
const EACH: u64 = 20;

/// The data centre's process. It ends with us.
struct Centre {
    child: Child,
    orders: ChildStdin,
    sent: Arc<AtomicU64>,
    answers: mpsc::UnboundedReceiver<Vec<String>>,
    address: String,
    key: String,
}

impl Centre {
    fn start(options: &Options) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        // Whoever has put us on one core wants the data centre on another.
        let alone = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
        let mut command = if alone {
            let mut command = Command::new("taskset");
            command.args(["-c", "1"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let mut child = command
            .arg("serve")
            .args(options.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().ok_or("no standard input")?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let first = lines.next().ok_or("the data centre ended")??;
        let (address, key) = first.split_once('\t').ok_or("the data centre is another")?;
        let (address, key) = (address.to_owned(), key.replace('|', "\n"));
        let sent = Arc::new(AtomicU64::new(0));
        let (told, answers) = mpsc::unbounded_channel();
        let count = Arc::clone(&sent);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match line.split_once('\t') {
                    Some(("sent", number)) => {
                        count.store(number.parse().unwrap_or_default(), Ordering::Relaxed);
                    }
                    _ => {
                        let _ = told.send(line.split('\t').map(str::to_owned).collect());
                    }
                }
            }
        });
        Ok(Self {
            child,
            orders,
            sent,
            answers,
            address,
            key,
        })
    }

    fn order(&mut self, order: &str) -> Outcome<()> {
        writeln!(self.orders, "{order}")?;
        self.orders.flush()?;
        Ok(())
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn computed(&self) -> f64 {
        computed(self.child.id()).unwrap_or_default()
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.order("stop");
        let _ = self.child.wait();
    }
}

/// What came so far, and whether it is what was said.
#[derive(Default)]
struct Seen {
    chats: Vec<Chat>,
    totals: Totals,
    /// Updates of any kind.
    all: u64,
    lost: u64,
    twice: u64,
    missed: u64,
    /// Microseconds that the slowest update since the last reading was on its way.
    slowest: u64,
}

#[derive(Clone, Default)]
struct Chat {
    /// The number of the next message, and of the one that may be edited next.
    next: u64,
    next_edited: u64,
    /// When the newest was said.
    at: u64,
}

impl Seen {
    fn of(chats: usize) -> Self {
        Self {
            chats: vec![Chat::default(); chats],
            ..Self::default()
        }
    }

    fn take(&mut self, update: &Update) {
        self.all += 1;
        match update {
            Update::NewMessage(message) => self.text(message.text(), false),
            Update::MessageEdited(message) => self.text(message.text(), true),
            Update::MessageDeleted(deletion) => {
                self.totals.deleted += deletion.msg_ids.len() as u64
            }
            Update::Missed(_) => self.missed += 1,
            _ => {}
        }
    }

    /// `CHAT NUMBER MICROSECONDS said`, or `edited`.
    fn text(&mut self, text: Option<&str>, edit: bool) {
        let mut words = text.unwrap_or_default().split(' ').map(str::parse);
        let (Some(Ok(chat)), Some(Ok(number)), Some(Ok(at))) =
            (words.next(), words.next(), words.next())
        else {
            return;
        };
        let Ok(chat) = usize::try_from(chat) else {
            return;
        };
        let Some(chat) = self.chats.get_mut(chat) else {
            return;
        };
        let next = if edit {
            self.totals.edited += 1;
            &mut chat.next_edited
        } else {
            self.totals.said += 1;
            &mut chat.next
        };
        if number < *next {
            self.twice += 1;
        } else {
            if !edit {
                self.lost += number - *next;
            }
            *next = number + 1;
        }
        if !edit {
            chat.at = at;
            self.slowest = self.slowest.max(micros().saturating_sub(at));
        }
    }

    fn is_right(&self) -> bool {
        self.lost == 0 && self.twice == 0 && self.missed == 0
    }
}

/// A client that is signed in as the watched account.
struct Setting {
    centre: Centre,
    client: Client,
    updates: UpdateStream,
    seen: Seen,
    _directory: tempfile::TempDir,
}

impl Setting {
    async fn new(options: &Options) -> Outcome<Self> {
        let centre = Centre::start(options)?;
        let directory = tempfile::tempdir()?;
        let client = Client::connect(Config {
            session_path: directory.path().join("soak.session"),
            api_id: 12345,
            api_hash: "0123456789abcdef0123456789abcdef".to_owned(),
            dc_id: 1,
            dc_addresses: vec![DcAddress::new(1, centre.address.parse()?)],
            rsa_keys: vec![RsaPublicKey::from_pem(&centre.key).map_err(|e| e.to_string())?],
            ..Config::default()
        })
        .await?;
        let token = client.request_login_code(PHONE).await?;
        client.sign_in(&token, CODE).await?;
        Ok(Self {
            centre,
            updates: client.stream_updates(),
            client,
            seen: Seen::of(options.chats),
            _directory: directory,
        })
    }

    /// Begins once the client is up to date: of a channel that it meets before that it says that there is more.
    async fn begin(&mut self) -> Outcome<()> {
        self.take_for(Duration::from_secs(1)).await?;
        self.seen.missed = 0;
        self.centre.order("start")
    }

    /// Takes one update.
    async fn take(&mut self) -> Outcome<()> {
        take(&mut self.updates, &mut self.seen).await
    }

    async fn take_for(&mut self, time: Duration) -> Outcome<()> {
        let end = tokio::time::Instant::now() + time;
        loop {
            match tokio::time::timeout_at(end, self.take()).await {
                Ok(taken) => taken?,
                Err(_) => return Ok(()),
            }
        }
    }

    /// Nothing more is said; waits until all that was said has come. Tells whether it has.
    async fn end(&mut self) -> Outcome<bool> {
        self.centre.order("end")?;
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut totals = None;
        while totals != Some(self.seen.totals) {
            tokio::select! {
                taken = tokio::time::timeout_at(end, take(&mut self.updates, &mut self.seen)) => match taken {
                    Ok(taken) => taken?,
                    Err(_) => {
                        eprintln!("\nsaid: {totals:?}, came: {:?}", self.seen.totals);
                        return Ok(false);
                    }
                },
                Some(words) = self.centre.answers.recv() => if words[0] == "total" {
                    let number = |place: usize| words[place].parse();
                    totals = Some(Totals {
                        said: number(1)?,
                        edited: number(2)?,
                        deleted: number(3)?,
                    });
                },
            }
        }
        Ok(true)
    }
}

/// Takes one update.
async fn take(updates: &mut UpdateStream, seen: &mut Seen) -> Outcome<()> {
    match updates.next().await {
        Some(update) => seen.take(&update),
        None => return Err(format!("the stream ended: {:?}", updates.reason()).into()),
    }
    Ok(())
}

/// What one second was like.
#[derive(Clone, Copy)]
pub(crate) struct Second {
    pub(crate) resident: f64,
    pub(crate) held: f64,
    pub(crate) rate: f64,
    /// Milliseconds that the slowest update was on its way.
    pub(crate) lag: f64,
    /// Updates that were made and had not come.
    pub(crate) behind: f64,
}

const MIB: f64 = 1024.0 * 1024.0;

/// Updates at a steady rate, while things go wrong.
pub(crate) async fn soak(options: &Options) -> Outcome<bool> {
    let mut it = Setting::new(options).await?;
    it.begin().await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let seconds = (options.minutes * 60.0).max(4.0) as usize;
    // Made at once: what we keep ourselves must not look like the client's.
    let mut log: Vec<Second> = Vec::with_capacity(seconds);
    let (began, served) = (process_time(), it.centre.computed());
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.tick().await;
    let mut before = 0;
    while log.len() < seconds {
        tokio::select! {
            taken = it.take() => taken?,
            _ = clock.tick() => {
                let seen = &mut it.seen;
                let second = Second {
                    resident: resident().unwrap_or_default() as f64 / MIB,
                    held: HELD.allocated() as f64 / MIB,
                    rate: (seen.all - before) as f64,
                    lag: std::mem::take(&mut seen.slowest) as f64 / 1000.0,
                    behind: it.centre.sent().saturating_sub(seen.totals.all()) as f64,
                };
                before = seen.all;
                log.push(second);
                eprint!(
                    "\r{:5} of {seconds} s: {:6.0} updates/s, {:5.0} behind, slowest {:6.1} ms, holds {:6.2} MiB of {:6.2}, lost {}, twice {} ",
                    log.len(), second.rate, second.behind, second.lag, second.held, second.resident, seen.lost, seen.twice,
                );
            }
        }
    }
    let (ours, theirs) = (process_time() - began, it.centre.computed() - served);
    let whole = it.end().await?;
    eprintln!();
    let seen = &it.seen;
    let window = (seconds / 4).min(60);
    let last = seconds - window;
    let of =
        |from: usize, what: fn(&Second) -> f64| mean(log[from..from + window].iter().map(what));
    let series = |what: fn(&Second) -> f64| log[window..].iter().map(what).collect::<Vec<_>>();
    println!(
        "{}; {} updates in {seconds} s, {} chats, a cut every {} s, {} % of the pushes lost",
        machine(),
        seen.all,
        options.chats,
        options.cut_every,
        options.lost
    );
    println!("| | {window} s from second {window} on | last {window} s | slope per hour |");
    println!("|---|---|---|---|");
    for (name, what) in [
        (
            "memory held by the program, MiB",
            (|s| s.held) as fn(&Second) -> f64,
        ),
        ("resident memory of the process, MiB", |s| s.resident),
    ] {
        let slope = slope(&series(what), 3600.0);
        println!(
            "| {name} | {:.2} | {:.2} | {slope:+.2} |",
            of(window, what),
            of(last, what)
        );
    }
    for (name, what) in [
        ("updates a second", (|s| s.rate) as fn(&Second) -> f64),
        ("updates under way", |s| s.behind),
        ("slowest update of a second, ms", |s| s.lag),
    ] {
        println!(
            "| {name} | {:.1} | {:.1} | |",
            of(window, what),
            of(last, what)
        );
    }
    let updates = seen.all as f64;
    println!(
        "processor time for an update: client {:.1} us, data centre {:.1} us",
        ours * 1e6 / updates,
        theirs * 1e6 / updates,
    );
    println!(
        "said {}, edited {}, deleted {}: {} lost, {} twice, {} told to be missing{}",
        seen.totals.said,
        seen.totals.edited,
        seen.totals.deleted,
        seen.lost,
        seen.twice,
        seen.missed,
        if whole {
            ""
        } else {
            "; not all came in the end"
        },
    );
    if let Some(path) = &options.plot {
        std::fs::write(path, plot::svg(&log, options))?;
    }
    let held = of(last, |s| s.held) - of(window, |s| s.held);
    let resident = of(last, |s| s.resident) - of(window, |s| s.resident);
    let flat = held <= options.most_growth && resident <= 2.0 * options.most_growth;
    if !flat {
        println!("memory grew by {held:.2} MiB held, {resident:.2} MiB resident");
    }
    let right = whole && seen.is_right() && flat;
    it.client.disconnect().await?;
    Ok(right)
}

fn process_time() -> f64 {
    computed(std::process::id()).unwrap_or_default()
}

/// As fast as it goes.
pub(crate) async fn rate(options: &Options) -> Outcome<bool> {
    let options = Options {
        window: 900,
        cut_every: 0,
        lost: 0.0,
        ..options.clone()
    };
    let mut it = Setting::new(&options).await?;
    it.begin().await?;
    let mut told = 0;
    let mut measured = None;
    let begun = Instant::now();
    let warm = Duration::from_secs(3);
    let end = warm + Duration::from_secs_f64(options.seconds);
    loop {
        it.take().await?;
        let taken = it.seen.totals.all();
        if taken >= told + EACH {
            told = taken;
            it.centre.order(&format!("taken {taken}"))?;
            if measured.is_none() && begun.elapsed() > warm {
                let began = (it.seen.all, process_time(), it.centre.computed());
                measured = Some((Instant::now(), began));
            }
            if begun.elapsed() > end {
                break;
            }
        }
    }
    let (from, (before, ours, theirs)) = measured.ok_or("it took no time")?;
    let updates = (it.seen.all - before) as f64;
    let seconds = from.elapsed().as_secs_f64();
    let (ours, theirs) = (process_time() - ours, it.centre.computed() - theirs);
    println!("{}; one thread, {} chats", machine(), options.chats);
    println!(
        "{:.0} updates a second over {seconds:.0} s, {:.1} us of processor time for each ({:.0} % of a core); data centre {:.1} us",
        updates / seconds,
        ours * 1e6 / updates,
        ours / seconds * 100.0,
        theirs * 1e6 / updates
    );
    let whole = it.end().await?;
    Ok(whole && it.seen.is_right())
}

/// How long cuts last, as a program sees them.
pub(crate) async fn cuts(options: &Options) -> Outcome<bool> {
    let options = Options {
        cut_every: 0,
        lost: 0.0,
        ..options.clone()
    };
    let mut it = Setting::new(&options).await?;
    it.begin().await?;
    it.take_for(Duration::from_secs(2)).await?;
    let (mut first, mut complete) = (Vec::new(), Vec::new());
    while complete.len() < options.cuts {
        it.centre.order("cut")?;
        let mut cut_at = None;
        let mut is_first = true;
        loop {
            tokio::select! {
                biased;
                Some(words) = it.centre.answers.recv() => if words[0] == "cut" {
                    cut_at = Some(words[1].parse::<u64>()?);
                },
                taken = take(&mut it.updates, &mut it.seen) => taken?,
            }
            let Some(cut_at) = cut_at else { continue };
            let since = || micros().saturating_sub(cut_at) as f64 / 1000.0;
            let newer = it.seen.chats.iter().filter(|chat| chat.at > cut_at).count();
            if is_first && newer > 0 {
                is_first = false;
                first.push(since());
            }
            if newer == options.chats {
                complete.push(since());
                break;
            }
        }
        eprint!("\r{} of {} cuts ", complete.len(), options.cuts);
        it.take_for(Duration::from_millis(1500)).await?;
    }
    eprintln!();
    first.sort_unstable_by(f64::total_cmp);
    complete.sort_unstable_by(f64::total_cmp);
    println!(
        "{}; {} cuts, {} updates a second in {} chats",
        machine(),
        options.cuts,
        options.rate,
        options.chats
    );
    println!("| from the cut, ms | median | p99 | longest |\n|---|---|---|---|");
    for (name, list) in [
        ("to the first update said after it", &first),
        ("to an update said after it in every chat", &complete),
    ] {
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} |",
            quantile(list, 0.5),
            quantile(list, 0.99),
            quantile(list, 1.0)
        );
    }
    let whole = it.end().await?;
    Ok(whole && it.seen.is_right())
}

/// What many channels cost, against one.
pub(crate) async fn channels(options: &Options) -> Outcome<bool> {
    let (mut held, mut used) = (Vec::new(), Vec::new());
    let mut right = true;
    for chats in [1, options.chats] {
        let options = Options {
            chats,
            only_channels: true,
            cut_every: 0,
            lost: 0.0,
            rate: 1000,
            ..options.clone()
        };
        let before = HELD.allocated();
        let mut it = Setting::new(&options).await?;
        it.begin().await?;
        // Everything is said in each, three times over.
        let time = Duration::from_millis(3 * chats as u64 + 500);
        it.take_for(time).await?;
        right &= it.end().await? && it.seen.is_right();
        it.take_for(Duration::from_secs(3)).await?;
        held.push(HELD.allocated() as f64 - before as f64);
        used.push(resident().unwrap_or_default() as f64);
        it.client.disconnect().await?;
    }
    let more = options.chats.saturating_sub(1).max(1) as f64;
    println!("{}; {} channels against one", machine(), options.chats);
    println!(
        "held: {:.0} and {:.0} bytes, {:.0} bytes a channel",
        held[0],
        held[1],
        (held[1] - held[0]) / more
    );
    println!(
        "resident: {:.0} and {:.0} bytes, {:.0} bytes a channel",
        used[0],
        used[1],
        (used[1] - used[0]) / more
    );
    Ok(right)
}
