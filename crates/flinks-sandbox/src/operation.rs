//! The operations that the sandbox offers, and which request is which.

use std::fmt;

use http::Method;
use serde::Serialize;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Operation {
    /// `POST /api/v1/token` on the upload host (Upload guide, "Obtaining an Access Token").
    Token,
    /// `POST /api/v1/upload` or `/upload` (Upload guide, Step 1).
    Upload,
    /// `POST /api/v1/upload/complete` or `/upload/complete` (Upload guide, Step 2).
    Complete,
    /// `GET /v3/{customerId}/upload/fraudanalysis/{loginId}` on the results host.
    Fraud,
    /// Anything else: answered with 404, or 405 where only the method is wrong.
    Unknown,
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Token => "token",
            Self::Upload => "upload",
            Self::Complete => "complete",
            Self::Fraud => "fraud",
            Self::Unknown => "unknown",
        })
    }
}

/// One of the two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Host {
    /// Takes files; asks for a client certificate.
    Upload,
    /// Gives analyses; ordinary TLS.
    Results,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Token,
    Upload,
    Complete,
    Fraud {
        customer_id: &'a str,
        login_id: &'a str,
    },
    WrongMethod {
        allowed: &'static str,
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
                    _ => return Self::Nothing,
                }
            }
        };
        if *method == expected {
            route
        } else {
            Self::WrongMethod {
                allowed: if expected == Method::GET {
                    "GET"
                } else {
                    "POST"
                },
            }
        }
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Token => Operation::Token,
            Self::Upload => Operation::Upload,
            Self::Complete => Operation::Complete,
            Self::Fraud { .. } => Operation::Fraud,
            Self::WrongMethod { .. } | Self::Nothing => Operation::Unknown,
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
        assert_eq!(get, Route::WrongMethod { allowed: "POST" });
        assert_eq!(get.operation(), Operation::Unknown);
    }
}
