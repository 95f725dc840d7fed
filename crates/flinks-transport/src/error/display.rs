//! An error as text: on one line, and with its causes.

use std::error::Error as StdError;
use std::fmt;

use super::{Error, ErrorKind, Step};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        if inner.step == Step::Token && inner.operation != Some("auth.token") {
            f.write_str("token request: ")?;
        }
        f.write_str(&inner.message)?;
        if let Some(status) = inner.status {
            write!(f, ": HTTP {}", status.as_u16())?;
            if let Some(reason) = status.canonical_reason() {
                write!(f, " {reason}")?;
            }
        }
        if let Some(api) = &inner.api {
            write!(f, ": {api}")?;
        }
        if let Some(origin) = inner.origin.as_ref().filter(|_| inner.kind.is_of_network()) {
            match (&inner.proxy, inner.proxy_status) {
                (_, Some(status)) => write!(f, " (HTTP {}, for {origin})", status.as_u16())?,
                // The message names the proxy.
                _ if inner.kind == ErrorKind::Proxy => write!(f, " (for {origin})")?,
                (Some(proxy), None) => write!(f, " ({origin} through the proxy {proxy})")?,
                (None, None) => write!(f, " ({origin})")?,
            }
        }
        if let Some(after) = inner.retry_after {
            write!(f, "; the service asks to wait {} s", after.as_secs())?;
        }
        if inner.attempts > 1 {
            write!(f, "; {} attempts", inner.attempts)?;
        }
        if inner.operation.is_some() {
            write!(f, "; {}", inner.delivery.sentence())?;
        }
        Ok(())
    }
}

/// An error and its causes.
pub(super) struct Report<'e>(pub(super) &'e Error);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        // The message says what is wrong with a certificate; its causes are in rustls's `Debug` form.
        if self.0.kind() == ErrorKind::ServerCertificate {
            return Ok(());
        }
        let mut next = self.0.source();
        while let Some(cause) = next {
            // Many errors repeat their cause; people should read it once.
            let text = cause.to_string();
            // rustls adds the address of a page for programmers.
            let text = text.split(": https://docs.rs/").next().unwrap_or_default();
            // The client's own word for its part of the work ("client error (SendRequest)").
            let is_inner_name = cause.is::<hyper_util::client::legacy::Error>();
            if !is_inner_name && !said.contains(text) {
                write!(f, ": {text}")?;
                said.push_str(text);
            }
            next = cause.source();
        }
        Ok(())
    }
}
