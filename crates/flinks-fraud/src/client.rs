//! The results host of one customer: where the fraud analysis is read.

use flinks_auth::{ApiSecret, ApiSecretAuth, AuthLayer};
use flinks_transport::{Call, Endpoint, Error, Transport};
use flinks_types::{CustomerId, LoginId};

use crate::operation::AnalysisRequest;
use crate::wait::Wait;

/// Reads fraud analyses for one customer.
///
/// Cheap to clone; clones share the connections. The bearer here is the API secret, a type of its
/// own: the OAuth credentials of the upload host do not fit.
#[derive(Clone, Debug)]
pub struct FraudClient {
    transport: Transport,
    endpoint: Endpoint,
    customer_id: CustomerId,
}

impl FraudClient {
    /// A client of the results host `endpoint`: see [`Endpoint::instance`].
    ///
    /// The secret goes to that host only, below every layer of `transport`, which needs no client
    /// certificate. Source: Upload guide, Fraud Analysis Endpoint.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): the secret is empty or cannot
    /// stand in a header.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a client takes its transport, as every client of this SDK does"
    )]
    pub fn new(
        transport: Transport,
        endpoint: Endpoint,
        customer_id: CustomerId,
        secret: &ApiSecret,
    ) -> Result<Self, Error> {
        let layer = AuthLayer::new(ApiSecretAuth::new(endpoint.clone(), secret)?);
        Ok(Self {
            transport: transport.with_credentials(layer),
            endpoint,
            customer_id,
        })
    }

    /// The analysis as it is now, finished or not: `fraud.analysis`.
    ///
    /// Reading changes nothing on the server and may be repeated; Flinks recommends to do so about
    /// every 30 s, which is what [`wait`](Self::wait) does.
    pub fn analysis(&self, login_id: &LoginId) -> Call<AnalysisRequest> {
        self.transport.call(AnalysisRequest::new(
            self.endpoint.clone(),
            self.customer_id.clone(),
            login_id.clone(),
        ))
    }

    /// The analysis once it is final; nothing is sent until this is awaited.
    pub fn wait(&self, login_id: &LoginId) -> Wait {
        Wait::new(self.clone(), login_id.clone())
    }

    /// The transport that adds the API secret to each request, for operations of one's own.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}
