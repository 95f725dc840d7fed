//! The commands, one module each.

pub(crate) mod accounts;
pub(crate) mod authorize;
pub(crate) mod completions;
pub(crate) mod csr;
pub(crate) mod delete_card;
pub(crate) mod doctor;
pub(crate) mod fraud;
pub(crate) mod resume;
pub(crate) mod sandbox;
pub(crate) mod statements;
pub(crate) mod upload;
