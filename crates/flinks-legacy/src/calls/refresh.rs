//! The nightly refresh of saved logins: `legacy.set_scheduled_refresh` and `legacy.nightly_status`.

use bytes::Bytes;
use flinks_transport::{
    Body, Call, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, Operation, Replay,
    Route,
};
use flinks_types::{LoginId, NightlyStatusResponse, from_json};
use http::{Request, Response};
use serde::Serialize;

use super::acknowledgement::{self, Acknowledgement};
use crate::answer::require_done;
use crate::client::LegacyClient;

const SET_ROUTE: Route = Route::patch("/v3/{customerId}/BankingServices/SetScheduledRefresh");
const STATUS_ROUTE: Route = Route::get("/v3/{customerId}/BankingServices/GetNightlyRefreshStatus");

impl LegacyClient {
    /// Turns the nightly refresh of a login on or off: `legacy.set_scheduled_refresh`.
    ///
    /// *Effect:* that of its name; twice is the same as once.
    pub fn set_scheduled_refresh(&self, login_id: &LoginId, on: bool) -> Call<SetScheduledRefresh> {
        let (endpoint, login_id) = (self.endpoint().clone(), login_id.clone());
        self.transport()
            .call(SetScheduledRefresh::new(endpoint, login_id, on))
    }

    /// Lists the logins that are no longer refreshed every night: `legacy.nightly_status`.
    ///
    /// *Effect:* none. The only legacy call that requires the API secret.
    pub fn nightly_status(&self) -> Call<NightlyStatus> {
        self.transport()
            .call(NightlyStatus::new(self.endpoint().clone()))
    }
}

/// Turns the nightly refresh of a login on or off: `legacy.set_scheduled_refresh`.
///
/// *Effect:* that of its name; twice is the same as once.
#[derive(Clone, Debug)]
pub struct SetScheduledRefresh {
    endpoint: CustomerEndpoint,
    login_id: LoginId,
    on: bool,
}

impl SetScheduledRefresh {
    /// Creates a call that turns the refresh of `login_id` on or off.
    #[must_use]
    pub fn new(endpoint: CustomerEndpoint, login_id: LoginId, on: bool) -> Self {
        Self {
            endpoint,
            login_id,
            on,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetRequest<'r> {
    login_id: &'r LoginId,
    is_activated: bool,
}

impl Operation for SetScheduledRefresh {
    type Output = Acknowledgement;

    fn meta(&self) -> CallMeta {
        CallMeta::new("legacy.set_scheduled_refresh", SET_ROUTE, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let body = Body::json(&SetRequest {
            login_id: &self.login_id,
            is_activated: self.on,
        })?;
        self.endpoint.json_request(SET_ROUTE, &[], body)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        acknowledgement::read(response, &self.login_id)
    }
}

/// Lists the logins that are no longer refreshed every night: `legacy.nightly_status`.
///
/// *Effect:* none; it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct NightlyStatus {
    endpoint: CustomerEndpoint,
}

impl NightlyStatus {
    /// Creates a call that lists the logins of the endpoint's customer.
    #[must_use]
    pub fn new(endpoint: CustomerEndpoint) -> Self {
        Self { endpoint }
    }
}

impl Operation for NightlyStatus {
    type Output = NightlyStatusResponse;

    fn meta(&self) -> CallMeta {
        CallMeta::new("legacy.nightly_status", STATUS_ROUTE, Replay::Safe)
            .with_credential(Credential::ApiSecret)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.endpoint.request(STATUS_ROUTE, &[])
    }

    fn decode(&self, response: Response<Bytes>) -> Result<NightlyStatusResponse, DecodeError> {
        let (parts, body) = response.into_parts();
        let answer: NightlyStatusResponse =
            from_json(&body).map_err(|error| DecodeError::json(&error))?;
        // The published example has a FlinksCode beside its list: there only the statuses count.
        let code = answer.flinks_code.as_ref();
        let code = code.filter(|_| answer.ineligible_cards.is_none());
        require_done(parts.status, answer.http_status_code, code, &body)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use flinks_transport::Endpoint;
    use flinks_types::CustomerId;

    use super::*;

    #[test]
    fn a_list_of_cards_outranks_the_code_beside_it() {
        let endpoint = Endpoint::instance("toolbox").unwrap();
        let customer_id = CustomerId::new("43387ca6").unwrap();
        let call = NightlyStatus::new(CustomerEndpoint::new(endpoint, customer_id));
        let read = |body: &'static str| call.decode(Response::new(Bytes::from(body)));
        let cards = r#"{"HttpStatusCode":200,"IneligibleCards":[{}],"FlinksCode":"UNAUTHORIZED"}"#;
        assert_eq!(read(cards).unwrap().ineligible_cards.unwrap().len(), 1);
        assert!(read(r#"{"HttpStatusCode":200,"FlinksCode":"UNAUTHORIZED"}"#).is_err());
        assert!(read(r#"{"HttpStatusCode":401,"IneligibleCards":[]}"#).is_err());
    }
}
