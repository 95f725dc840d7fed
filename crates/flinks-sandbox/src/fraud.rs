//! The fraud analysis that a tester asks for by markers or by a call.

mod analysis;
mod chosen;
mod document;
mod integrity;
mod marker;
mod signal;

pub use self::analysis::{CLEAN_LOGIN_ID, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID};
pub(crate) use self::analysis::{
    FIXED_LOGIN_IDS, Progress, analysis, authorize, documents, is_flagged, progress,
};
pub use self::chosen::Analysis;
pub(crate) use self::document::Document;
#[cfg(test)]
pub(crate) use self::integrity::is_readable;
pub(crate) use self::marker::analyze;
pub use self::signal::Signal;
