//! From an upload to the sandbox's webhook, which flinks-webhook receives, to the end of a wait.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use flinks_fraud::Verdict;
use flinks_sandbox::{ApiOperation, Sandbox};
use flinks_types::Secret;
use flinks_webhook::{Event, Verifier, Webhook, WebhookService};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::fraud::statement;
use super::{fraud, started, uploads};

#[tokio::test]
async fn a_webhook_ends_the_wait_for_a_flagged_upload() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let url = format!("http://{}/flinks", listener.local_addr().expect("a port"));
    let config = Sandbox::builder()
        .processing(Duration::from_millis(500))
        .webhook(url);
    let sandbox = started(config).await;

    let (webhooks, mut received) = mpsc::unbounded_channel();
    let notify = Arc::new(Notify::new());
    let notified = Arc::clone(&notify).notified_owned();
    let handle = move |webhook: Webhook| {
        notify.notify_one();
        std::future::ready(webhooks.send(webhook))
    };
    let verifier = Verifier::new(Secret::new(sandbox.webhook_secret())).expect("a secret");
    let service = WebhookService::new(verifier, handle);
    let app: Router = Router::new().route_service("/flinks", service);
    let flow = async {
        let tampered = statement("statement-january-edited.pdf", "january.pdf");
        let done = uploads(&sandbox)
            .session()
            .upload([tampered])
            .await
            .expect("uploaded");
        let start = Instant::now();
        let analysis = fraud(&sandbox)
            .wait(&done.login_id)
            .poll_when(notified)
            .await;
        assert!(matches!(
            analysis.expect("an analysis").verdict(),
            Verdict::Flagged(_)
        ));
        // Far less than the interval of 30 s.
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{:?}",
            start.elapsed()
        );
        assert!(sandbox.requests(ApiOperation::Fraud) <= 2);
        let accounts = loop {
            let webhook = received.recv().await.expect("a webhook");
            assert_eq!(webhook.login_id(), Some(&done.login_id));
            if let Event::AccountsDetail(answer) = webhook.into_event() {
                break answer.accounts;
            }
        };
        assert!(accounts.is_some_and(|accounts| !accounts.is_empty()));
    };
    tokio::select! {
        ended = axum::serve(listener, app).into_future() => panic!("{ended:?}"),
        () = flow => {}
    }
}
