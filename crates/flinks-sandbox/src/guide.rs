//! How to test with the sandbox, one subject a page.

#[doc = include_str!("../guide/testing.md")]
///
/// Items: [`Sandbox`](crate::Sandbox), [`SandboxBuilder`](crate::SandboxBuilder),
/// [`upload_client!`](crate::upload_client), [`Fault`](crate::Fault).
pub mod testing {}
