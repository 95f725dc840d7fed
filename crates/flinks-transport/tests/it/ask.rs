//! An operation for the tests of the stack.

use std::time::Duration;

use bytes::Bytes;
use flinks_transport::testing::Reply;
use flinks_transport::{Body, CallMeta, DecodeError, Error, Operation, Replay, Route};
use http::{Request, Response};

pub(crate) fn ok() -> Reply {
    Reply::json(200, "up")
}

/// An operation of the tests.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) replay: Replay,
    pub(crate) body: &'static str,
    pub(crate) url: String,
    pub(crate) stall: Option<(Duration, Duration)>,
    /// Reads every answer as a failure whose body names this status.
    pub(crate) says: Option<Option<u16>>,
}

impl Ask {
    pub(crate) fn new(replay: Replay) -> Self {
        Self {
            replay,
            body: "question",
            url: "https://example.com/ask".to_owned(),
            stall: None,
            says: None,
        }
    }
}

impl Operation for Ask {
    type Output = String;

    fn meta(&self) -> CallMeta {
        let meta = CallMeta::new("test.ask", Route::post("/"), self.replay);
        match self.stall {
            Some((idle, answer)) => meta.with_stall_timeout(idle, answer).without_timeout(),
            None => meta,
        }
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let mut request = Request::new(Body::from(self.body.to_owned()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.url.parse().expect("a URL");
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<String, DecodeError> {
        if let Some(status) = self.says {
            let mut api = flinks_types::ApiError::default();
            api.http_status_code = status;
            return Err(DecodeError::api(api));
        }
        match String::from_utf8(response.into_body().to_vec()) {
            Ok(text) if text != "malformed" => Ok(text),
            _ => Err(DecodeError::Malformed("no answer".to_owned())),
        }
    }
}
