//! Turns a complete answer into the output of its operation, or into an error with its delivery.

use std::borrow::Cow;

use bytes::Bytes;
use flinks_types::ApiError;
use http::{Response, StatusCode};

use crate::collect::is_encoded;
use crate::progress::Progress;
use crate::retry::wall_clock;
use crate::retry_after::retry_after;
use crate::{DecodeError, Delivery, Error, ErrorKind, Operation, page};

/// Rejects a compressed success: nothing is decompressed, which rules out decompression bombs.
pub(crate) fn plain(response: Response<Bytes>) -> Result<Response<Bytes>, Error> {
    let status = response.status();
    if !status.is_success() || !is_encoded(response.headers(), response.body()) {
        return Ok(response);
    }
    let message = "the answer is compressed, although no compression was requested";
    let error = Error::new(ErrorKind::Decode, message).with_delivery(Delivery::Delivered);
    Err(error
        .with_answer(status, None, None)
        .keeping(response.body()))
}

pub(crate) fn read<O: Operation>(
    operation: &O,
    response: Response<Bytes>,
    progress: &Progress,
) -> Result<O::Output, Error> {
    let response = match plain(response) {
        Ok(response) => response,
        Err(error) => return recovered(operation, error),
    };
    let (parts, body) = response.into_parts();
    let status = parts.status;
    let wait = retry_after(&parts.headers, wall_clock());
    let hidden = |api| progress.shown(|secrets| secrets.hide_in(api));
    let page = || page::description(&body, |title| progress.shown(|secrets| secrets.hide(title)));
    if !operation.accepts(&parts) {
        let api = ApiError::from_body(&body).map(hidden);
        let message = if status.is_redirection() {
            Cow::Borrowed("the service answered with a redirect, which is never followed")
        } else {
            page().map_or_else(|| failure(Delivery::of_status(status)).into(), Cow::Owned)
        };
        let error = Error::new(ErrorKind::Api, message).with_delivery(Delivery::of_status(status));
        return Err(error.with_answer(status, api, wait).keeping(&body));
    }
    match operation.decode(Response::from_parts(parts, body.clone())) {
        Ok(output) => Ok(output),
        Err(DecodeError::Api(api)) => {
            let delivery = of_body(status, api.http_status_code);
            let message = page().map_or_else(|| failure(delivery).into(), Cow::Owned);
            let error = Error::new(ErrorKind::Api, message).with_delivery(delivery);
            let error = error.with_answer(status, Some(hidden(*api)), wait);
            Err(error.keeping(&body))
        }
        Err(DecodeError::Setting(what)) => {
            let error = Error::new(ErrorKind::Config, what).with_delivery(Delivery::Rejected);
            Err(error.with_answer(status, None, wait))
        }
        Err(DecodeError::Malformed(what)) => {
            let what = page().unwrap_or(what);
            let message = format!("the answer cannot be read: {what}");
            let error = Error::new(ErrorKind::Decode, message).with_delivery(Delivery::Delivered);
            let error = error.with_answer(status, None, wait).keeping(&body);
            if status.is_success() {
                recovered(operation, error)
            } else {
                Err(error)
            }
        }
    }
}

/// Names a failure that the service reports.
fn failure(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Rejected => "rejected",
        Delivery::Delivered => "accepted, but not finished",
        Delivery::NotSent | Delivery::Unknown => "the service reports a failure",
    }
}

/// Returns what the operation can recover from a success, or the error.
fn recovered<O: Operation>(operation: &O, error: Error) -> Result<O::Output, Error> {
    let output = error.answer().and_then(|answer| operation.recover(answer));
    output.ok_or(error)
}

/// Returns the delivery of a failure that the body reports: the status in the body takes precedence
/// over that of the response. Work that continues in the background was accepted, not rejected.
fn of_body(status: StatusCode, inner: Option<u16>) -> Delivery {
    let (outer, inner) = (status.as_u16(), inner.unwrap_or(status.as_u16()));
    let delivery = Delivery::of_code(inner);
    if delivery != Delivery::Delivered || outer == 202 || inner == 202 {
        delivery
    } else if status.is_success() {
        Delivery::Rejected
    } else {
        Delivery::of_status(status)
    }
}
