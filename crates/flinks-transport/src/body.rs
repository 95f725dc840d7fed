//! The body of a request or a collected answer: bytes, a stream that can start over, a stream that cannot, or sealed.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use flinks_types::Secret;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{BoxError, Delivery, Error, ErrorKind};

type Stream = UnsyncBoxBody<Bytes, BoxError>;

/// The body of a request or an answer.
///
/// `Debug` prints its kind and length, never its contents.
pub struct Body(Kind);

enum Kind {
    Bytes(Bytes),
    Replayable {
        length: u64,
        open: Arc<dyn Fn() -> Stream + Send + Sync>,
        stream: Option<Stream>,
    },
    Once(Stream),
    Sealed(Sealed),
}

impl Body {
    /// An empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self(Kind::Bytes(Bytes::new()))
    }

    /// A value without secrets, as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Input`]: the value cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_vec(value);
        json.map(Self::from)
            .map_err(|_| Error::new(ErrorKind::Input, "the request cannot be written as JSON"))
    }

    /// A stream of exactly `length` bytes that `open` creates for each attempt.
    ///
    /// `open` is called when the first byte is read, so a request that is never sent opens nothing. A stream that yields another number of bytes makes the request fail.
    pub fn replayable<B>(length: u64, open: impl Fn() -> B + Send + Sync + 'static) -> Self
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self(Kind::Replayable {
            length,
            open: Arc::new(move || open().map_err(Into::into).boxed_unsync()),
            stream: None,
        })
    }

    /// A stream that can be read once. A request with it is never sent again.
    pub fn from_stream<B>(body: B) -> Self
    where
        B: HttpBody<Data: Buf + Send, Error: Into<BoxError>> + Send + 'static,
    {
        Self(Kind::Once(InBytes(Box::pin(body)).boxed_unsync()))
    }

    /// Bytes that hold bank credentials or answers to a bank's questions.
    ///
    /// No layer of an application can read them, and they are sent at most once: clones share one
    /// latch that only the innermost layer of the transport opens. The memory is wiped when the last
    /// clone is dropped.
    #[must_use]
    pub fn sealed(bytes: Vec<u8>) -> Self {
        Self(Kind::Sealed(Sealed {
            bytes: Arc::new(Zeroizing::new(bytes)),
            secrets: Arc::default(),
            sent: Arc::new(AtomicBool::new(false)),
            past_user_layers: false,
        }))
    }

    /// Names the secrets in a sealed body, so that they are removed from the service's messages.
    /// Has no effect on a body that is not sealed.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Vec<Secret>) -> Self {
        if let Kind::Sealed(sealed) = &mut self.0 {
            sealed.secrets = Arc::new(secrets);
        }
        self
    }

    /// The secrets in a sealed body, as far as they were named.
    pub(crate) fn secrets(&self) -> &[Secret] {
        match &self.0 {
            Kind::Sealed(sealed) => &sealed.secrets,
            Kind::Bytes(_) | Kind::Once(_) | Kind::Replayable { .. } => &[],
        }
    }

    /// The same sealed bytes with a latch of their own, so that they can be sent once more.
    ///
    /// For a credential layer whose credential was refused before the service looked at the body.
    /// `None` for a body that is not sealed, and in every layer of an application.
    #[must_use]
    pub fn reseal(&self) -> Option<Self> {
        match &self.0 {
            Kind::Sealed(sealed) if sealed.past_user_layers => Some(Self(Kind::Sealed(Sealed {
                bytes: Arc::clone(&sealed.bytes),
                secrets: Arc::clone(&sealed.secrets),
                sent: Arc::new(AtomicBool::new(false)),
                past_user_layers: true,
            }))),
            Kind::Bytes(_) | Kind::Once(_) | Kind::Replayable { .. } | Kind::Sealed(_) => None,
        }
    }

    /// A second body with the same bytes; `None` for a stream that can be read once.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match &self.0 {
            Kind::Bytes(bytes) => Some(Self(Kind::Bytes(bytes.clone()))),
            Kind::Replayable {
                length,
                open,
                stream: _,
            } => Some(Self(Kind::Replayable {
                length: *length,
                open: Arc::clone(open),
                stream: None,
            })),
            Kind::Sealed(sealed) => Some(Self(Kind::Sealed(sealed.clone()))),
            Kind::Once(_) => None,
        }
    }

    /// The bytes of a body that is held in memory, as every collected answer is.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Once(_) | Kind::Replayable { .. } | Kind::Sealed(_) => None,
        }
    }

    /// Wraps any body without boxing one that is already ours.
    pub(crate) fn from_http<B>(body: B) -> Self
    where
        B: HttpBody<Data: Buf + Send, Error: Into<BoxError>> + Send + 'static,
    {
        let mut slot = Some(body);
        let any: &mut dyn std::any::Any = &mut slot;
        if let Some(ours) = any.downcast_mut::<Option<Self>>().and_then(Option::take) {
            return ours;
        }
        slot.map_or_else(Self::empty, Self::from_stream)
    }

    /// The body as the connection takes it; its length, if known, stays known.
    pub(crate) fn tracked(tracked: crate::attempt::Tracked) -> Self {
        Self(Kind::Once(tracked.boxed_unsync()))
    }

    /// Marks a body that has passed every layer of the application. Its latch stays the one that
    /// its clones above share.
    pub(crate) fn past_user_layers(mut self) -> Self {
        if let Kind::Sealed(sealed) = &mut self.0 {
            sealed.past_user_layers = true;
        }
        self
    }

    /// Opens a sealed body, once for all its clones.
    pub(crate) fn unseal(self) -> Result<Self, Error> {
        match self.0 {
            Kind::Sealed(sealed) => sealed.open().map(Self::from),
            kind @ (Kind::Bytes(_) | Kind::Once(_) | Kind::Replayable { .. }) => Ok(Self(kind)),
        }
    }
}

/// Another body in our types. A mapping adapter would forget its length, and with it the
/// request's `Content-Length`.
struct InBytes<B>(Pin<Box<B>>);

impl<B> HttpBody for InBytes<B>
where
    B: HttpBody<Data: Buf, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(cx).map(|next| {
            next.map(|frame| {
                frame
                    .map(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
                    .map_err(Into::into)
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[derive(Clone)]
struct Sealed {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    secrets: Arc<Vec<Secret>>,
    sent: Arc<AtomicBool>,
    /// Whether only credential layers are left between this body and the network.
    past_user_layers: bool,
}

impl Sealed {
    fn open(self) -> Result<Bytes, Error> {
        if self.sent.swap(true, Ordering::AcqRel) {
            return Err(Error::new(
                ErrorKind::Layer,
                "a layer tried to send a sealed request a second time",
            ));
        }
        Ok(Bytes::from_owner(Wiped(self.bytes)))
    }
}

/// Keeps the wiping buffer alive for as long as hyper holds the bytes.
struct Wiped(Arc<Zeroizing<Vec<u8>>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Kind::Replayable {
                open,
                stream,
                length: _,
            } => Pin::new(stream.get_or_insert_with(|| open())).poll_frame(cx),
            Kind::Once(stream) => Pin::new(stream).poll_frame(cx),
            Kind::Sealed(_) => Poll::Ready(Some(Err(Error::new(
                ErrorKind::Layer,
                "a layer tried to read a sealed body: it holds bank credentials or answers",
            )
            .with_delivery(Delivery::NotSent)
            .into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.is_empty(),
            Kind::Replayable {
                length,
                stream,
                open: _,
            } => stream
                .as_ref()
                .map_or(*length == 0, HttpBody::is_end_stream),
            Kind::Once(stream) => stream.is_end_stream(),
            Kind::Sealed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Replayable {
                length,
                stream,
                open: _,
            } => stream
                .as_ref()
                .map_or_else(|| SizeHint::with_exact(*length), HttpBody::size_hint),
            Kind::Once(stream) => stream.size_hint(),
            Kind::Sealed(sealed) => SizeHint::with_exact(sealed.bytes.len() as u64),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Bytes(_) => "Bytes",
            Kind::Replayable { .. } => "Replayable",
            Kind::Once(_) => "Once",
            Kind::Sealed(_) => "Sealed",
        };
        write!(f, "Body({kind}, {:?} bytes)", self.size_hint().exact())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn a_replayable_body_starts_over_in_its_clone() {
        let body = Body::replayable(3, || Full::new(Bytes::from_static(b"abc")));
        let again = body.try_clone().expect("replayable");
        assert_eq!(body.collect().await.expect("bytes").to_bytes(), "abc");
        assert_eq!(again.collect().await.expect("bytes").to_bytes(), "abc");
    }

    #[tokio::test]
    async fn a_body_that_is_read_once_keeps_its_length() {
        let body = Body::from_stream(Full::new(Bytes::from_static(b"abc")));
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(body.try_clone().is_none());
        assert_eq!(body.collect().await.expect("bytes").to_bytes(), "abc");
    }

    #[tokio::test]
    async fn a_sealed_body_cannot_be_read_and_opens_once() {
        let body = Body::sealed(b"password".to_vec());
        let (first, second) = (
            body.try_clone().expect("clone"),
            body.try_clone().expect("clone"),
        );
        let error = body.collect().await.expect_err("sealed");
        assert!(!format!("{error:?} {error}").contains("password"));
        let open = first.unseal().expect("the first opens");
        assert_eq!(open.collect().await.expect("bytes").to_bytes(), "password");
        assert_eq!(
            second.unseal().expect_err("latched").kind(),
            ErrorKind::Layer
        );
    }

    #[test]
    fn only_below_the_layers_a_body_is_resealed() {
        let body = Body::sealed(b"password".to_vec());
        assert!(body.reseal().is_none());
        assert!(Body::empty().past_user_layers().reseal().is_none());
        let above = body.try_clone().expect("clone");
        let below = body.past_user_layers();
        let again = below.reseal().expect("below");
        below.unseal().expect("the first opens");
        again.unseal().expect("so does the resealed one");
        above.past_user_layers().unseal().expect_err("latched");
    }

    #[test]
    fn debug_shows_no_contents() {
        let text = format!("{:?}", Body::from("canary".to_owned()));
        assert_eq!(text, "Body(Bytes, Some(6) bytes)");
    }

    #[tokio::test]
    async fn a_body_knows_its_end() {
        let abc = || Full::new(Bytes::from_static(b"abc"));
        let nothing = || Full::new(Bytes::new());
        for mut body in [
            Body::from(b"abc".to_vec()),
            Body::replayable(3, abc),
            Body::from_stream(abc()),
        ] {
            assert!(!body.is_end_stream(), "{body:?} before its bytes");
            body.frame().await.expect("a frame").expect("bytes");
            assert!(body.is_end_stream(), "{body:?} after its bytes");
        }
        for body in [
            Body::empty(),
            Body::replayable(0, nothing),
            Body::from_stream(nothing()),
        ] {
            assert!(body.is_end_stream(), "{body:?} without a byte");
        }
        assert!(
            !Body::sealed(Vec::new()).is_end_stream(),
            "a reader learns that it is sealed"
        );
    }
}
