//! Whole sessions: against a service in memory under every fault, and against the sandbox over mutual TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "tests say what is wrong by failing, and may serve themselves"
)]

mod generator;
mod identity_swap;
mod interrupted;
mod leaks;
mod ledger_damage;
mod sandbox;
mod service;
mod sessions;
mod tokens;
