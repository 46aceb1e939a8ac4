//! What a connection's task does while the connection is open: one read buffer, one write for all
//! that is ready, the session in between. Nothing here waits for anything but the socket, the
//! clock, and those who ask for something.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, BytesMut};
use layer_mtproto::session::{
    ClientEvent, ClientSession, RequestFailure, RequestId, SubmitOptions, Violation,
};
use layer_mtproto::transport::{Codec, Frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

use super::Role;
use super::call::{End, Reply, Request, Resend};
use super::keys::Renewal;
use super::vigil::{Verdict, Vigil};
use super::wire::Wire;
use super::worker::{Lost, MAX_REQUESTS, Worker, request_of};
use crate::client::may_change_options;
use crate::error::{ConnectCause, Error, RequestError, RpcError};
use crate::middleware::Outcome;

/// So much is put together for one write: several parts of a file, which are encrypted together.
const WRITTEN: usize = 4 * 1024 * 1024;
/// So much that was read is decrypted together.
const TOGETHER: usize = (2 * 1024 + 64) * 1024;
/// From so many requests under way on, others are waited for before one is sent, though not for longer than those need
/// who have something to do now.
const MANY: usize = 16;
/// Of requests that are as long as this several are sealed in hardly more time than one: there, others are waited for too.
const LONG: usize = 64 * 1024;
/// Room for what is read begins with this and grows while it is filled, up to [`MOST_READ`].
const LEAST_READ: usize = 4 * 1024;
const MOST_READ: usize = 256 * 1024;
/// A frame round a packet is hardly longer than this.
const FRAME: usize = 32;
/// A connection to a data centre that is not home is closed after so long without a request.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// One for files is closed sooner.
const MEDIA_IDLE: Duration = Duration::from_secs(60);
/// How long the last acknowledgements may take to be written.
const FAREWELL: Duration = Duration::from_secs(1);
/// For longer than this no acknowledgement waits for other traffic.
const ACK_DELAY: Duration = Duration::from_secs(1);
/// Whatever wants to be looked at wants it no more often than this.
const BREATH: Duration = Duration::from_millis(1);

/// How what comes is read.
#[derive(Default)]
struct Intake {
    /// How often room was made four times as large.
    grown: u32,
    /// Where it is read to within FakeTLS.
    raw: Vec<u8>,
}

impl Intake {
    /// Reads what comes into the codec; how much that was, and whether there may be more.
    async fn read(
        &mut self,
        codec: &mut Codec,
        from: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<(usize, bool)> {
        let room = LEAST_READ << (2 * self.grown);
        let read = match codec.buffer(room) {
            Some(buffer) => from.read_buf(&mut buffer.limit(room)).await?,
            None => {
                self.raw.resize(room, 0);
                let read = from.read(&mut self.raw).await?;
                codec.feed(&self.raw[..read]);
                read
            }
        };
        // The next reading finds room that fits.
        if read == room && room < MOST_READ {
            self.grown += 1;
        } else if read < room / 16 && self.grown > 0 {
            self.grown -= 1;
            self.raw = Vec::new();
        }
        Ok((read, read == room))
    }
}

/// One connection's state.
struct Link {
    codec: Codec,
    intake: Intake,
    /// Packets that came and are yet to be taken, and then what came of them.
    packets: Vec<BytesMut>,
    results: Vec<Result<(), Violation>>,
    /// Packets that are sealed, and where each of them ends.
    sealed: Vec<u8>,
    ends: Vec<usize>,
    /// The same in the transport's frames.
    outgoing: Vec<u8>,
    /// How much of `outgoing` is written.
    written: usize,
    opened: Instant,
    heard: bool,
    vigil: Vigil,
    last_request: Instant,
}

impl Link {
    fn new(codec: Codec, now: Instant) -> Self {
        Self {
            codec,
            intake: Intake::default(),
            packets: Vec::new(),
            results: Vec::new(),
            sealed: Vec::new(),
            ends: Vec::new(),
            outgoing: Vec::new(),
            written: 0,
            opened: now,
            heard: false,
            vigil: Vigil::new(now, SystemTime::now()),
            last_request: now,
        }
    }

    fn is_written(&self) -> bool {
        self.written == self.outgoing.len()
    }

    /// Notes what came of writing.
    fn wrote(&mut self, done: io::Result<usize>) -> Result<(), ConnectCause> {
        match done {
            Ok(0) => Err(ConnectCause::HungUp),
            Ok(written) => {
                self.written += written;
                self.vigil.wrote(written);
                Ok(())
            }
            Err(error) => Err(ConnectCause::Io(Arc::new(error))),
        }
    }

    /// Puts together what the session has to say, sealed all at a time.
    fn write(&mut self, session: &mut ClientSession, now: Instant) -> Result<(), ConnectCause> {
        let (sealed, ends) = (&mut self.sealed, &mut self.ends);
        session.poll_transmit_many(now.into_std(), WRITTEN, sealed, ends);
        self.written = 0;
        self.outgoing.clear();
        // Much room is kept while it is used only: quiet connections are small, and what others use is in the cache.
        if sealed.is_empty() && self.outgoing.capacity() > LEAST_READ {
            self.outgoing = Vec::new();
        }
        self.outgoing.reserve(sealed.len() + ends.len() * FRAME);
        let mut begun = 0;
        for &mut end in ends {
            let packed = self.codec.pack(&sealed[begun..end], &mut self.outgoing);
            packed.map_err(|error| ConnectCause::Transport(error.to_string()))?;
            begun = end;
        }
        if sealed.capacity() > LEAST_READ {
            *sealed = Vec::new();
        }
        Ok(())
    }
}

enum Step {
    Stop,
    /// How much was read, and whether there may be more.
    Read(io::Result<(usize, bool)>),
    Written(io::Result<usize>),
    Request(Option<Request>),
    Renew,
    Cancelled,
    Look,
}

impl Worker {
    /// Uses a connection until it ends, and says how it did.
    pub(super) async fn serve(&mut self, wire: Wire) -> Lost {
        let Wire { stream, codec, .. } = wire;
        let (mut reader, mut writer) = stream.split();
        let mut link = Link::new(codec, Instant::now());
        if let Some(session) = &mut self.session
            && !self.keys.binding
        {
            // So that there is something to hear, even if nobody asks for anything.
            session.ping();
        }
        // These are kept from one turn to the next: most of a turn would be to ask for them anew.
        let (shared, mut stop) = (self.shared.clone(), self.stop.clone());
        let mut stopped = pin!(stop.wait_for(|stop| *stop));
        let mut cancelled = pin!(shared.cancels.notified());
        let mut renewed = pin!(shared.renew.notified());
        let mut alarm = pin!(sleep_until(Instant::now()));
        let mut tried = false;
        loop {
            let now = Instant::now();
            let deadline = match self.pump(&mut link, now) {
                Ok(deadline) => deadline,
                Err(lost @ (Lost::Idle | Lost::Renew)) => {
                    self.say_goodbye(&mut link, &mut writer).await;
                    return lost;
                }
                Err(lost) => return lost,
            };
            let unwritten = !link.is_written();
            // Mostly there is room for it, and no reason to wait; though what comes in must not wait for long.
            if unwritten
                && !std::mem::replace(&mut tried, true)
                && let Some(done) = at_once(writer.write(&link.outgoing[link.written..])).await
            {
                match link.wrote(done) {
                    Ok(()) => continue,
                    Err(cause) => return Lost::Broken(cause),
                }
            }
            tried = false;
            // What goes off too early is set anew then.
            if alarm.is_elapsed() || deadline < alarm.deadline() {
                alarm.as_mut().reset(deadline);
            }
            let room = self.waiting.len() + self.queue.len() < MAX_REQUESTS;
            let step = tokio::select! {
                _ = &mut stopped => Step::Stop,
                read = link.intake.read(&mut link.codec, &mut reader) => Step::Read(read),
                done = writer.write(&link.outgoing[link.written..]), if unwritten => Step::Written(done),
                request = self.requests.recv(), if room => Step::Request(request),
                () = &mut cancelled => Step::Cancelled,
                () = &mut renewed => Step::Renew,
                () = &mut alarm => Step::Look,
            };
            let result = match step {
                Step::Stop | Step::Request(None) => {
                    self.say_goodbye(&mut link, &mut writer).await;
                    return Lost::Stopped;
                }
                Step::Renew => {
                    self.say_goodbye(&mut link, &mut writer).await;
                    return Lost::Unwanted;
                }
                Step::Read(Ok((0, _))) => Err(ConnectCause::HungUp),
                Step::Read(Ok((mut all, mut may_be_more))) => {
                    // What is there already is read as well, so that large packets are decrypted together.
                    while may_be_more && all < TOGETHER {
                        match at_once(link.intake.read(&mut link.codec, &mut reader)).await {
                            Some(Ok((read @ 1.., more))) => (all, may_be_more) = (all + read, more),
                            // The end, or what is wrong, shows again.
                            _ => break,
                        }
                    }
                    link.vigil.moved(all);
                    self.heard(&mut link)
                }
                Step::Read(Err(error)) => Err(ConnectCause::Io(Arc::new(error))),
                Step::Written(done) => link.wrote(done),
                Step::Request(Some(request)) => {
                    let is_long = request.body.len() >= LONG;
                    self.queue.push_back(request);
                    // Where many are under way, more come at the same time, and go in the same packet.
                    if is_long || self.waiting.len() >= MANY {
                        yield_now().await;
                    }
                    Ok(())
                }
                Step::Cancelled => {
                    cancelled.set(shared.cancels.notified());
                    self.forget_cancelled();
                    Ok(())
                }
                Step::Look => Ok(()),
            };
            if let Err(cause) = result {
                return Lost::Broken(cause);
            }
        }
    }

    /// Everything that can be done without waiting; then, until when to wait.
    fn pump(&mut self, link: &mut Link, now: Instant) -> Result<Instant, Lost> {
        if let Some(session) = &mut self.session {
            session.handle_timeout(now.into_std());
        }
        self.take_events(link, now)?;
        let life = self.plan.temporary_life;
        let pending = !self.waiting.is_empty();
        match self.keys.renewal(pending, life, now) {
            Renewal::Now => return Err(Lost::Renew),
            Renewal::Soon => {}
            Renewal::Later => self.take_requests(link, now),
        }
        // Some may have failed at once.
        self.take_events(link, now)?;
        self.watch(link, now)?;
        let Some(session) = &mut self.session else {
            return Err(Lost::Stopped);
        };
        if link.is_written() {
            link.write(session, now).map_err(Lost::Broken)?;
        }
        self.deadline(link, now)
    }

    /// Whether there is still somebody at the other end.
    fn watch(&mut self, link: &mut Link, now: Instant) -> Result<(), Lost> {
        let requests = !self.waiting.is_empty() || self.keys.binding;
        let unwritten = !link.is_written();
        let verdict = link.vigil.look(now, SystemTime::now(), requests, unwritten);
        match (verdict, &mut self.session) {
            (Verdict::Dead(silence), _) => Err(Lost::Broken(ConnectCause::Timeout(silence))),
            (Verdict::Ask, Some(session)) => {
                log::debug!("data centre {}: is it still there?", self.dc_id);
                session.ping();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Gives the session all that is asked for already, so that it can go out in one packet.
    fn take_requests(&mut self, link: &mut Link, now: Instant) {
        let Some(session) = &mut self.session else {
            return;
        };
        while self.waiting.len() < MAX_REQUESTS {
            let next = self
                .queue
                .pop_front()
                .or_else(|| self.requests.try_recv().ok());
            let Some(Request {
                body,
                resend,
                reply,
            }) = next
            else {
                break;
            };
            if reply.is_closed() {
                continue;
            }
            let mut options = SubmitOptions::default();
            options.resend_on_reconnect = resend != Resend::Never;
            options.ask_before_resend = resend == Resend::IfNotReceived;
            if let Some(after) = &reply.after {
                options.after = match (after.how_it_ended(), request_of(&self.waiting, after)) {
                    (End::Done, _) => Vec::new(),
                    (End::Open, Some(id)) => vec![id],
                    // It will be tried again, or is somewhere else.
                    (End::Open, None) | (End::Failed, _) => {
                        reply.send(Err(Error::Rpc(wait_failed())));
                        continue;
                    }
                };
            }
            let id = session.submit(body, options, now.into_std());
            reply.ticket.mark_sent(id);
            self.waiting.insert(id, reply);
            link.last_request = now;
        }
    }

    /// When to look again if nothing happens, or why there is nothing to wait for.
    fn deadline(&mut self, link: &mut Link, now: Instant) -> Result<Instant, Lost> {
        let mut deadline = link.vigil.next_look(now);
        if !link.heard {
            let first = link.opened + self.plan.timeout;
            if now >= first {
                return Err(Lost::Broken(ConnectCause::Timeout(self.plan.timeout)));
            }
            deadline = deadline.min(first);
        }
        // What the session wants to send has to wait while there is something to be written.
        let wanted = self.session.as_ref().and_then(ClientSession::poll_timeout);
        let wanted = wanted
            .map(Instant::from_std)
            .filter(|wanted| link.is_written() || *wanted > now);
        let renewal = self.keys.next_look(self.plan.temporary_life, now);
        deadline = [wanted, renewal]
            .into_iter()
            .flatten()
            .fold(deadline, Instant::min);
        if self.waiting.is_empty() && self.queue.is_empty() && self.client_at_home().is_none() {
            let idle = match self.role {
                Role::Main => link.last_request + IDLE,
                Role::Media(_) | Role::Cdn(_) => link.last_request + MEDIA_IDLE,
            };
            if now >= idle {
                return Err(Lost::Idle);
            }
            deadline = deadline.min(idle);
        }
        Ok(deadline.max(now + BREATH))
    }

    /// Writes what is left to be written.
    async fn say_goodbye(&mut self, link: &mut Link, writer: &mut (impl AsyncWrite + Unpin)) {
        let last = self.farewell(link);
        // Whether or not it is written: the server sends again what it must.
        let _ = timeout(FAREWELL, writer.write_all(&last)).await;
    }

    /// Acknowledgements that were waiting for other traffic to go with.
    fn farewell(&mut self, link: &mut Link) -> Vec<u8> {
        let mut last = link.outgoing.split_off(link.written);
        if let Some(session) = &mut self.session {
            let due = Instant::now() + ACK_DELAY;
            let mut packet = Vec::new();
            if session.poll_transmit(due.into_std(), &mut packet) {
                // Acknowledgements are no packet that is too long.
                let _ = link.codec.pack(&packet, &mut last);
            }
        }
        last
    }

    /// Bytes came in.
    fn heard(&mut self, link: &mut Link) -> Result<(), ConnectCause> {
        loop {
            let mut size = 0;
            let end = loop {
                match link.codec.next_frame() {
                    Ok(Some(Frame::Packet(packet))) => {
                        size += packet.len();
                        link.packets.push(packet);
                        if size >= TOGETHER {
                            break None;
                        }
                    }
                    Ok(Some(Frame::Error(code))) => break Some(Err(ConnectCause::Refused(code))),
                    Ok(Some(_)) => {}
                    Ok(None) => break Some(Ok(())),
                    Err(error) => break Some(Err(ConnectCause::Transport(error.to_string()))),
                }
            };
            // What came before the end counts, whatever the end is.
            self.take_packets(link)?;
            if let Some(end) = end {
                return end;
            }
        }
    }

    fn take_packets(&mut self, link: &mut Link) -> Result<(), ConnectCause> {
        let now = Instant::now();
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let mut results = std::mem::take(&mut link.results);
        session.handle_packets(&mut link.packets, &mut results, now.into_std());
        for result in results.drain(..) {
            match result {
                Ok(()) => {}
                Err(violation) if violation.is_fatal() => {
                    return Err(ConnectCause::Transport(format!(
                        "a packet breaks the protocol ({violation})"
                    )));
                }
                Err(violation) => {
                    log::warn!("data centre {}: packet dropped: {violation}", self.dc_id);
                    continue;
                }
            }
            link.vigil.heard(now);
            if !std::mem::replace(&mut link.heard, true) && !self.keys.binding {
                self.online();
            }
        }
        link.results = results;
        Ok(())
    }

    fn take_events(&mut self, link: &mut Link, now: Instant) -> Result<(), Lost> {
        while let Some(event) = self.session.as_mut().and_then(ClientSession::poll_event) {
            match event {
                ClientEvent::Response { id, body } => self.answer(id, Ok(body)),
                ClientEvent::RpcError { id, code, message } => {
                    let error = RpcError::parse(code, &message);
                    self.refuse_those_behind(id);
                    self.answer(id, Err(Error::Rpc(error)));
                }
                ClientEvent::Failed { id, reason } => self.answer(id, Err(failure(&reason))),
                ClientEvent::Updates(bytes) => {
                    if let Some(client) = self.client_at_home() {
                        if may_change_options(&bytes) {
                            client.inner.options_changed.notify_one();
                        }
                        client.inner.updates.handle_updates(bytes);
                    }
                }
                ClientEvent::NewSession { .. } => {
                    if let Some(client) = self.client_at_home() {
                        client.inner.updates.reconnected();
                    }
                }
                ClientEvent::SaltsChanged => self.keep_salts(),
                ClientEvent::TimeSynced { offset_secs } => self.keep_offset(offset_secs),
                ClientEvent::Pong { round_trip, .. } => {
                    log::trace!("data centre {}: round trip {round_trip:?}", self.dc_id);
                }
                ClientEvent::Silent => link.vigil.silent(now),
                ClientEvent::Bound => {
                    log::debug!("data centre {}: the temporary key is bound", self.dc_id);
                    self.keys.binding = false;
                    self.online();
                }
                ClientEvent::BindFailed { reason } => return Err(Lost::Unbound(reason)),
                ClientEvent::KeyExpiring { .. } => self.keys.expiring = Some(now),
                ClientEvent::Terminal(reason) => {
                    self.session = None;
                    return Err(Lost::Broken(ConnectCause::Transport(format!(
                        "the session cannot go on ({reason})"
                    ))));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn answer(&mut self, id: RequestId, result: Outcome) {
        if let Some(reply) = self.waiting.remove(&id) {
            // What we say ourselves is no answer.
            self.answered |= matches!(&result, Ok(_) | Err(Error::Rpc(_)));
            reply.send(result);
        }
    }

    /// A request was refused by the server, and may be made again: those that are to be executed
    /// after it must not be before that. The server refuses them too if it has them.
    fn refuse_those_behind(&mut self, id: RequestId) {
        let mut refused = Vec::from_iter(self.waiting.get(&id).map(|reply| reply.ticket.clone()));
        while let Some(ticket) = refused.pop() {
            let is_behind = |reply: &Reply| match &reply.after {
                Some(after) => Arc::ptr_eq(after, &ticket),
                None => false,
            };
            let behind: Vec<_> = self
                .waiting
                .iter()
                .filter(|(_, reply)| is_behind(reply))
                .map(|(id, reply)| (*id, reply.ticket.clone()))
                .collect();
            for (id, ticket) in behind {
                if let Some(session) = &mut self.session {
                    session.cancel(id, Instant::now().into_std());
                }
                self.answer(id, Err(Error::Rpc(wait_failed())));
                refused.push(ticket);
            }
        }
    }
}

/// What a future gives without waiting.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// What the server says to a request that is to come after one that failed.
fn wait_failed() -> RpcError {
    RpcError::parse(400, "MSG_WAIT_FAILED")
}

/// Why the session gave a request up, in the caller's terms.
fn failure(reason: &RequestFailure) -> Error {
    let sent = match reason {
        RequestFailure::Deadline { sent } => *sent,
        RequestFailure::TooLong { .. } => false,
        _ => true,
    };
    Error::Request(RequestError {
        method: None,
        reason: reason.to_string(),
        sent,
    })
}
