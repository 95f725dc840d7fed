//! An error as text: on one line, and with its causes.

use std::error::Error as StdError;
use std::fmt;

use super::{Delivery, Error, ErrorKind, Inner, Step};

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
        inner.write_target(f)?;
        if let Some(api) = &inner.api {
            write!(f, ": {api}")?;
        }
        if let Some(after) = inner.retry_after {
            write!(f, "; the service asks to wait {} s", after.as_secs())?;
        }
        if inner.attempts > 1 {
            write!(f, "; {} attempts", inner.attempts)?;
        }
        match inner.consequence() {
            Some(consequence) => write!(f, "; {consequence}"),
            None => Ok(()),
        }
    }
}

impl Inner {
    /// Writes where the request was sent: method and path template after an answer, and the host and
    /// the proxy if the network failed.
    fn write_target(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(origin) = &self.origin else {
            return Ok(());
        };
        match (self.route, &self.proxy, self.proxy_status) {
            (Some(route), ..) if self.status.is_some() => match route.path() {
                path if path.starts_with('/') => write!(f, " ({} {origin}{path})", route.method()),
                name => write!(f, " ({} {name} of {origin})", route.method()),
            },
            _ if !self.kind.is_of_network() => Ok(()),
            (.., Some(status)) => write!(f, " (HTTP {}, for {origin})", status.as_u16()),
            // The message names the proxy.
            _ if self.kind == ErrorKind::Proxy => write!(f, " (for {origin})"),
            (_, Some(proxy), None) => write!(f, " ({origin} through the proxy {proxy})"),
            (_, None, None) => write!(f, " ({origin})"),
        }
    }

    /// Whether the service may have acted, unless that is clear: an answer that rejects the request
    /// says so itself, and a GET changes nothing.
    fn consequence(&self) -> Option<&'static str> {
        self.operation?;
        let is_rejected = self.status.map(Delivery::of_status) == Some(Delivery::Rejected);
        let only_reads = self.route.is_some_and(|route| route.method() == "GET");
        match self.delivery {
            Delivery::NotSent if self.kind.is_before_sending() => Some("nothing was sent"),
            Delivery::NotSent => Some("no changes were made"),
            _ if only_reads => None,
            Delivery::Rejected if self.kind == ErrorKind::Api => None,
            Delivery::Rejected => Some("the request was rejected"),
            Delivery::Unknown if is_rejected && self.attempts > 1 => {
                Some("the service may have acted on an earlier attempt")
            }
            Delivery::Unknown => Some("the service may have acted"),
            Delivery::Delivered => Some("the service has acted"),
        }
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
