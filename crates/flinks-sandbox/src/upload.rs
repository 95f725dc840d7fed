//! The upload host: tokens, files, and completing a session.

mod body;
mod complete;
mod file;
mod sessions;
mod token;

pub(crate) use self::body::{BODY_LIMIT, TooLarge, UPLOAD_LIMIT, UploadBody};
pub(crate) use self::complete::complete;
pub(crate) use self::file::accept;
pub use self::sessions::{SandboxSession, StoredFile};
pub(crate) use self::sessions::{Sessions, StoredUpload};
pub(crate) use self::token::{Tokens, check_basic};
