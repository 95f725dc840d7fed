//! The corpus, the format's own rules, and scenarios against the sandbox.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests say what is wrong by failing"
)]

mod bless;
mod corpus;
mod coverage;
mod errors;
mod format;
mod layers;
mod leaks;
mod live;
mod observability;
mod requirements;
mod sandbox_example;
mod scenarios;
mod schema;
