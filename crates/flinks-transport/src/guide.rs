//! Guides: how to use the SDK's crates for one purpose.

#[doc = include_str!("../guide/observability.md")]
pub mod observability {}
