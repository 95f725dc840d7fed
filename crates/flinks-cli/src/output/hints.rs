//! What to do about an error: the rows of the Upload guide's "Common Errors", and those it lacks.

use flinks_legacy::{AuthorizeError, Refusal};
use flinks_transport::{Error, ErrorKind, Step};
use flinks_types::FlinksCode;

use crate::output::exit_status::is_exhausted;

/// What to do about this error, when there is something to do; rows of the guide are named.
pub(crate) fn for_call(error: &Error) -> Option<&'static str> {
    let status = error.status().map(|status| status.as_u16());
    let analysis = error.operation() == Some("fraud.analysis");
    let code = error.api().and_then(|api| api.flinks_code.as_ref());
    if is_exhausted(error) {
        return Some(EXHAUSTED);
    }
    if is_page(error) {
        return Some(PAGE);
    }
    if error.kind() != ErrorKind::Api && error.to_string().contains("the scope") {
        return Some(SCOPE);
    }
    match (error.kind(), error.step(), status) {
        (ErrorKind::ClientCertificate, _, _) => Some(HANDSHAKE),
        (ErrorKind::ServerCertificate, _, _) => Some(SERVER_CERTIFICATE),
        (ErrorKind::Connect, _, _) => Some(CONNECT),
        _ if is_legacy(error) => code.and_then(legacy),
        (ErrorKind::Api, Step::Token, Some(400)) => Some(TOKEN_400),
        (ErrorKind::Api, Step::Token, Some(401)) => Some(TOKEN_401),
        (ErrorKind::Api, Step::Call, Some(401))
            if analysis && code == Some(&FlinksCode::InvalidLogin) =>
        {
            Some(UNKNOWN_LOGIN)
        }
        (ErrorKind::Api, Step::Call, Some(401)) if analysis => Some(FRAUD_401),
        (ErrorKind::Api, Step::Call, Some(401)) => Some(CALL_401),
        (ErrorKind::Api, _, Some(403)) if analysis => Some(FRAUD_403),
        (ErrorKind::Api, _, Some(403)) => Some(FORBIDDEN),
        (ErrorKind::Api, _, Some(404 | 405)) if analysis => Some(FRAUD_404),
        (ErrorKind::Api, _, Some(404 | 405)) => Some(NOT_FOUND),
        (ErrorKind::Api, Step::Call, Some(413)) => Some(TOO_LARGE),
        (ErrorKind::Api, _, Some(429)) => Some(TOO_MANY),
        _ => None,
    }
}

/// What to do when no bank session came about, told by who must act.
pub(crate) fn for_authorize(error: &AuthorizeError) -> Option<&'static str> {
    if error.session().is_some() {
        return Some(STALE);
    }
    Some(match error.refusal()? {
        Refusal::ApiCredentials => LEGACY_KEYS,
        Refusal::BankDown => "the bank cannot be reached for now: try again later",
        Refusal::BankLogin => {
            "the bank does not let the customer in: check institution, user name and password, and \
             do not try again unchanged, because banks lock cards"
        }
        Refusal::Pending => {
            "the service works on in the background: open a session again in a few minutes"
        }
        Refusal::SessionOver => "the session is over: open a new one",
        Refusal::WrongAnswer | Refusal::WrongAnswerFinal => {
            "an answer was wrong, and the bank does not ask again: open a new session"
        }
        _ => return None,
    })
}

/// Whether an HTML page stood where the answer belongs; only the library's words tell.
fn is_page(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Api | ErrorKind::Decode)
        && error.api().is_none()
        && error.to_string().contains("HTML")
}

/// Whether the error is of the legacy API, of which the Upload guide says nothing.
fn is_legacy(error: &Error) -> bool {
    error.operation().is_some_and(|operation| {
        operation.starts_with("legacy.") || operation == "auth.authorize_token"
    })
}

/// What to do about a code of the legacy data calls.
fn legacy(code: &FlinksCode) -> Option<&'static str> {
    if [FlinksCode::SessionExpired, FlinksCode::SessionNonexistent].contains(code) {
        return Some(SESSION_OVER);
    }
    if *code == FlinksCode::CardInUse {
        return Some("the login is being fetched: try again in a minute");
    }
    [FlinksCode::AccessDenied, FlinksCode::Unauthorized]
        .contains(code)
        .then_some(LEGACY_KEYS)
}

/// For a ledger that cannot be made where it lies by default.
pub(crate) const LEDGER_PLACE: &str = "set XDG_STATE_HOME to a folder that this program may write, \
     or give the ledger's place with --ledger PATH";
/// For an answer that could not be read and is kept in a file.
pub(crate) const KEPT_ANSWER: &str = "the service may have acted, and its answer is kept in a file: \
     look there for the id (LoginId, AggregationId, RequestId) before anything is sent again";
/// For an HTML page where the answer of the API belongs.
const PAGE: &str = "a proxy, portal or firewall between this machine and the service answered with \
     an HTML page of its own: ask who runs the network, and check the base URL";
const SCOPE: &str = "set FLINKS_SCOPE (or --scope) to the scope that Flinks gave this client; unset, \
     it is ocr.write";
const EXHAUSTED: &str = "this program has too many open files: raise the limit (ulimit -n)";
const STALE: &str = "this repeats what the bank said at the last refresh; the data from before can \
     still be read: `flinks accounts --request-id ID` with the RequestId of this error";
const SESSION_OVER: &str = "check the RequestId; a session that nobody uses ends after 8 minutes: \
     open a new one with `flinks authorize`";
const LEGACY_KEYS: &str = "check FLINKS_CUSTOMER_ID, and FLINKS_AUTH_KEY and FLINKS_X_API_KEY if \
     Flinks gave you such keys: all belong to one instance";
const TOKEN_400: &str = "guide, \"400 Bad Request: malformed token request body\": the form itself \
     is made by this program, so check FLINKS_SCOPE (ocr.write) and that FLINKS_UPLOAD_URL and \
     FLINKS_UPLOAD_PATHS name the token endpoint; a front end may also answer 400 when it got no \
     client certificate, which `flinks doctor` tells";
const TOKEN_401: &str = "guide, \"401 Unauthorized: invalid or missing credentials\": check \
     FLINKS_CLIENT_ID and FLINKS_CLIENT_SECRET, give both exactly as received, without quotes, \
     spaces or a line break";
const CALL_401: &str = "guide, \"401 Unauthorized: expired access token\": a fresh token was \
     fetched and refused as well, so check that FLINKS_SCOPE is ocr.write and that the client may \
     upload";
const FORBIDDEN: &str = "guide, \"403 Forbidden: certificate mismatch or not trusted\": present \
     the certificate issued by Flinks (not the CSR) with the private key it belongs to, and the \
     client id that was delivered with it";
const HANDSHAKE: &str = "guide, \"SSL Handshake Error: certificate not being sent\": set \
     FLINKS_CERT to the certificate that Flinks returned (not the CSR) and FLINKS_KEY to the key \
     that its request was made with; `flinks doctor` checks both";
const SERVER_CERTIFICATE: &str = "check the base URL, and FLINKS_CA when the server has a private \
     CA or a proxy inspects traffic; unset, the platform's roots are trusted";
const CONNECT: &str = "check the base URL, the network and the firewall; `flinks doctor` tells \
     which part fails";
const FRAUD_401: &str = "guide, \"Fraud Analysis Endpoint\": this host takes the API secret \
     (FLINKS_API_SECRET), not the OAuth token";
const UNKNOWN_LOGIN: &str = "check the LoginId: only the instance that issued it knows it, and it \
     is the Login.Id of a completed upload, not its AggregationId";
const FRAUD_403: &str = "check FLINKS_CUSTOMER_ID and FLINKS_API_SECRET: both belong to one \
     instance";
const FRAUD_404: &str = "check FLINKS_API_URL or FLINKS_INSTANCE, and FLINKS_CUSTOMER_ID";
const NOT_FOUND: &str = "the guide shows two styles of paths: try FLINKS_UPLOAD_PATHS=root, or \
     ask Flinks for the paths";
const TOO_LARGE: &str = "guide, \"File and Size Limits\": 18 MB a file and 180 MB a session; split \
     the document or the session";
const TOO_MANY: &str = "wait as long as the service asks, then go on; with --concurrency 1 fewer \
     requests are sent at once";

#[cfg(test)]
mod tests {
    use flinks_transport::Delivery;

    use super::*;

    #[test]
    fn kinds_without_an_answer_have_their_hints() {
        let hint_of = |kind| for_call(&Error::new(kind, "").with_delivery(Delivery::NotSent));
        let handshake = hint_of(ErrorKind::ClientCertificate).expect("a row of the guide");
        assert!(handshake.contains("SSL Handshake Error"));
        assert!(
            hint_of(ErrorKind::ServerCertificate)
                .expect("a hint")
                .contains("FLINKS_CA")
        );
        assert!(hint_of(ErrorKind::Connect).is_some());
        assert_eq!(hint_of(ErrorKind::File), None);
        let keys = "the key means nothing here; the keys are client_id, scope, api_url";
        let unknown_key = Error::new(ErrorKind::Config, keys).with_delivery(Delivery::NotSent);
        assert_eq!(for_call(&unknown_key), None);
    }
}
