//! OAuth credentials open the upload host, not the results host.

use flinks_auth::ClientCredentials;
use flinks_fraud::FraudClient;
use flinks_transport::{Endpoint, Transport};
use flinks_types::CustomerId;

fn misuse(transport: Transport, endpoint: Endpoint, customer_id: CustomerId) {
    let credentials = ClientCredentials::new("id", "secret");
    let _ = FraudClient::new(transport, endpoint, customer_id, credentials);
}

fn main() {}
