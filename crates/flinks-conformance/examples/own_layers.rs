//! Does a layer of one's own break anything? The corpus says: one that limits does not, one that repeats does.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use flinks_conformance::{Pass, Suite};
use flinks_transport::{Body, BoxError, HttpService};
use http::{Request, Response};
use tower::limit::ConcurrencyLimitLayer;
use tower_layer::Layer;
use tower_service::Service;

/// What many an application has and should not: whatever failed is sent a second time.
#[derive(Clone)]
struct InsistLayer;

impl Layer<HttpService> for InsistLayer {
    type Service = Insist;

    fn layer(&self, inner: HttpService) -> Insist {
        Insist(inner)
    }
}

#[derive(Clone)]
struct Insist(HttpService);

impl Service<Request<Body>> for Insist {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let again = body
            .try_clone()
            .map(|body| Request::from_parts(parts.clone(), body));
        let mut service = self.0.clone();
        let first = self.0.call(Request::from_parts(parts, body));
        Box::pin(async move {
            match (first.await, again) {
                (Ok(response), _) if !response.status().is_server_error() => Ok(response),
                (_, Some(request)) => service.call(request).await,
                (failed, None) => failed,
            }
        })
    }
}

#[expect(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let suite =
        Suite::new()?.through(|transport| transport.layer(ConcurrencyLimitLayer::new(4)).build());
    let summary = suite.run(&Suite::LAYERS);
    if summary.failed() > 0 {
        println!("{summary}");
        return Err("a limit must not change what is sent".into());
    }
    let passed = summary.passed();
    println!("A limit of four calls at once breaks nothing: {passed} passed, 0 failed");

    let suite = Suite::new()?.through(|transport| transport.layer(InsistLayer).build());
    let summary = suite.run(&[Pass::Stack]);
    let caught = summary.failures();
    println!(
        "A layer that sends again what failed is caught, by {} cases:",
        caught.len()
    );
    for case in caught.iter().filter(|case| case.starts_with("complete/")) {
        println!("  {case}");
    }
    if !caught.contains("complete/reset-after-send-not-resent") {
        return Err("a second complete must be caught".into());
    }
    Ok(())
}
