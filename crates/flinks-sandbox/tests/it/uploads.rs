//! The LoginId of a completed upload as a card: cached sessions, data, deletion.

use std::time::Duration;

use bytes::Bytes;
use flinks_sandbox::{CLEAN_LOGIN_ID, FAILED_LOGIN_ID, PENDING_LOGIN_ID, Sandbox, SandboxBuilder};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::client::{Client, PDF, complete, document, fraud, post};
use crate::legacy::{Legacy, code};

fn at_once() -> SandboxBuilder {
    Sandbox::builder().processing(Duration::ZERO)
}

/// The LoginId of an upload that is completed.
async fn uploaded(sandbox: &Sandbox, first: Request<Full<Bytes>>) -> String {
    let client = Client::upload(sandbox);
    let answer = client.send(first).await;
    let id = answer.text("AggregationId");
    let done = client.send(complete(&client.token().await, &id)).await;
    done.json()["Login"]["Id"].as_str().unwrap().to_owned()
}

/// A file, as the first of a session.
async fn upload(sandbox: &Sandbox, name: &str, content: &[u8]) -> String {
    let token = Client::upload(sandbox).token().await;
    uploaded(sandbox, document(&token, None, name, content)).await
}

impl Legacy {
    /// What GetAccountsDetail answers for a LoginId.
    async fn detail(&mut self, login_id: &str) -> Value {
        let body = json!({"LoginId": login_id, "MostRecentCached": true});
        let session = self.post("Authorize", &body).await;
        assert_eq!(session.status, 200, "{session:?}");
        assert_eq!(session.json()["Login"]["Id"], login_id);
        let body = json!({"RequestId": session.text("RequestId")});
        self.post("GetAccountsDetail", &body).await.json()
    }
}

#[tokio::test]
async fn an_upload_has_data_until_its_card_is_deleted() {
    let (sandbox, mut legacy) = Legacy::start(at_once()).await;
    let token = Client::upload(&sandbox).token().await;
    let content = "JVBERi0xLjcKc3RhcnR4cmVmCjAKJSVFT0YK";
    let body = json!({
        "Files": [{"FileName": "a.pdf", "Content": content}], "ClientName": "Ada Client",
    });
    let request = post("/upload", &token, "application/json", body.to_string());
    let login_id = uploaded(&sandbox, request).await;
    let detail = legacy.detail(&login_id).await;
    let [account] = &detail["Accounts"].as_array().unwrap()[..] else {
        panic!("{detail}")
    };
    assert_eq!(account["Holder"]["Name"], "Ada Client");
    assert!(!account["Transactions"].as_array().unwrap().is_empty());
    let body = json!({"RequestId": detail["RequestId"]});
    for (endpoint, list) in [
        ("GetAccountsSummary", "Accounts"),
        ("GetStatements", "StatementsByAccount"),
    ] {
        let json = legacy.post(endpoint, &body).await.json();
        assert_eq!(json[list].as_array().unwrap().len(), 1, "{json}");
    }

    // There is no bank to refresh from.
    let live = json!({"LoginId": login_id, "MostRecentCached": false, "Save": true});
    let refused = legacy.post("Authorize", &live).await;
    assert_eq!(
        (refused.status, code(&refused)),
        (400, json!("INVALID_REQUEST"))
    );
    let nightly = json!({"loginId": login_id, "isActivated": true}).to_string();
    let refused = legacy
        .call(Method::PATCH, "SetScheduledRefresh", &nightly)
        .await;
    assert_eq!(refused.status, 400);

    let rest = format!("DeleteCard/{login_id}");
    assert_eq!(legacy.call(Method::DELETE, &rest, "").await.status, 200);
    assert_eq!(
        code(&legacy.post("GetAccountsDetail", &body).await),
        "SESSION_NONEXISTENT"
    );
    let request = fraud(sandbox.api_secret(), sandbox.customer_id(), &login_id);
    let gone = Client::results(&sandbox).send(request).await;
    assert_eq!((gone.status, code(&gone)), (401, json!("INVALID_LOGIN")));
}

#[tokio::test]
async fn data_come_after_the_documents_unless_they_cannot_be_processed() {
    let slow = Sandbox::builder().processing(Duration::from_secs(3600));
    let (sandbox, mut legacy) = Legacy::start(slow).await;
    let login_id = upload(&sandbox, "a.pdf", PDF.as_bytes()).await;
    for login_id in [&login_id, PENDING_LOGIN_ID] {
        let pending = legacy.detail(login_id).await;
        assert_eq!(pending["FlinksCode"], "OPERATION_PENDING");
        let delete = format!("DeleteCard/{login_id}");
        let used = legacy.call(Method::DELETE, &delete, "").await;
        assert_eq!(code(&used), "CARD_IN_USE");
    }
    assert!(legacy.detail(CLEAN_LOGIN_ID).await["Accounts"].is_array());

    let (sandbox, mut legacy) = Legacy::start(at_once()).await;
    let broken = upload(&sandbox, "a.pdf", b"%PDF-").await;
    for login_id in [&broken, FAILED_LOGIN_ID] {
        let failed = legacy.detail(login_id).await;
        assert_eq!(failed["FlinksCode"], "Document_Processing_Failed");
    }
}

#[tokio::test]
async fn the_accounts_of_a_login_can_be_set() {
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let text = r#"[{"Title": "Own", "Balance": {"Current": 10.10}}]"#;
    for login_id in ["any", FAILED_LOGIN_ID, flinks_sandbox::CACHED_LOGIN_ID] {
        sandbox.set_accounts(login_id, text).unwrap();
        let detail = legacy.detail(login_id).await;
        assert_eq!(detail["Accounts"][0]["Title"], "Own");
        assert_eq!(detail["Accounts"].as_array().unwrap().len(), 1);
        let body = json!({"RequestId": detail["RequestId"]});
        let summary = legacy.post("GetAccountsSummary", &body).await;
        let summary = std::str::from_utf8(&summary.body).unwrap().to_owned();
        assert!(
            summary.contains(text),
            "amounts keep their digits: {summary}"
        );
    }
    sandbox.set_accounts("any", r#"{"Own": 1}"#).unwrap();
    assert_eq!(legacy.detail("any").await, json!({"Own": 1}));
    for wrong in ["", "3", "[", "null"] {
        assert!(sandbox.set_accounts("any", wrong).is_err(), "{wrong}");
    }
}
