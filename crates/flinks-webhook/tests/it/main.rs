//! Deliveries to the service: what is accepted, refused, handled once and never shown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests say what is wrong by failing"
)]

mod deliveries;
mod leaks;
mod receiver;
mod repeats;
mod signatures;
