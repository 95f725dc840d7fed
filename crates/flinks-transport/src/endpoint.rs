//! A base URL that is safe to send credentials to, and the URLs below it.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Error, ErrorKind};

/// Everything except the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The base URL of one host: `https`, a host, and optionally a port and a path prefix.
///
/// Credentials are only sent to the endpoint they were created for.
#[derive(Clone, Eq, PartialEq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Endpoint {
    /// Parses a base URL such as `https://upload-mtls.flinksapp.com`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: not `https`, no host, or it contains a user name, query or fragment.
    pub fn new(url: &str) -> Result<Self, Error> {
        let endpoint = Self::parse(url)?;
        if endpoint.scheme == Scheme::HTTPS {
            Ok(endpoint)
        } else {
            Err(config("a base URL must begin with https://"))
        }
    }

    /// Returns the base URL `https://host` of a host known at compile time.
    ///
    /// # Panics
    /// If `host` is not a host name.
    #[must_use]
    pub fn from_static_host(host: &'static str) -> Self {
        let authority = Authority::from_static(host);
        Self {
            scheme: Scheme::HTTPS,
            authority,
            prefix: String::new(),
        }
    }

    /// Parses a base URL that may be plain `http` if its host is this machine. For tests.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], as [`Endpoint::new`]; also plain `http` to any other host.
    pub fn loopback(url: &str) -> Result<Self, Error> {
        let endpoint = Self::parse(url)?;
        if endpoint.scheme == Scheme::HTTPS || is_loopback(endpoint.authority.host()) {
            Ok(endpoint)
        } else {
            Err(config(
                "plain http is only for 127.0.0.0/8, ::1 and localhost",
            ))
        }
    }

    /// Returns the API host of an instance: `https://toolbox-api.private.fin.ag` for `toolbox`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] unless `instance` is a single DNS label: anything else could send the
    /// API secret to another host.
    pub fn instance(instance: &str) -> Result<Self, Error> {
        let label = (1..=59).contains(&instance.len())
            && instance
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !instance.starts_with('-')
            && !instance.ends_with('-');
        if label {
            Self::new(&format!("https://{instance}-api.private.fin.ag"))
        } else {
            Err(config(
                "an instance name must be a single DNS label: lower-case letters, digits and hyphens \
                 (the name before \"-api.private.fin.ag\")",
            ))
        }
    }

    /// Appends path segments to this base URL, each percent-encoded.
    ///
    /// # Errors
    /// [`ErrorKind::Input`]: a segment is empty, `.` or `..`, or contains a control character.
    pub fn join<'s, I>(&self, segments: I) -> Result<Uri, Error>
    where
        I: IntoIterator<Item = &'s str>,
    {
        let mut path = self.prefix.clone();
        for segment in segments {
            if segment.is_empty() || segment == "." || segment == ".." {
                return Err(input("an id in a path must not be empty, \".\" or \"..\""));
            }
            if segment.chars().any(char::is_control) {
                return Err(input("an id in a path must not contain control characters"));
            }
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
        self.uri(&path)
    }

    /// Appends a literal path, such as `/api/v1/token`, to this base URL.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] unless the path begins with `/` and has no query or fragment.
    pub fn path(&self, path: &str) -> Result<Uri, Error> {
        let literal = path.starts_with('/')
            && !path.contains("//")
            && path
                .split('/')
                .all(|segment| segment != "." && segment != "..")
            && path
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#\\\"<>^`{|}".contains(&b));
        if !literal {
            return Err(config(
                "a path must begin with \"/\" and must not contain a query, fragment or space",
            ));
        }
        self.uri(&format!("{}{path}", self.prefix))
    }

    /// Returns whether a URL has this endpoint's scheme, host and port.
    #[must_use]
    pub fn is_same_origin(&self, uri: &Uri) -> bool {
        uri.scheme() == Some(&self.scheme) && uri.authority() == Some(&self.authority)
    }

    /// Returns the host and port. They contain no secret, so they may be shown in messages.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    fn uri(&self, path: &str) -> Result<Uri, Error> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|_| input("the URL is too long"))
    }

    fn parse(url: &str) -> Result<Self, Error> {
        let uri: Uri = url
            .parse()
            .map_err(|_| config("the base URL is not a valid URL"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(config(
                "a base URL needs a scheme and a host, as in https://example.com",
            ));
        };
        if scheme != Scheme::HTTPS && scheme != Scheme::HTTP {
            return Err(config("a base URL must begin with https://"));
        }
        if authority.as_str().contains('@') {
            return Err(config(
                "a base URL must not contain a user name or password",
            ));
        }
        if authority.host().is_empty() || url.contains('#') {
            return Err(config(
                "a base URL must consist of a scheme, a host and, optionally, a port and a path",
            ));
        }
        let path = parts.path_and_query.as_ref();
        if path.is_some_and(|path| path.query().is_some()) {
            return Err(config("a base URL must not contain a query"));
        }
        let prefix = path
            .map_or("", |path| path.path())
            .trim_end_matches('/')
            .to_owned();
        Ok(Self {
            scheme,
            authority,
            prefix,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// Whether a URL's host is a loopback address or `localhost`, without resolving it.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn config(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn input(message: &'static str) -> Error {
    Error::new(ErrorKind::Input, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_https_without_extras_is_a_base() {
        for bad in [
            "",
            "example.com",
            "http://example.com",
            "https://u@evil.com",
            "https://a/?q",
            "ftp://a",
            "https://a/#f",
            "https:///x",
            "http://127.0.0.1",
        ] {
            assert_eq!(Endpoint::new(bad).expect_err(bad).kind(), ErrorKind::Config);
        }
        assert!(Endpoint::loopback("http://127.0.0.1:8080").is_ok());
        assert!(Endpoint::loopback("http://[::1]:8080").is_ok());
        assert!(Endpoint::loopback("http://example.com").is_err());
        assert!(Endpoint::loopback("http://localhost.example.com").is_err());
    }

    #[test]
    fn an_instance_is_one_label() {
        let good = Endpoint::instance("toolbox").expect("a label");
        assert_eq!(good.authority(), "toolbox-api.private.fin.ag");
        for bad in [
            "",
            "evil.com/x?",
            "evil.com#",
            "u@evil.com:443/",
            "-a",
            "a-",
            "A",
            "a.b",
            "é",
        ] {
            assert!(Endpoint::instance(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn literal_paths_are_only_paths() {
        let base = Endpoint::new("https://example.com/root/").expect("a base");
        assert_eq!(
            base.path("/api/v1/token").expect("a path").to_string(),
            "https://example.com/root/api/v1/token"
        );
        for bad in [
            "api",
            "/a?b",
            "/a#b",
            "/../a",
            "//evil.com",
            "/a b",
            "",
            "/é",
        ] {
            assert!(base.path(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn joining_never_escapes_the_base(id in "\\PC{0,40}") {
            let base = Endpoint::new("https://example.com/prefix").expect("a base");
            if let Ok(uri) = base.join(["v3", id.as_str(), "end"]) {
                prop_assert!(base.is_same_origin(&uri));
                prop_assert_eq!(uri.query(), None);
                let segments: Vec<_> = uri.path().split('/').collect();
                prop_assert_eq!(segments.len(), 5);
                let decoded = percent_encoding::percent_decode_str(segments[3]).decode_utf8();
                prop_assert_eq!(decoded.expect("utf-8"), id);
            }
        }
    }
}
