//! What both uses of reqwest share: the client with its certificate, the token, and *complete*.

use std::env::var;
use std::error::Error;
use std::fs::read;

use reqwest::{Certificate, Client, Identity, RequestBuilder};
use serde_json::{Value, json};

pub struct Authorized {
    client: Client,
    base: String,
    token: String,
}

/// Builds a client with the crypto provider that the SDK uses too, and fetches a token.
pub async fn authorized() -> Result<Authorized, Box<dyn Error>> {
    let provider = rustls::crypto::ring::default_provider();
    provider.install_default().map_err(|_| "two providers")?;
    let identity = [read(var("FLINKS_CERT")?)?, read(var("FLINKS_KEY")?)?].concat();
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&read(var("FLINKS_CA")?)?)?])
        .identity(Identity::from_pem(&identity)?)
        .http1_only()
        .build()?;
    let base = format!("{}/api/v1", var("FLINKS_UPLOAD_URL")?);
    let token = client
        .post(format!("{base}/token"))
        .basic_auth(var("FLINKS_CLIENT_ID")?, Some(var("FLINKS_CLIENT_SECRET")?))
        .form(&[("grant_type", "client_credentials"), ("scope", "ocr.write")])
        .send()
        .await?;
    let token: Value = token.error_for_status()?.json().await?;
    let token = token["access_token"].as_str().ok_or("no token")?.to_owned();
    Ok(Authorized {
        client,
        base,
        token,
    })
}

impl Authorized {
    pub fn post(&self, path: &str) -> RequestBuilder {
        let url = format!("{}/{path}", self.base);
        self.client.post(url).bearer_auth(&self.token)
    }

    pub async fn complete(&self, id: Value) -> Result<(), Box<dyn Error>> {
        let body = json!({ "AggregationId": id });
        let answer = self.post("upload/complete").json(&body).send().await?;
        answer.error_for_status()?;
        Ok(())
    }
}
