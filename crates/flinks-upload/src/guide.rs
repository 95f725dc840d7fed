//! How to upload, one subject a page.

#[doc = include_str!("../guide/blocking.md")]
///
/// Items: [`UploadClient`](crate::UploadClient), [`UploadSession::upload`](crate::UploadSession::upload).
pub mod blocking {}

#[doc = include_str!("../guide/migrating.md")]
///
/// Items: [`ClientIdentity`](crate::ClientIdentity), [`ClientCredentials`](crate::ClientCredentials),
/// [`Document`](crate::Document), [`UploadSession`](crate::UploadSession).
pub mod migrating {}

#[doc = include_str!("../guide/sessions.md")]
///
/// Items: [`UploadSession`](crate::UploadSession), [`Document`](crate::Document),
/// [`FileLedger`](crate::FileLedger), [`Ledger`](crate::Ledger).
pub mod sessions {}
