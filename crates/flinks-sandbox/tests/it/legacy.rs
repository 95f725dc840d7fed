//! A client of the legacy API, with no more than its tests need.

use flinks_sandbox::{Sandbox, SandboxBuilder};
use http::{Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Connection};

/// One kept connection to the results host.
pub(crate) struct Legacy {
    connection: Connection,
    customer_id: String,
    /// Sent with each request.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// The code, the text or `null`.
pub(crate) fn code(answer: &Answer) -> Value {
    answer.json()["FlinksCode"].clone()
}

impl Legacy {
    pub(crate) async fn start(config: SandboxBuilder) -> (Sandbox, Self) {
        let sandbox = config.start().await.unwrap();
        let connection = Client::results(&sandbox).connect().await.unwrap();
        let legacy = Self::over(connection, &sandbox);
        (sandbox, legacy)
    }

    pub(crate) fn over(connection: Connection, sandbox: &Sandbox) -> Self {
        Self {
            connection,
            customer_id: sandbox.customer_id().to_owned(),
            headers: Vec::new(),
        }
    }

    pub(crate) async fn call(&mut self, method: Method, rest: &str, body: &str) -> Answer {
        let path = format!("/v3/{}/BankingServices/{rest}", self.customer_id);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body.to_owned().into())).unwrap();
        self.connection.send(request).await.unwrap()
    }

    pub(crate) async fn post(&mut self, endpoint: &str, body: &Value) -> Answer {
        self.call(Method::POST, endpoint, &body.to_string()).await
    }

    pub(crate) async fn get(&mut self, rest: &str) -> Answer {
        self.call(Method::GET, rest, "").await
    }

    /// A live session with credentials, saved.
    pub(crate) async fn login(&mut self, institution: &str, name: &str) -> Answer {
        let body = json!({
            "Institution": institution,
            "Username": name,
            "Password": "Everyday",
            "MostRecentCached": false,
            "Save": true,
        });
        self.post("Authorize", &body).await
    }

    /// The RequestId of a user who is authorized at once.
    pub(crate) async fn open(&mut self, name: &str) -> String {
        let answer = self.login("FlinksCapital", name).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text("RequestId")
    }

    pub(crate) async fn answer(&mut self, request_id: &str, responses: Value) -> Answer {
        let body = json!({"RequestId": request_id, "SecurityResponses": responses});
        self.post("Authorize", &body).await
    }
}
