//! The documented flow: token, files, complete, analysis; and what the sandbox then shows.

use std::time::Duration;

use flinks_sandbox::{Analysis, ApiOperation, Host, Sandbox};
use serde_json::json;

use crate::client::{Client, FORM, GOOD_FORM, PDF, complete, document, file, fraud, post};

#[tokio::test]
async fn a_whole_session_is_answered_as_documented() {
    let sandbox = Sandbox::builder()
        .processing(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let client = Client::upload(&sandbox);
    let mut connection = client.connect().await.unwrap();

    let token = connection
        .send(post("/api/v1/token", &client.basic, FORM, GOOD_FORM))
        .await
        .unwrap();
    assert_eq!(token.json()["token_type"], "Bearer");
    assert_eq!(token.json()["expires_in"], 300);
    assert!(token.text("access_token").starts_with("eyJ"));
    let bearer = format!("Bearer {}", token.text("access_token"));

    let first = connection.send(file(&bearer, None)).await.unwrap();
    let id = first.text("AggregationId");
    assert_eq!(
        first.json(),
        json!({
            "HttpStatusCode": 200,
            "AggregationId": id,
            "Message": "The files were uploaded successfully. Please send the next file(s).",
        })
    );
    // The same file again is a second file.
    let second = connection.send(file(&bearer, Some(&id))).await.unwrap();
    assert_eq!(second.json(), first.json());

    let done = connection.send(complete(&bearer, &id)).await.unwrap();
    let login_id = done.json()["Login"]["Id"].as_str().unwrap().to_owned();
    assert_eq!(
        done.json(),
        json!({
            "HttpStatusCode": 200,
            "AggregationId": id,
            "Login": {"Id": login_id},
            "Message":
                "All files were uploaded successfully. The OCR process will start shortly.",
        })
    );

    let request = fraud(sandbox.api_secret(), sandbox.customer_id(), &login_id);
    let analysis = Client::results(&sandbox).send(request).await.json();
    assert_eq!(analysis["Message"], "No Fraud Signal Detected");
    assert_eq!(analysis["Login"]["LoginId"], login_id.as_str());
    assert_eq!(analysis["Tag"], "tag");
    let document = json!({
        "Status": "COMPLETED",
        "FullAnalysis": [{"DocumentType": "BANK_STATEMENT", "FraudSignals": []}],
    });
    assert_eq!(analysis["DocumentAnalysis"], json!([document, document]));

    let [session] = sandbox.sessions().try_into().unwrap();
    assert_eq!(session.aggregation_id, id);
    assert_eq!(session.files.len(), 2);
    assert_eq!(session.files[0].bytes, PDF.len() as u64);
    assert_eq!(session.tag.as_deref(), Some("tag"));
    assert!(session.completed);
    assert_eq!(session.login_id.as_deref(), Some(login_id.as_str()));

    let log = sandbox.log();
    let operations: Vec<_> = log.iter().map(|line| line.operation).collect();
    assert_eq!(
        operations,
        [
            ApiOperation::Token,
            ApiOperation::Upload,
            ApiOperation::Upload,
            ApiOperation::Complete,
            ApiOperation::Fraud
        ]
    );
    assert!(log.iter().all(|line| line.status == Some(200)));
    assert_eq!(
        log.iter().map(|line| line.acted).collect::<Vec<_>>(),
        [true, true, true, true, false]
    );
    assert_eq!(log[1].file_name.as_deref(), Some("a.pdf"));
    assert_eq!(
        log[1].crc32,
        Some(format!("{:08x}", session.files[0].crc32))
    );
    assert_eq!(log[3].files, Some(2));
    assert_eq!(log[3].login_id.as_deref(), Some(login_id.as_str()));
    assert_eq!(log[4].host, Host::Results);
    assert_eq!(log[4].client_serial, None);
    assert!(
        log[0]
            .client_serial
            .as_ref()
            .is_some_and(|serial| serial.len() == 32)
    );

    let text = serde_json::to_string(&log).unwrap();
    for secret in [
        sandbox.client_secret(),
        sandbox.api_secret(),
        bearer.as_str(),
        "JVBERi",
        client.basic.as_str(),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// The analysis of one document, by its status and the types of its signals.
async fn analyzed(sandbox: &Sandbox, name: &str, content: &[u8]) -> (String, Vec<String>) {
    let client = Client::upload(sandbox);
    let token = client.token().await;
    let answer = client.send(document(&token, None, name, content)).await;
    let id = answer.text("AggregationId");
    let done = client.send(complete(&token, &id)).await.json();
    let login_id = done["Login"]["Id"].as_str().unwrap();
    let request = fraud(sandbox.api_secret(), sandbox.customer_id(), login_id);
    let analysis = Client::results(sandbox).send(request).await.json();
    let document = &analysis["DocumentAnalysis"][0];
    let status = document["Status"].as_str().unwrap().to_owned();
    let signals = document["FullAnalysis"][0]["FraudSignals"].as_array();
    let types = signals.into_iter().flatten();
    let types: Vec<_> = types
        .map(|one| one["Type"].as_str().unwrap().to_owned())
        .collect();
    let is_clean = status == "COMPLETED" && types.is_empty();
    assert_eq!(analysis.get("Message").is_some(), is_clean, "{name}");
    (status, types)
}

#[tokio::test]
async fn the_analysis_follows_the_markers_and_the_bytes_whatever_the_name() {
    let sandbox = Sandbox::builder()
        .processing(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents/");
    let fixture = |name: &str| std::fs::read(format!("{folder}{name}")).unwrap();
    let clean = fixture("statement-january.pdf");
    let edited = fixture("statement-january-edited.pdf");
    let marker = b"\n%flinks-sandbox signal=MISALIGNED_TEXT status=PENDING\n";
    // A text chunk behind the first one of a PNG, which has 33 bytes with the signature.
    let mut text = fixture("scan.png");
    let chunk = b"tEXtComment\0%flinks-sandbox signal=DATE_EDITS";
    let length = chunk.len() as u32 - 4;
    let chunk = [&length.to_be_bytes(), &chunk[..], b"AAAA"].concat();
    text.splice(33..33, chunk);
    let both = ["EDITING_SOFTWARE_DETECTED", "UNRECONCILED_BALANCES"];
    for (name, content, status, types) in [
        ("edited-fraud.pdf", clean.clone(), "COMPLETED", &[][..]),
        ("clean.pdf", edited, "COMPLETED", &both[..]),
        ("a.png", fixture("scan.png"), "COMPLETED", &[]),
        ("text.png", text, "COMPLETED", &["DATE_EDITS"]),
        (
            "a.jpg",
            [&fixture("scan.jpg"), &marker[..]].concat(),
            "PENDING",
            &["MISALIGNED_TEXT"],
        ),
        (
            "broken.pdf",
            clean[..5_000].to_vec(),
            "UNABLE_TO_PROCESS",
            &[],
        ),
        ("a.png", clean, "UNABLE_TO_PROCESS", &[]),
    ] {
        let types = types.iter().map(|&one| one.to_owned()).collect();
        let found = analyzed(&sandbox, name, &content).await;
        assert_eq!(found, (status.to_owned(), types), "{name}");
    }
}

#[tokio::test]
async fn a_marker_that_cannot_be_understood_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let wrong = b"%PDF-1.7\n%flinks-sandbox signal=DATE\n";
    let answer = client.send(document(&token, None, "a.pdf", wrong)).await;
    assert_eq!(
        (answer.status, answer.text("FlinksCode")),
        (400, "SANDBOX_INVALID_MARKER".to_owned())
    );
    assert!(answer.text("Message").contains("there is no `DATE`"));
    let line = sandbox.log().pop().unwrap();
    assert_eq!(line.marker_error, Some(answer.text("Message")));
    assert_eq!(line.file_name.as_deref(), Some("a.pdf"));
    assert!(sandbox.sessions().is_empty());
}

#[tokio::test]
async fn an_analysis_can_be_set() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::results(&sandbox);
    let request = || fraud(sandbox.api_secret(), sandbox.customer_id(), "any");
    let documents = json!([{"Status": "DELETED", "FullAnalysis": []}]);
    sandbox.set_analysis("any", documents.to_string().parse().unwrap());
    let analysis = client.send(request()).await.json();
    assert_eq!(analysis["DocumentAnalysis"], documents);
    assert_eq!(analysis["Login"]["LoginId"], "any");
    sandbox.set_analysis("any", r#"{"Own": 1}"#.parse().unwrap());
    assert_eq!(client.send(request()).await.json(), json!({"Own": 1}));
    for wrong in ["", "3", "[", "null"] {
        assert!(wrong.parse::<Analysis>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn the_root_preset_of_paths_works_too() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let body = r#"{"Files":[{"FileName":"a.tiff","Content":"SUkqAA=="}]}"#;
    let answer = client
        .send(post("/upload", &token, "application/json", body))
        .await;
    let id = json!({"AggregationId": answer.text("AggregationId")}).to_string();
    let done = client
        .send(post("/upload/complete", &token, "application/json", id))
        .await;
    assert_eq!(done.status, 200);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Sandbox::builder()
        .results_port(port)
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}
