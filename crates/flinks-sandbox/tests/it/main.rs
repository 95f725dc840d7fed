//! The sandbox as a client sees it, through rustls and hyper alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "these are tests, and their client drives its own connections"
)]

mod client;
mod faults;
mod flow;
mod refusals;
mod tls;
