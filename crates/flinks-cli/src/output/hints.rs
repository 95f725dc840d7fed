//! Hints: what the user can do about an error. Rows of the Upload guide's "Common Errors" are named.

use std::borrow::Cow;

use flinks_legacy::{AuthorizeError, Refusal};
use flinks_transport::{Error, ErrorKind, Step};
use flinks_types::FlinksCode;
use flinks_upload::{UploadError, UploadErrorKind};

use crate::output::exit_status::Request;
use crate::output::io_error::too_many_open_files;

/// Returns the hint for a failed request, if there is one.
pub(crate) fn for_call(request: Request, error: &Error) -> Option<&'static str> {
    if too_many_open_files(error) {
        return Some(TOO_MANY_OPEN_FILES);
    }
    let status = error.status().map(|status| status.as_u16());
    // What is not found is more often a wrong URL.
    if is_html_page(error) && !matches!(status, Some(404 | 405)) {
        return Some(HTML_PAGE);
    }
    if has_code(error, &[FlinksCode::DocumentProcessingFailed]) {
        return Some(DOCUMENT);
    }
    if error.kind() != ErrorKind::Api && error.to_string().contains("the scope") {
        return Some(SCOPE);
    }
    let status = status.filter(|_| error.kind() == ErrorKind::Api);
    match (error.kind(), request) {
        (ErrorKind::ClientCertificate, Request::Upload | Request::Check) => {
            Some(CLIENT_CERTIFICATE)
        }
        (ErrorKind::ClientCertificate, _) => Some(RESULTS_HOST),
        (ErrorKind::ServerCertificate, _) => Some(SERVER_CERTIFICATE),
        (ErrorKind::Connect, _) => Some(CONNECT),
        (ErrorKind::Proxy, _) => Some(for_proxy(error)),
        (_, Request::BankLogin) => for_bank(error).or_else(|| for_results(status?)),
        (_, Request::BankData) => for_data(error)
            .or_else(|| for_bank(error))
            .or_else(|| for_results(status?)),
        (_, Request::FraudAnalysis) => {
            for_fraud_analysis(error, status?).or_else(|| for_results(status?))
        }
        (ErrorKind::Decode, Request::Check) => Some(NOT_THE_API),
        (ErrorKind::Connection | ErrorKind::Timeout, Request::Check) => Some(NO_ANSWER),
        (_, Request::Upload | Request::Check) => {
            let is_check = request == Request::Check || error.step() == Step::Token;
            let fails = is_check && status? >= 500;
            for_upload(error.step(), status?).or_else(|| fails.then_some(SERVER_FAULT))
        }
    }
}

fn for_proxy(error: &Error) -> &'static str {
    match error.proxy_status().map(|status| status.as_u16()) {
        Some(401 | 407) => PROXY_CREDENTIALS,
        Some(400..=499) => PROXY_REFUSAL,
        Some(_) => PROXY_UNREACHED,
        None => PROXY,
    }
}

fn for_upload(step: Step, status: u16) -> Option<&'static str> {
    Some(match (step, status) {
        (Step::Token, 400) => TOKEN_400,
        (Step::Token, 401) => TOKEN_401,
        (Step::Call, 401) => CALL_401,
        (_, 403) => FORBIDDEN,
        (Step::Token, 404 | 405) => TOKEN_404,
        (Step::Call, 404 | 405) => UPLOAD_PATHS,
        (Step::Call, 413) => TOO_LARGE,
        (_, 429) => TOO_MANY_REQUESTS,
        _ => return None,
    })
}

fn for_fraud_analysis(error: &Error, status: u16) -> Option<&'static str> {
    Some(match status {
        401 if has_code(error, &[FlinksCode::InvalidLogin]) => FRAUD_LOGIN,
        401 => FRAUD_401,
        403 => FRAUD_403,
        _ => return None,
    })
}

/// Returns the hint for any call to the results host that was refused.
fn for_results(status: u16) -> Option<&'static str> {
    Some(match status {
        404 | 405 => RESULTS_404,
        429 => WAIT_AS_ASKED,
        500.. => SERVER_FAULT,
        _ => return None,
    })
}

/// Returns the hint for data that were not fetched. Of a LoginId, a cached session is opened first.
fn for_data(error: &Error) -> Option<&'static str> {
    if error.operation() != Some("legacy.authorize") {
        return has_code(error, &[FlinksCode::RetryLater]).then_some(RETRY_LATER);
    }
    let is_401 = error.status().is_some_and(|status| status.as_u16() == 401);
    if is_401 && is_of_bank(error) {
        return Some(STALE_SESSION);
    }
    for_authorize(&error.clone().into(), true)
}

fn for_bank(error: &Error) -> Option<&'static str> {
    if has_code(
        error,
        &[FlinksCode::SessionExpired, FlinksCode::SessionNonexistent],
    ) {
        Some(SESSION_EXPIRED)
    } else if has_code(error, &[FlinksCode::CardInUse]) {
        Some(CARD_IN_USE)
    } else if has_code(error, &[FlinksCode::InvalidLogin]) {
        Some(LOGIN_ID)
    } else if has_code(error, &[FlinksCode::AccessDenied, FlinksCode::Unauthorized]) {
        Some(LEGACY_KEYS)
    } else {
        None
    }
}

fn has_code(error: &Error, codes: &[FlinksCode]) -> bool {
    let code = error.api().and_then(|api| api.flinks_code.as_ref());
    code.is_some_and(|code| codes.contains(code))
}

/// Whether the service does not know the institution, which only its message says.
fn is_unknown_institution(error: &Error) -> bool {
    let message = error.api().and_then(|api| api.message.as_deref());
    has_code(error, &[FlinksCode::InvalidRequest])
        && message.is_some_and(|message| message.to_lowercase().contains("institution"))
}

/// Whether the answer is about a session: the bank's refusal, not that of the API.
fn is_of_bank(error: &Error) -> bool {
    error.api().is_some_and(|api| api.request_id.is_some())
}

/// Returns the hint for a session that was not opened, with a LoginId or with credentials.
pub(crate) fn for_authorize(error: &AuthorizeError, by_login_id: bool) -> Option<&'static str> {
    if error.session().is_some() {
        return Some(STALE_SESSION);
    }
    if is_unknown_institution(error.error()) {
        return Some(INSTITUTION);
    }
    let is_unknown =
        || has_code(error.error(), &[FlinksCode::InvalidLogin]) && !is_of_bank(error.error());
    Some(match error.refusal()? {
        Refusal::ApiCredentials => LEGACY_KEYS,
        Refusal::BankDown => "the bank is unavailable: try again later",
        Refusal::BankLogin if by_login_id && is_unknown() => LOGIN_ID,
        Refusal::BankLogin if by_login_id => {
            "the bank refused the saved login: open a new session with the user name and password, \
             `flinks authorize --institution NAME`"
        }
        Refusal::BankLogin => {
            "the bank refused the login: check the institution, user name and password; banks lock \
             cards after repeated failures"
        }
        Refusal::Pending => "Flinks is still working: open the session again in a few minutes",
        Refusal::SessionOver => "the session has ended: open a new one",
        Refusal::WrongAnswer | Refusal::WrongAnswerFinal => {
            "an answer was wrong, and the bank does not ask again: open a new session"
        }
        _ => return None,
    })
}

/// Returns the hint for a ledger that belongs to another host or client.
pub(crate) fn for_ledger(error: &UploadError) -> Option<Cow<'static, str>> {
    let text = error.error().to_string();
    let owner = text
        .strip_prefix("the ledger belongs to ")
        .filter(|_| error.kind() == UploadErrorKind::Ledger)?;
    // "URL (PATHS), not to URL (PATHS)"; another client is known by a checksum only.
    Some(match owner.split_once(" (").zip(owner.split_once("), ")) {
        Some(((url, _), (paths, _))) => {
            let paths = paths.rsplit('(').next().unwrap_or_default();
            let url = url.trim_end_matches('/');
            format!(
                "set FLINKS_UPLOAD_URL={url} and FLINKS_UPLOAD_PATHS={paths}, and the certificate \
                 and client of that host; then resume it"
            )
            .into()
        }
        None => LEDGER_OF_ANOTHER_CLIENT.into(),
    })
}

/// Whether the answer is an HTML page. Only the error's text says so.
fn is_html_page(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Api | ErrorKind::Decode)
        && error.api().is_none()
        && error.to_string().contains("HTML")
}

/// For a ledger that cannot be created in its default place.
pub(crate) const LEDGER_PLACE: &str =
    "set XDG_STATE_HOME to a writable folder, or give --ledger PATH";
/// For an unreadable answer that was saved.
pub(crate) const UNREAD_ANSWER: &str = "the service may have acted, and its answer was saved to a file: \
     look there for the LoginId, AggregationId or RequestId before sending anything again";
const LEDGER_OF_ANOTHER_CLIENT: &str = "set FLINKS_CLIENT_ID and FLINKS_CLIENT_SECRET to those that the upload \
     began with, then resume it";
const HTML_PAGE: &str = "an HTML page came back instead of the API's answer, probably from a proxy, \
     captive portal or firewall: check the base URL and ask your network administrator";
const SCOPE: &str =
    "set FLINKS_SCOPE (or --scope) to the scope that Flinks gave you; the default is ocr.write";
const TOO_MANY_OPEN_FILES: &str =
    "this program has too many open files: raise the limit (ulimit -n)";
const NOT_THE_API: &str = "something answers, but not as the API does: check FLINKS_UPLOAD_URL, \
     FLINKS_UPLOAD_PATHS, and FLINKS_API_URL or FLINKS_INSTANCE";
const NO_ANSWER: &str = "the host accepts connections and gives no answer: try again later, and check the \
     proxies and firewalls in between";
const SERVER_FAULT: &str =
    "the service, or a gateway before it, is failing: try again later, or contact Flinks";
const STALE_SESSION: &str = "the bank reported this at the last refresh; older data can still be read: \
     `flinks accounts --request-id ID` with the RequestId of this error";
const SESSION_EXPIRED: &str = "check the RequestId; a session expires after 8 minutes without use: open a new one \
     with `flinks authorize`";
const LOGIN_ID: &str = "the LoginId belongs to another customer or instance, or its card was deleted: check it, \
     FLINKS_CUSTOMER_ID, and FLINKS_API_URL or FLINKS_INSTANCE; of an upload, give its LoginId, not its \
     AggregationId";
const INSTITUTION: &str = "`flinks institutions` lists the names to give with --institution";
/// For a ledger that cannot be read.
pub(crate) const LEDGERS: &str = "`flinks ledgers` lists the uploads that can be resumed";
const DOCUMENT: &str = "Flinks cannot read a document of this upload, and does not say which: check that each is \
     complete and readable, then upload them again in a new session";
const RETRY_LATER: &str = "try again in a few minutes; the data of an upload are usually there after 10 minutes, at \
     times after 4 hours";
const CARD_IN_USE: &str = "the login's data is being fetched: try again in a minute";
const LEGACY_KEYS: &str = "check FLINKS_CUSTOMER_ID, and FLINKS_AUTH_KEY and FLINKS_X_API_KEY if Flinks gave you \
     such keys: all must be of the same instance";
const TOKEN_400: &str = "guide, \"400 Bad Request: malformed token request body\": check FLINKS_SCOPE (ocr.write) \
     and that FLINKS_UPLOAD_URL and FLINKS_UPLOAD_PATHS name the token endpoint; some servers also answer 400 \
     without a client certificate; `flinks doctor` checks that";
const TOKEN_401: &str = "guide, \"401 Unauthorized: invalid or missing credentials\": check FLINKS_CLIENT_ID and \
     FLINKS_CLIENT_SECRET; give both exactly as received, without quotes, spaces or a line break";
const CALL_401: &str = "guide, \"401 Unauthorized: expired access token\": a new token was refused as well, so \
     check that FLINKS_SCOPE is ocr.write and that the client may upload";
const FORBIDDEN: &str = "guide, \"403 Forbidden: certificate mismatch or not trusted\": use the certificate that \
     Flinks issued (not the CSR), its private key, and the client id that came with it";
const CLIENT_CERTIFICATE: &str = "guide, \"SSL Handshake Error: certificate not being sent\": set FLINKS_CERT to \
     the certificate that Flinks returned (not the CSR) and FLINKS_KEY to the key that the CSR was made with; \
     `flinks doctor` checks both";
const SERVER_CERTIFICATE: &str = "check the base URL, and FLINKS_CA if the server has a private CA or a proxy \
     inspects TLS; without FLINKS_CA the platform's root certificates are trusted";
const CONNECT: &str = "check the base URL, the network and the firewall, and set FLINKS_PROXY or HTTPS_PROXY if this \
     network requires a proxy; `flinks doctor` shows which part fails";
const PROXY: &str = "check the URL in FLINKS_PROXY, or else in HTTPS_PROXY or ALL_PROXY: https:// is only for a \
     proxy that is itself reached over TLS; a host in NO_PROXY is reached directly";
const PROXY_UNREACHED: &str = "check the base URL: the proxy resolves the host name; a host in NO_PROXY is reached \
     directly";
const PROXY_CREDENTIALS: &str = "give the proxy's user and password in FLINKS_PROXY or in the file at \
     FLINKS_PROXY_FILE, percent-encoded: http://user:password@host:port";
const PROXY_REFUSAL: &str = "ask the proxy's administrator to allow CONNECT to this host and port; a host in \
     NO_PROXY is reached directly";
const FRAUD_401: &str = "guide, \"Fraud Analysis Endpoint\": this host takes the API secret (FLINKS_API_SECRET), \
     not the OAuth token";
const FRAUD_LOGIN: &str = "check the LoginId: it is the Login.Id of a completed upload, not its AggregationId or a \
     RequestId, and only valid on the instance that issued it";
const FRAUD_403: &str =
    "check FLINKS_CUSTOMER_ID and FLINKS_API_SECRET: both must be of the same instance";
const RESULTS_404: &str = "check FLINKS_CUSTOMER_ID, and FLINKS_API_URL (the host alone, without /v3) or \
     FLINKS_INSTANCE";
const TOKEN_404: &str = "guide, \"Step 1\": check FLINKS_UPLOAD_URL: it is the upload host alone \
     (https://upload-mtls.flinksapp.com), without /api/v1, and not the results host";
const UPLOAD_PATHS: &str = "the guide shows two styles of paths: try FLINKS_UPLOAD_PATHS=root, or ask Flinks for \
     the paths";
const TOO_LARGE: &str = "guide, \"File and Size Limits\": 18 MB per file and 180 MB per session; split the document \
     or the session";
const WAIT_AS_ASKED: &str = "wait as long as the service asks, then run the command again";
const RESULTS_HOST: &str = "FLINKS_API_URL looks like the upload host, because it requires a client certificate: \
     set FLINKS_INSTANCE, or FLINKS_API_URL to https://INSTANCE-api.private.fin.ag";
const TOO_MANY_REQUESTS: &str = "wait as long as the service asks, then resume; --concurrency 1 sends fewer \
     requests at once";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_requires_a_certificate_is_not_the_results_host() {
        let error = Error::new(ErrorKind::ClientCertificate, "");
        for request in [
            Request::FraudAnalysis,
            Request::BankLogin,
            Request::BankData,
        ] {
            let hint = for_call(request, &error).expect("a hint");
            assert!(hint.contains("FLINKS_API_URL") && !hint.contains("FLINKS_CERT"));
        }
    }

    #[test]
    fn the_host_of_a_ledger_is_named() {
        let hint = |text: &str| {
            let error = UploadError::new(UploadErrorKind::Ledger, text);
            for_ledger(&error).map(Cow::into_owned)
        };
        let other =
            hint("the ledger belongs to https://a.test/ (root), not to https://b.test/ (api-v1)");
        let other = other.expect("a hint");
        assert!(
            other.contains("FLINKS_UPLOAD_URL=https://a.test and FLINKS_UPLOAD_PATHS=root,"),
            "{other}"
        );
        let client = hint("the ledger belongs to another client id").expect("a hint");
        assert!(client.contains("FLINKS_CLIENT_ID"));
        assert_eq!(hint("the ledger is damaged"), None);
    }

    #[test]
    fn hints_without_an_answer() {
        let hint = |kind| for_call(Request::Upload, &Error::new(kind, ""));
        let handshake = hint(ErrorKind::ClientCertificate).expect("a row of the guide");
        assert!(handshake.contains("SSL Handshake Error"));
        let untrusted = hint(ErrorKind::ServerCertificate).expect("a hint");
        assert!(untrusted.contains("FLINKS_CA"));
        assert!(hint(ErrorKind::Connect).is_some());
        assert_eq!(hint(ErrorKind::Input), None);
        let unknown_key = Error::new(ErrorKind::Config, "the keys are client_id, scope, api_url");
        assert_eq!(for_call(Request::Upload, &unknown_key), None);
    }
}
