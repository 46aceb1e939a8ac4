//! What a data centre's task does on a connection that is open: one read buffer, one write for all
//! that is ready, the session in between. Nothing here waits for anything but the socket, the
//! clock, and those who ask for something.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::session::{
    ClientEvent, ClientSession, RequestFailure, RequestId, SubmitOptions,
};
use layer_mtproto::transport::{Codec, Frame, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::call::Request;
use super::wire::{READ_SIZE, Wire};
use super::worker::{Lost, MAX_REQUESTS, Reply, Worker};
use crate::client::{Client, may_change_options};
use crate::error::{ConnectCause, Error, RequestError, RpcError};
use crate::session::SavedSalt;

/// So much is put together for one write.
const WRITE_SIZE: usize = 256 * 1024;
/// A connection to a data centre that is not home is closed after so long without a request.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// How long the last acknowledgements may take to be written.
const FAREWELL: Duration = Duration::from_secs(1);
/// For longer than this no acknowledgement waits for other traffic.
const ACK_DELAY: Duration = Duration::from_secs(1);

/// One connection's state.
struct Link {
    codec: Codec,
    incoming: Box<[u8]>,
    outgoing: Vec<u8>,
    /// How much of `outgoing` is written.
    written: usize,
    opened: Instant,
    last_heard: Option<Instant>,
    last_request: Instant,
    /// Whether the server knows who we are: until it has answered something, every request says.
    introduced: bool,
}

impl Link {
    fn new(codec: Codec, now: Instant) -> Self {
        Self {
            codec,
            incoming: vec![0; READ_SIZE].into(),
            outgoing: Vec::new(),
            written: 0,
            opened: now,
            last_heard: None,
            last_request: now,
            introduced: false,
        }
    }
}

enum Step {
    Stop,
    Read(io::Result<usize>),
    Written(io::Result<usize>),
    Request(Option<Request>),
    Look,
}

impl Worker {
    /// Uses a connection until it ends, and says how it did.
    pub(super) async fn serve(&mut self, wire: Wire) -> Lost {
        let Wire {
            mut stream, codec, ..
        } = wire;
        let (mut reader, mut writer) = stream.split();
        let mut link = Link::new(codec, Instant::now());
        if let Some(session) = &mut self.session {
            // So that there is something to hear, even if nobody asks for anything.
            session.ping();
        }
        loop {
            let now = Instant::now();
            let deadline = match self.pump(&mut link, now) {
                Ok(deadline) => deadline,
                Err(lost) => return lost,
            };
            let room = self.waiting.len() < MAX_REQUESTS;
            let unwritten = link.written < link.outgoing.len();
            let step = tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => Step::Stop,
                read = reader.read(&mut link.incoming) => Step::Read(read),
                done = writer.write(&link.outgoing[link.written..]), if unwritten => Step::Written(done),
                request = self.requests.recv(), if room => Step::Request(request),
                () = self.shared.cancels.notified() => Step::Look,
                () = sleep_until(deadline) => Step::Look,
            };
            let result = match step {
                Step::Stop | Step::Request(None) => {
                    let last = self.farewell(&mut link);
                    // Whether or not it is written: the server sends again what it must.
                    let _ = timeout(FAREWELL, writer.write_all(&last)).await;
                    return Lost::Stopped;
                }
                Step::Read(Ok(0)) => Err(ConnectCause::HungUp),
                Step::Read(Ok(read)) => self.heard(&mut link, read),
                Step::Written(Ok(written)) => {
                    link.written += written;
                    Ok(())
                }
                Step::Read(Err(error)) | Step::Written(Err(error)) => {
                    Err(ConnectCause::Io(Arc::new(error)))
                }
                Step::Request(Some(request)) => {
                    self.queue.push_back(request);
                    Ok(())
                }
                Step::Look => {
                    self.forget_cancelled();
                    Ok(())
                }
            };
            if let Err(cause) = result {
                return Lost::Broken(cause);
            }
        }
    }
}

impl Worker {
    /// Everything that can be done without waiting; then, until when to wait.
    fn pump(&mut self, link: &mut Link, now: Instant) -> Result<Instant, Lost> {
        if let Some(session) = &mut self.session {
            session.handle_timeout(now.into_std());
        }
        self.take_requests(link, now);
        self.take_events(link)?;
        let Some(session) = &mut self.session else {
            return Err(Lost::Stopped);
        };
        if link.written == link.outgoing.len() {
            link.outgoing.clear();
            link.written = 0;
            while link.outgoing.len() < WRITE_SIZE {
                let start = link.outgoing.len();
                if !session.poll_transmit(now.into_std(), &mut link.outgoing) {
                    break;
                }
                link.codec
                    .pack(&mut link.outgoing, start)
                    .map_err(|error| Lost::Broken(ConnectCause::Transport(error.to_string())))?;
            }
        }
        self.deadline(link, now)
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
            let Some(request) = next else { break };
            if request.reply.is_closed() {
                continue;
            }
            let body = if link.introduced {
                request.body
            } else {
                [&self.plan.init[..], &request.body].concat()
            };
            let id = session.submit(body, SubmitOptions::default(), now.into_std());
            request.ticket.mark_sent();
            self.tickets.insert(request.ticket.id, id);
            self.waiting.insert(
                id,
                Reply {
                    ticket: request.ticket,
                    sender: request.reply,
                },
            );
            link.last_request = now;
        }
    }

    /// When to look again if nothing happens, or why there is nothing to wait for.
    fn deadline(&mut self, link: &Link, now: Instant) -> Result<Instant, Lost> {
        let mut deadline = now + self.plan.ping_interval;
        if link.last_heard.is_none() {
            let first = link.opened + self.plan.timeout;
            if now >= first {
                return Err(Lost::Broken(ConnectCause::Timeout(self.plan.timeout)));
            }
            deadline = deadline.min(first);
        }
        if let Some(timeout) = self.session.as_ref().and_then(ClientSession::poll_timeout) {
            deadline = deadline.min(timeout.into());
        }
        if self.waiting.is_empty() && !self.is_home() {
            if now >= link.last_request + IDLE {
                return Err(Lost::Idle);
            }
            deadline = deadline.min(link.last_request + IDLE);
        }
        Ok(deadline)
    }

    /// Acknowledgements that were waiting for other traffic to go with.
    fn farewell(&mut self, link: &mut Link) -> Vec<u8> {
        let mut last = link.outgoing.split_off(link.written);
        if let Some(session) = &mut self.session {
            let due = Instant::now() + ACK_DELAY;
            let start = last.len();
            if session.poll_transmit(due.into_std(), &mut last)
                && link.codec.pack(&mut last, start).is_err()
            {
                last.truncate(start);
            }
        }
        last
    }

    fn is_home(&self) -> bool {
        self.client_at_home().is_some()
    }

    /// Bytes came in.
    fn heard(&mut self, link: &mut Link, read: usize) -> Result<(), ConnectCause> {
        let transport = |error: TransportError| ConnectCause::Transport(error.to_string());
        link.codec.feed(&link.incoming[..read]);
        while let Some(frame) = link.codec.next_frame().map_err(transport)? {
            let mut packet = match frame {
                Frame::Packet(packet) => packet,
                Frame::Error(code) => return Err(ConnectCause::Refused(code)),
                _ => continue,
            };
            let now = Instant::now();
            let Some(session) = &mut self.session else {
                return Ok(());
            };
            match session.handle_packet(&mut packet, now.into_std()) {
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
            if link.last_heard.replace(now).is_none() {
                self.online();
            }
        }
        Ok(())
    }

    fn take_events(&mut self, link: &mut Link) -> Result<(), Lost> {
        while let Some(event) = self.session.as_mut().and_then(ClientSession::poll_event) {
            match event {
                ClientEvent::Response { id, body } => {
                    link.introduced = true;
                    self.answer(id, Ok(body));
                }
                ClientEvent::RpcError { id, code, message } => {
                    let error = RpcError::parse(code, &message);
                    link.introduced = !error.is("CONNECTION_*");
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
                    // It may be a server that knows nothing of us any more.
                    link.introduced = false;
                    if let Some(client) = self.client_at_home() {
                        client.inner.updates.reconnected();
                    }
                }
                ClientEvent::SaltsChanged => self.keep_salts(),
                ClientEvent::TimeSynced { offset_secs } => self.keep_offset(offset_secs),
                ClientEvent::Pong { round_trip, .. } => {
                    log::trace!("data centre {}: round trip {round_trip:?}", self.dc_id);
                }
                ClientEvent::Silent => {
                    let since = link.last_heard.unwrap_or(link.opened).elapsed();
                    return Err(Lost::Broken(ConnectCause::Timeout(since)));
                }
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

    pub(super) fn client_at_home(&self) -> Option<Client> {
        self.client()
            .filter(|client| client.inner.home_dc() == self.dc_id)
    }

    fn keep_salts(&self) {
        let (Some(client), Some(session)) = (self.client(), &self.session) else {
            return;
        };
        let salts = session
            .salts()
            .iter()
            .copied()
            .map(SavedSalt::from)
            .collect();
        client.inner.session.update(|saved| {
            saved.dcs.entry(self.dc_id).or_default().salts = salts;
        });
    }

    fn keep_offset(&self, seconds: i64) {
        if let Some(client) = self.client() {
            client.inner.session.update(|saved| {
                saved.dcs.entry(self.dc_id).or_default().time_offset = seconds;
            });
        }
    }

    fn answer(&mut self, id: RequestId, result: Result<Vec<u8>, Error>) {
        if let Some(reply) = self.waiting.remove(&id) {
            self.tickets.remove(&reply.ticket.id);
            // A caller that has gone needs no answer.
            let _ = reply.sender.send(result);
        }
    }
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
