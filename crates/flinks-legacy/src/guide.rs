//! How to open bank sessions, one subject a page.

#[doc = include_str!("../guide/mfa_web_service.md")]
///
/// Items: [`LegacyClient::authorize`](crate::LegacyClient::authorize),
/// [`ChallengeRound`](crate::ChallengeRound), [`QuestionKind`](crate::QuestionKind),
/// [`AuthorizeError::refusal`](crate::AuthorizeError::refusal).
pub mod mfa_web_service {}
