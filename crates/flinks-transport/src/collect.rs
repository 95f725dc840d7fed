//! Collects an answer up to its size limit, and keeps what arrived of an incomplete one.

use std::future::poll_fn;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, HeaderMap};
use http::{Response, StatusCode};
use http_body::Body as HttpBody;

use crate::{Body, BoxError, Delivery, Error, ErrorKind};

/// What has arrived of an answer so far.
#[derive(Default)]
pub(crate) struct Collected {
    /// Whether this contains an answer that has not been passed on.
    pub(crate) is_left: bool,
    pub(crate) status: Option<StatusCode>,
    /// Whether the answer began after the whole request had been sent.
    pub(crate) in_turn: bool,
    first: Bytes,
    rest: BytesMut,
}

impl Collected {
    /// A raw answer, including its head.
    pub(crate) fn raw(status: Option<StatusCode>, answer: Bytes, in_turn: bool) -> Self {
        Self {
            is_left: true,
            status,
            in_turn,
            first: answer,
            rest: BytesMut::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    /// Appends a frame; an answer of one frame is not copied.
    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.rest.is_empty() {
            self.rest
                .extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
    }

    pub(crate) fn take(&mut self) -> Bytes {
        self.is_left = false;
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            std::mem::take(&mut self.first)
        } else {
            rest.freeze()
        }
    }

    /// Restores an answer that is not passed on after all.
    pub(crate) fn put_back(&mut self, response: &Response<Body>) {
        self.is_left = true;
        self.status = Some(response.status());
        self.first = response.body().as_bytes().cloned().unwrap_or_default();
    }
}

/// Collects an answer of at most `limit` bytes. On an error, what arrived stays in `seen`. An error
/// response is passed on even if it is incomplete, because its status alone is meaningful.
pub(crate) async fn collect<B>(
    response: Response<B>,
    limit: usize,
    seen: &mut Collected,
) -> Result<Response<Body>, Error>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    let (parts, body) = response.into_parts();
    let status = parts.status;
    seen.is_left = true;
    seen.status = Some(status);
    let mut body = pin!(body);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(frame) = frame else {
            if status.is_success() {
                let delivery = Delivery::Unknown;
                let error = Error::new(
                    ErrorKind::Connection,
                    "the connection was lost in the middle of the answer",
                )
                .with_delivery(delivery);
                return Err(error.with_answer(status, None, None));
            }
            break;
        };
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        let room = limit - seen.len();
        let too_large = data.len() > room;
        data.truncate(room);
        seen.push(data);
        if too_large {
            if status.is_success() {
                let message = format!("the answer is larger than {limit} bytes");
                let error =
                    Error::new(ErrorKind::Decode, message).with_delivery(Delivery::Delivered);
                return Err(error.with_answer(status, None, None));
            }
            break;
        }
    }
    Ok(Response::from_parts(parts, Body::from(seen.take())))
}

/// Whether a body has a content coding and cannot be read without decoding it.
///
/// Servers also send values that are not codings (`utf-8`, `none`, an empty value): those count
/// only if the body does not begin like JSON text.
pub(crate) fn is_encoded(headers: &HeaderMap, body: &[u8]) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let mut words = values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|word| word.trim_ascii().to_ascii_lowercase());
    words.any(|word| match &word[..] {
        b"" | b"identity" => false,
        b"br" | b"compress" | b"deflate" | b"gzip" | b"x-compress" | b"x-gzip" | b"zstd" => true,
        _ => !begins_as_json(body),
    })
}

fn begins_as_json(body: &[u8]) -> bool {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_coding_that_hides_the_text_counts() {
        let json: &[u8] = b"\xef\xbb\xbf {\"a\":1}";
        let gzip: &[u8] = b"\x1f\x8b\x08";
        let cases: [(&[&str], &[u8], bool); 12] = [
            (&[], gzip, false),
            (&[""], gzip, false),
            (&["identity"], gzip, false),
            (&["Identity, IDENTITY"], gzip, false),
            (&["gzip"], gzip, true),
            (&["identity", "gzip"], gzip, true),
            (&["GZIP"], json, true),
            (&["br"], b"{", true),
            (&["none"], b"<html>", true),
            (&["utf-8"], json, false),
            (&["none"], b"[]", false),
            (&["none,"], b" {", false),
        ];
        for (values, body, encoded) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(is_encoded(&headers, body), encoded, "{values:?} {body:?}");
        }
    }
}
