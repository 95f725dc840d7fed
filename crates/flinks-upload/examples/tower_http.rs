//! Layers of the ecosystem: tower-http's tracing for each attempt, tower's limits for each call.

use std::time::Duration;

use flinks_auth::ClientCredentials;
use flinks_sandbox::Sandbox;
use flinks_transport::{ClientIdentity, Endpoint, Roots, Transport, request_span};
use flinks_upload::{Document, Paths, UploadClient};
use tower::ServiceBuilder;
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let limits = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(ConcurrencyLimitLayer::new(4))
        .into_inner();
    let transport = Transport::builder()
        .identity(ClientIdentity::from_pem(
            sandbox.client_cert_pem().as_bytes(),
            sandbox.client_key_pem().as_bytes(),
        )?)
        .roots(Roots::pem(sandbox.ca_pem().as_bytes())?)
        .layer(limits)
        // The default span of TraceLayer logs the URL, and URLs contain LoginIds.
        .attempt_layer(TraceLayer::new_for_http().make_span_with(request_span))
        .build()?;
    let uploads = UploadClient::with_endpoint(
        transport,
        Endpoint::new(sandbox.upload_url())?,
        Paths::default(),
        ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()),
    )?;
    let document = Document::from_bytes("statement.pdf", "%PDF-1.7 a statement")?;
    let done = uploads.session().upload([document]).await?;
    assert_eq!(sandbox.requests(flinks_sandbox::ApiOperation::Upload), 1);
    #[allow(clippy::print_stdout, reason = "an example shows its result")]
    {
        println!("completed as {}", done.login_id.as_str());
    }
    Ok(())
}
