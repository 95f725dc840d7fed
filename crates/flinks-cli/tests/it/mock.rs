//! A host on loopback that answers what a test wants, in plain HTTP (`--allow-http`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A request, as far as a test looks at it.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) body: String,
    /// The header `Authorization`.
    pub(crate) authorization: String,
}

/// An answer: the status, more lines of the head, the body.
pub(crate) struct Answer(pub(crate) u16, pub(crate) &'static str, pub(crate) Vec<u8>);

impl Answer {
    pub(crate) fn ok(body: impl ToString) -> Self {
        Self(200, "", body.to_string().into_bytes())
    }
}

/// Serves until the tests end, each connection on a thread, one request each; returns the base URL.
pub(crate) fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || one(stream, &*answer));
        }
    });
    url
}

/// A client that is gone ends the thread.
fn one(mut stream: TcpStream, answer: &dyn Fn(&Asked) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().expect("a number"))];
    reader.read_exact(&mut body).ok()?;
    let asked = Asked {
        authorization: head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("authorization:"))
            .map_or_else(String::new, |line| {
                line["authorization:".len()..].trim().to_owned()
            }),
        path: head.split(' ').nth(1)?.to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let Answer(status, more, body) = answer(&asked);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{more}\r\n"
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).ok()
}

/// What the guide's service answers to each call of an upload and its analysis, for one document.
pub(crate) fn guide(asked: &Asked) -> Answer {
    use serde_json::json;
    let last = asked.path.rsplit('/').next().unwrap_or_default();
    Answer::ok(match last {
        "token" => json!({ "access_token": "tok.mock", "token_type": "Bearer", "expires_in": 300 }),
        "upload" => json!({ "HttpStatusCode": 200, "AggregationId": "agg-1" }),
        "complete" => {
            json!({ "HttpStatusCode": 200, "AggregationId": "agg-1", "Login": { "Id": "login-1" } })
        }
        _ => json!({
            "HttpStatusCode": 200,
            "Login": { "LoginId": "login-1" },
            "DocumentAnalysis": [{
                "Status": "COMPLETED",
                "FullAnalysis": [{ "DocumentType": "BANK_STATEMENT", "FraudSignals": [] }],
            }],
        }),
    })
}
