//! Where a customer's calls are: the paths below `BankingServices`, and requests to them.

use flinks_transport::{Body, Endpoint, Error, ErrorKind};
use flinks_types::CustomerId;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};
use serde::Serialize;

/// The calls of one customer at one host.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    endpoint: Endpoint,
    customer_id: CustomerId,
}

impl Place {
    pub(crate) fn new(endpoint: Endpoint, customer_id: CustomerId) -> Self {
        Self {
            endpoint,
            customer_id,
        }
    }

    /// A request without a body; an id, if there is one, ends the path.
    pub(crate) fn ask(
        &self,
        method: Method,
        name: &str,
        id: Option<&str>,
    ) -> Result<Request<Body>, Error> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(name, id)?;
        Ok(request)
    }

    /// A request with a body of JSON.
    pub(crate) fn tell(
        &self,
        method: Method,
        name: &str,
        body: Body,
    ) -> Result<Request<Body>, Error> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(name, None)?;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    fn uri(&self, name: &str, id: Option<&str>) -> Result<Uri, Error> {
        let segments = ["v3", self.customer_id.as_str(), "BankingServices", name];
        self.endpoint.join(segments.into_iter().chain(id))
    }
}

/// A body of JSON without a secret in it.
pub(crate) fn json(value: &impl Serialize) -> Result<Body, Error> {
    let bytes = serde_json::to_vec(value)
        .map_err(|_| Error::new(ErrorKind::Input, "the request cannot be written as JSON"))?;
    Ok(Body::from(bytes))
}
