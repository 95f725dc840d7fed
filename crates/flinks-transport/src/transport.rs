//! The shared HTTP stack: assembles the layers in their one order, and turns an operation into its output.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tower::retry::budget::TpsBudget;
use tower::util::MapRequest;
use tower_layer::Layer;
use tracing::Instrument;

use crate::call_meta::Deadline;
use crate::clock::after;
use crate::collect::{Collected, collect};
use crate::connect::Connector;
use crate::decode::{plain, read};
use crate::exchange::{Exchange, Settings};
use crate::identity_generation::{CurrentIdentity, IdentitySnapshot};
use crate::observed_call::ObservedCall;
use crate::progress::Progress;
use crate::retry::{DeadlineAt, RetryConfig, RetryService};
use crate::service::{ErasedLayer, HttpService, IntoHttpService, erase};
use crate::{
    Body, BoxError, CallMeta, Error, ErrorKind, Operation, Replay, Step, TransportBuilder,
};

/// A shared HTTP stack for one client identity, which can be replaced.
///
/// Cheap to clone; clones share the identity and its connection pool. Building one needs no runtime,
/// sends nothing and starts no task.
#[derive(Clone)]
pub struct Transport {
    pub(crate) parts: Arc<Parts>,
    service: HttpService,
}

/// What a transport is assembled from, kept so that credentials can be put in their place later.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) identity: Arc<CurrentIdentity>,
    /// The identity to use even after it was replaced.
    pub(crate) pinned: Option<IdentitySnapshot>,
    pub(crate) layers: Vec<ErasedLayer>,
    pub(crate) attempt_layers: Vec<ErasedLayer>,
    pub(crate) credentials: Option<ErasedLayer>,
    pub(crate) exchange: Arc<Settings>,
    pub(crate) retry: RetryConfig,
    pub(crate) budget: Arc<TpsBudget>,
    pub(crate) deadline: Duration,
    /// `host:port` of the proxy.
    pub(crate) proxy: Option<Arc<str>>,
}

impl Parts {
    pub(crate) fn snapshot(&self) -> IdentitySnapshot {
        let pinned = self.pinned.clone();
        pinned.unwrap_or_else(|| self.identity.snapshot())
    }
}

impl Transport {
    /// Starts a transport.
    pub fn builder() -> TransportBuilder {
        TransportBuilder::new()
    }

    /// The only place that knows the order of the layers; ARCHITECTURE.md explains it.
    pub(crate) fn assemble(parts: Parts) -> Self {
        let parts = Arc::new(parts);
        let exchange = Exchange {
            settings: Arc::clone(&parts.exchange),
        };
        let mut service = HttpService::new(exchange);
        if let Some(credentials) = &parts.credentials {
            service = credentials(service);
        }
        let snapshots = Arc::clone(&parts);
        let below_user_layers = move |mut request: Request<Body>| {
            request.extensions_mut().insert(snapshots.snapshot());
            request.map(Body::past_user_layers)
        };
        service = HttpService::new(MapRequest::new(service, below_user_layers));
        for layer in parts.attempt_layers.iter().rev() {
            service = layer(service);
        }
        service = HttpService::new(RetryService {
            inner: service,
            retry: parts.retry,
            budget: Arc::clone(&parts.budget),
        });
        for layer in parts.layers.iter().rev() {
            service = layer(service);
        }
        Self { parts, service }
    }

    /// The same transport, on the same pool, with credentials added below every user layer.
    ///
    /// `layer` runs once an attempt, innermost of all layers: what it adds, no other layer sees.
    #[must_use]
    pub fn with_credentials<L, B>(&self, layer: L) -> Self
    where
        L: Layer<HttpService, Service: IntoHttpService<B>> + Send + Sync + 'static,
    {
        Self::assemble(Parts {
            credentials: Some(erase(layer)),
            ..(*self.parts).clone()
        })
    }

    /// The same pool without user layers and without credentials, for token requests.
    ///
    /// A token fetched through the layers of the call that needs it would wait for a concurrency
    /// limit that this very call holds.
    #[must_use]
    pub fn without_layers(&self) -> Self {
        Self::assemble(Parts {
            layers: Vec::new(),
            attempt_layers: Vec::new(),
            credentials: None,
            ..(*self.parts).clone()
        })
    }

    /// What opens the connections of calls; `None` if a service of the user's does.
    pub(crate) fn connector(&self) -> Option<Connector> {
        self.parts.snapshot().connector().cloned()
    }

    /// The timeout of calls that have none of their own.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.parts.deadline
    }

    /// Prepares a call; nothing is sent until it is awaited.
    pub fn call<O: Operation>(&self, operation: O) -> Call<O> {
        let meta = operation.meta();
        Call {
            transport: self.clone(),
            operation,
            meta,
        }
    }

    /// Sends any request through the same stack, and collects its answer whatever the status.
    ///
    /// # Errors
    /// As any call, but for [`ErrorKind::Api`] and [`ErrorKind::Decode`]: the answer is not read.
    pub async fn send(
        &self,
        meta: CallMeta,
        request: Request<Body>,
    ) -> Result<Response<Bytes>, Error> {
        let read = |response, _: &Progress| plain(response);
        self.run(meta, || Ok(request), read, |_| None).await
    }

    async fn run<T>(
        &self,
        meta: CallMeta,
        request: impl FnOnce() -> Result<Request<Body>, Error>,
        read: impl FnOnce(Response<Bytes>, &Progress) -> Result<T, Error>,
        recover: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, Error> {
        let progress = Arc::new(Progress::default());
        let request = request();
        let uri = request.as_ref().ok().map(|request| request.uri().clone());
        let recorder = self.parts.exchange.recorder.as_ref();
        let mut observed = ObservedCall::begin(meta, uri.as_ref(), recorder, &progress);
        let span = observed.span().clone();
        let outcome = async {
            let response = self.exchange(meta, request?, &progress).await?;
            observed.answered(response.status());
            read(response, &progress)
        }
        .instrument(span)
        .await;
        let unread = progress.unread();
        let outcome = outcome.or_else(|error| {
            let recovered = unread
                .as_ref()
                .filter(|unread| unread.in_turn)
                .filter(|unread| unread.status.is_some_and(|status| status.is_success()))
                .and_then(|unread| recover(&unread.answer));
            if let Some(output) = recovered {
                return Ok(output);
            }
            // A layer's error says nothing of what it did with the request; the cell does.
            let seen = if error.kind() == ErrorKind::Layer {
                progress.delivery()
            } else {
                progress.earlier()
            };
            let error = error.with_call(&meta, uri.as_ref(), self.parts.proxy.as_ref());
            let error = error.finish(seen, progress.attempts(), observed.start().elapsed());
            let error = match unread {
                Some(unread) => error.keeping(&unread.answer),
                None => error,
            };
            Err(match meta.step() {
                Step::Token => error.with_step(Step::Token),
                Step::Call => error,
            })
        });
        observed.end(&outcome);
        outcome
    }

    async fn exchange(
        &self,
        meta: CallMeta,
        mut request: Request<Body>,
        progress: &Arc<Progress>,
    ) -> Result<Response<Bytes>, Error> {
        let limit = match meta.deadline {
            Deadline::Default => Some(self.parts.deadline),
            Deadline::None => None,
            Deadline::Within(limit) => Some(limit),
        };
        let deadline = limit.map(|limit| after(Instant::now(), limit));
        let extensions = request.extensions_mut();
        extensions.insert(meta);
        extensions.insert(Arc::clone(progress));
        extensions.insert(DeadlineAt(deadline));
        let answer = async {
            let response = self.service.clone().send(request).await.map_err(of_layer)?;
            // Once more: a layer above may have unpacked what was small below.
            let limit = meta
                .max_response_bytes
                .unwrap_or(self.parts.exchange.max_response_bytes);
            let mut seen = Collected::default();
            let (parts, body) = match collect(response, limit, &mut seen).await {
                Ok(response) => response.into_parts(),
                Err(error) => return Err(error.keeping(&seen.take())),
            };
            Ok(Response::from_parts(
                parts,
                body.as_bytes().cloned().unwrap_or_default(),
            ))
        };
        let (Some(deadline), Some(limit)) = (deadline, limit) else {
            return answer.await;
        };
        timeout_at(deadline, answer).await.unwrap_or_else(|_| {
            let message = format!("the deadline of {} s passed", limit.as_secs_f64());
            Err(Error::new(ErrorKind::Timeout, message).with_delivery(progress.delivery()))
        })
    }
}

/// What comes out of the layers is our own error, or that of a layer.
fn of_layer(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => {
            Error::new(ErrorKind::Layer, "a layer of the application failed").with_source(other)
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("layers", &self.parts.layers.len())
            .field("attempt_layers", &self.parts.attempt_layers.len())
            .field("retry", &self.parts.retry)
            .finish_non_exhaustive()
    }
}

/// A prepared call: awaiting it sends it.
#[must_use = "a call does nothing until awaited"]
pub struct Call<O> {
    transport: Transport,
    operation: O,
    meta: CallMeta,
}

impl<O> Call<O> {
    /// The name, route, credential, replay safety and limits of this call.
    #[must_use]
    pub fn meta(&self) -> &CallMeta {
        &self.meta
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Limits the whole call, waits between attempts included.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.meta = self.meta.with_timeout(limit);
        self
    }

    /// Limits each attempt, from its start to the last byte of the answer.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.meta = self.meta.with_attempt_timeout(limit);
        self
    }

    /// Overrides whether the transport may send the request again.
    pub fn replay(mut self, replay: Replay) -> Self {
        self.meta = self.meta.with_replay(replay);
        self
    }
}

impl<O> IntoFuture for Call<O>
where
    O: Operation<Output: Send> + Send + Sync + 'static,
{
    type Output = Result<O::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            transport,
            operation,
            meta,
        } = self;
        Box::pin(async move {
            transport
                .run(
                    meta,
                    || operation.request(),
                    |response, progress| read(&operation, response, progress),
                    |answer| operation.recover(answer),
                )
                .await
        })
    }
}

impl<O> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}
