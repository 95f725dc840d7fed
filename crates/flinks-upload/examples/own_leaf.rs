//! A leaf of one's own instead of hyper: here a double for tests, as well a proxy or another stack.

use std::convert::Infallible;

use flinks_auth::ClientCredentials;
use flinks_transport::{Body, Transport};
use flinks_upload::{Document, UploadClient};
use http::{Request, Response};

/// Answers as the Upload guide's examples do.
async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let body = match request.uri().path() {
        "/api/v1/token" => r#"{"access_token":"t","token_type":"Bearer","expires_in":300}"#,
        "/api/v1/upload" => r#"{"HttpStatusCode":200,"AggregationId":"d521ae0d"}"#,
        _ => r#"{"HttpStatusCode":200,"AggregationId":"d521ae0d","Login":{"Id":"aabf32b7"}}"#,
    };
    Ok(Response::new(Body::from(body.to_owned())))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let transport = Transport::builder()
        .service(tower::service_fn(answer))
        .build()?;
    let uploads = UploadClient::new(transport, ClientCredentials::new("id", "secret"))?;
    let document = Document::from_bytes("statement.pdf", "%PDF-1.7 a statement")?;
    let done = uploads.session().upload([document]).await?;
    assert_eq!(done.login_id.as_str(), "aabf32b7");
    Ok(())
}
