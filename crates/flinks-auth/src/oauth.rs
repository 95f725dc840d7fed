//! OAuth client credentials: adds the access token, and answers a 401 once.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flinks_transport::{
    Body, BoxError, CallMeta, Credential, Delivery, Error, ErrorKind, HttpService,
    IdentityGeneration, IdentitySnapshot, KnownSecrets, Step, Transport, try_clone_request,
};
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode, Uri};

use crate::authenticate::{Authenticate, wrong_origin};
use crate::client_credentials::{AccessToken, ClientCredentials, TokenRequest};
use crate::token_cache::{Issued, Lease, TokenCache};

/// Adds `Authorization: Bearer <access token>` to calls that require [`Credential::OAuth`].
/// Requests for another host than the token's are refused.
///
/// The token is fetched once for all who need it, refreshed before it expires alongside a request,
/// and fetched again once after a 401 (Upload guide, Step 1 and Common Errors). It is fetched
/// through the transport's pool but not through its layers.
pub struct OAuth {
    transport: Transport,
    request: TokenRequest,
    secrets: KnownSecrets,
    cache: Mutex<IdentityCache>,
}

type AccessTokenCache = TokenCache<AccessToken, Error>;

/// The token cache of the current identity. The one of an old identity ends with its last waiter.
struct IdentityCache {
    generation: IdentityGeneration,
    tokens: Arc<AccessTokenCache>,
}

impl OAuth {
    /// Fetches tokens at `url` over `transport`'s pool.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the credentials cannot be sent.
    pub fn new(
        transport: &Transport,
        url: Uri,
        credentials: ClientCredentials,
    ) -> Result<Self, Error> {
        use flinks_transport::Operation;
        let request = TokenRequest::new(url, credentials);
        // Built once here so that credentials that cannot be sent are an error of the set-up.
        let mut headers = std::mem::take(request.request()?.headers_mut());
        Ok(Self {
            secrets: KnownSecrets::new(headers.remove(AUTHORIZATION)),
            transport: transport.without_layers(),
            request,
            cache: Mutex::new(IdentityCache {
                generation: transport.identity_generation(),
                tokens: Arc::new(TokenCache::new()),
            }),
        })
    }
}

impl Authenticate for OAuth {
    async fn send(
        &self,
        next: HttpService,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        let (ours, theirs) = (self.request.url(), request.uri());
        if ours.authority() != theirs.authority() || ours.scheme() != theirs.scheme() {
            return Err(wrong_origin().into());
        }
        // A token may be bound to the certificate that requested it.
        let ours = self.transport.identity_generation();
        let snapshot = request.extensions().get::<IdentitySnapshot>();
        if !snapshot.is_some_and(|theirs| theirs.generation().is_same_transport(ours)) {
            let message = "OAuth credentials belong to the transport that they were made for";
            return Err(Error::new(ErrorKind::Config, message).into());
        }
        let meta = request.extensions().get::<CallMeta>().copied();
        let Some(meta) = meta.filter(|meta| meta.credential() == Credential::OAuth) else {
            return next.send(request).await;
        };
        request.extensions_mut().insert(self.secrets.clone());
        let again = try_clone_request(&request);
        let life = meta.min_token_ttl();
        // Whether or not the token request was sent, the call itself was not.
        let unsent = |error: Error| {
            error
                .with_step(Step::Token)
                .with_delivery(Delivery::NotSent)
        };
        let (lease, tokens) = self.lease(&mut request, life).await.map_err(unsent)?;
        let generation = lease.generation;
        let response = send_with(next.clone(), request, lease).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        tokens.evict(generation);
        tracing::info!(
            name: "flinks.token_refused",
            { flinks.operation = meta.operation() },
            "the service refused the access token; another one is fetched"
        );
        let Some(mut again) = again else {
            return Ok(response);
        };
        // The service refused the call; that is still true when no other token can be had.
        let refused = |error: Error| {
            error
                .with_step(Step::Token)
                .with_delivery(Delivery::Rejected)
        };
        let (lease, _) = self.lease(&mut again, life).await.map_err(refused)?;
        send_with(next, again, lease).await
    }
}

impl OAuth {
    /// Returns a token of the current identity, and its cache; the request then uses that identity.
    ///
    /// If the identity is replaced before the token arrives, the token is not used: another one is
    /// fetched with the new identity.
    async fn lease(
        &self,
        request: &mut Request<Body>,
        life: Duration,
    ) -> Result<(Lease<AccessToken, Error>, Arc<AccessTokenCache>), Error> {
        loop {
            let snapshot = self.transport.identity_snapshot();
            let Some(tokens) = self.tokens_of(snapshot.generation()) else {
                continue;
            };
            let lease = tokens.token(life, || self.fetch(&snapshot)).await;
            if self.transport.identity_generation() == snapshot.generation() {
                request.extensions_mut().insert(snapshot);
                return Ok((lease?, tokens));
            }
        }
    }

    /// The cache of the current identity; `None` if `generation` was replaced meanwhile.
    fn tokens_of(&self, generation: IdentityGeneration) -> Option<Arc<AccessTokenCache>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.generation == generation {
            return Some(Arc::clone(&cache.tokens));
        }
        // Under the lock, so that an old identity never replaces a newer one.
        if self.transport.identity_generation() != generation {
            return None;
        }
        let tokens = Arc::new(TokenCache::new());
        let old = std::mem::replace(
            &mut *cache,
            IdentityCache {
                generation,
                tokens: Arc::clone(&tokens),
            },
        );
        drop(cache);
        // Outside the lock: it may hold a fetch in progress.
        drop(old);
        Some(tokens)
    }

    /// Fetches a token over the connections of the identity that it is for.
    fn fetch(
        &self,
        snapshot: &IdentitySnapshot,
    ) -> Pin<Box<dyn Future<Output = Result<Issued<AccessToken>, Error>> + Send>> {
        let transport = self.transport.with_identity_snapshot(snapshot.clone());
        let call = transport.call(self.request.clone());
        Box::pin(async move {
            let token = call.await?;
            let lifetime = token.lifetime();
            Ok(Issued::new(token, lifetime))
        })
    }
}

/// Sends a request with a token, and drives the token's refresh alongside it if one is due. The
/// answer is not held up by the refresh: unfinished, it waits in the cache for the next caller.
async fn send_with(
    next: HttpService,
    mut request: Request<Body>,
    lease: Lease<AccessToken, Error>,
) -> Result<Response<Body>, BoxError> {
    request
        .headers_mut()
        .insert(AUTHORIZATION, lease.value.header.clone());
    let mut answer = pin!(next.send(request));
    let mut refresh = lease.refresh;
    poll_fn(|cx| {
        if let Some(fetch) = &mut refresh
            && Pin::new(fetch).poll(cx).is_ready()
        {
            refresh = None;
        }
        answer.as_mut().poll(cx)
    })
    .await
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
