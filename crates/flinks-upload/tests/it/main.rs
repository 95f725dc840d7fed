//! Whole sessions: against a service in memory under every fault, and against the sandbox over mutual TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests say what is wrong by failing, and may serve themselves"
)]

mod exactly_once;
mod interrupted;
mod leaks;
mod sandbox;
mod service;
mod sessions;
mod tokens;
