//! One customer at one host: requests to the paths that begin with `/v3/{customerId}`.

use flinks_types::CustomerId;
use http::Request;

use crate::request::json_request;
use crate::{Body, Endpoint, Error, ErrorKind, Route};

/// An [`Endpoint`] and the customer whose calls it takes.
///
/// ```
/// use flinks_transport::{CustomerEndpoint, Endpoint, Route};
/// use flinks_types::CustomerId;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let customer = CustomerEndpoint::new(Endpoint::instance("toolbox")?, CustomerId::new("43387ca6")?);
/// let route = Route::delete("/v3/{customerId}/BankingServices/DeleteCard/{loginId}");
/// let request = customer.request(route, &["aabf32b7"])?;
/// assert_eq!(request.method(), "DELETE");
/// assert_eq!(request.uri().path(), "/v3/43387ca6/BankingServices/DeleteCard/aabf32b7");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CustomerEndpoint {
    endpoint: Endpoint,
    customer_id: CustomerId,
}

impl CustomerEndpoint {
    /// Names the customer and the host.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId) -> Self {
        Self {
            endpoint,
            customer_id,
        }
    }

    /// The host.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The customer.
    #[must_use]
    pub fn customer_id(&self) -> &CustomerId {
        &self.customer_id
    }

    /// Builds a request without a body. `{customerId}` in the route's path is filled in, any other
    /// `{name}` by the next of `ids`, percent-encoded.
    ///
    /// # Errors
    /// [`ErrorKind::Input`]: an id is missing or is not valid in a path, or the route's method is
    /// not valid.
    pub fn request(&self, route: Route, ids: &[&str]) -> Result<Request<Body>, Error> {
        let mut ids = ids.iter();
        let mut segments = Vec::new();
        for segment in route.path().split('/').filter(|part| !part.is_empty()) {
            segments.push(match segment {
                "{customerId}" => self.customer_id.as_str(),
                _ if segment.starts_with('{') => {
                    ids.next().ok_or_else(|| input("a path lacks an id"))?
                }
                _ => segment,
            });
        }
        let method = route.method().parse();
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.map_err(|_| input("a route has no HTTP method"))?;
        *request.uri_mut() = self.endpoint.join(segments)?;
        Ok(request)
    }

    /// Builds a request with a body of JSON: see [`Body::json`].
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn json_request(
        &self,
        route: Route,
        ids: &[&str],
        body: Body,
    ) -> Result<Request<Body>, Error> {
        let (parts, _) = self.request(route, ids)?.into_parts();
        Ok(json_request(parts.method, parts.uri, body))
    }
}

fn input(message: &'static str) -> Error {
    Error::new(ErrorKind::Input, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_filled_in_with_encoded_ids() {
        let endpoint = Endpoint::new("https://results.example/prefix").expect("a base");
        let customer_id = CustomerId::new("43387ca6").expect("an id");
        let customer = CustomerEndpoint::new(endpoint, customer_id);
        let route = Route::get("/v3/{customerId}/upload/fraudanalysis/{loginId}");
        let request = customer.request(route, &["a/b"]).expect("a request");
        assert_eq!(
            request.uri(),
            "https://results.example/prefix/v3/43387ca6/upload/fraudanalysis/a%2Fb"
        );
        for ids in [vec![], vec![""], vec![".."], vec!["a\nb"]] {
            let error = customer.request(route, &ids).expect_err("no id");
            assert_eq!(error.kind(), ErrorKind::Input);
        }
        let body = Body::json(&["x"]).expect("JSON");
        let request = customer.json_request(Route::patch("/v3/x"), &[], body);
        let request = request.expect("a request");
        assert_eq!(request.method(), "PATCH");
        assert_eq!(request.headers()["content-type"], "application/json");
        let body = request.body().as_bytes().expect("bytes");
        assert_eq!(body, &b"[\"x\"]"[..]);
    }
}
