//! The whole client over a scripted service, in paused time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests say what is wrong by failing, and may serve themselves"
)]

mod answers;
mod banks;
mod data;
mod drops;
mod layers;
mod outcomes;
mod service;
mod waiting;
