//! Compares a request with what a step wants: head and body, one line for each difference.

use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::Value;

use crate::case::{Credentials, Expect};
use crate::diff;
use crate::script::Scripted;
use crate::standard::Standard;

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

/// Compares a head with what a step wants.
pub(crate) fn check_head(expect: &Expect, head: &Head) -> Vec<String> {
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
    lines
}

/// Compares the credentials of a request with those that its operation carries, and no others, but
/// for a header of which the step says something itself.
pub(crate) fn check_credentials(
    expect: &Expect,
    head: &Head,
    credentials: Credentials,
) -> Vec<String> {
    let standard = Standard::get();
    let own = standard.credential(&expect.method, &expect.path);
    let own = own.filter(|_| credentials == Credentials::Standard);
    let mut lines = Vec::new();
    // The last one is for a proxy, which passes it on to no server.
    let names = standard.credential_headers();
    for name in names.into_iter().chain(["proxy-authorization"]) {
        let wanted = own.filter(|own| own.header == name).map(|own| &own.value);
        let seen = header(&head.headers, name);
        let mut listed = expect.headers.keys().chain(&expect.forbid_headers);
        if seen.as_ref() == wanted || listed.any(|listed| listed.eq_ignore_ascii_case(name)) {
            continue;
        }
        // What it is instead may be a secret.
        lines.push(match (wanted, seen) {
            (None, _) => format!("header {name}: this operation must not carry it"),
            (Some(_), None) => format!("header {name}: is missing"),
            (Some(_), Some(_)) => format!("header {name}: is not the one of standard.json"),
        });
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
    let mut lines = check_head(&expect, head);
    lines.extend(step.body.iter().flat_map(|wanted| check_body(wanted, body)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with the credentials of a request with these headers.
    fn lines(path: &str, headers: &[(&'static str, &'static str)]) -> usize {
        let expect = serde_json::json!({ "method": "POST", "path": path });
        let expect: Expect = serde_json::from_value(expect).expect("a step");
        let mut head = Head {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: HeaderMap::new(),
        };
        for (name, value) in headers {
            head.headers.insert(*name, value.parse().expect("a value"));
        }
        check_credentials(&expect, &head, Credentials::Standard).len()
    }

    #[test]
    fn a_call_carries_its_own_credential_and_no_other() {
        let standard = Standard::get();
        let all: Vec<_> = [
            "/api/v1/token",
            "/upload",
            "Authorize",
            "GenerateAuthorizeToken",
            "GetStatements",
        ]
        .map(|path| match path.strip_prefix('/') {
            Some(_) => path.to_owned(),
            None => format!("/v3/c/BankingServices/{path}"),
        })
        .into_iter()
        .map(|path| {
            let own = standard.credential("POST", &path).expect("a credential");
            (path, (own.header.as_str(), own.value.as_str()))
        })
        .collect();
        for (path, own) in &all {
            assert_eq!(lines(path, &[*own]), 0, "{path}");
            assert_eq!(lines(path, &[]), 1, "{path} without its credential");
            let of_proxy = ("proxy-authorization", "Basic dTpw");
            assert_eq!(lines(path, &[*own, of_proxy]), 1, "{path} with a proxy's");
            for (_, other) in &all {
                if other != own {
                    assert!(lines(path, &[*other]) > 0, "{path} with another");
                }
                if other.0 != own.0 {
                    assert_eq!(lines(path, &[*own, *other]), 1, "{path} with two");
                }
            }
        }
    }
}
