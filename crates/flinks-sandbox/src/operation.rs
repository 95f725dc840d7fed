//! The operations that the sandbox offers, and which request is which.

use std::fmt;

use http::Method;
use serde::Serialize;

use crate::legacy::Call;

/// What a request asks for.
///
/// Its name in the log is the one that [faults](crate::Fault) use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
    /// `POST …/GenerateAuthorizeToken`, as all that follow on the results host under
    /// `/v3/{customerId}/BankingServices`.
    AuthorizeToken,
    /// `POST …/Authorize`.
    Authorize,
    /// `POST …/GetAccountsDetail`, `…/GetAccountsSummary` or `…/GetStatements`.
    Data,
    /// `GET …/GetAccountsDetailAsync/{requestId}` and its two siblings.
    DataAsync,
    /// `DELETE …/DeleteCard/{loginId}`.
    DeleteCard,
    /// `GET …/GetMFAQuestions/{loginId}` or `PATCH …/AnswerMFAQuestions`.
    MfaQuestions,
    /// `PATCH …/SetScheduledRefresh`.
    ScheduledRefresh,
    /// `GET …/GetNightlyRefreshStatus`.
    NightlyStatus,
    /// `GET …/Institutions`.
    Institutions,
    /// Anything else: answered with 404, or 405 where only the method is wrong.
    Unknown,
}

impl ApiOperation {
    /// All that a fault can name.
    pub(crate) const KNOWN: [Self; 13] = [
        Self::Token,
        Self::Upload,
        Self::Complete,
        Self::Fraud,
        Self::AuthorizeToken,
        Self::Authorize,
        Self::Data,
        Self::DataAsync,
        Self::DeleteCard,
        Self::MfaQuestions,
        Self::ScheduledRefresh,
        Self::NightlyStatus,
        Self::Institutions,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Upload => "upload",
            Self::Complete => "complete",
            Self::Fraud => "fraud",
            Self::AuthorizeToken => "authorize-token",
            Self::Authorize => "authorize",
            Self::Data => "data",
            Self::DataAsync => "data-async",
            Self::DeleteCard => "delete-card",
            Self::MfaQuestions => "mfa-questions",
            Self::ScheduledRefresh => "scheduled-refresh",
            Self::NightlyStatus => "nightly-status",
            Self::Institutions => "institutions",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ApiOperation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// One of the two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Host {
    /// Takes files; asks for a client certificate.
    Upload,
    /// Gives analyses, and serves the legacy API; ordinary TLS.
    Results,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Token,
    Upload,
    Complete,
    Fraud {
        customer_id: &'a str,
        login_id: &'a str,
    },
    Legacy {
        customer_id: &'a str,
        call: Call<'a>,
    },
    WrongMethod {
        allowed: Method,
    },
    Nothing,
}

impl<'a> Route<'a> {
    pub(crate) fn new(host: Host, method: &Method, path: &'a str) -> Self {
        let (route, expected) = match host {
            Host::Upload => match path {
                "/api/v1/token" => (Self::Token, Method::POST),
                "/api/v1/upload" | "/upload" => (Self::Upload, Method::POST),
                "/api/v1/upload/complete" | "/upload/complete" => (Self::Complete, Method::POST),
                _ => return Self::Nothing,
            },
            Host::Results => {
                let mut segments = path.split('/');
                let parts: [Option<&str>; 7] = std::array::from_fn(|_| segments.next());
                match parts {
                    [
                        Some(""),
                        Some("v3"),
                        Some(customer_id),
                        Some("upload"),
                        Some("fraudanalysis"),
                        Some(login_id),
                        None,
                    ] => (
                        Self::Fraud {
                            customer_id,
                            login_id,
                        },
                        Method::GET,
                    ),
                    [
                        Some(""),
                        Some("v3"),
                        Some(customer_id),
                        Some("BankingServices"),
                        Some(endpoint),
                        id,
                        None,
                    ] => match Call::new(endpoint, id) {
                        Some(call) => (Self::Legacy { customer_id, call }, call.method()),
                        None => return Self::Nothing,
                    },
                    _ => return Self::Nothing,
                }
            }
        };
        if *method == expected {
            route
        } else {
            Self::WrongMethod { allowed: expected }
        }
    }

    pub(crate) fn operation(&self) -> ApiOperation {
        match self {
            Self::Token => ApiOperation::Token,
            Self::Upload => ApiOperation::Upload,
            Self::Complete => ApiOperation::Complete,
            Self::Fraud { .. } => ApiOperation::Fraud,
            Self::Legacy { call, .. } => call.operation(),
            Self::WrongMethod { .. } | Self::Nothing => ApiOperation::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_presets_of_paths_are_served() {
        for (path, route) in [
            ("/api/v1/token", Route::Token),
            ("/api/v1/upload", Route::Upload),
            ("/upload", Route::Upload),
            ("/api/v1/upload/complete", Route::Complete),
            ("/upload/complete", Route::Complete),
            ("/token", Route::Nothing),
            ("/upload/", Route::Nothing),
        ] {
            assert_eq!(
                Route::new(Host::Upload, &Method::POST, path),
                route,
                "{path}"
            );
        }
    }

    #[test]
    fn each_host_knows_its_own_paths_only() {
        let path = "/v3/customer/upload/fraudanalysis/login";
        let fraud = Route::Fraud {
            customer_id: "customer",
            login_id: "login",
        };
        assert_eq!(Route::new(Host::Results, &Method::GET, path), fraud);
        assert_eq!(Route::new(Host::Upload, &Method::GET, path), Route::Nothing);
        assert_eq!(
            Route::new(Host::Results, &Method::POST, "/upload"),
            Route::Nothing
        );
        for path in [
            "/v3/c/upload/fraudanalysis/l/more",
            "/v3/c/upload/fraudanalysis",
            "/",
        ] {
            assert_eq!(
                Route::new(Host::Results, &Method::GET, path),
                Route::Nothing,
                "{path}"
            );
        }
    }

    #[test]
    fn a_wrong_method_is_told_apart_from_a_wrong_path() {
        let get = Route::new(Host::Upload, &Method::GET, "/upload");
        let allowed = Method::POST;
        assert_eq!(get, Route::WrongMethod { allowed });
        assert_eq!(get.operation(), ApiOperation::Unknown);
    }

    #[test]
    fn legacy_calls_have_their_method_and_their_id() {
        let route = |method, rest: &'static str| Route::new(Host::Results, &method, rest);
        let authorize = "/v3/customer/BankingServices/Authorize";
        assert_eq!(
            route(Method::POST, authorize),
            Route::Legacy {
                customer_id: "customer",
                call: Call::Authorize
            }
        );
        let allowed = Method::POST;
        assert_eq!(
            route(Method::GET, authorize),
            Route::WrongMethod { allowed }
        );
        for (method, path, operation) in [
            (
                Method::DELETE,
                "/v3/c/BankingServices/DeleteCard/l",
                ApiOperation::DeleteCard,
            ),
            (
                Method::GET,
                "/v3/c/BankingServices/GetStatementsAsync/r",
                ApiOperation::DataAsync,
            ),
            (
                Method::GET,
                "/v3/c/BankingServices/GetStatementsAsync",
                ApiOperation::Unknown,
            ),
            (
                Method::GET,
                "/v3/c/BankingServices/GetStatementsAsync/",
                ApiOperation::Unknown,
            ),
            (
                Method::POST,
                "/v3/c/BankingServices/Authorize/l",
                ApiOperation::Unknown,
            ),
            (
                Method::POST,
                "/v3/c/BankingServices/authorize",
                ApiOperation::Unknown,
            ),
        ] {
            assert_eq!(route(method, path).operation(), operation, "{path}");
        }
    }

    #[test]
    fn the_log_and_the_faults_use_one_name() {
        for operation in ApiOperation::KNOWN {
            let json = serde_json::to_value(operation).unwrap();
            assert_eq!(json, operation.to_string());
        }
    }
}
