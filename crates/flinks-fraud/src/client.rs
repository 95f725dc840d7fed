//! The client of the results host: reads fraud analyses, once or until they are final.

use flinks_auth::{ApiSecret, ApiSecretAuth, AuthLayer};
use flinks_transport::{Call, CustomerEndpoint, Endpoint, Error, Transport};
use flinks_types::{CustomerId, LoginId};

use crate::operation::AnalysisRequest;
use crate::wait::AnalysisWait;

/// Reads the fraud analyses of one customer.
///
/// Cheap to clone; clones share the connections. It authenticates with the API secret, which is a
/// type of its own: the OAuth credentials of the upload host are not accepted here.
#[derive(Clone, Debug)]
pub struct FraudClient {
    transport: Transport,
    customer: CustomerEndpoint,
}

impl FraudClient {
    /// Builds a client for the results host `endpoint`, which is usually an
    /// [instance](Endpoint::instance).
    ///
    /// The secret is sent to that host only, and no layer of `transport` sees it. The transport
    /// needs no client certificate. Source: Upload guide, Fraud Analysis Endpoint.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): the secret is empty or cannot
    /// be sent in a header.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "every client takes its transport and its credentials by value"
    )]
    pub fn new(
        transport: Transport,
        endpoint: Endpoint,
        customer_id: CustomerId,
        secret: ApiSecret,
    ) -> Result<Self, Error> {
        let layer = AuthLayer::new(ApiSecretAuth::new(endpoint.clone(), &secret)?);
        Ok(Self {
            transport: transport.with_credentials(layer),
            customer: CustomerEndpoint::new(endpoint, customer_id),
        })
    }

    /// Reads the analysis as it is now, final or not: `fraud.analysis`.
    ///
    /// It changes nothing on the server and may be sent any number of times. Flinks recommends to
    /// repeat it about every 30 s, which is what [`wait`](Self::wait) does.
    pub fn analysis(&self, login_id: &LoginId) -> Call<AnalysisRequest> {
        let request = AnalysisRequest::new(self.customer.clone(), login_id.clone());
        self.transport.call(request)
    }

    /// Polls until the analysis is final. Nothing is sent until the wait is awaited.
    pub fn wait(&self, login_id: &LoginId) -> AnalysisWait {
        AnalysisWait::new(self.clone(), login_id.clone())
    }

    /// The transport that adds the API secret to each request, for operations of your own.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}
