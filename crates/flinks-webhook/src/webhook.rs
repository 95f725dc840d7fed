//! A verified webhook: its raw body and the event that it announces.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flinks_types::{
    AccountsResponse, KycResponse, LoginId, RequestId, Timestamp, WebhookEnvelope, WebhookType,
    find_login_id, find_request_id, from_json,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// A webhook whose signature was verified.
///
/// `Debug` shows its type, ids and length, never the body.
///
/// ```
/// use flinks_webhook::{Event, Webhook};
///
/// let webhook = Webhook::read(
///     r#"{"ResponseType":"GetAccountsDetail","Login":{"Id":"b0debb48"},"Accounts":[{"Title":"Chequing"}]}"#,
/// );
/// assert_eq!(webhook.login_id().unwrap().as_str(), "b0debb48");
/// let Event::AccountsDetail(answer) = webhook.event() else {
///     panic!("the accounts of a login");
/// };
/// assert_eq!(answer.accounts.as_ref().map(Vec::len), Some(1));
/// ```
#[derive(Clone)]
pub struct Webhook {
    body: Bytes,
    envelope: WebhookEnvelope,
    event: Event,
}

/// What a webhook announces.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The accounts of a login, in the form of the data call's answer, also of uploaded documents. As
    /// there, a FlinksCode or a status may say that there are none.
    AccountsDetail(Box<AccountsResponse>),
    /// The identity of the account holders.
    Kyc(Box<KycResponse>),
    /// Anything else, with the body in [`Webhook::body`].
    ///
    /// An Upload fraud alert is one, because its form is not published. It is a reason to poll the
    /// analysis of [`Webhook::login_id`], never the verdict; no alert does not mean clean.
    Unknown,
    /// A body that is no JSON, or a documented event of another form. Its signature was right, so it
    /// is in [`Webhook::body`] as Flinks sent it.
    Unreadable(Unreadable),
}

/// Why a body could not be read. It holds nothing of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The line of the mistake, from 1; 0 if it is about the whole body.
    pub line: usize,
    /// The column of the mistake, in bytes.
    pub column: usize,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column } = self;
        write!(
            f,
            "the webhook is not the documented JSON (line {line}, column {column})"
        )
    }
}

impl std::error::Error for Unreadable {}

impl Webhook {
    /// Reads a body. It does not verify the signature, and does not fail: see [`Event::Unreadable`].
    #[must_use]
    pub fn read(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let (envelope, event) = match json(&body) {
            Err(unreadable) => (envelope_in(&body), Event::Unreadable(unreadable)),
            Ok(envelope) => {
                let event = event(&envelope, &body);
                (envelope, event)
            }
        };
        Self {
            body,
            envelope,
            event,
        }
    }

    /// Returns the event.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Returns the event, without the body.
    #[must_use]
    pub fn into_event(self) -> Event {
        self.event
    }

    /// Returns the body as it was received. It has account data.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the service's `ResponseType`, if the body has one.
    #[must_use]
    pub fn response_type(&self) -> Option<&WebhookType> {
        self.envelope.response_type.as_ref()
    }

    /// Returns the login that the webhook is about, also of an unknown event and, if it can be found
    /// there, of an unreadable body.
    #[must_use]
    pub fn login_id(&self) -> Option<&LoginId> {
        self.envelope.login_id.as_ref()
    }

    /// Returns the id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.envelope.request_id.as_ref()
    }

    /// Returns the tag of the upload or session.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.envelope.tag.as_deref()
    }

    /// Returns the time of the login's last refresh, the only date that a body is known to have.
    #[must_use]
    pub fn last_refresh(&self) -> Option<&Timestamp> {
        self.envelope.last_refresh.as_ref()
    }

    /// Returns the hash of the body, which is the same in every delivery of one webhook.
    #[must_use]
    pub fn hash(&self) -> BodyHash {
        BodyHash(Sha256::digest(&self.body).into())
    }

    pub(crate) fn is_older_than(&self, max_age: Duration, now: SystemTime) -> bool {
        let date = self.last_refresh().and_then(Timestamp::system_time);
        date.is_some_and(|date| now.duration_since(date).is_ok_and(|age| age > max_age))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("bytes", &self.body.len())
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a webhook's body. `Display` is hexadecimal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// Returns the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn event(envelope: &WebhookEnvelope, body: &[u8]) -> Event {
    match &envelope.response_type {
        Some(WebhookType::AccountsDetail) => typed(body, Event::AccountsDetail),
        Some(WebhookType::Kyc) => typed(body, Event::Kyc),
        Some(_) | None => Event::Unknown,
    }
}

fn typed<'b, T: Deserialize<'b>>(body: &'b [u8], event: fn(Box<T>) -> Event) -> Event {
    json(body).map_or_else(Event::Unreadable, |read| event(Box::new(read)))
}

fn json<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Unreadable> {
    // The text of the error may quote the body.
    from_json(body).map_err(|error| Unreadable {
        line: error.line(),
        column: error.column(),
    })
}

fn envelope_in(body: &[u8]) -> WebhookEnvelope {
    let mut envelope = WebhookEnvelope::default();
    envelope.login_id = find_login_id(body);
    envelope.request_id = find_request_id(body);
    envelope
}
