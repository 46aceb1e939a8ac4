//! The chain itself: which layers there are and in which order, and its end at a connection.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout_at;

use super::flood::FloodWaits;
use super::rate::RateLimiter;
use super::retry::Retry;
use super::{CallOptions, FOR_EVER, Request, deadline, route};
use crate::client::{BoxFuture, Config, Inner};
use crate::error::{Error, RpcError, Terminal};
use crate::net::{Lane, Sending};

/// One layer of the chain. It may look at a request and change it, let it on, let it on again, or
/// answer in its place. What it does is for all calls at once: it must not hold a lock while it
/// waits.
///
/// [`Config::layers`](crate::Config::layers) says where layers go, and [the module](crate::middleware) has an
/// example.
pub trait Middleware: Send + Sync {
    /// Takes a call to its outcome: the serialised result, or an error. The future may be dropped
    /// at any point where it waits, and the request is cancelled then.
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome>;
}

/// The rest of the chain, as a layer sees it.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    layers: &'a [Arc<dyn Middleware>],
    end: &'a dyn End,
}

impl Next<'_> {
    /// Lets a request on. A layer that makes it again calls this again.
    #[must_use = "nothing is asked until the future is awaited"]
    pub fn run<'b>(self, request: &'b mut Request) -> BoxFuture<'b, Outcome>
    where
        Self: 'b,
    {
        match self.layers.split_first() {
            Some((layer, rest)) => {
                let next = Next {
                    layers: rest,
                    end: self.end,
                };
                layer.call(request, next)
            }
            None => self.end.run(request),
        }
    }
}

/// What comes of a call: the serialised result, or an error.
pub type Outcome = Result<Bytes, Error>;

/// What is behind the last of a user's layers.
trait End: Send + Sync {
    fn run<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Outcome>;
}

/// What is below the chain: data centres, and the account's place among them.
pub(super) trait Wire: Send + Sync {
    /// Where requests go that name no data centre.
    fn home(&self) -> i32;

    /// The account lives at another data centre; takes its authorisation there.
    fn move_home(&self, from: i32, to: i32) -> BoxFuture<'_, Result<(), Error>>;

    /// Sends a request once.
    fn send(&self, request: &mut Request) -> impl Future<Output = Outcome> + Send;
}

/// All layers of a client.
pub(crate) struct Chain {
    layers: Vec<Arc<dyn Middleware>>,
    retry: Retry,
    floods: FloodWaits,
    rates: Option<RateLimiter>,
    attempt_layers: Vec<Arc<dyn Middleware>>,
}

impl Chain {
    pub(crate) fn new(config: &Config) -> Self {
        let limited = !config.rate_limits.is_empty();
        Self {
            layers: config.layers.clone(),
            retry: Retry::new(config.retry),
            floods: FloodWaits::new(config.flood_policy.clone()),
            rates: limited.then(|| RateLimiter::new(&config.rate_limits)),
            attempt_layers: config.attempt_layers.clone(),
        }
    }

    /// Someone else signs in, to whom the server has said nothing yet.
    pub(crate) fn forget(&self) {
        self.floods.forget();
    }

    pub(super) async fn call(&self, wire: &impl Wire, request: &mut Request) -> Outcome {
        let way = Way { chain: self, wire };
        let Some(deadline) = deadline::begin(request) else {
            return way.whole(request).await;
        };
        // Boxed, as what is seldom is on this way: every call has room for all that it may come to.
        match Box::pin(timeout_at(deadline, way.whole(request))).await {
            Ok(outcome) => outcome,
            Err(_) => Err(deadline::passed(request)),
        }
    }
}

/// A call's way through the layers that are ours, from one to the next: one future for all of them.
/// Only where a user's layers stand is there a box around what is behind.
pub(super) struct Way<'a, W> {
    chain: &'a Chain,
    wire: &'a W,
}

/// The layers from the retries on.
struct FromRetry<'a, W>(&'a Way<'a, W>);

/// The sending.
struct AtWire<'a, W>(&'a W);

impl<W: Wire> Way<'_, W> {
    async fn whole(&self, request: &mut Request) -> Outcome {
        let chain = self.chain;
        if chain.layers.is_empty() {
            return chain.retry.call(request, self).await;
        }
        let next = Next {
            layers: &chain.layers,
            end: &FromRetry(self),
        };
        next.run(request).await
    }

    /// What comes after [`Retry`].
    pub(super) fn after_retry(
        &self,
        request: &mut Request,
    ) -> impl Future<Output = Outcome> + Send {
        self.chain.floods.call(request, self)
    }

    /// What comes after [`FloodWaits`]: the turn that rate limits give, if there are any.
    pub(super) fn turn<'a>(&'a self, request: &'a Request) -> Option<BoxFuture<'a, bool>> {
        let rates = self.chain.rates.as_ref()?;
        Some(Box::pin(rates.wait(request)))
    }

    /// What comes after that.
    pub(super) fn after_turn(&self, request: &mut Request) -> impl Future<Output = Outcome> + Send {
        route::call(request, self)
    }

    /// What comes after the [route](route::call).
    pub(super) async fn attempt(&self, request: &mut Request) -> Outcome {
        let layers = &self.chain.attempt_layers;
        if layers.is_empty() {
            return self.wire.send(request).await;
        }
        let end = &AtWire(self.wire);
        Next { layers, end }.run(request).await
    }

    pub(super) fn wire(&self) -> &impl Wire {
        self.wire
    }
}

impl<W: Wire> End for FromRetry<'_, W> {
    fn run<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Outcome> {
        Box::pin(self.0.chain.retry.call(request, self.0))
    }
}

impl<W: Wire> End for AtWire<'_, W> {
    fn run<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Outcome> {
        Box::pin(self.0.send(request))
    }
}

/// Sends a serialised request through a client's chain and gives its serialised result.
pub(crate) fn run(
    inner: &Inner,
    options: CallOptions,
    lane: Lane,
    body: Bytes,
) -> impl Future<Output = Outcome> + Send {
    let mut request = Request::new(body, options);
    request.lane = lane;
    async move {
        let wire = ClientWire {
            inner,
            login: inner.login(),
        };
        inner.chain.call(&wire, &mut request).await
    }
}

/// A client's data centres, for a call that was made with this login or with none.
struct ClientWire<'a> {
    inner: &'a Inner,
    login: Option<u64>,
}

impl ClientWire<'_> {
    /// How long one attempt may take.
    fn within(&self, request: &Request) -> Duration {
        let timeout = request.options().timeout;
        let timeout = timeout.unwrap_or(self.inner.config.request_timeout);
        let timeout = timeout.min(FOR_EVER);
        match request.deadline() {
            Some(deadline) => {
                timeout.min(deadline.saturating_duration_since(tokio::time::Instant::now()))
            }
            None => timeout,
        }
    }

    /// An error of Telegram as the caller gets it: the end of a login for everyone whose call was
    /// made with that login, and no more than an answer for calls made without one.
    fn outcome(&self, dc_id: i32, error: RpcError) -> Error {
        let (Some(login), Some(reason)) = (self.login, Terminal::from_rpc(&error)) else {
            return Error::Rpc(error);
        };
        if dc_id != self.inner.home_dc() {
            return Error::Rpc(error);
        }
        if self.inner.login() == Some(login) {
            self.inner.terminate(&reason);
        }
        Error::Terminal(reason)
    }
}

impl Wire for ClientWire<'_> {
    fn home(&self) -> i32 {
        self.inner.home_dc()
    }

    fn move_home(&self, from: i32, to: i32) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let within = self.inner.config.request_timeout;
            self.inner.pool.bring(self.inner, to, within).await?;
            self.inner.move_home(from, to);
            Ok(())
        })
    }

    async fn send(&self, request: &mut Request) -> Outcome {
        let dc_id = request.dc().unwrap_or_else(|| self.home());
        request.attempts = request.attempts.saturating_add(1);
        let sending = Sending {
            body: &request.body,
            within: self.within(request),
            resend: request.options().resend(),
            lane: &request.lane,
        };
        let result = self.inner.pool.call(self.inner, dc_id, &sending).await;
        let result = match result {
            Err(Error::Rpc(error)) => Err(self.outcome(dc_id, error)),
            result => result,
        };
        request.sent |= was_sent(&result);
        result
    }
}

/// Whether the server may have seen the request.
fn was_sent(result: &Outcome) -> bool {
    match result {
        Err(Error::Timeout(error)) => error.sent,
        Err(Error::Request(error)) => error.sent,
        Err(Error::Connect(_) | Error::Closed) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::{Instant, sleep};

    use super::super::testing::{Script, call_body, done, get_config, rpc};
    use super::*;

    /// Writes down when requests pass, and what it sees of them.
    #[derive(Clone)]
    struct Scribe(&'static str, Arc<Mutex<Vec<String>>>);

    impl Middleware for Scribe {
        fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
            let Self(name, book) = self;
            Box::pin(async move {
                let (method, dc) = (request.method().unwrap_or("?"), request.dc());
                let line = format!("{name} {method} {dc:?} {}", request.attempts());
                book.lock().unwrap().push(line);
                let outcome = next.run(request).await;
                let line = format!("{name} {} {}", outcome.is_ok(), request.attempts());
                book.lock().unwrap().push(line);
                outcome
            })
        }
    }

    /// A layer that is a function.
    struct Layer(for<'a> fn(&'a mut Request, Next<'a>) -> BoxFuture<'a, Outcome>);

    impl Middleware for Layer {
        fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
            (self.0)(request, next)
        }
    }

    /// Every call has a box of this size, and small ones are much quicker had.
    #[test]
    fn a_call_takes_less_than_a_kibibyte() {
        fn size<A, F: Future>(_: impl Fn(A) -> F) -> usize {
            size_of::<F>()
        }
        fn call(inner: &Inner) -> impl Future {
            run(inner, CallOptions::default(), Lane::default(), Bytes::new())
        }
        assert!(size(|inner: &'static Inner| call(inner)) <= 1024);
    }

    fn chain(layers: Vec<Arc<dyn Middleware>>) -> Chain {
        Chain::new(&Config {
            layers,
            ..Config::default()
        })
    }

    async fn ask(chain: &Chain, wire: &Script, options: CallOptions) -> Outcome {
        call_body(chain, wire, &get_config(), options).await
    }

    #[tokio::test(start_paused = true)]
    async fn layers_stand_in_the_documented_order() {
        let book = Arc::default();
        let scribe = |name| -> Arc<dyn Middleware> { Arc::new(Scribe(name, Arc::clone(&book))) };
        let chain = Chain::new(&Config {
            layers: vec![scribe("first"), scribe("second")],
            attempt_layers: vec![scribe("attempt")],
            ..Config::default()
        });
        let wire = Script::new([
            rpc(500, "RPC_CALL_FAIL"),
            rpc(420, "FLOOD_WAIT_1"),
            rpc(303, "FILE_MIGRATE_4"),
            done(),
        ]);
        ask(&chain, &wire, CallOptions::default()).await.unwrap();
        let book: Vec<String> = std::mem::take(&mut *book.lock().unwrap());
        let expected = [
            "first help.getConfig None 0",
            "second help.getConfig None 0",
            "attempt help.getConfig Some(1) 0",
            "attempt false 1",
            "attempt help.getConfig Some(1) 1",
            "attempt false 2",
            "attempt help.getConfig Some(1) 2",
            "attempt false 3",
            "attempt help.getConfig Some(4) 3",
            "attempt true 4",
            "second true 4",
            "first true 4",
        ];
        assert_eq!(book, expected);
    }

    #[tokio::test]
    async fn a_layer_may_answer_in_the_servers_place() {
        let chain = chain(vec![Arc::new(Layer(|request, _| {
            assert_eq!(request.body(), get_config());
            Box::pin(async { Ok(Bytes::from_static(&[7])) })
        }))]);
        let wire = Script::silent();
        let answer = ask(&chain, &wire, CallOptions::default()).await.unwrap();
        assert_eq!((answer, wire.sent()), (Bytes::from_static(&[7]), 0));
    }

    #[tokio::test]
    async fn a_layer_may_ask_again_and_something_else() {
        fn stubborn<'a>(request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
            Box::pin(async move {
                assert!(next.run(request).await.is_err());
                request.set_body(super::super::testing::send_code("+1"));
                assert_eq!(request.method(), Some("auth.sendCode"));
                next.run(request).await
            })
        }
        let chain = chain(vec![Arc::new(Layer(stubborn))]);
        let wire = Script::new([rpc(400, "ONE_THING"), done()]);
        ask(&chain, &wire, CallOptions::default()).await.unwrap();
        assert_eq!(wire.sent(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_layer_may_ask_somewhere_else() {
        let chain = chain(vec![Arc::new(Layer(|request, next| {
            assert_eq!(request.dc(), None);
            request.options_mut().dc = Some(3);
            next.run(request)
        }))]);
        let wire = Script::new([
            rpc(303, "FILE_MIGRATE_4"),
            rpc(500, "RPC_CALL_FAIL"),
            done(),
        ]);
        ask(&chain, &wire, CallOptions::default()).await.unwrap();
        assert_eq!(wire.dcs(), [3, 4, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_layer_that_never_answers_ends_at_the_deadline() {
        let chain = chain(vec![Arc::new(Layer(|_, _| {
            Box::pin(std::future::pending())
        }))]);
        let options = CallOptions {
            deadline: Some(Duration::from_secs(3)),
            ..CallOptions::default()
        };
        let begun = Instant::now();
        let error = ask(&chain, &Script::silent(), options).await.unwrap_err();
        let Error::Timeout(error) = error else {
            panic!("{error}")
        };
        assert!(!error.sent);
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_dropped_anywhere_in_the_chain_is_cancelled() {
        fn slow<'a>(request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
            Box::pin(async move {
                sleep(Duration::from_secs(1)).await;
                next.run(request).await
            })
        }
        let script = || {
            Script::new([
                rpc(500, "RPC_CALL_FAIL"), // at 1 s, asked again after 0.5 s
                rpc(420, "FLOOD_WAIT_2"),  // at 1.5 s, asked again after 2 s
            ])
            .then_silence() // at 3.5 s
        };
        for (dropped_at, sent, cancelled) in [
            (500, 0, 0),  // in the layer
            (1200, 1, 0), // before it is asked again
            (2000, 2, 0), // in the flood wait
            (9000, 3, 1), // on the wire
        ] {
            let chain = chain(vec![Arc::new(Layer(slow))]);
            let wire = script();
            let call = ask(&chain, &wire, CallOptions::default());
            let outcome = tokio::time::timeout(Duration::from_millis(dropped_at), call).await;
            assert!(outcome.is_err(), "{dropped_at}");
            sleep(Duration::from_secs(60)).await;
            assert_eq!(
                (wire.sent(), wire.cancelled()),
                (sent, cancelled),
                "{dropped_at}"
            );
        }
    }
}
