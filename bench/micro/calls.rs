//! A small call over a service that answers at once, through layers of the SDK and without them.

use std::convert::Infallible;
use std::hint::black_box;

use bytes::Bytes;
use flinks_auth::{AuthLayer, ClientCredentials, OAuth};
use flinks_transport::{Body, CallMeta, Credential, Replay, Route, Transport};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::{Service as _, ServiceExt as _, service_fn};

use crate::{Case, Result, runtime};

pub const CASES: [(&str, Case); 3] = [
    ("small call/transport", || call(Credential::None)),
    ("small call/transport with token", || {
        call(Credential::OAuth)
    }),
    ("small call/service", service),
];

const URL: &str = "https://api.test/status";
const TOKEN: &str =
    r#"{"access_token":"token","token_type":"Bearer","expires_in":3600,"scope":"ocr.write"}"#;

async fn answer(request: Request<Body>) -> std::result::Result<Response<Body>, Infallible> {
    black_box(request);
    Ok(Response::new(Body::from(Bytes::from_static(
        TOKEN.as_bytes(),
    ))))
}

fn request() -> Result<Request<Body>> {
    Ok(Request::post(URL).body(Body::from("{}".to_owned()))?)
}

/// A call through the transport; with a token that is cached after the first call.
fn call(credential: Credential) -> Result<Box<dyn FnMut() -> Result>> {
    let runtime = runtime()?;
    let transport = Transport::builder().service(service_fn(answer)).build()?;
    let credentials = ClientCredentials::new("client", "secret");
    let oauth = OAuth::new(&transport, URL.parse()?, credentials)?;
    let transport = transport.with_credentials(AuthLayer::new(oauth));
    let meta = CallMeta::new("bench.call", Route::post("/status"), Replay::Safe)
        .with_credential(credential);
    Ok(Box::new(move || {
        let answer = runtime.block_on(transport.send(meta, request()?))?;
        black_box(answer);
        Ok(())
    }))
}

/// The same service, called and its answer collected, with nothing between.
fn service() -> Result<Box<dyn FnMut() -> Result>> {
    let runtime = runtime()?;
    let mut service = service_fn(answer);
    Ok(Box::new(move || {
        let request = request()?;
        let body: Bytes = runtime.block_on(async {
            let response = service.ready().await?.call(request).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                response.into_body().collect().await?.to_bytes(),
            )
        })?;
        black_box(body);
        Ok(())
    }))
}
