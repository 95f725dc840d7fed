//! What is refused, how, and that nothing happened then.

use flinks_sandbox::Sandbox;
use flinks_sandbox::certificates::Validity;
use http::{Request, header};
use http_body_util::Full;
use serde_json::json;

use crate::client::{Client, FORM, GOOD_FORM, complete, file, fraud, post};

#[tokio::test]
async fn the_token_endpoint_refuses_as_oauth_does() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let mut connection = client.connect().await.unwrap();
    let token = "/api/v1/token";
    for (request, status, error) in [
        (
            post(token, "Basic AAAA", FORM, GOOD_FORM),
            401,
            "invalid_client",
        ),
        (
            post(token, &client.basic, "application/json", "{}"),
            400,
            "invalid_request",
        ),
        (
            post(token, &client.basic, FORM, "scope=ocr.write"),
            400,
            "invalid_request",
        ),
        (
            post(
                token,
                &client.basic,
                FORM,
                "grant_type=client_credentials&scope=x",
            ),
            400,
            "invalid_scope",
        ),
    ] {
        let answer = connection.send(request).await.unwrap();
        assert_eq!(
            (answer.status, answer.text("error")),
            (status, error.to_owned())
        );
    }
    assert!(sandbox.log().iter().all(|line| !line.acted));
}

#[tokio::test]
async fn tokens_are_checked_on_every_call() {
    let short = Sandbox::builder()
        .token_ttl(std::time::Duration::ZERO)
        .start()
        .await
        .unwrap();
    let client = Client::upload(&short);
    let expired = client.token().await;
    assert_eq!(client.send(file(&expired, None)).await.status, 401);

    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let secret = format!("Bearer {}", sandbox.api_secret());
    for wrong in [
        expired.as_str(),
        secret.as_str(),
        "Bearer ",
        "",
        client.basic.as_str(),
    ] {
        let answer = client.send(file(wrong, None)).await;
        assert_eq!(
            (answer.status, answer.text("FlinksCode")),
            (401, "ACCESS_DENIED".to_owned())
        );
        assert_eq!(client.send(complete(wrong, "x")).await.status, 401);
    }

    // The token of one certificate is not another's.
    let authority = sandbox.authority();
    let second = authority
        .issue_client("second client", Validity::Valid)
        .unwrap();
    let other = Client::upload_as(&sandbox, &second);
    assert_eq!(other.send(file(&token, None)).await.status, 403);
    assert_eq!(client.send(file(&token, None)).await.status, 200);
    assert_eq!(sandbox.sessions().len(), 1);
    let serials: Vec<_> = sandbox
        .log()
        .into_iter()
        .map(|line| line.client_serial)
        .collect();
    assert_ne!(serials[serials.len() - 1], serials[serials.len() - 2]);
}

#[tokio::test]
async fn wrong_uploads_change_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let mut connection = client.connect().await.unwrap();
    let unknown = "d521ae0d-9cf1-40e1-a1ee-474983800601";
    for (request, status) in [
        (post("/upload", &token, FORM, "{}"), 415),
        (post("/upload", &token, "application/json", "{}"), 400),
        (file(&token, Some(unknown)), 400),
        (complete(&token, unknown), 400),
        (
            post("/upload/complete", &token, "application/json", "[]"),
            400,
        ),
        (
            post("/api/v2/upload", &token, "application/json", "{}"),
            404,
        ),
    ] {
        let path = request.uri().path().to_owned();
        let answer = connection.send(request).await.unwrap();
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["HttpStatusCode"], status);
    }
    let get = Request::get("/upload").header(header::HOST, "localhost");
    let answer = connection
        .send(get.body(Full::default()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        (answer.status, &answer.headers["allow"]),
        (405, &"POST".parse().unwrap())
    );
    assert!(sandbox.sessions().is_empty());
}

#[tokio::test]
async fn a_session_is_completed_once_and_then_closed() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let id = client.send(file(&token, None)).await.text("AggregationId");
    assert_eq!(client.send(complete(&token, &id)).await.status, 200);
    let again = client.send(complete(&token, &id)).await;
    assert_eq!(again.status, 400);
    assert!(again.text("Message").contains("already completed"));
    assert_eq!(client.send(file(&token, Some(&id))).await.status, 400);
    let log = sandbox.log();
    assert_eq!(log[3].aggregation_id.as_ref(), Some(&id));
    assert!(log[2].acted && !log[3].acted && !log[4].acted);
    assert_eq!(sandbox.sessions()[0].files.len(), 1);
}

#[tokio::test]
async fn an_early_refusal_of_a_large_body_reaches_the_client() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let large = vec![b' '; 20 << 20];
    let token = client.token().await;
    let refusals = [("Bearer x", 401, 0), (token.as_str(), 413, 5 << 20)];
    for (bearer, status, most) in refusals {
        let answer = client
            .send(post("/upload", bearer, "application/json", large.clone()))
            .await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers[header::CONNECTION], "close");
        assert!(sandbox.log().last().unwrap().bytes <= most);
    }
}

#[tokio::test]
async fn a_small_refusal_keeps_the_connection() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut connection = Client::upload(&sandbox).connect().await.unwrap();
    for _ in 0..3 {
        let answer = connection.send(file("Bearer x", None)).await.unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers.get(header::CONNECTION), None);
    }
}

#[tokio::test]
async fn the_largest_file_is_accepted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let content = "A".repeat((18 << 20) / 3 * 4);
    let body = json!({"Files": [{"FileName": "a.PNG", "Content": content}]}).to_string();
    let answer = client
        .send(post("/upload", &token, "application/json", body))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(sandbox.sessions()[0].files[0].bytes, 18 << 20);
}

#[tokio::test]
async fn the_fraud_call_takes_the_api_secret_of_its_customer_alone() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::results(&sandbox);
    let upload = Client::upload(&sandbox);
    let token = upload.token().await;
    let token = token.strip_prefix("Bearer ").unwrap();
    let (secret, customer) = (sandbox.api_secret(), sandbox.customer_id());
    let clean = flinks_sandbox::CLEAN_LOGIN_ID;
    for (request, status, code) in [
        (fraud(token, customer, clean), 401, "ACCESS_DENIED"),
        (fraud("", customer, clean), 401, "ACCESS_DENIED"),
        (fraud(secret, "someone-else", clean), 403, "ACCESS_DENIED"),
        (fraud(secret, customer, "unknown"), 401, "INVALID_LOGIN"),
    ] {
        let answer = client.send(request).await;
        assert_eq!(
            (answer.status, answer.text("FlinksCode")),
            (status, code.to_owned())
        );
    }
    assert_eq!(
        client.send(fraud(secret, customer, clean)).await.status,
        200
    );
}
