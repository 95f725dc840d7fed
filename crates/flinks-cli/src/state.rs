//! What the program keeps on disk: ledgers, session files, unread answers, and how files are created.

pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod ledger_place;
pub(crate) mod ledger_summary;
pub(crate) mod session_file;
pub(crate) mod temporary;
pub(crate) mod unread_answer;
