//! Calls of the API. The public methods are thin: they serialise, wait for one boxed future of
//! bytes, and deserialise on the caller's task; what is in between is not generic.

use std::future::Future;

use bytes::Bytes;

use super::{BoxFuture, Client};
use crate::error::{DeserializeError, Error, Result};
use crate::middleware::{self, CallOptions, Outcome};
use crate::net::{Lane, Over, Way};
use crate::tl::{Deserializable, RemoteCall};

impl Client {
    /// Calls a method of Telegram's API and waits for its result.
    ///
    /// The request goes to the account's home data centre, through the middleware: flood waits and
    /// failures of the server are treated as the [`Config`](crate::Config) says.
    ///
    /// # Errors
    /// What Telegram answers, what the network does, or a deadline: see [`Error`].
    pub fn invoke<'a, R: RemoteCall>(
        &'a self,
        request: &R,
    ) -> impl Future<Output = Result<R::Return>> + Send + use<'a, R> {
        let answer = self.invoke_bytes(None, request.to_bytes());
        async move { read_result::<R::Return>(&answer.await?) }
    }

    /// Like [`invoke`](Self::invoke), in a data centre of the caller's choice. The account's
    /// authorisation is taken there first if that was not done yet.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub fn invoke_in_dc<'a, R: RemoteCall>(
        &'a self,
        dc_id: i32,
        request: &R,
    ) -> impl Future<Output = Result<R::Return>> + Send + use<'a, R> {
        let answer = self.invoke_bytes(Some(dc_id), request.to_bytes());
        async move { read_result::<R::Return>(&answer.await?) }
    }

    /// Like [`invoke`](Self::invoke), made as the options say: where, for how long, how often.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> Result<(), layer_client::Error> {
    /// use std::time::Duration;
    /// use layer_client::middleware::CallOptions;
    /// use layer_client::tl;
    ///
    /// let options = CallOptions {
    ///     deadline: Some(Duration::from_secs(5)),
    ///     no_resend: true,
    ///     ..CallOptions::default()
    /// };
    /// client.invoke_with(&tl::functions::help::GetConfig {}, options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub fn invoke_with<'a, R: RemoteCall>(
        &'a self,
        request: &R,
        options: CallOptions,
    ) -> impl Future<Output = Result<R::Return>> + Send + use<'a, R> {
        let answer = self.invoke_in_lane(options, Lane::default(), request.to_bytes().into());
        async move { read_result::<R::Return>(&answer.await?) }
    }

    /// A serialised request over the connections that are for files or to a CDN, so that what is
    /// large holds up nothing else. Waits, failures and moves are the caller's.
    pub(crate) fn invoke_for_files(
        &self,
        dc: Option<i32>,
        over: Over,
        way: Option<Way>,
        body: Bytes,
    ) -> BoxFuture<'_, Outcome> {
        let options = CallOptions {
            dc,
            ..CallOptions::default()
        };
        let lane = Lane {
            over,
            place: None,
            way,
        };
        self.invoke_in_lane(options, lane, body)
    }

    /// The inside of most calls: serialised request in, serialised result out.
    pub(crate) fn invoke_bytes(&self, dc: Option<i32>, body: Vec<u8>) -> BoxFuture<'_, Outcome> {
        let options = CallOptions {
            dc,
            ..CallOptions::default()
        };
        self.invoke_in_lane(options, Lane::default(), body.into())
    }

    /// The inside of every call.
    pub(super) fn invoke_in_lane(
        &self,
        options: CallOptions,
        lane: Lane,
        body: Bytes,
    ) -> BoxFuture<'_, Outcome> {
        Box::pin(middleware::run(&self.inner, options, lane, body))
    }
}

pub(crate) fn read_result<T: Deserializable>(bytes: &[u8]) -> Result<T> {
    T::from_bytes(bytes).map_err(|error| {
        Error::Deserialize(DeserializeError {
            method: None,
            reason: error.to_string(),
        })
    })
}
