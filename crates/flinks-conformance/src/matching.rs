//! Compares a request with what a step wants: head and body, one line for each difference.

use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::Value;

use crate::case::{Credentials, Expect};
use crate::diff;
use crate::script::Scripted;
use crate::standard;

/// What a body must be.
#[derive(Clone, Debug)]
pub(crate) enum ExpectedBody {
    Json(Value),
    Bytes(Vec<u8>),
    Length(u64),
}

/// A request's head, as the server sees it.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// The path with its query, as a request line has it.
pub(crate) fn target(uri: &Uri) -> String {
    uri.path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Compares a head with what a step wants, and with what such calls carry unless the step says
/// something of the header itself.
pub(crate) fn check_head(expect: &Expect, head: &Head, credentials: Credentials) -> Vec<String> {
    let mut lines = Vec::new();
    if expect.method != head.method {
        lines.push(format!("wanted {}, is {}", expect.method, head.method));
    }
    if expect.path != head.path {
        lines.push(format!("wanted {}, is {}", expect.path, head.path));
    }
    for (name, wanted) in &expect.headers {
        match header(&head.headers, name) {
            Some(seen) if seen == *wanted => {}
            Some(seen) => lines.push(format!("header {name}: wanted {wanted:?}, is {seen:?}")),
            None => lines.push(format!("header {name}: wanted {wanted:?}, is missing")),
        }
    }
    for name in &expect.forbid_headers {
        if head.headers.contains_key(name) {
            lines.push(format!("header {name}: must not be sent"));
        }
    }
    for (name, wanted) in standard::carried(credentials, &expect.path) {
        let mut listed = expect.headers.keys().chain(&expect.forbid_headers);
        let own = listed.any(|listed| listed.eq_ignore_ascii_case(name));
        // What it is instead may be a secret.
        if !own && header(&head.headers, name).as_deref() != wanted {
            lines.push(format!("header {name}: is not the standard one"));
        }
    }
    lines
}

/// A header as one text, however often it was sent.
pub(crate) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Compares a body with what a step or an operation wants.
pub(crate) fn check_body(wanted: &ExpectedBody, seen: &Bytes) -> Vec<String> {
    match wanted {
        ExpectedBody::Json(wanted) => match serde_json::from_slice(seen) {
            Ok(seen) => diff::json(wanted, &seen),
            Err(error) => vec![format!("body: not JSON: {error}")],
        },
        ExpectedBody::Bytes(wanted) if wanted == seen => Vec::new(),
        ExpectedBody::Bytes(wanted) => {
            let show = |bytes: &[u8]| diff::cut(&String::from_utf8_lossy(bytes));
            vec![format!(
                "body: wanted {:?}, is {:?}",
                show(wanted),
                show(seen)
            )]
        }
        ExpectedBody::Length(wanted) if *wanted == seen.len() as u64 => Vec::new(),
        ExpectedBody::Length(wanted) => {
            vec![format!("body: wanted {wanted} bytes, has {}", seen.len())]
        }
    }
}

/// Checks an operation's own request: what is below the credentials does not exist yet.
pub(crate) fn check_codec(step: &Scripted, head: &Head, body: &Bytes) -> Vec<String> {
    let mut expect = step.expect.clone();
    // The transport and the credentials add these.
    expect
        .headers
        .retain(|name, _| head.headers.contains_key(name));
    let mut lines = check_head(&expect, head, Credentials::None);
    lines.extend(step.body.iter().flat_map(|wanted| check_body(wanted, body)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a call of the legacy host that carries these headers.
    fn lines(name: &str, headers: &[(&'static str, &'static str)]) -> usize {
        let path = format!("/v3/c/BankingServices/{name}");
        let expect = serde_json::json!({ "method": "POST", "path": path });
        let expect: Expect = serde_json::from_value(expect).expect("a step");
        let mut head = Head {
            method: "POST".to_owned(),
            path,
            headers: HeaderMap::new(),
        };
        for (name, value) in headers {
            head.headers.insert(*name, value.parse().expect("a value"));
        }
        check_head(&expect, &head, Credentials::LegacyKeys).len()
    }

    #[test]
    fn a_legacy_call_carries_its_own_key_and_no_other() {
        let token = ("flinks-auth-key", standard::AUTHORIZE_TOKEN);
        let key = ("flinks-auth-key", standard::AUTH_KEY);
        let x_api_key = ("x-api-key", standard::X_API_KEY);
        let bearer = ("authorization", standard::API_SECRET_HEADER);
        let calls = [
            ("Authorize", token),
            ("GenerateAuthorizeToken", key),
            ("GetNightlyRefreshStatus", bearer),
            ("GetAccountsDetail", x_api_key),
            ("GetAccountsDetailAsync/r", x_api_key),
        ];
        for (name, own) in calls {
            assert_eq!(lines(name, &[own]), 0, "{name}");
            assert_eq!(lines(name, &[]), 1, "{name} without its key");
            for other in [token, key, x_api_key, bearer] {
                if other != own {
                    assert!(lines(name, &[other]) > 0, "{name} with another key");
                }
                if other.0 != own.0 {
                    assert_eq!(lines(name, &[own, other]), 1, "{name} with two keys");
                }
            }
        }
    }
}
