//! How to use a transport, one subject a page.

#[doc = include_str!("../guide/identities.md")]
///
/// Items: [`ClientIdentity`](crate::ClientIdentity), [`Roots`](crate::Roots),
/// [`Transport::replace_identity`](crate::Transport::replace_identity), [`Proxy`](crate::Proxy).
pub mod identities {}

#[doc = include_str!("../guide/layers.md")]
///
/// Items: [`TransportBuilder::layer`](crate::TransportBuilder::layer),
/// [`TransportBuilder::attempt_layer`](crate::TransportBuilder::attempt_layer),
/// [`request_span`](crate::request_span), [`CallMeta`](crate::CallMeta), [`Route`](crate::Route).
pub mod layers {}

#[doc = include_str!("../guide/observability.md")]
pub mod observability {}

#[doc = include_str!("../guide/retries.md")]
///
/// Items: [`Replay`](crate::Replay), [`RetryConfig`](crate::RetryConfig), [`Error`](crate::Error),
/// [`Delivery`](crate::Delivery), [`ErrorKind`](crate::ErrorKind).
pub mod retries {}
