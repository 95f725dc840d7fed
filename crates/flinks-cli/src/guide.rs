//! What to do about an error: the rows of the Upload guide's "Common Errors", and those it lacks.

use flinks_transport::{Error, ErrorKind, Step};
use flinks_types::FlinksCode;

/// What to do about this error, when there is something to do; rows of the guide are named.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    let status = error.status().map(|status| status.as_u16());
    let analysis = error.operation() == Some("fraud.analysis");
    let code = error.api().and_then(|api| api.flinks_code.as_ref());
    match (error.kind(), error.step(), status) {
        (ErrorKind::ClientCertificate, _, _) => Some(HANDSHAKE),
        (ErrorKind::ServerCertificate, _, _) => Some(SERVER_CERTIFICATE),
        (ErrorKind::Connect, _, _) => Some(CONNECT),
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
        let hint_of = |kind| hint(&Error::at(kind, Delivery::NotSent, ""));
        let handshake = hint_of(ErrorKind::ClientCertificate).expect("a row of the guide");
        assert!(handshake.contains("SSL Handshake Error"));
        assert!(
            hint_of(ErrorKind::ServerCertificate)
                .expect("a hint")
                .contains("FLINKS_CA")
        );
        assert!(hint_of(ErrorKind::Connect).is_some());
        assert_eq!(hint_of(ErrorKind::File), None);
    }
}
