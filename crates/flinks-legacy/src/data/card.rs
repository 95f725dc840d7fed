//! What can be done to a login that the service keeps: delete it, refresh it every night, or not.

use std::fmt;

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Endpoint, Error, Operation, Replay, Route,
};
use flinks_types::{
    ApiError, CustomerId, FlinksCode, LoginId, NightlyStatusResponse, Outcome, Subject, from_json,
    http_status_code,
};
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::answer::{about, failed, outcome};
use super::place::{Place, json};

/// The service's word that it did what it was asked to.
///
/// `Debug` gives only the length of the sentence, which can hold a LoginId.
#[derive(Clone, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// The service's sentence about it; informational.
    pub message: Option<String>,
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acknowledgement")
            .field("message", &self.message.as_ref().map(String::len))
            .finish()
    }
}

/// DeleteCard's answer names its status `StatusCode`, others `HttpStatusCode`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Status {
    #[serde(deserialize_with = "http_status_code")]
    status_code: Option<u16>,
}

/// Reads an object, or the bare string that some of these calls answer.
pub(crate) fn acknowledged(
    response: Response<Bytes>,
    login_id: &LoginId,
) -> Result<Acknowledgement, DecodeError> {
    let (parts, body) = response.into_parts();
    let subject = Subject::login(login_id);
    if let Ok(message) = serde_json::from_slice::<String>(&body) {
        about(subject, &body)?;
        let message = Some(message).filter(|message| !message.is_empty());
        return Ok(Acknowledgement { message });
    }
    let status: Status = from_json(&body).map_err(|error| DecodeError::json(&error))?;
    let said = ApiError::from_body(&body).unwrap_or_default();
    let code = said.flinks_code.as_ref();
    let is_done = [said.http_status_code, status.status_code]
        .into_iter()
        .all(|status| outcome(parts.status, status, code) == Outcome::Done);
    if is_done {
        about(subject, &body)?;
        Ok(Acknowledgement {
            message: said.message,
        })
    } else {
        Err(DecodeError::api(said))
    }
}

/// Deletes a login with everything that the service keeps of it: `legacy.delete_card`.
///
/// *Effect:* the LoginId is gone for good. Sent again only if it provably had no effect.
#[derive(Clone, Debug)]
pub struct DeleteCard {
    place: Place,
    login_id: LoginId,
}

impl DeleteCard {
    /// Deletes `login_id` at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, login_id: LoginId) -> Self {
        Self::at(Place::new(endpoint, customer_id), login_id)
    }

    pub(crate) fn at(place: Place, login_id: LoginId) -> Self {
        Self { place, login_id }
    }
}

impl Operation for DeleteCard {
    type Output = Acknowledgement;

    fn meta(&self) -> CallMeta {
        let route = Route::delete("/v3/{customerId}/BankingServices/DeleteCard/{loginId}");
        CallMeta::new("legacy.delete_card", route, Replay::Unsent)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let id = self.login_id.as_str();
        self.place.ask(Method::DELETE, "DeleteCard", Some(id))
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        acknowledged(response, &self.login_id)
    }
}

/// Turns the nightly refresh of a login on or off: `legacy.set_scheduled_refresh`.
///
/// *Effect:* as said; asking twice is the same as asking once.
#[derive(Clone, Debug)]
pub struct SetScheduledRefresh {
    place: Place,
    login_id: LoginId,
    on: bool,
}

impl SetScheduledRefresh {
    /// Turns the refresh of `login_id` on or off at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, login_id: LoginId, on: bool) -> Self {
        Self::at(Place::new(endpoint, customer_id), login_id, on)
    }

    pub(crate) fn at(place: Place, login_id: LoginId, on: bool) -> Self {
        Self {
            place,
            login_id,
            on,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefreshWire<'r> {
    login_id: &'r LoginId,
    is_activated: bool,
}

impl Operation for SetScheduledRefresh {
    type Output = Acknowledgement;

    fn meta(&self) -> CallMeta {
        let route = Route::patch("/v3/{customerId}/BankingServices/SetScheduledRefresh");
        CallMeta::new("legacy.set_scheduled_refresh", route, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let body = json(&RefreshWire {
            login_id: &self.login_id,
            is_activated: self.on,
        })?;
        self.place.tell(Method::PATCH, "SetScheduledRefresh", body)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        acknowledged(response, &self.login_id)
    }
}

/// Lists the logins that are not refreshed every night any more: `legacy.nightly_status`.
///
/// *Effect:* none; it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct NightlyStatus {
    place: Place,
}

impl NightlyStatus {
    /// Asks `endpoint` for the logins of `customer_id`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId) -> Self {
        Self::at(Place::new(endpoint, customer_id))
    }

    pub(crate) fn at(place: Place) -> Self {
        Self { place }
    }
}

impl Operation for NightlyStatus {
    type Output = NightlyStatusResponse;

    fn meta(&self) -> CallMeta {
        let route = Route::get("/v3/{customerId}/BankingServices/GetNightlyRefreshStatus");
        CallMeta::new("legacy.nightly_status", route, Replay::Safe)
            .with_credential(Credential::ApiSecret)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.place.ask(Method::GET, "GetNightlyRefreshStatus", None)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<NightlyStatusResponse, DecodeError> {
        let (parts, body) = response.into_parts();
        let read: NightlyStatusResponse =
            from_json(&body).map_err(|error| DecodeError::json(&error))?;
        // The published example has a FlinksCode beside its list: there only the statuses count.
        let code = read.flinks_code.as_ref();
        let code = code.filter(|_| read.ineligible_cards.is_none());
        done(parts.status, read.http_status_code, code, &body)?;
        Ok(read)
    }
}

/// Refuses an answer that says its call failed, or goes on.
pub(crate) fn done(
    status: StatusCode,
    said: Option<u16>,
    code: Option<&FlinksCode>,
    body: &[u8],
) -> Result<(), DecodeError> {
    match outcome(status, said, code) {
        Outcome::Done => Ok(()),
        Outcome::Failed | Outcome::Pending => Err(failed(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    }

    fn acknowledged(response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        super::acknowledged(response, &LoginId::new("b0debb48").unwrap())
    }

    #[test]
    fn an_acknowledgement_of_another_login_is_none() {
        for body in [
            r#"{"StatusCode":200,"LoginId":"another"}"#,
            r#"{"StatusCode":200,"Login":{"Id":"another"}}"#,
            r#""LoginId 11111111-2222-3333-4444-555555555555 has now been activated""#,
        ] {
            let error = acknowledged(answer(200, body)).unwrap_err();
            assert!(
                error.to_string().contains("about another LoginId"),
                "{body}"
            );
        }
        for body in [r#"{"StatusCode":200,"LoginId":"b0debb48"}"#, "{}"] {
            assert!(acknowledged(answer(200, body)).is_ok(), "{body}");
        }
    }

    #[test]
    fn an_acknowledgement_is_an_object_or_a_bare_string() {
        for (body, message) in [
            (
                r#""LoginId X has been activated""#,
                Some("LoginId X has been activated"),
            ),
            (r#" "ACTIVATED" "#, Some("ACTIVATED")),
            (r#""""#, None),
            (r#"{"StatusCode":200,"Message":"Deleted"}"#, Some("Deleted")),
            ("{}", None),
        ] {
            let read = acknowledged(answer(200, body)).unwrap();
            assert_eq!(read.message.as_deref(), message, "{body}");
            assert!(!format!("{read:?}").contains("activated"));
        }
        for body in [
            r#"{"StatusCode":400,"Message":"No"}"#,
            r#"{"HttpStatusCode":400,"FlinksCode":"CARD_IN_USE"}"#,
            r#"{"FlinksCode":"CARD_IN_USE"}"#,
        ] {
            let error = acknowledged(answer(200, body)).unwrap_err();
            assert!(matches!(error, DecodeError::Api(_)), "{body}");
        }
        for body in ["", "<html>", "[]", "null", "7"] {
            let error = acknowledged(answer(200, body)).unwrap_err();
            assert!(matches!(error, DecodeError::Malformed(_)), "{body}");
        }
    }

    #[test]
    fn a_list_of_cards_outranks_the_code_beside_it() {
        let place = Place::new(
            Endpoint::instance("toolbox").unwrap(),
            CustomerId::new("43387ca6").unwrap(),
        );
        let read = |body: &str| NightlyStatus::at(place.clone()).decode(answer(200, body));
        let cards = r#"{"HttpStatusCode":200,"IneligibleCards":[{}],"FlinksCode":"UNAUTHORIZED"}"#;
        assert_eq!(read(cards).unwrap().ineligible_cards.unwrap().len(), 1);
        assert!(read(r#"{"HttpStatusCode":200,"FlinksCode":"UNAUTHORIZED"}"#).is_err());
        assert!(read(r#"{"HttpStatusCode":401,"IneligibleCards":[]}"#).is_err());
    }
}
