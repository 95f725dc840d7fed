//! An OAuth access token opens the upload host, not the results host.

use flinks_auth::AccessToken;
use flinks_fraud::FraudClient;
use flinks_transport::{Endpoint, Transport};
use flinks_types::CustomerId;

fn misuse(transport: Transport, endpoint: Endpoint, customer_id: CustomerId, token: AccessToken) {
    let _ = FraudClient::new(transport, endpoint, customer_id, token);
}

fn main() {}
