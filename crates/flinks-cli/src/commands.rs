//! The commands, one module each.

pub(crate) mod accounts;
pub(crate) mod authorize;
pub(crate) mod batch;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod csr;
mod data_wait;
pub(crate) mod delete_card;
pub(crate) mod doctor;
pub(crate) mod fraud;
mod fraud_wait;
mod ids;
pub(crate) mod institutions;
pub(crate) mod ledgers;
pub(crate) mod man;
pub(crate) mod refresh;
pub(crate) mod resume;
pub(crate) mod sandbox;
pub(crate) mod settings;
pub(crate) mod statements;
pub(crate) mod upload;
mod upload_notes;
mod upload_result;
