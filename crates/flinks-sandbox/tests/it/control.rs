//! The control endpoint, which is for other languages what the methods of `Sandbox` are for Rust.

use flinks_sandbox::{Analysis, ApiOperation, Sandbox, Signal};
use http::{Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::client::{Answer, Client, complete, file, fraud, start};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn call(
    sandbox: &Sandbox,
    method: Method,
    path: &str,
    header: (&str, &str),
    body: &str,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/sandbox/{path}"))
        .header(header::HOST, "localhost")
        .header(header.0, header.1)
        .body(Full::new(body.to_owned().into()))
        .unwrap();
    Client::results(sandbox).send(request).await
}

async fn state(sandbox: &Sandbox) -> Value {
    let answer = call(sandbox, Method::GET, "state", JSON, "").await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// Uploads one file and completes; returns the LoginId.
async fn upload(client: &Client, token: &str) -> String {
    let first = client.send(file(token, None)).await;
    let id = first.text("AggregationId");
    let done = client.send(complete(token, &id)).await;
    done.json()["Login"]["Id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_state_is_shown_and_reset_to_the_start() {
    let (sandbox, _log) = start(&["upload@3=status:503"]).await;
    let at_start = state(&sandbox).await;
    assert_eq!(at_start["sessions"], json!([]));
    assert_eq!(at_start["requests"], json!({}));
    let client = Client::upload(&sandbox);
    for _ in 0..2 {
        let token = client.token().await;
        let login_id = upload(&client, &token).await;
        sandbox.set_analysis(&login_id, r#"{"Own": 1}"#.parse().unwrap());
        sandbox.inject("token@9=torn".parse().unwrap());
        let state = state(&sandbox).await;
        assert_eq!(
            state["sessions"][0],
            json!({
                "aggregation_id": sandbox.sessions()[0].aggregation_id,
                "files": [{
                    "file_name": "a.pdf",
                    "bytes": 27,
                    "sha256": "809ae89cf8866b859e2505390148b299b3e872db67eb2e955cb753cefa538e9e",
                    "crc32": "cc4f22a4",
                }],
                "completed": true,
                "login_id": login_id,
                "tag": "tag",
                "client_name": null,
            })
        );
        assert_eq!(
            state["requests"],
            json!({"token": 1, "upload": 1, "complete": 1})
        );
        assert_eq!(state["tokens"], 1);
        assert_eq!(
            state["faults"],
            json!(["upload@3=status:503", "token@9=torn"])
        );
        assert_eq!(sandbox.upload(&login_id).unwrap().files.len(), 1);
        let log = call(&sandbox, Method::GET, "log", JSON, "").await.json();
        assert_eq!(log, json!(sandbox.log()));
        assert_eq!(
            (log[0]["seq"].clone(), log[3].clone()),
            (json!(1), json!(null))
        );

        let answer = call(&sandbox, Method::POST, "reset", JSON, "").await;
        assert_eq!((answer.status, answer.json()), (200, json!({})));
        assert_eq!(self::state(&sandbox).await, at_start);
        assert!(sandbox.log().is_empty());
        assert_eq!(client.send(file(&token, None)).await.status, 401);
        sandbox.reset();
    }
}

#[tokio::test]
async fn analyses_are_set_from_the_start_and_for_the_next_upload() {
    let flagged = || Analysis::flagged([Signal::new("DATE_EDITS").page(2)]);
    let builder = Sandbox::builder().analysis("login", flagged());
    let sandbox = builder.start().await.unwrap();
    let signal = async |login_id: &str| {
        let request = fraud(sandbox.api_secret(), sandbox.customer_id(), login_id);
        let analysis = Client::results(&sandbox).send(request).await.json();
        analysis["DocumentAnalysis"][0]["FullAnalysis"][0]["FraudSignals"][0]["Type"].clone()
    };
    sandbox.set_analysis("login", Analysis::clean());
    assert_eq!(signal("login").await, json!(null));
    sandbox.reset();
    assert_eq!(signal("login").await, "DATE_EDITS");

    sandbox.set_next_analysis(flagged());
    let client = Client::upload(&sandbox);
    let login_id = upload(&client, &client.token().await).await;
    assert_eq!(signal(&login_id).await, "DATE_EDITS");
}

#[tokio::test]
async fn faults_are_added_for_the_next_requests_and_removed() {
    let (sandbox, _log) = start(&["token@1=status:503"]).await;
    let client = Client::upload(&sandbox);
    sandbox.clear_faults();
    let token = client.token().await;
    let status = async || client.send(file(&token, None)).await.status;
    assert_eq!(status().await, 200);
    let faults = r#"["upload@+1=status:502", "upload@3=status:503", "any@+3-4=status:504"]"#;
    let answer = call(&sandbox, Method::POST, "faults", JSON, faults).await;
    assert_eq!(answer.status, 200);
    assert_eq!(status().await, 502);
    assert_eq!(status().await, 503);
    assert_eq!(status().await, 504);
    call(&sandbox, Method::DELETE, "faults", JSON, "").await;
    assert_eq!(status().await, 200);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 5);
}

#[tokio::test]
async fn an_analysis_is_set_for_a_login_id_or_for_the_next_upload() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let results = Client::results(&sandbox);
    let analysis = async |login_id: &str| {
        let request = fraud(sandbox.api_secret(), sandbox.customer_id(), login_id);
        results.send(request).await.json()
    };
    for (path, body) in [
        ("analysis/any", r#"{"Own": 1}"#),
        ("analysis/next", r#"{"Own": 2}"#),
        ("accounts/any", r#"[{"Title": "Own"}]"#),
    ] {
        let answer = call(&sandbox, Method::PUT, path, JSON, body).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(analysis("any").await, json!({"Own": 1}));
    assert!(sandbox.logins().iter().any(|it| it.login_id == "any"));
    let first = upload(&client, &token).await;
    assert_eq!(analysis(&first).await, json!({"Own": 2}));
    let second = upload(&client, &token).await;
    assert_eq!(analysis(&second).await["DocumentAnalysis"], json!([]));
}

#[tokio::test]
async fn a_wrong_call_names_what_is_wrong_and_changes_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let before = sandbox.state();
    let text = ("content-type", "text/plain");
    let origin = ("origin", "https://other.example");
    for (method, path, header, body, status, field) in [
        (Method::POST, "reset", origin, "", 403, "Origin"),
        (Method::GET, "state", origin, "", 403, "Origin"),
        (
            Method::POST,
            "faults",
            text,
            "\"any=torn\"",
            415,
            "Content-Type",
        ),
        (Method::POST, "faults", JSON, "any=torn", 400, "body"),
        (
            Method::POST,
            "faults",
            JSON,
            r#"["any=torn", "any=tear"]"#,
            400,
            "faults[1]",
        ),
        (Method::POST, "faults", JSON, "[1]", 400, "faults[0]"),
        (Method::PUT, "analysis/any", JSON, "1", 400, "body"),
        (Method::PUT, "accounts/any", JSON, "1", 400, "body"),
        (Method::PUT, "analysis/", JSON, "[]", 405, "method"),
        (Method::PUT, "reset", JSON, "", 405, "method"),
        (Method::GET, "sessions", JSON, "", 404, "path"),
    ] {
        let answer = call(&sandbox, method, path, header, body).await;
        assert_eq!(
            (answer.status, answer.json()["field"].as_str()),
            (status, Some(field)),
            "{path} {body}"
        );
    }
    assert_eq!(sandbox.state(), before);

    let off = Sandbox::builder().control(false).start().await.unwrap();
    let answer = call(&off, Method::POST, "reset", JSON, "").await;
    assert_eq!(
        (answer.status, off.requests(ApiOperation::Unknown)),
        (404, 1)
    );
}
