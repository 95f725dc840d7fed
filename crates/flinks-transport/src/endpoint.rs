//! A base URL that is safe to send credentials to, and paths joined to it segment by segment.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Error, ErrorKind};

/// Everything but the characters that RFC 3986 leaves unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The base URL of one host: `https`, a host, perhaps a port and a path prefix.
///
/// Credentials are sent to the endpoint that they were made for and to no other.
#[derive(Clone, Eq, PartialEq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Endpoint {
    /// Reads a base URL such as `https://upload-mtls.flinksapp.com`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: not `https`, no host, or a user name, query or fragment in it.
    pub fn new(url: &str) -> Result<Self, Error> {
        let endpoint = Self::parse(url)?;
        if endpoint.scheme == Scheme::HTTPS {
            Ok(endpoint)
        } else {
            Err(config("a base URL must begin with https://"))
        }
    }

    /// The base URL `https://host` of a host that is known when the program is written.
    ///
    /// # Panics
    /// When `host` is not a host name.
    #[must_use]
    pub fn from_static_host(host: &'static str) -> Self {
        let authority = Authority::from_static(host);
        Self {
            scheme: Scheme::HTTPS,
            authority,
            prefix: String::new(),
        }
    }

    /// Reads a base URL that may be plain `http`, if its host is this machine: for tests.
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

    /// The results host of an instance: `toolbox` is `https://toolbox-api.private.fin.ag`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] unless `instance` is one DNS label: anything else could send the API
    /// secret to another host.
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
                "an instance name is one DNS label: lower-case letters, digits and hyphens \
                 (the name before \"-api.private.fin.ag\")",
            ))
        }
    }

    /// The URL of path segments below this base; each is percent-encoded.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for a segment that is empty, `.`, `..` or holds a control character.
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
                return Err(input("an id in a path must not hold control characters"));
            }
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
        self.uri(&path)
    }

    /// The URL of a literal path below this base, such as `/api/v1/token`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] unless the path begins with `/` and is nothing but a path.
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
                "a path begins with \"/\" and holds no query, fragment or space",
            ));
        }
        self.uri(&format!("{}{path}", self.prefix))
    }

    /// Whether a URL goes to this endpoint's scheme, host and port.
    #[must_use]
    pub fn is_same_origin(&self, uri: &Uri) -> bool {
        uri.scheme() == Some(&self.scheme) && uri.authority() == Some(&self.authority)
    }

    /// Host and port, for messages: a base URL holds no secret.
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
            .map_err(|_| input("this is too long for a URL"))
    }

    fn parse(url: &str) -> Result<Self, Error> {
        let uri: Uri = url.parse().map_err(|_| config("this is no URL"))?;
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
            return Err(config("a base URL must not hold a user name or password"));
        }
        if authority.host().is_empty() || url.contains('#') {
            return Err(config(
                "a base URL is a scheme, a host, perhaps a port and a path",
            ));
        }
        let path = parts.path_and_query.as_ref();
        if path.is_some_and(|path| path.query().is_some()) {
            return Err(config("a base URL must not hold a query"));
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

/// Whether a URL's host is this machine by its very spelling: no name is resolved.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
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
