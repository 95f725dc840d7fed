//! Reads `fixtures/standard.json`: what every case takes for granted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use flinks_types::CustomerId;
use serde::Deserialize;

use crate::case::Step;
use crate::corpus::scripted;
use crate::script::Scripted;

/// The made-up credentials, which of them each operation carries, and the answers to token requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standard {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) customer_id: CustomerId,
    pub(crate) api_secret: String,
    pub(crate) auth_key: String,
    pub(crate) x_api_key: String,
    pub(crate) access_token: String,
    pub(crate) authorize_token: String,
    credentials: Vec<Credential>,
    operations: Vec<Operation>,
    token_steps: Vec<Step>,
    #[serde(skip)]
    token_script: Vec<Scripted>,
}

/// A header that opens an operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    name: String,
    pub(crate) header: String,
    pub(crate) value: String,
    /// The operation whose answer brings it.
    from: Option<String>,
}

/// One request of the service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    operation: String,
    method: String,
    /// A segment in braces matches any one segment.
    path: String,
    credential: String,
}

static STANDARD: LazyLock<Standard> = LazyLock::new(|| {
    let read = Standard::read(include_str!("../../../fixtures/standard.json"));
    #[expect(clippy::expect_used, reason = "compiled in, so every test sees it")]
    read.expect("standard.json")
});

impl Standard {
    fn read(text: &str) -> Result<Self, String> {
        let mut standard: Self = crate::json::read(text.as_bytes())?;
        for step in std::mem::take(&mut standard.token_steps) {
            standard.token_script.push(scripted(step)?);
        }
        Ok(standard)
    }

    /// Returns what the file says.
    pub(crate) fn get() -> &'static Self {
        &STANDARD
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let path = path.split('?').next().unwrap_or_default();
        let fits = |operation: &&Operation| {
            let (mut wanted, mut seen) = (operation.path.split('/'), path.split('/'));
            operation.method == method
                && wanted.by_ref().all(|wanted| {
                    let seen = seen.next();
                    seen == Some(wanted) || (seen.is_some() && wanted.starts_with('{'))
                })
                && seen.next().is_none()
        };
        self.operations.iter().find(fits)
    }

    /// Returns the credential that a request carries; `None` for a request that is none of the service's.
    pub(crate) fn credential(&self, method: &str, path: &str) -> Option<&Credential> {
        let name = &self.operation(method, path)?.credential;
        self.credentials
            .iter()
            .find(|credential| credential.name == *name)
    }

    /// Returns the names of all headers that carry credentials.
    pub(crate) fn credential_headers(&self) -> BTreeSet<&str> {
        let credentials = self.credentials.iter();
        credentials
            .map(|credential| credential.header.as_str())
            .collect()
    }

    /// Returns whether a request fetches a token, of either host.
    pub(crate) fn is_token(&self, method: &str, path: &str) -> bool {
        self.operation(method, path)
            .is_some_and(|operation| operation.operation.starts_with("auth."))
    }

    /// Returns the token request that a request needs, with its answer.
    pub(crate) fn token_for(&self, method: &str, path: &str) -> Option<&Scripted> {
        let from = self.credential(method, path)?.from.as_ref()?;
        self.token_script.iter().find(|step| {
            let operation = self.operation(&step.expect.method, &step.expect.path);
            operation.is_some_and(|operation| operation.operation == *from)
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    #[test]
    fn the_headers_are_made_of_the_values() {
        let standard = Standard::get();
        let value = |name: &str| {
            let named = standard.credentials.iter().find(|one| one.name == name);
            named.map_or("", |named| named.value.as_str())
        };
        let raw = format!("{}:{}", standard.client_id, standard.client_secret);
        assert_eq!(value("client"), format!("Basic {}", BASE64.encode(raw)));
        for (name, secret) in [
            ("access_token", &standard.access_token),
            ("api_secret", &standard.api_secret),
        ] {
            assert_eq!(value(name), format!("Bearer {secret}"));
        }
        for (name, secret) in [
            ("auth_key", &standard.auth_key),
            ("authorize_token", &standard.authorize_token),
            ("x_api_key", &standard.x_api_key),
        ] {
            assert_eq!(value(name), secret);
        }
    }

    #[test]
    fn a_request_is_recognized_by_its_method_and_path() {
        let standard = Standard::get();
        let header = |method, path| {
            let credential = standard.credential(method, path);
            credential.map(|credential| credential.value.as_str())
        };
        let poll = "/v3/a/BankingServices/GetStatementsAsync/b?x=1";
        assert_eq!(header("GET", poll), Some("conformance-x-api-key"));
        for (method, path) in [
            ("POST", poll),
            ("GET", "/v3/a/BankingServices/GetStatementsAsync"),
        ] {
            assert_eq!(header(method, path), None, "{method} {path}");
        }
        assert!(standard.token_for("POST", "/upload").is_some());
        assert!(standard.token_for("GET", poll).is_none());
    }
}
