//! The sandbox as a client sees it, through rustls and hyper alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "these are tests, and their client drives its own connections"
)]

mod authorize;
mod client;
mod connect_proxy;
mod control;
mod data;
mod faults;
mod flow;
mod folder;
mod legacy;
mod own_users;
mod refusals;
mod tls;
mod uploads;
mod webhook;
