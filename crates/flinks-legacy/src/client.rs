//! The client of the legacy host, for one customer.

use std::time::Duration;

use flinks_auth::{AuthLayer, LegacyKeys, LegacyKeysAuth};
use flinks_transport::{CustomerEndpoint, Endpoint, Error, Transport};
use flinks_types::CustomerId;

/// The time for a call that waits for a bank: the service itself waits up to 210 s.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(240);

/// Opens bank sessions and fetches their data, for one customer.
///
/// Cheap to clone; clones share the connections.
///
/// ```
/// use flinks_legacy::{CustomerId, Endpoint, LegacyClient, LegacyKeys, Transport};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (auth_key, api_key) = ("from a secret store", "from a secret store");
/// let legacy = LegacyClient::new(
///     Transport::builder().build()?,
///     Endpoint::instance("toolbox")?,
///     CustomerId::new("43387ca6-0391-4c82-857d-70d95f087ecb")?,
///     LegacyKeys::new().auth_key(auth_key).x_api_key(api_key),
/// )?;
/// # let _ = legacy;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LegacyClient {
    transport: Transport,
    endpoint: CustomerEndpoint,
}

impl LegacyClient {
    /// Creates a client of the host `endpoint`: see [`Endpoint::instance`].
    ///
    /// The keys are sent to that host only, and added below every layer of `transport`, which needs
    /// no client certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): a key is empty or not allowed in
    /// a header.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a client takes what it is made of, as every client of this SDK does"
    )]
    pub fn new(
        transport: Transport,
        endpoint: Endpoint,
        customer_id: CustomerId,
        keys: LegacyKeys,
    ) -> Result<Self, Error> {
        let layer = AuthLayer::new(LegacyKeysAuth::new(
            &transport,
            endpoint.clone(),
            customer_id.clone(),
            &keys,
        )?);
        Ok(Self {
            transport: transport.with_credentials(layer),
            endpoint: CustomerEndpoint::new(endpoint, customer_id),
        })
    }

    /// Returns the transport that adds the required key to each request, to send your own
    /// operations with.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Returns the host and the customer, to build the requests of your own operations.
    #[must_use]
    pub fn endpoint(&self) -> &CustomerEndpoint {
        &self.endpoint
    }
}
