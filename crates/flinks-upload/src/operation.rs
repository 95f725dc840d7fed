//! The two calls of the upload host as values: send one file, complete the session.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Error, Operation, Replay, Route, json_request,
};
use flinks_types::{
    AggregationId, ApiError, CompleteRequest, CompleteResponse, Outcome, UploadResponse,
    find_aggregation_id, find_http_status_code, find_login_id, from_json,
};
use http::{Method, Request, Response, Uri};

use crate::document::Document;
use crate::upload_body::{Envelope, OnBytes, Upload};

/// Neither answer is larger than a few hundred bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Sends one file: `upload.file`.
///
/// *Effect:* the file joins the session named by the AggregationId, or begins a new session. Sent
/// twice it is in the session twice, so it is repeated only if it certainly did not arrive.
///
/// Source: Upload guide, Step 1 (Upload a File).
#[derive(Clone)]
pub struct UploadFile {
    url: Uri,
    document: Document,
    aggregation_id: Option<AggregationId>,
    tag: Option<String>,
    client_name: Option<String>,
    on_bytes: Option<OnBytes>,
    reuse_connection: bool,
}

impl UploadFile {
    /// The first file of a session: the service makes an AggregationId for it.
    #[must_use]
    pub fn first(url: Uri, document: Document) -> Self {
        Self {
            url,
            document,
            aggregation_id: None,
            tag: None,
            client_name: None,
            on_bytes: None,
            reuse_connection: false,
        }
    }

    /// A further file of the session that `aggregation_id` names.
    #[must_use]
    pub fn next(url: Uri, document: Document, aggregation_id: AggregationId) -> Self {
        Self {
            aggregation_id: Some(aggregation_id),
            ..Self::first(url, document)
        }
    }

    /// A label for the session.
    #[must_use]
    pub fn tag(mut self, tag: Option<String>) -> Self {
        self.tag = tag;
        self
    }

    /// The name of the end client.
    #[must_use]
    pub fn client_name(mut self, name: Option<String>) -> Self {
        self.client_name = name;
        self
    }

    /// Lets a kept connection carry the file: one that the server closes just then costs its
    /// outcome, which a session that can start over can afford.
    pub(crate) fn reuse_connection(mut self) -> Self {
        self.reuse_connection = true;
        self
    }

    pub(crate) fn on_bytes(mut self, on_bytes: OnBytes) -> Self {
        self.on_bytes = Some(on_bytes);
        self
    }
}

impl Operation for UploadFile {
    type Output = UploadResponse;

    fn meta(&self) -> CallMeta {
        let route = Route::post_chosen(&self.url, &["/api/v1/upload", "/upload"], "{upload}");
        let meta = CallMeta::new("upload.file", route, Replay::Unsent)
            .with_credential(Credential::OAuth)
            // A slow connection may take its time, but a silent server may not.
            .with_stall_timeout(Duration::from_secs(30), Duration::from_secs(120))
            .without_timeout()
            .with_min_token_ttl(Duration::from_secs(30))
            .with_max_response_bytes(MAX_ANSWER);
        if self.reuse_connection {
            meta.with_reused_connection()
        } else {
            meta
        }
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let envelope = Envelope::new(
            self.aggregation_id.as_ref(),
            self.document.name(),
            self.tag.as_deref(),
            self.client_name.as_deref(),
        )?;
        let length = envelope.length(self.document.len())?;
        let (document, on_bytes) = (self.document.clone(), self.on_bytes.clone());
        let replayable = document.is_replayable();
        let open =
            move || Upload::new(document.clone(), envelope.clone(), length, on_bytes.clone());
        let body = if replayable {
            Body::replayable(length, open)
        } else {
            Body::from_stream(open())
        };
        Ok(json_request(Method::POST, self.url.clone(), body))
    }

    fn decode(&self, response: Response<Bytes>) -> Result<UploadResponse, DecodeError> {
        let body = response.into_body();
        let mut answer = from_json::<UploadResponse>(&body).map_err(|e| DecodeError::json(&e))?;
        refuse_failure(answer.http_status_code, &body)?;
        if answer.aggregation_id.is_none() {
            answer.aggregation_id = find_aggregation_id(&body);
        }
        if let Some(sent) = &self.aggregation_id {
            same_session(sent, answer.aggregation_id.as_ref())?;
        }
        Ok(answer)
    }

    /// A file whose outcome is unknown costs no more than a restart, so its answer must say that it
    /// was taken.
    fn recover(&self, answer: &[u8]) -> Option<UploadResponse> {
        let status = find_http_status_code(answer)?;
        let mut recovered = UploadResponse::default();
        recovered.http_status_code = Some(status);
        recovered.aggregation_id = Some(find_aggregation_id(answer)?);
        if let Some(sent) = &self.aggregation_id {
            same_session(sent, recovered.aggregation_id.as_ref()).ok()?;
        }
        succeeded(Some(status)).then_some(recovered)
    }
}

impl fmt::Debug for UploadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFile")
            .field("document", &self.document)
            .finish_non_exhaustive()
    }
}

/// Completes a session: `upload.complete`.
///
/// *Effect:* processing starts; before, a session is inert. What a second one does is not
/// documented, so it is repeated only if it certainly did not arrive.
///
/// Source: Upload guide, Step 2 (Complete the Upload).
#[derive(Clone, Debug)]
pub struct Complete {
    url: Uri,
    aggregation_id: AggregationId,
}

impl Complete {
    /// Completes the session that `aggregation_id` names.
    #[must_use]
    pub fn new(url: Uri, aggregation_id: AggregationId) -> Self {
        Self {
            url,
            aggregation_id,
        }
    }
}

impl Operation for Complete {
    type Output = CompleteResponse;

    fn meta(&self) -> CallMeta {
        let known = ["/api/v1/upload/complete", "/upload/complete"];
        let route = Route::post_chosen(&self.url, &known, "{complete}");
        CallMeta::new("upload.complete", route, Replay::Unsent)
            .with_credential(Credential::OAuth)
            .with_max_response_bytes(MAX_ANSWER)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let body = Body::json(&CompleteRequest::new(self.aggregation_id.clone()))?;
        Ok(json_request(Method::POST, self.url.clone(), body))
    }

    fn decode(&self, response: Response<Bytes>) -> Result<CompleteResponse, DecodeError> {
        let body = response.into_body();
        let answer = from_json::<CompleteResponse>(&body).map_err(|e| DecodeError::json(&e))?;
        refuse_failure(answer.http_status_code, &body)?;
        if answer.login_id.is_none() {
            return Err(DecodeError::Malformed("Login.Id is missing".to_owned()));
        }
        same_session(&self.aggregation_id, answer.aggregation_id.as_ref())?;
        Ok(answer)
    }

    /// This answer is the only place where the LoginId can be had.
    fn recover(&self, answer: &[u8]) -> Option<CompleteResponse> {
        let mut recovered = CompleteResponse::default();
        recovered.http_status_code = find_http_status_code(answer);
        recovered.aggregation_id = find_aggregation_id(answer);
        recovered.login_id = Some(find_login_id(answer)?);
        same_session(&self.aggregation_id, recovered.aggregation_id.as_ref()).ok()?;
        succeeded(recovered.http_status_code).then_some(recovered)
    }
}

/// The body's own status outranks the one it came with.
fn refuse_failure(status: Option<u16>, body: &[u8]) -> Result<(), DecodeError> {
    if succeeded(status) {
        Ok(())
    } else {
        Err(DecodeError::api(
            ApiError::from_body(body).unwrap_or_default(),
        ))
    }
}

/// An answer about another session is not the answer to this call.
fn same_session(sent: &AggregationId, seen: Option<&AggregationId>) -> Result<(), DecodeError> {
    if seen.is_some_and(|seen| sent.is_another(seen.as_str())) {
        let message = "it names another AggregationId than was sent";
        return Err(DecodeError::Malformed(message.to_owned()));
    }
    Ok(())
}

fn succeeded(status: Option<u16>) -> bool {
    Outcome::of(200, status, None) != Outcome::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "d521ae0d-9cf1-40e1-a1ee-474983800601";

    #[test]
    fn ids_are_recovered_from_answers_that_cannot_be_read() {
        let id = AggregationId::new(ID).expect("an id");
        let complete = Complete::new(Uri::default(), id.clone());
        let document = Document::from_bytes("a.pdf", "%PDF-1.7").expect("a document");
        let upload = UploadFile::next(Uri::default(), document, id);
        let whole = format!(
            r#"{{"HttpStatusCode":200,"AggregationId":"{ID}","Login":{{"Id":"login-1"}},"Message":"ok"}}"#
        );
        for answer in [
            format!("[{whole}]"),
            whole.replace("\"ok\"}", "\"o"),
            format!("{whole}<!-- gateway -->"),
        ] {
            let completed = complete.recover(answer.as_bytes()).expect(&answer);
            assert_eq!(completed.login_id.expect("an id").as_str(), "login-1");
            assert_eq!(completed.aggregation_id.expect("an id").as_str(), ID);
            let uploaded = upload.recover(answer.as_bytes()).expect(&answer);
            assert_eq!(uploaded.aggregation_id.expect("an id").as_str(), ID);
        }
        let odd = whole.replace("200", "\"fine\"");
        assert!(complete.recover(odd.as_bytes()).is_some());
        assert!(upload.recover(odd.as_bytes()).is_none(), "it is sent again");
        let other = whole.replace(ID, "d521ae0d-9cf1-40e1-a1ee-474983800602");
        assert!(complete.recover(other.as_bytes()).is_none());
        assert!(upload.recover(other.as_bytes()).is_none());
        let answer = |body: &str| Response::new(Bytes::from(body.to_owned()));
        assert!(complete.decode(answer(&other)).is_err() && upload.decode(answer(&other)).is_err());
        let spelled = whole.replace(ID, &ID.to_uppercase());
        assert!(
            complete.decode(answer(&spelled)).is_ok() && upload.decode(answer(&spelled)).is_ok()
        );
        // A failure is none the less one because an id stands beside it.
        let failed = whole.replace("200", "500");
        assert!(complete.recover(failed.as_bytes()).is_none());
        assert!(upload.recover(failed.as_bytes()).is_none());
        assert!(complete.recover(b"<html>").is_none() && upload.recover(b"").is_none());
    }
}
