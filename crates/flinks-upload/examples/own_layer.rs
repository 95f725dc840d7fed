//! A tower layer of one's own: notes which operation was called and how long it took.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use flinks_sandbox::{Sandbox, upload_client};
use flinks_upload::{Body, BoxError, CallMeta, Document, HttpService, Transport};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

/// What was called, and how long it took.
type Audit = Arc<Mutex<Vec<(&'static str, Duration)>>>;

/// Wraps a service so that it notes each call.
#[derive(Clone)]
struct AuditLayer(Audit);

impl Layer<HttpService> for AuditLayer {
    type Service = Audited;

    fn layer(&self, inner: HttpService) -> Audited {
        Audited {
            inner,
            audit: Arc::clone(&self.0),
        }
    }
}

/// A service that notes each call.
#[derive(Clone)]
struct Audited {
    inner: HttpService,
    audit: Audit,
}

impl Service<Request<Body>> for Audited {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Every layer sees what is called; none sees a credential.
        let operation = request
            .extensions()
            .get::<CallMeta>()
            .map_or("?", CallMeta::operation);
        let (audit, answer) = (Arc::clone(&self.audit), self.inner.call(request));
        Box::pin(async move {
            let start = tokio::time::Instant::now();
            let answer = answer.await;
            if let Ok(mut audit) = audit.lock() {
                audit.push((operation, start.elapsed()));
            }
            answer
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    let audit = Audit::default();
    let transport = Transport::builder().layer(AuditLayer(Arc::clone(&audit)));
    let uploads = upload_client!(sandbox, transport)?;
    let document = Document::from_bytes("statement.pdf", "%PDF-1.7 a statement")?;
    uploads.session().upload([document]).await?;

    let audit = audit.lock().map_err(|_| "the audit is poisoned")?;
    for (operation, took) in audit.iter() {
        println!("{operation} took {took:?}");
    }
    assert_eq!(audit.len(), 2, "a file and its completion");
    Ok(())
}
