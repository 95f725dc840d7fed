//! The client of the legacy host, for one customer.

use flinks_auth::{LegacyKeys, LegacyKeysLayer};
use flinks_transport::{Endpoint, Error, Transport};
use flinks_types::CustomerId;

/// Opens bank sessions, and fetches what is behind them, for one customer.
///
/// Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct LegacyClient {
    transport: Transport,
    endpoint: Endpoint,
    customer_id: CustomerId,
}

impl LegacyClient {
    /// A client of the legacy host `endpoint`: see [`Endpoint::instance`].
    ///
    /// The keys go to that host only, below every layer of `transport`, which needs no client
    /// certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): a key is empty or cannot stand
    /// in a header.
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
        let layer = LegacyKeysLayer::new(&transport, endpoint.clone(), customer_id.clone(), &keys)?;
        Ok(Self {
            transport: transport.with_credentials(layer),
            endpoint,
            customer_id,
        })
    }

    /// The transport that adds to each request the key it wants, for operations of one's own.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn customer_id(&self) -> &CustomerId {
        &self.customer_id
    }
}
