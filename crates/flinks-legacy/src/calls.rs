//! The calls other than sessions and data: saved logins, their refresh and questions, institutions.

mod acknowledgement;
mod card;
mod institutions;
mod mfa_questions;
mod refresh;

pub use acknowledgement::Acknowledgement;
pub use card::DeleteCard;
pub use institutions::{InstitutionStream, Institutions};
pub use mfa_questions::{AnswerMfaQuestions, MfaQuestions};
pub use refresh::{NightlyStatus, SetScheduledRefresh};
