//! reqwest as it is commonly used: the whole file, its base64 text and its JSON are in memory at once.

use std::env::args;
use std::error::Error;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

#[path = "reqwest_client.rs"]
mod reqwest_client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = reqwest_client::authorized().await?;
    let mut id = None;
    for path in args().skip(1) {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let content = STANDARD.encode(std::fs::read(&path)?);
        let mut body = json!({ "Files": [{ "FileName": name, "Content": content }] });
        if let Some(id) = &id {
            body["AggregationId"] = Value::clone(id);
        }
        let answer: Value = client
            .post("upload")
            .json(&body)
            .send()
            .await?
            .json()
            .await?;
        id = Some(answer["AggregationId"].clone());
    }
    client.complete(id.ok_or("no file")?).await
}
