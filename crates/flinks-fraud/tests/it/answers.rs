//! What one request looks like, and how one answer is read.

use flinks_fraud::{Analysis, Reason, Verdict};
use flinks_transport::testing::Reply;
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::{FlinksCode, LoginId};
use http::Method;

use crate::leaf::{Leaf, SECRET, answer, login_id};

/// A finished answer of one clean statement.
pub(crate) const CLEAN: &str = r#"{ "HttpStatusCode": 200, "Message": "No Fraud Signal Detected",
    "Login": { "LoginId": "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c", "RequestId": "c3d4e5f6" },
    "DocumentAnalysis": [ { "Status": "COMPLETED", "FullAnalysis": [
        { "DocumentType": "BANK_STATEMENT", "FraudSignals": [] } ] } ] }"#;

async fn read(act: Reply) -> Result<Analysis, Error> {
    Leaf::new([act]).client().analysis(&login_id()).await
}

#[tokio::test(start_paused = true)]
async fn the_request_is_the_guides() {
    let leaf = Leaf::new([answer(200, CLEAN)]);
    leaf.client().analysis(&login_id()).await.unwrap();
    let seen = &leaf.requests()[0];
    assert_eq!(seen.method, Method::GET);
    assert_eq!(
        seen.uri.to_string(),
        "https://toolbox-api.private.fin.ag/v3/43387ca6/upload/fraudanalysis/\
         aabf32b7-2f4e-4248-8895-b47b7ebc5a3c"
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
    assert!(seen.headers["authorization"].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn an_id_stays_one_segment() {
    let leaf = Leaf::new([answer(200, "{}")]);
    let id = LoginId::new("../a b?c#d%2e").unwrap();
    leaf.client().analysis(&id).await.unwrap();
    assert_eq!(
        leaf.requests()[0].uri.path(),
        "/v3/43387ca6/upload/fraudanalysis/..%2Fa%20b%3Fc%23d%252e"
    );
}

#[tokio::test(start_paused = true)]
async fn only_200_is_a_whole_answer_and_a_202_anywhere_is_pending() {
    let at_work = Verdict::Undetermined(Reason::StillProcessing);
    let none = Verdict::Undetermined(Reason::NoDocuments);
    let not_whole = |status| Verdict::Undetermined(Reason::PartialAnswer { status });
    let body = |head: &str| CLEAN.replace(r#""HttpStatusCode": 200"#, head);
    let rows = [
        (answer(200, CLEAN), Verdict::Clean),
        (answer(201, CLEAN), not_whole(201)),
        (answer(203, CLEAN), not_whole(203)),
        (answer(206, CLEAN), not_whole(206)),
        (
            answer(200, body(r#""HttpStatusCode": "PartialContent""#)),
            not_whole(206),
        ),
        (answer(200, body(r#""Extra": {}"#)), Verdict::Clean),
        (
            answer(200, body(r#""HttpStatusCode": "OK", "FlinksCode": "OK""#)),
            Verdict::Clean,
        ),
        (answer(202, CLEAN), at_work.clone()),
        (
            answer(200, body(r#""HttpStatusCode": 202"#)),
            at_work.clone(),
        ),
        (
            answer(200, body(r#""FlinksCode": "operation_pending""#)),
            at_work.clone(),
        ),
        (
            answer(200, body(r#""FlinksCode": "OPERATION_DISPATCHED""#)),
            at_work,
        ),
        (
            answer(200, body(r#""FlinksCode": "BRAND_NEW""#)),
            Verdict::Undetermined(Reason::UnknownCode),
        ),
        (answer(202, ""), none.clone()),
        (answer(202, "Accepted"), none.clone()),
        (answer(200, "{}"), none.clone()),
        (answer(200, r#"{"DocumentAnalysis":null}"#), none),
    ];
    for (act, expected) in rows {
        let analysis = read(act.clone()).await.unwrap();
        assert_eq!(analysis.verdict(), expected, "{act:?}");
        let pending = !matches!(
            expected,
            Verdict::Clean | Verdict::Undetermined(Reason::UnknownCode)
        );
        assert_eq!(
            (analysis.is_pending(), analysis.is_final()),
            (pending, !pending),
            "{act:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_body_refuses_is_an_error_whatever_the_status() {
    let refusals = [
        (
            answer(
                200,
                r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_LOGIN"}"#,
            ),
            Some(FlinksCode::InvalidLogin),
        ),
        (
            answer(
                202,
                r#"{"httpStatusCode":401,"flinksCode":"ACCESS_DENIED"}"#,
            ),
            Some(FlinksCode::AccessDenied),
        ),
        (
            answer(200, r#"{"FlinksCode":"document_processing_failed"}"#),
            Some(FlinksCode::DocumentProcessingFailed),
        ),
        (
            answer(
                200,
                CLEAN.replace(r#""HttpStatusCode": 200"#, r#""HttpStatusCode": 500"#),
            ),
            None,
        ),
        (
            answer(403, r#"{"FlinksCode":"FEATURE_DISABLED"}"#),
            Some(FlinksCode::FeatureDisabled),
        ),
    ];
    for (act, code) in refusals {
        let error = read(act.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api, "{act:?}");
        assert_eq!(error.operation(), Some("fraud.analysis"));
        assert_eq!(
            error.api().and_then(|api| api.flinks_code.clone()),
            code,
            "{act:?}"
        );
    }
    for body in ["", "<html>", "[]", "null", r#"{"DocumentAnalysis":["#] {
        let error = read(answer(200, body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_secret_is_refused_at_once() {
    let leaf = Leaf::new([answer(200, CLEAN)]);
    let client = leaf.client();
    let refused = flinks_fraud::FraudClient::new(
        client.transport().clone(),
        flinks_transport::Endpoint::instance("toolbox").unwrap(),
        flinks_types::CustomerId::new("43387ca6").unwrap(),
        flinks_auth::ApiSecret::new(""),
    );
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(leaf.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_login_is_an_error() {
    let other = CLEAN.replace("aabf32b7-2f4e", "aabf32b7-0000");
    let renamed = other.replace("LoginId", "Id");
    let beside = CLEAN.replace(r#""Message""#, r#""loginId": "another", "Message""#);
    let inside = CLEAN.replace(r#""Status""#, r#""LoginId": "another", "Status""#);
    let login = CLEAN.replace(r#""Status""#, r#""Login": { "Id": "another" }, "Status""#);
    for body in [other, renamed, beside, inside, login] {
        let error = read(answer(200, &body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.delivery(), Delivery::Delivered);
        assert!(
            error.to_string().contains("about another LoginId"),
            "{error}"
        );
        let leaf = Leaf::new([
            answer(200, r#"{"DocumentAnalysis":[]}"#),
            answer(200, &body),
        ]);
        let error = leaf.client().wait(&login_id()).await.unwrap_err();
        assert_eq!(
            (error.kind(), leaf.count()),
            (ErrorKind::Decode, 2),
            "{body}"
        );
    }
    let shout = CLEAN.replace("aabf32b7-2f4e-4248", "AABF32B7-2F4E-4248");
    let unsaid = CLEAN.replace("aabf32b7-2f4e-4248-8895-b47b7ebc5a3c", "");
    for body in [shout, unsaid] {
        let analysis = read(answer(200, &body)).await.unwrap();
        assert_eq!(analysis.verdict(), Verdict::Clean, "{body}");
    }
}

/// Ways in which a clean answer can hide something; `CLEAN` itself is the control.
#[tokio::test(start_paused = true)]
async fn no_answer_that_hides_something_is_clean() {
    const LIST: &str = r#""FraudSignals": []"#;
    const DOCUMENT: &str = r#""Status""#;
    const FORMS: &str = r#""FullAnalysis": ["#;
    const DOCUMENTS: &str = r#""DocumentAnalysis": ["#;
    const STATUS: &str = r#""HttpStatusCode": 200"#;
    const END: &str = "] } ] } ] }";
    let edits = [
        (
            LIST,
            r#""FraudSignals": [], "fraudSignals": [{"Type":"DATE_EDITS"}]"#,
        ),
        (LIST, r#""FraudSignals": [], "fraud_signals": []"#),
        (LIST, r#""FraudSignals": [{}], "FraudSignals": []"#),
        (LIST, r#""FraudSignals": [], "FraudSignals": []"#),
        (LIST, r#""FraudSignals": [], "Signals": ["DATE_EDITS"]"#),
        (LIST, r#""FraudSignals": [], "FraudSignals2": [{}]"#),
        (LIST, r#""FraudSignals": [], "SignalCount": 1"#),
        (LIST, r#""FraudSignals": [], "Count": 2"#),
        (LIST, r#""FraudSignals": [], "Verdict": "HIGH_RISK""#),
        (LIST, r#""FraudSignals": [], "Errors": ["page 2"]"#),
        (LIST, r#""FraudSignals": [], "More": { "Signals": [{}] }"#),
        (LIST, r#""FraudSignals": {}"#),
        (LIST, r#""FraudSignals": "[]""#),
        (LIST, r#""FraudSignals": null"#),
        (LIST, r#""FraudSignals": [null]"#),
        (LIST, r#""FraudSignals": [[]]"#),
        (LIST, r#""fraudSignals": []"#),
        (DOCUMENT, r#""FraudSignals": [{}], "Status""#),
        (DOCUMENT, r#""status": "PENDING", "Status""#),
        (DOCUMENT, r#""Status": "PENDING", "Status""#),
        (DOCUMENT, r#""IsPartial": true, "Status""#),
        (FORMS, r#""FullAnalysis": [ null, "#),
        (FORMS, r#""FullAnalysis": [ [], "#),
        (FORMS, r#""fullAnalysis": [{}], "FullAnalysis": ["#),
        (DOCUMENTS, r#""DocumentAnalysis": [ null, "#),
        (
            DOCUMENTS,
            r#""DocumentAnalysis": [], "DocumentAnalysis": ["#,
        ),
        (
            DOCUMENTS,
            r#""documentAnalysis": [{}], "DocumentAnalysis": ["#,
        ),
        (
            DOCUMENTS,
            r#""PendingDocuments": ["b"], "DocumentAnalysis": ["#,
        ),
        (DOCUMENTS, r#""DocumentCount": 2, "DocumentAnalysis": ["#),
        (DOCUMENTS, r#""HasMore": true, "DocumentAnalysis": ["#),
        (DOCUMENTS, r#""FraudSignals": [{}], "DocumentAnalysis": ["#),
        (DOCUMENTS, r#""Odd": "\ud800", "DocumentAnalysis": ["#),
        (STATUS, r#""HttpStatusCode": 200, "HttpStatusCode": 500"#),
        (STATUS, r#""HttpStatusCode": 200, "httpStatusCode": 500"#),
        (STATUS, r#""HttpStatusCode": [500]"#),
        (STATUS, r#""HttpStatusCode": 0"#),
        (STATUS, r#""StatusCode": 500"#),
        (STATUS, r#""FlinksCode": "RETRY_LATER""#),
        (STATUS, r#""FlinksCode": "OK", "flinksCode": "RETRY_LATER""#),
        (END, "] } ] } ] } {}"),
        (END, "] } ] } ] }\0"),
        (END, "] } ] } ] }, "),
    ];
    let control = read(answer(200, CLEAN)).await.unwrap();
    assert_eq!(control.verdict(), Verdict::Clean);
    for (what, with) in edits {
        let body = CLEAN.replacen(what, with, 1);
        assert_ne!(body, CLEAN, "{what}");
        if let Ok(analysis) = read(answer(200, &body)).await {
            assert_ne!(analysis.verdict(), Verdict::Clean, "{body}");
        }
    }
    // Deeper than what is looked through.
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let body = CLEAN.replacen(DOCUMENT, &format!(r#""Deep": {deep}, "Status""#), 1);
    if let Ok(analysis) = read(answer(200, &body)).await {
        assert_ne!(analysis.verdict(), Verdict::Clean);
    }
}

#[tokio::test(start_paused = true)]
async fn harmless_additions_stay_clean() {
    for (what, with) in [
        (
            r#""FraudSignals": []"#,
            r#""FraudSignals": [], "Signals": [], "Verdict": "Trusted""#,
        ),
        (
            r#""FraudSignals": []"#,
            r#""FraudSignals": [], "Count": 0, "Errors": null"#,
        ),
        (
            r#""Status""#,
            r#""DocumentId": 4711, "Quality": { "Score": 3 }, "Status""#,
        ),
        (
            r#""DocumentAnalysis": ["#,
            r#""DocumentCount": 1, "Tag": "t", "DocumentAnalysis": ["#,
        ),
        (
            r#""HttpStatusCode": 200"#,
            r#""HttpStatusCode": "OK", "Links": [{}]"#,
        ),
    ] {
        let body = CLEAN.replacen(what, with, 1);
        let analysis = read(answer(200, &body)).await.unwrap();
        assert_eq!(analysis.verdict(), Verdict::Clean, "{body}");
    }
}
