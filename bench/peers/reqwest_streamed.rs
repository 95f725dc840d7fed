//! reqwest used with care: files are read, encoded and sent piece by piece, with their exact length.

use std::env::args;
use std::error::Error;
use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::stream::{self, StreamExt as _};
use reqwest::Body;
use serde_json::Value;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

#[path = "reqwest_client.rs"]
mod reqwest_client;

/// What is read at once: a multiple of 3, so that only the last piece is padded.
const PIECE: usize = 192 << 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = reqwest_client::authorized().await?;
    let mut id = None;
    for path in args().skip(1) {
        let name = Value::from(path.rsplit('/').next().unwrap_or(&path));
        let session = id.map_or_else(String::new, |id: Value| format!("\"AggregationId\":{id},"));
        let head = format!("{{{session}\"Files\":[{{\"FileName\":{name},\"Content\":\"");
        let tail = "\"}]}";
        let file = File::open(&path).await?;
        let encoded = file.metadata().await?.len().div_ceil(3) * 4;
        let length = head.len() as u64 + encoded + tail.len() as u64;
        let whole = |text: String| stream::once(async { Ok::<_, io::Error>(text) });
        let body = whole(head)
            .chain(content(file))
            .chain(whole(tail.to_owned()));
        let request = client
            .post("upload")
            .header("content-type", "application/json")
            .header("content-length", length)
            .body(Body::wrap_stream(body));
        let answer: Value = request.send().await?.json().await?;
        id = Some(answer["AggregationId"].clone());
    }
    client.complete(id.ok_or("no file")?).await
}

fn content(file: File) -> impl futures_util::Stream<Item = io::Result<String>> {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        (&mut file)
            .take(PIECE as u64)
            .read_to_end(&mut piece)
            .await?;
        Ok((!piece.is_empty()).then(|| (STANDARD.encode(piece), file)))
    })
}
