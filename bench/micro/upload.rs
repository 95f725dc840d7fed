//! The body of an upload: 3 MB read from a file, encoded and framed, against encoding the same bytes in memory.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::{Simd, general_purpose::PAD, general_purpose::STANDARD};
use flinks_transport::Operation as _;
use flinks_upload::{Document, UploadFile};
use http_body_util::BodyExt as _;

use crate::{Case, Result, runtime};

pub const CASES: [(&str, Case); 3] = [
    ("upload body, 3 MB/sdk", body),
    ("upload body, 3 MB/encoding alone", encoding_alone),
    ("upload body, 3 MB/read, encode, to JSON", json),
];

const BYTES: usize = 3_000_000;

fn file() -> Result<String> {
    let path = std::env::temp_dir().join("flinks-bench-3-MB.pdf");
    std::fs::write(&path, [b"%PDF-1.7\n".as_slice(), &[7; BYTES - 9]].concat())?;
    Ok(path.to_str().ok_or("not UTF-8")?.to_owned())
}

fn body() -> Result<Box<dyn FnMut() -> Result>> {
    let (runtime, url) = (
        runtime()?,
        "https://upload.test/upload".parse::<http::Uri>()?,
    );
    let document = Document::open(file()?)?;
    Ok(Box::new(move || {
        let request = UploadFile::first(url.clone(), document.clone()).request()?;
        let mut body = request.into_body();
        runtime.block_on(async {
            while let Some(frame) = body.frame().await {
                black_box(frame?);
            }
            Ok(())
        })
    }))
}

/// Into one buffer that is used again.
fn encoding_alone() -> Result<Box<dyn FnMut() -> Result>> {
    let (bytes, mut encoded) = (vec![7; BYTES], vec![0; BYTES / 3 * 4]);
    let engine = Simd::standard(PAD);
    Ok(Box::new(move || {
        black_box(engine.encode_slice(&bytes, &mut encoded)?);
        Ok(())
    }))
}

/// As it is commonly written.
fn json() -> Result<Box<dyn FnMut() -> Result>> {
    let path = file()?;
    Ok(Box::new(move || {
        let content = STANDARD.encode(std::fs::read(&path)?);
        let body = serde_json::json!({ "Files": [{ "FileName": "0.pdf", "Content": content }] });
        black_box(serde_json::to_vec(&body)?);
        Ok(())
    }))
}
