//! The assembled stack: in paused time over a scripted leaf, and over real sockets on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests say what is wrong by failing, and may serve themselves"
)]

mod ask;
mod authority;
mod identity_swap;
mod kept;
mod layers;
mod limits;
mod metrics;
mod proxy;
mod retries;
mod sealed;
mod wire;
