//! The authorize token of a bank session: where it is kept, and the call that fetches it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, CustomerEndpoint, DecodeError, Endpoint, Error, ErrorKind, Operation, Replay,
    Route, Step,
};
use flinks_types::{ApiError, CustomerId, Secret, from_json};
use http::header::HeaderName;
use http::{HeaderValue, Request, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::client_credentials::sensitive;

const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GenerateAuthorizeToken");

pub(crate) const AUTH_KEY: HeaderName = HeaderName::from_static("flinks-auth-key");

/// Keeps the authorize token of one bank session; empty until the session's first call.
///
/// It is in the extensions of the session's requests. Layers cannot read the token in it. Clones
/// share the token. A token is valid for one session: the calls that answer its challenges send
/// it again.
#[derive(Clone, Default)]
pub struct AuthorizeTokenSlot(Arc<Mutex<Option<HeaderValue>>>);

impl AuthorizeTokenSlot {
    /// Makes an empty slot, for a new session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn read(&self) -> Option<HeaderValue> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn keep(&self, token: HeaderValue) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

impl fmt::Debug for AuthorizeTokenSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizeTokenSlot")
    }
}

/// Requests an authorize token: `auth.authorize_token`.
///
/// *Effect:* issues a token, which expires after 30 minutes if it is not used; it may be sent any
/// number of times.
///
/// Source: API reference, GenerateAuthorizeToken.
#[derive(Clone)]
pub struct AuthorizeTokenRequest {
    customer: CustomerEndpoint,
    pub(crate) key: HeaderValue,
}

impl AuthorizeTokenRequest {
    /// Asks `endpoint` with the secret key of `customer_id`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the key is empty or is not a valid header value.
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, key: &Secret) -> Result<Self, Error> {
        let key = key_value("the authorize secret key", key.expose())?;
        let customer = CustomerEndpoint::new(endpoint, customer_id);
        let request = Self { customer, key };
        // Built once here so that what cannot be sent is an error of the set-up.
        request.request()?;
        Ok(request)
    }
}

impl Operation for AuthorizeTokenRequest {
    type Output = AuthorizeTokenSlot;

    fn meta(&self) -> CallMeta {
        CallMeta::new("auth.authorize_token", ROUTE, Replay::Safe)
            .with_step(Step::Token)
            .with_max_response_bytes(64 * 1024)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let body = Body::from("{}".to_owned());
        let mut request = self.customer.json_request(ROUTE, &[], body)?;
        request.headers_mut().insert(AUTH_KEY, self.key.clone());
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<AuthorizeTokenSlot, DecodeError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            token: Secret,
        }
        let body = response.into_body();
        let answer =
            from_json::<Answer>(&body).map_err(|error| match ApiError::from_body(&body) {
                Some(api) if api.flinks_code.is_some() => DecodeError::api(api),
                Some(_) | None => DecodeError::json(&error),
            })?;
        let token = sensitive(answer.token.expose())
            .ok()
            .filter(|token| !token.is_empty())
            .ok_or_else(|| DecodeError::Malformed("Token is not a valid token".to_owned()))?;
        let slot = AuthorizeTokenSlot::new();
        slot.keep(token);
        Ok(slot)
    }
}

impl fmt::Debug for AuthorizeTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeTokenRequest")
            .field("customer", &self.customer)
            .finish_non_exhaustive()
    }
}

pub(crate) fn key_value(what: &str, key: &str) -> Result<HeaderValue, Error> {
    if key.is_empty() {
        let message = format!("{what} must not be empty: leave it out instead");
        return Err(Error::new(ErrorKind::Config, message));
    }
    sensitive(&Zeroizing::new(key.to_owned()))
}
