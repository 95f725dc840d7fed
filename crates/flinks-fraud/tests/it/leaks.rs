//! Neither the secret nor what a document says is in `Debug`, errors or logs.

use flinks_transport::testing::Reply;
use flinks_transport::{Error, ErrorKind, request_span};
use tower_http::trace::TraceLayer;

use crate::leaf::{LOGIN, Leaf, SECRET, answer, login_id};
use crate::log;

const VALUE: &str = "canary-value-4712";

fn check(what: &str, text: &str) {
    for canary in [SECRET, VALUE, LOGIN] {
        assert!(!text.contains(canary), "{canary} is in {what}: {text}");
    }
}

/// As the guide on observability recommends it; its default span logs the URL.
#[tokio::test(start_paused = true)]
async fn a_tracing_layer_with_the_sdks_span_logs_no_login_id() {
    let replies = [answer(503, VALUE), answer(200, "{}"), answer(403, VALUE)];
    let layer = TraceLayer::new_for_http().make_span_with(request_span);
    let client = Leaf::new(replies).client_over(|builder| builder.attempt_layer(layer));
    let before = log::read().len();
    drop(client.analysis(&login_id()).await);
    drop(client.analysis(&login_id()).await);
    let log = log::read().split_off(before);
    for expected in ["flinks.request", "finished processing request", "{loginId}"] {
        assert!(log.contains(expected), "{expected} was not logged: {log}");
    }
    check("the log", &log);
}

#[tokio::test(start_paused = true)]
async fn no_canary_is_seen() {
    let flagged = format!(
        r#"{{ "Message": "{VALUE}", "Tag": "{VALUE}", "Login": {{ "LoginId": "{LOGIN}" }},
        "{VALUE}": "{VALUE}", "DocumentAnalysis": [ {{ "Status": "{VALUE}", "FullAnalysis": [ {{
          "DocumentType": "{VALUE}", "FraudSignals": [ {{ "Type": "{VALUE}", "UnderlyingData":
            [ {{ "Details": [ {{ "SpecificType": "{VALUE}", "Value": "{VALUE}",
              "DataType": "{VALUE}" }} ] }} ] }} ] }} ] }} ] }}"#
    );
    let unflagged = flagged.replace(r#""FraudSignals": ["#, r#""Others": ["#);
    for body in [flagged, unflagged] {
        let leaf = Leaf::new([Reply::refuse(), answer(200, body)]);
        let client = leaf.client();
        check("the client", &format!("{client:?} {client:#?}"));
        let id = login_id();
        check("the call", &format!("{:?}", client.analysis(&id)));
        let wait = client.wait(&id).timeout(std::time::Duration::from_secs(60));
        check("the wait", &format!("{wait:?}"));
        let analysis = wait.await.unwrap();
        let verdict = analysis.verdict();
        check("the analysis", &format!("{analysis:?} {verdict:?}"));
        if let flinks_fraud::Verdict::Undetermined(reason) = verdict {
            check("the reason", &reason.to_string());
        }
    }
    for act in [
        answer(200, format!(r#"{{"DocumentAnalysis": {VALUE}"#)),
        answer(403, VALUE),
        Reply::refuse(),
        Reply::error(Error::new(ErrorKind::ServerCertificate, "untrusted")),
    ] {
        let leaf = Leaf::new([act]);
        let error = leaf.client().analysis(&login_id()).await.unwrap_err();
        check("the error", &format!("{error} {error:?} {error:#?}"));
        check("the report", &error.report().to_string());
    }
    let log = log::read();
    for expected in ["fraud.analysis", "a poll failed"] {
        assert!(log.contains(expected), "{expected} was not logged");
    }
    check("the log", &log);
}
