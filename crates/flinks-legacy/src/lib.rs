//! Opens a bank session through Flinks' legacy Authorize, answers every challenge, and fetches what is behind it.

mod client;
mod session;

pub use client::LegacyClient;
pub use session::Session;
