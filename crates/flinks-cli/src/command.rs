//! The commands, one module each.

pub(crate) mod completions;
pub(crate) mod csr;
pub(crate) mod doctor;
pub(crate) mod fraud;
pub(crate) mod resume;
pub(crate) mod sandbox;
pub(crate) mod upload;
