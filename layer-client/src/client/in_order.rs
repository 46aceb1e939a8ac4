//! [`InOrder`]: calls that the server executes one after the other.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use super::invoke::read_result;
use super::{BoxFuture, Client};
use crate::error::Result;
use crate::middleware::{CallOptions, Outcome};
use crate::net::{Lane, Over, Tail};
use crate::tl::RemoteCall;

/// Calls that the server executes in the order in which they were made, without waiting for one
/// before the next is sent (`invokeAfterMsg`, page `api/invoking` of the documentation). Made by
/// [`Client::in_order`].
///
/// A call takes its place when [`invoke`](Self::invoke) is called. It holds up those behind it until
/// it is over, with a result or an error, or its future is dropped; so a future that is kept and
/// never awaited holds them up until their time is over. The order holds across lost connections,
/// flood waits and moves to another data centre. A call that fails does not keep the next from
/// being executed.
#[derive(Debug)]
pub struct InOrder {
    client: Client,
    tail: Mutex<Tail>,
}

impl Client {
    /// Calls made through this are executed one after the other by the server.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> Result<(), layer_client::Error> {
    /// # let (first, second) = (layer_client::tl::functions::help::GetConfig {}, layer_client::tl::functions::help::GetConfig {});
    /// let order = client.in_order();
    /// let (first, second) = (order.invoke(&first), order.invoke(&second));
    /// // Both are on their way at once, and are executed one after the other.
    /// let (first, second) = tokio::join!(first, second);
    /// # first?; second?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_order(&self) -> InOrder {
        InOrder {
            client: self.clone(),
            tail: Mutex::default(),
        }
    }
}

impl InOrder {
    /// Like [`Client::invoke`], after the calls that were made before through this.
    ///
    /// # Errors
    /// As [`Client::invoke`].
    pub fn invoke<R: RemoteCall>(
        &self,
        request: &R,
    ) -> impl Future<Output = Result<R::Return>> + Send + use<R> {
        self.invoke_with(request, CallOptions::default())
    }

    /// Like [`Client::invoke_with`], after the calls that were made before through this.
    ///
    /// # Errors
    /// As [`Client::invoke`].
    pub fn invoke_with<R: RemoteCall>(
        &self,
        request: &R,
        options: CallOptions,
    ) -> impl Future<Output = Result<R::Return>> + Send + use<R> {
        let answer = self.queue(options, request.to_bytes());
        async move { read_result::<R::Return>(&answer.await?) }
    }

    fn queue(&self, options: CallOptions, body: Vec<u8>) -> BoxFuture<'static, Outcome> {
        let client = self.client.clone();
        let place = self
            .tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next();
        Box::pin(async move {
            let lane = Lane {
                over: Over::Main,
                place: Some(place),
                way: None,
            };
            client.invoke_in_lane(options, lane, body.into()).await
        })
    }
}
