//! Opens a tunnel through a proxy: sends `CONNECT` and says why the proxy refused it.

use std::io;

use http::{StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::host::{Tunnel, tls_with_proxy};
use crate::tls::classify;
use crate::{Error, ErrorKind, Proxy};

/// The longest head of an answer that is read.
const MAX_HEAD: usize = 16 * 1024;

/// Asks the proxy to connect to the host of `uri`, and reads its answer.
pub(super) async fn open(stream: &mut Tunnel, proxy: &Proxy, uri: &Uri) -> Result<(), Error> {
    let host = uri.host().unwrap_or_default();
    let target = format!("{host}:{}", uri.port_u16().unwrap_or(443));
    let refusal = match ask(TokioIo::new(stream), proxy, &target).await {
        Ok(head) => match status(&head) {
            Some(status) if status.is_success() => return Ok(()),
            Some(status) => return Err(refused(proxy, &target, status, &head)),
            None => not_http(&head),
        },
        Err(Unanswered::TooLong) => "sent an answer without an end",
        Err(Unanswered::Broken(error, received)) => {
            if let Some(failure) = classify(&error) {
                return Err(tls_with_proxy(proxy, &failure));
            }
            let name = proxy.authority();
            let message = if received > 0 {
                format!("the proxy {name} closed the connection in the middle of its answer")
            } else {
                format!("the proxy {name} closed the connection without an answer")
            };
            return Err(Error::new(ErrorKind::Proxy, message).with_source(error));
        }
    };
    let message = format!("the proxy {} {refusal}", proxy.authority());
    Err(Error::new(ErrorKind::Proxy, message).with_no_retry())
}

/// Why there is no whole head.
enum Unanswered {
    TooLong,
    /// With the number of bytes that were read.
    Broken(io::Error, usize),
}

/// Sends the request and returns the head of the answer. No byte after the head is read: it belongs
/// to the tunnel.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    proxy: &Proxy,
    target: &str,
) -> Result<Vec<u8>, Unanswered> {
    let mut request = Zeroizing::new(format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: flinks-rs/{}\r\n",
        env!("CARGO_PKG_VERSION")
    ));
    if let Some(authorization) = proxy.authorization() {
        request.push_str("Proxy-Authorization: ");
        request.push_str(authorization.expose());
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let broken = |error| Unanswered::Broken(error, 0);
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if head.len() == MAX_HEAD {
            return Err(Unanswered::TooLong);
        }
        let byte = stream.read_u8().await;
        head.push(byte.map_err(|error| Unanswered::Broken(error, head.len()))?);
        if head.len() == 5 && !head.starts_with(b"HTTP/") {
            break;
        }
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<StatusCode> {
    let (version, rest) = head.split_at_checked("HTTP/1.1 ".len())?;
    let is_http = version.starts_with(b"HTTP/1.") && version.ends_with(b" ");
    StatusCode::from_bytes(rest.get(..3)?)
        .ok()
        .filter(|_| is_http)
}

fn not_http(head: &[u8]) -> &'static str {
    // The type of a TLS alert, and the version that follows.
    if head.starts_with(&[21, 3]) {
        "expects TLS: its URL begins with https://"
    } else {
        "does not answer in HTTP: check its host and port"
    }
}

fn refused(proxy: &Proxy, target: &str, status: StatusCode, head: &[u8]) -> Error {
    let name = proxy.authority();
    let message = match status.as_u16() {
        // tinyproxy answers 401 to a wrong password.
        401 | 407 => return unauthorized(proxy, status, head),
        403 => format!(
            "the proxy {name} refuses connections to {target}: ask its administrator to allow this \
             host and port"
        ),
        500 | 502 => {
            format!("the proxy {name} could not connect to {target}: check the host and port")
        }
        503 => format!("the proxy {name} is overloaded, or could not resolve {target}"),
        504 => format!("the proxy {name} got no answer from {target}"),
        400 | 404 | 405 | 501 => format!(
            "the proxy {name} does not open tunnels: check that it is a forward proxy that allows \
             CONNECT"
        ),
        _ => format!("the proxy {name} did not open a tunnel to {target}"),
    };
    let error = Error::new(ErrorKind::Proxy, message).with_proxy_status(status);
    match status.as_u16() {
        408 | 429 | 500 | 502 | 503 | 504 => error,
        _ => error.with_no_retry(),
    }
}

fn unauthorized(proxy: &Proxy, status: StatusCode, head: &[u8]) -> Error {
    let name = proxy.authority();
    let schemes = schemes(head);
    let message = if !schemes.is_empty() && !schemes.contains(&"Basic") {
        format!(
            "the proxy {name} requires authentication by {}, and this client supports only Basic: \
             ask its administrator for Basic or for access without a password",
            schemes.join(" or ")
        )
    } else if proxy.authorization().is_some() {
        format!("the proxy {name} refused the user or the password")
    } else {
        format!("the proxy {name} requires a user and a password, and none is set")
    };
    Error::new(ErrorKind::Proxy, message)
        .with_proxy_status(status)
        .with_no_retry()
}

/// Returns the authentication schemes that the proxy offers.
fn schemes(head: &[u8]) -> Vec<&'static str> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let values = head
        .lines()
        .filter_map(|line| line.strip_prefix("proxy-authenticate:"));
    let words = values.filter_map(|value| value.split_whitespace().next());
    let known = ["Basic", "Digest", "NTLM", "Negotiate", "Kerberos"];
    let name = |word: &str| known.into_iter().find(|it| it.eq_ignore_ascii_case(word));
    words
        .map(|word| name(word).unwrap_or("another scheme"))
        .collect()
}
