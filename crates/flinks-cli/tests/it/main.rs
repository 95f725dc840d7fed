//! The built program against a sandbox on loopback: output, exit statuses, ledgers, secrets.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy does not see that this whole binary is a test"
)]

mod bench;
mod doctor;
mod exits;
mod fraud;
mod guide;
mod local;
mod resume;
mod secrets;
mod upload;
