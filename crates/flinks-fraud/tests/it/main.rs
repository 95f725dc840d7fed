//! The client over a scripted leaf in paused time, what leaks, and what must not compile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what is wrong by failing"
)]

mod answers;
mod leaf;
mod leaks;
mod log;
mod misuse;
mod notified;
mod wait;
