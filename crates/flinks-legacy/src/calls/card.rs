//! Deleting a saved login: `legacy.delete_card`.

use bytes::Bytes;
use flinks_transport::{
    Body, Call, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, Operation, Replay,
    Route,
};
use flinks_types::LoginId;
use http::{Request, Response};

use super::acknowledgement::{self, Acknowledgement};
use crate::client::LegacyClient;

const ROUTE: Route = Route::delete("/v3/{customerId}/BankingServices/DeleteCard/{loginId}");

impl LegacyClient {
    /// Deletes a login with everything that the service keeps of it: `legacy.delete_card`.
    ///
    /// *Effect:* the LoginId is deleted permanently. Sent again only if it provably had no effect.
    /// `CARD_IN_USE` means that the login's data is still being fetched: try again in a minute.
    pub fn delete_card(&self, login_id: &LoginId) -> Call<DeleteCard> {
        self.transport()
            .call(DeleteCard::new(self.endpoint().clone(), login_id.clone()))
    }
}

/// Deletes a login with everything that the service keeps of it: `legacy.delete_card`.
///
/// *Effect:* the LoginId is deleted permanently. Sent again only if it provably had no effect.
#[derive(Clone, Debug)]
pub struct DeleteCard {
    endpoint: CustomerEndpoint,
    login_id: LoginId,
}

impl DeleteCard {
    /// Creates a call that deletes `login_id`.
    #[must_use]
    pub fn new(endpoint: CustomerEndpoint, login_id: LoginId) -> Self {
        Self { endpoint, login_id }
    }
}

impl Operation for DeleteCard {
    type Output = Acknowledgement;

    fn meta(&self) -> CallMeta {
        CallMeta::new("legacy.delete_card", ROUTE, Replay::Unsent)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.endpoint.request(ROUTE, &[self.login_id.as_str()])
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        acknowledgement::read(response, &self.login_id)
    }
}
