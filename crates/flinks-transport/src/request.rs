//! Requests with a body of JSON, and copies of requests.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};

use crate::Body;

/// Builds a request whose body is JSON.
#[must_use]
pub fn json_request(method: Method, uri: Uri, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    request
}

/// Copies a request with its extensions; `None` if its body can be read only once.
///
/// For layers that may have to send a request again, such as a credential layer after a 401.
#[must_use]
pub fn try_clone_request(request: &Request<Body>) -> Option<Request<Body>> {
    let body = request.body().try_clone()?;
    let mut again = Request::new(body);
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.version_mut() = request.version();
    *again.headers_mut() = request.headers().clone();
    *again.extensions_mut() = request.extensions().clone();
    Some(again)
}
