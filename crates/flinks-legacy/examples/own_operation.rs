//! An endpoint that the SDK does not cover, as an operation of one's own: Flinks' income attributes
//! (docs.flinks.com, Enrich, GetIncomeAttributes).

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use bytes::Bytes;
use flinks_legacy::{
    Body, BoxError, CallMeta, CustomerEndpoint, CustomerId, DecodeError, Endpoint, Error,
    LegacyClient, LegacyKeys, LoginId, Operation, RequestId,
};
use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Credential, Replay, Route};
use http::{Request, Response};
use serde_json::Value;

/// The attributes of a borrower's income, from the accounts of an open session.
struct IncomeAttributes {
    customer: CustomerEndpoint,
    login_id: LoginId,
    request_id: RequestId,
}

const ROUTE: Route = Route::get(
    "/v3/{customerId}/insight/login/{loginId}/attributes/{requestId}/GetIncomeAttributes",
);

impl Operation for IncomeAttributes {
    type Output = Value;

    fn meta(&self) -> CallMeta {
        // It only reads, so a failed attempt may be repeated. The client adds the key of data calls.
        CallMeta::new("insight.income_attributes", ROUTE, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let ids = [self.login_id.as_str(), self.request_id.as_str()];
        self.customer.request(ROUTE, &ids) // percent-encodes the ids
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Value, DecodeError> {
        serde_json::from_slice(response.body()).map_err(|error| DecodeError::json(&error))
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // The sandbox does not serve it, so a script answers. In a program: `Transport::builder().build()?`.
    let service = ScriptedService::new([
        Reply::status(503),
        Reply::json(200, r#"{"Card":{"employer_income_average":4210.55}}"#),
    ]);
    let legacy = LegacyClient::new(
        service.builder().build()?,
        Endpoint::instance("toolbox")?,
        CustomerId::new("43387ca6-0391-4c82-857d-70d95f087ecb")?,
        LegacyKeys::new().x_api_key("the key that Flinks sent"),
    )?;

    let call = legacy.transport().call(IncomeAttributes {
        customer: legacy.endpoint().clone(),
        login_id: LoginId::new("b0debb48")?,
        request_id: RequestId::new("9022abc2")?,
    });
    let attributes = call.await?;
    println!("{attributes}");

    let requests = service.requests();
    assert_eq!(requests.len(), 2, "the 503 was retried");
    let mut headers = requests.iter().map(|request| &request.headers);
    assert!(headers.all(|headers| headers.contains_key("x-api-key")));
    Ok(())
}
