//! How to read an analysis, one subject a page.

#[doc = include_str!("../guide/waiting.md")]
///
/// Items: [`FraudClient::wait`](crate::FraudClient::wait), [`AnalysisWait`](crate::AnalysisWait),
/// [`Verdict`](crate::Verdict), [`Reason`](crate::Reason).
pub mod waiting {}
