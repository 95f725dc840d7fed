//! The names of the operations and of the two hosts, in the log and in faults.

use std::fmt;

use serde::Serialize;

/// The operation that a request calls.
///
/// The log and the [faults](crate::Fault) use the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ApiOperation {
    /// `POST /api/v1/token` on the upload host (Upload guide, "Obtaining an Access Token").
    Token,
    /// `POST /api/v1/upload` or `/upload` (Upload guide, Step 1).
    Upload,
    /// `POST /api/v1/upload/complete` or `/upload/complete` (Upload guide, Step 2).
    Complete,
    /// `GET /v3/{customerId}/upload/fraudanalysis/{loginId}` on the results host.
    Fraud,
    /// `POST /v3/{customerId}/BankingServices/GenerateAuthorizeToken` on the results host.
    AuthorizeToken,
    /// `POST …/BankingServices/Authorize`.
    Authorize,
    /// `POST …/BankingServices/GetAccountsDetail`, `GetAccountsSummary` or `GetStatements`.
    Data,
    /// `GET …/BankingServices/GetAccountsDetailAsync/{requestId}` or one of its two siblings; some
    /// clients send POST, which is accepted.
    DataAsync,
    /// `DELETE …/BankingServices/DeleteCard/{loginId}`.
    DeleteCard,
    /// `GET …/BankingServices/GetMFAQuestions/{loginId}` or `PATCH …/AnswerMFAQuestions`.
    MfaQuestions,
    /// `PATCH …/BankingServices/SetScheduledRefresh`.
    ScheduledRefresh,
    /// `GET …/BankingServices/GetNightlyRefreshStatus`.
    NightlyStatus,
    /// `GET …/BankingServices/Institutions`.
    Institutions,
    /// No request: a connection whose TLS handshake failed.
    Handshake,
    /// A webhook that the sandbox sends. It is in the log only: no fault can name it, and it is not
    /// counted as a request.
    Webhook,
    /// Any other request: answered with 404, or with 405 if only the method is wrong.
    Unknown,
}

impl ApiOperation {
    /// The operations that a fault can name, with their names.
    pub(crate) const NAMES: [(Self, &'static str); 14] = [
        (Self::Token, "token"),
        (Self::Upload, "upload"),
        (Self::Complete, "complete"),
        (Self::Fraud, "fraud"),
        (Self::AuthorizeToken, "authorize-token"),
        (Self::Authorize, "authorize"),
        (Self::Data, "data"),
        (Self::DataAsync, "data-async"),
        (Self::DeleteCard, "delete-card"),
        (Self::MfaQuestions, "mfa-questions"),
        (Self::ScheduledRefresh, "scheduled-refresh"),
        (Self::NightlyStatus, "nightly-status"),
        (Self::Institutions, "institutions"),
        (Self::Handshake, "handshake"),
    ];
}

impl fmt::Display for ApiOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(operation, _)| operation == self);
        f.write_str(match found {
            Some((_, name)) => name,
            None => "unknown",
        })
    }
}

/// One of the two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Host {
    /// Accepts files; requires a client certificate.
    Upload,
    /// Serves analyses and the legacy API over ordinary TLS.
    Results,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_and_the_faults_use_one_name() {
        for (operation, name) in ApiOperation::NAMES {
            assert_eq!(serde_json::to_value(operation).unwrap(), name);
            assert_eq!(operation.to_string(), name);
        }
    }
}
