//! Each kind of fault: what the client sees, and whether the sandbox acted.

use std::{io::ErrorKind, time::Duration};

use flinks_sandbox::{ApiOperation, Sandbox};
use http::header;
use tokio::time::Instant;

use crate::client::{Answer, Client, complete, file, start};

/// An upload as bytes, for the faults that a client library would hide.
fn bytes(token: &str) -> Vec<u8> {
    let body = r#"{"Files":[{"FileName":"a.pdf","Content":"JVBERi0="}]}"#;
    format!(
        "POST /upload HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn a_reset_is_a_reset_before_or_after_acting() {
    for (fault, acted) in [("reset-before", false), ("reset-after", true)] {
        let (sandbox, _log) = start(&[&format!("upload={fault}")]).await;
        let client = Client::upload(&sandbox);
        let token = client.token().await;
        let (answer, result) = client.raw(&bytes(&token)).await;
        assert!(answer.is_empty(), "{fault}");
        assert_eq!(
            result.unwrap_err().kind(),
            ErrorKind::ConnectionReset,
            "{fault}"
        );
        let line = sandbox.log().pop().unwrap();
        assert_eq!((line.status, line.acted), (None, acted), "{fault}");
        assert_eq!(line.fault.as_deref(), Some(fault));
        assert_eq!(sandbox.sessions().len(), usize::from(acted));
        assert_eq!(line.bytes > 0, acted);
    }
}

#[tokio::test]
async fn close_after_ends_without_a_word() {
    let (sandbox, _log) = start(&["upload=close-after"]).await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let (answer, result) = client.raw(&bytes(&token)).await;
    assert!(answer.is_empty());
    assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(sandbox.sessions().len(), 1);
    assert_eq!(sandbox.log().pop().unwrap().status, None);
}

#[tokio::test]
async fn torn_sends_half_a_body() {
    let (sandbox, _log) = start(&["upload=torn"]).await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let (answer, result) = client.raw(&bytes(&token)).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\ncontent-length: "),
        "{head}"
    );
    assert!(
        body.starts_with(r#"{"AggregationId":""#) && !body.ends_with('}'),
        "{body}"
    );
    assert_eq!(sandbox.sessions().len(), 1);
    // A client library notices too.
    let error = client
        .connect()
        .await
        .unwrap()
        .send(file(&token, None))
        .await
        .unwrap_err();
    assert!(
        error.is_incomplete_message()
            || error.is_body_write_aborted()
            || error.is_canceled()
            || format!("{error:?}").contains("UnexpectedEof"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stall_never_answers() {
    let (sandbox, mut log) = start(&["upload=stall"]).await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    log.recv().await.unwrap();
    let mut connection = client.connect().await.unwrap();
    tokio::select! {
        answer = connection.send(file(&token, None)) => panic!("{answer:?}"),
        line = log.recv() => {
            let line = line.unwrap();
            assert_eq!((line.status, line.acted, line.bytes), (None, false, 0));
            assert_eq!(line.fault.as_deref(), Some("stall"));
        }
    }
    assert_eq!(sandbox.requests(ApiOperation::Upload), 1);
    assert!(sandbox.sessions().is_empty());
}

#[tokio::test]
async fn delays_wait_and_then_answer() {
    for fault in ["delay:60", "delay-after:60", "stall:60"] {
        let (sandbox, _log) = start(&[&format!("upload@2={fault}")]).await;
        let client = Client::upload(&sandbox);
        let token = client.token().await;
        assert_eq!(client.send(file(&token, None)).await.status, 200);
        let begun = Instant::now();
        assert_eq!(client.send(file(&token, None)).await.status, 200);
        assert!(begun.elapsed() >= Duration::from_millis(60), "{fault}");
        assert_eq!(sandbox.sessions().len(), 2, "{fault}");
    }
}

#[tokio::test]
async fn a_request_that_arrived_whole_is_acted_on_without_its_client() {
    for fault in ["delay:30", "delay-after:30"] {
        let (sandbox, mut log) = start(&[&format!("upload={fault}")]).await;
        let client = Client::upload(&sandbox);
        let token = client.token().await;
        log.recv().await.unwrap();
        let _stream = client.send_and_hang_up(&bytes(&token)).await;
        assert!(log.recv().await.unwrap().acted, "{fault}");
        assert_eq!(sandbox.sessions().len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_in_its_body_is_logged() {
    let (sandbox, mut log) = start(&[]).await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    log.recv().await.unwrap();
    let mut request = bytes(&token);
    request.truncate(request.len() - 3);
    let _stream = client.send_and_hang_up(&request).await;
    let line = log.recv().await.unwrap();
    assert_eq!(
        (line.status, line.acted, line.operation),
        (None, false, ApiOperation::Upload)
    );
    assert!(sandbox.sessions().is_empty());
}

async fn answers(fault: &str) -> (Sandbox, Answer) {
    let (sandbox, _log) = start(&[fault]).await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let answer = client.send(file(&token, None)).await;
    let line = sandbox.log().pop().unwrap();
    assert_eq!(line.status, Some(answer.status));
    assert_eq!(line.acted, !sandbox.sessions().is_empty());
    (sandbox, answer)
}

#[tokio::test]
async fn statuses_are_sent_with_or_without_acting() {
    let (sandbox, answer) = answers("upload=status:503,retry-after=7").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers[header::RETRY_AFTER], "7");
    assert_eq!(answer.json()["HttpStatusCode"], 503);
    assert!(sandbox.sessions().is_empty());

    let (sandbox, answer) = answers("upload=status-after:500").await;
    assert_eq!(answer.status, 500);
    assert_eq!(sandbox.sessions().len(), 1);

    let (sandbox, answer) = answers("upload=unauthorized").await;
    assert_eq!(
        (answer.status, answer.text("FlinksCode")),
        (401, "ACCESS_DENIED".to_owned())
    );
    assert!(sandbox.sessions().is_empty());

    let (sandbox, answer) = answers("upload=html:502").await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/html");
    assert!(answer.body.starts_with(b"<html>"));
    assert!(sandbox.sessions().is_empty());

    let (_, answer) = answers("upload=status:204").await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
}

#[tokio::test]
async fn a_fault_hits_the_requests_that_it_names() {
    let (sandbox, _log) = start(&["upload@2-3=status:500", "complete=status:502"]).await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let mut connection = client.connect().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(connection.send(file(&token, None)).await.unwrap().status);
    }
    assert_eq!(seen, [200, 500, 500, 200]);
    sandbox.inject("upload@6=html:504".parse().unwrap());
    seen.clear();
    for _ in 0..2 {
        seen.push(connection.send(file(&token, None)).await.unwrap().status);
    }
    assert_eq!(seen, [200, 504]);
    let id = sandbox.sessions()[0].aggregation_id.clone();
    assert_eq!(
        connection.send(complete(&token, &id)).await.unwrap().status,
        502
    );
    assert!(!sandbox.sessions()[0].completed);
}

#[tokio::test]
async fn two_sandboxes_do_not_know_each_other() {
    let one = Sandbox::start().await.unwrap();
    let two = Sandbox::start().await.unwrap();
    assert_ne!(one.upload_url(), two.upload_url());
    let client = Client::upload(&one);
    let token = client.token().await;
    assert_eq!(client.send(file(&token, None)).await.status, 200);
    assert_eq!((one.sessions().len(), two.sessions().len()), (1, 0));
}

#[tokio::test]
async fn odd_answers_have_their_forms() {
    let (sandbox, _log) = start(&[
        "upload@1=bom",
        "upload@2=charset",
        "upload@3=gzip",
        "upload@4=truncated",
        "upload@5=body:200,[1, 2]",
        "upload@6=code:401,INVALID_LOGIN",
        "upload@7=pending",
        "upload@8=dispatched",
    ])
    .await;
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(client.send(file(&token, None)).await);
    }
    let json: serde_json::Value = serde_json::from_slice(&answers[0].body[3..]).unwrap();
    assert_eq!(&answers[0].body[..3], b"\xef\xbb\xbf");
    assert_eq!(json["HttpStatusCode"], 200);
    assert_eq!(&answers[1].body[..4], b"\xff\xfe{\0");
    let kind = &answers[1].headers[header::CONTENT_TYPE];
    assert_eq!(kind, "application/json; charset=utf-16");
    assert_eq!(answers[2].headers[header::CONTENT_ENCODING], "gzip");
    // One stored block: a header of ten bytes, one of five, the JSON, an empty block, a trailer.
    let body = &answers[2].body;
    assert_eq!(&body[..3], b"\x1f\x8b\x08");
    let inner = &body[15..body.len() - 13];
    assert!(serde_json::from_slice::<serde_json::Value>(inner).is_ok());
    assert!(serde_json::from_slice::<serde_json::Value>(&answers[3].body).is_err());
    assert_eq!(answers[4].json(), serde_json::json!([1, 2]));
    let codes: Vec<_> = answers[5..]
        .iter()
        .map(|answer| (answer.status, answer.text("FlinksCode")))
        .collect();
    let expected = [
        (401, "INVALID_LOGIN"),
        (202, "OPERATION_PENDING"),
        (202, "OPERATION_DISPATCHED"),
    ];
    assert_eq!(
        codes,
        expected.map(|(status, code)| (status, code.to_owned()))
    );
    let acted: Vec<_> = sandbox.log()[1..].iter().map(|line| line.acted).collect();
    assert_eq!(acted, [true, true, true, true, false, false, false, false]);
}

#[tokio::test]
async fn a_handshake_is_reset_or_refused_and_then_works() {
    let (sandbox, _log) = start(&["handshake@1=reset", "handshake@2=alert"]).await;
    let client = Client::upload(&sandbox);
    let reset = client.connect().await.err().unwrap();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    let alert = client.connect().await.err().unwrap().to_string();
    assert!(alert.contains("HandshakeFailure"), "{alert}");
    client.token().await;
    let faults: Vec<_> = sandbox.log().into_iter().map(|line| line.fault).collect();
    let expected = [Some("reset"), Some("alert"), None];
    assert_eq!(faults, expected.map(|fault| fault.map(str::to_owned)));
}
