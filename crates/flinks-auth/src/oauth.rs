//! OAuth client credentials: adds the access token, and answers a 401 once.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::time::Duration;

use flinks_transport::{
    Body, BoxError, CallMeta, Credential, Delivery, Error, ErrorKind, HttpService,
    IdentityGeneration, KnownSecrets, Step, Transport, try_clone_request,
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
    identity: IdentityGeneration,
    request: TokenRequest,
    secrets: KnownSecrets,
    cache: TokenCache<AccessToken, Error>,
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
            identity: transport.identity_generation(),
            transport: transport.without_layers(),
            request,
            cache: TokenCache::new(),
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
        if request.extensions().get::<IdentityGeneration>() != Some(&self.identity) {
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
        let lease = self.lease(life).await.map_err(unsent)?;
        let generation = lease.generation;
        let response = send_with(next.clone(), request, lease).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.cache.evict(generation);
        let Some(again) = again else {
            return Ok(response);
        };
        // The service refused the call; that is still true when no other token can be had.
        let refused = |error: Error| {
            error
                .with_step(Step::Token)
                .with_delivery(Delivery::Rejected)
        };
        let lease = self.lease(life).await.map_err(refused)?;
        send_with(next, again, lease).await
    }
}

impl OAuth {
    async fn lease(&self, life: Duration) -> Result<Lease<AccessToken, Error>, Error> {
        self.cache.token(life, || self.fetch()).await
    }

    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Issued<AccessToken>, Error>> + Send>> {
        let call = self.transport.call(self.request.clone());
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
mod tests {
    use flinks_transport::{Replay, Route};

    use super::*;
    use crate::AuthLayer;

    fn transport() -> Transport {
        let leaf = tower::service_fn(|_: Request<Body>| async {
            let token = r#"{"access_token":"canary","expires_in":300}"#;
            Ok::<_, Error>(Response::new(Body::from(token.to_owned())))
        });
        Transport::builder()
            .service(leaf)
            .build()
            .expect("a transport")
    }

    /// A token may be bound to the client certificate that requested it.
    #[tokio::test]
    async fn a_layer_serves_the_transport_it_was_made_for_and_no_other() {
        let (own, other) = (transport(), transport());
        let url = Uri::from_static("https://upload.example/token");
        let credentials = ClientCredentials::new("id", "secret");
        let oauth = OAuth::new(&own, url, credentials).expect("credentials");
        let layer = AuthLayer::new(oauth);
        let send = |transport: Transport| {
            let request = Request::get("https://upload.example/").body(Body::empty());
            let meta = CallMeta::new("test.call", Route::get("/"), Replay::Safe)
                .with_credential(Credential::OAuth);
            let transport = transport.with_credentials(layer.clone());
            async move { transport.send(meta, request.expect("a request")).await }
        };
        let error = send(other).await.expect_err("another identity");
        assert_eq!(error.kind(), ErrorKind::Config);
        send(own.without_layers()).await.expect("the same identity");
    }
}
