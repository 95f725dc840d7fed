//! Metrics by operation and route, as a Prometheus server reads them from `/metrics`.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use flinks_auth::ClientCredentials;
use flinks_sandbox::Sandbox;
use flinks_transport::metrics::Metrics;
use flinks_transport::{ClientIdentity, Endpoint, Roots, Transport};
use flinks_upload::{Document, Paths, UploadClient};
use tower::ServiceExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    // One for all transports of the program.
    let metrics = Metrics::new();
    let transport = Transport::builder()
        .identity(ClientIdentity::from_pem(
            sandbox.client_cert_pem().as_bytes(),
            sandbox.client_key_pem().as_bytes(),
        )?)
        .roots(Roots::pem(sandbox.ca_pem().as_bytes())?)
        .metrics(metrics.clone())
        .build()?;
    let uploads = UploadClient::with_endpoint(
        transport,
        Endpoint::new(sandbox.upload_url())?,
        Paths::default(),
        ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()),
    )?;
    let document = Document::from_bytes("statement.pdf", "%PDF-1.7 a statement")?;
    uploads.session().upload([document]).await?;

    let text = move || async move {
        let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4")];
        (content_type, metrics.to_prometheus())
    };
    let app: Router = Router::new().route("/metrics", get(text));
    // A service would run `axum::serve(listener, app)`; this example sends one request.
    let response = app
        .oneshot(Request::get("/metrics").body(Body::empty())?)
        .await?;
    let text = to_bytes(response.into_body(), 1 << 20).await?;
    #[allow(clippy::print_stdout, reason = "an example shows its result")]
    {
        println!("{}", String::from_utf8_lossy(&text));
    }
    Ok(())
}
