//! The table of routes: which request calls which operation.

use http::Method;

use crate::operation::ApiOperation::{self, *};
use crate::operation::Host;

/// Host, methods, path and operation; `*` is any one segment that is not empty.
#[rustfmt::skip]
const ROUTES: [(Host, &str, &str, ApiOperation); 20] = [
    (Host::Upload, "POST", "/api/v1/token", Token),
    (Host::Upload, "POST", "/api/v1/upload", Upload),
    (Host::Upload, "POST", "/upload", Upload),
    (Host::Upload, "POST", "/api/v1/upload/complete", Complete),
    (Host::Upload, "POST", "/upload/complete", Complete),
    (Host::Results, "GET", "/v3/*/upload/fraudanalysis/*", Fraud),
    (Host::Results, "POST", "/v3/*/BankingServices/GenerateAuthorizeToken", AuthorizeToken),
    (Host::Results, "POST", "/v3/*/BankingServices/Authorize", Authorize),
    (Host::Results, "POST", "/v3/*/BankingServices/GetAccountsDetail", Data),
    (Host::Results, "POST", "/v3/*/BankingServices/GetAccountsSummary", Data),
    (Host::Results, "POST", "/v3/*/BankingServices/GetStatements", Data),
    (Host::Results, "GET, POST", "/v3/*/BankingServices/GetAccountsDetailAsync/*", DataAsync),
    (Host::Results, "GET, POST", "/v3/*/BankingServices/GetAccountsSummaryAsync/*", DataAsync),
    (Host::Results, "GET, POST", "/v3/*/BankingServices/GetStatementsAsync/*", DataAsync),
    (Host::Results, "DELETE", "/v3/*/BankingServices/DeleteCard/*", DeleteCard),
    (Host::Results, "GET", "/v3/*/BankingServices/GetMFAQuestions/*", MfaQuestions),
    (Host::Results, "PATCH", "/v3/*/BankingServices/AnswerMFAQuestions", MfaQuestions),
    (Host::Results, "PATCH", "/v3/*/BankingServices/SetScheduledRefresh", ScheduledRefresh),
    (Host::Results, "GET", "/v3/*/BankingServices/GetNightlyRefreshStatus", NightlyStatus),
    (Host::Results, "GET", "/v3/*/BankingServices/Institutions", Institutions),
];

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    /// `Unknown` if no route has this path, or none with this method.
    pub(crate) operation: ApiOperation,
    /// The methods of this path, if the request has another.
    pub(crate) allowed: Option<&'static str>,
    /// The customer of the path, on the results host.
    pub(crate) customer_id: &'a str,
    /// The endpoint behind `BankingServices`, as `GetAccountsDetail`.
    pub(crate) endpoint: &'a str,
    /// The last segment, which is the LoginId or RequestId where there is one.
    pub(crate) id: &'a str,
}

impl<'a> Route<'a> {
    pub(crate) fn new(host: Host, method: &Method, path: &'a str) -> Self {
        let is_at = |pattern: &str| {
            pattern.split('/').count() == path.split('/').count()
                && pattern
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(part, segment)| part == segment || part == "*" && !segment.is_empty())
        };
        let segment = |place| path.split('/').nth(place).unwrap_or_default();
        let found = ROUTES
            .iter()
            .find(|(at, _, pattern, _)| *at == host && is_at(pattern));
        let (operation, allowed) = match found {
            Some((_, allowed, _, operation)) if allowed.split(", ").any(|one| method == one) => {
                (*operation, None)
            }
            Some((_, expected, _, _)) => (Unknown, Some(*expected)),
            None => (Unknown, None),
        };
        Self {
            operation,
            allowed,
            customer_id: segment(2),
            endpoint: segment(4),
            id: segment(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_knows_its_own_paths_and_methods() {
        let legacy = "/v3/c/BankingServices";
        for (host, method, path, operation) in [
            (Host::Upload, Method::POST, "/upload", Upload),
            (Host::Upload, Method::POST, "/upload/", Unknown),
            (Host::Upload, Method::POST, "/token", Unknown),
            (
                Host::Upload,
                Method::GET,
                "/v3/c/upload/fraudanalysis/l",
                Unknown,
            ),
            (
                Host::Results,
                Method::GET,
                "/v3/c/upload/fraudanalysis/l",
                Fraud,
            ),
            (
                Host::Results,
                Method::GET,
                "/v3/c/upload/fraudanalysis",
                Unknown,
            ),
            (
                Host::Results,
                Method::GET,
                "/v3/c/upload/fraudanalysis/l/more",
                Unknown,
            ),
            (Host::Results, Method::POST, "/upload", Unknown),
            (Host::Results, Method::GET, "/", Unknown),
            (
                Host::Results,
                Method::DELETE,
                &format!("{legacy}/DeleteCard/l"),
                DeleteCard,
            ),
            (
                Host::Results,
                Method::GET,
                &format!("{legacy}/GetStatementsAsync/r"),
                DataAsync,
            ),
            (
                Host::Results,
                Method::POST,
                &format!("{legacy}/GetStatementsAsync/r"),
                DataAsync,
            ),
            (
                Host::Results,
                Method::GET,
                &format!("{legacy}/GetStatementsAsync"),
                Unknown,
            ),
            (
                Host::Results,
                Method::GET,
                &format!("{legacy}/GetStatementsAsync/"),
                Unknown,
            ),
            (
                Host::Results,
                Method::POST,
                &format!("{legacy}/Authorize/l"),
                Unknown,
            ),
            (
                Host::Results,
                Method::POST,
                &format!("{legacy}/authorize"),
                Unknown,
            ),
        ] {
            let route = Route::new(host, &method, path);
            assert_eq!(route.operation, operation, "{path}");
        }
    }

    #[test]
    fn a_wrong_method_differs_from_a_wrong_path() {
        let allowed = |path| Route::new(Host::Upload, &Method::GET, path).allowed;
        assert_eq!((allowed("/upload"), allowed("/up")), (Some("POST"), None));
    }

    #[test]
    fn the_customer_the_endpoint_and_the_id_are_taken_from_the_path() {
        let path = "/v3/customer/BankingServices/GetStatementsAsync/request";
        let route = Route::new(Host::Results, &Method::GET, path);
        assert_eq!(
            (route.customer_id, route.endpoint, route.id),
            ("customer", "GetStatementsAsync", "request")
        );
        let path = "/v3/customer/upload/fraudanalysis/login";
        assert_eq!(Route::new(Host::Results, &Method::GET, path).id, "login");
    }
}
