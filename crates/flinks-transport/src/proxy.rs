//! The setting of a forward proxy: its address, and the user and password for it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flinks_types::Secret;
use http::Uri;
use http::uri::{Authority, Scheme};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// A forward proxy that opens tunnels by `CONNECT`.
///
/// The proxy resolves the service's host name. TLS with the service, client certificate included,
/// runs inside the tunnel, so the proxy sees neither requests nor credentials. `Debug` and `Display`
/// show scheme, host and port only.
///
/// ```
/// use flinks_transport::{Proxy, Transport};
/// use flinks_types::Secret;
///
/// # fn main() -> Result<(), flinks_transport::Error> {
/// let proxy = Proxy::new("http://proxy.example:3128")?;
/// let proxy = proxy.with_credentials("user", Secret::new("p@ssword"))?;
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128");
///
/// // The same, with the percent-encoded credentials in the URL:
/// let proxy = Proxy::new("http://user:p%40ssword@proxy.example:3128")?;
/// # fn build(proxy: Proxy) -> Result<Transport, flinks_transport::Error> {
/// let transport = Transport::builder().proxy(proxy).build()?;
/// # Ok(transport)
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Proxy {
    scheme: Scheme,
    authority: Arc<str>,
    /// The value of `Proxy-Authorization`.
    authorization: Option<Secret>,
}

impl Proxy {
    /// Reads `http://[user:password@]host:port`, or `https://…` for a proxy that is reached over TLS.
    /// The port of `https` is 443 by default; that of `http` has no common default and is required.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is not such a URL. The message never quotes it.
    pub fn new(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the URL of a proxy begins with http:// or https://"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::HTTP,
            "https" => Scheme::HTTPS,
            socks if socks.starts_with("socks") => {
                return Err(invalid(
                    "SOCKS proxies are not supported: give the URL of an HTTP proxy",
                ));
            }
            _ => {
                return Err(invalid(
                    "the URL of a proxy begins with http:// or https://",
                ));
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user_info, host) = match rest.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, rest),
        };
        let not_a_host = || {
            invalid(
                "the URL of a proxy is http://host:port, without a path; in a user or password \
                 @ / ? # : and % are percent-encoded",
            )
        };
        let authority = Authority::from_str(host).map_err(|_| not_a_host())?;
        if authority.host().is_empty() || host.contains('@') {
            return Err(not_a_host());
        }
        let port = match authority.port() {
            Some(port) => port.as_str().parse::<u16>().ok().filter(|port| *port > 0),
            None if scheme == Scheme::HTTPS => Some(443),
            None => None,
        };
        let port = port.ok_or_else(|| invalid("the URL of a proxy has no valid port"))?;
        let proxy = Self {
            scheme,
            authority: format!("{}:{port}", authority.host()).into(),
            authorization: None,
        };
        let Some(user_info) = user_info else {
            return Ok(proxy);
        };
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let decoded = |text| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map_err(|_| invalid("the user or password of a proxy is not UTF-8"))
        };
        let password = Secret::new(decoded(password)?);
        proxy.with_credentials(&decoded(user)?, password)
    }

    /// Sets the user and password, which are sent to the proxy only (Basic authentication).
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the user contains a colon, which Basic authentication cannot carry.
    pub fn with_credentials(mut self, user: &str, password: Secret) -> Result<Self, Error> {
        if user.contains(':') {
            return Err(invalid("the user of a proxy cannot contain a colon"));
        }
        let plain = Zeroizing::new(format!("{user}:{}", password.expose()));
        let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
        self.authorization = Some(Secret::new(format!("Basic {}", encoded.as_str())));
        Ok(self)
    }

    /// Returns `host:port`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns whether a user is set.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.authorization.is_some()
    }

    pub(crate) fn shared_authority(&self) -> Arc<str> {
        Arc::clone(&self.authority)
    }

    pub(crate) fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }

    /// Returns the URL without credentials.
    pub(crate) fn uri(&self) -> Result<Uri, Error> {
        self.to_string()
            .parse()
            .map_err(|_| invalid("the URL of the proxy is not valid"))
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.to_string()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_read_with_and_without_credentials() {
        let rows = [
            ("http://proxy.test:3128", "http://proxy.test:3128", None),
            ("HTTP://10.0.0.1:80/", "http://10.0.0.1:80", None),
            ("https://proxy.test", "https://proxy.test:443", None),
            ("http://[::1]:3128", "http://[::1]:3128", None),
            (
                "http://user:a:b@proxy.test:1",
                "http://proxy.test:1",
                Some("Basic dXNlcjphOmI="),
            ),
            (
                "http://DOM%5Cuser:p%40ss%2F%C3%A9@proxy.test:1",
                "http://proxy.test:1",
                // Encoded by another program: DOM\user:p@ss/é
                Some("Basic RE9NXHVzZXI6cEBzcy/DqQ=="),
            ),
            (
                "http://user@proxy.test:1",
                "http://proxy.test:1",
                Some("Basic dXNlcjo="),
            ),
        ];
        for (url, shown, authorization) in rows {
            let proxy = Proxy::new(url).expect(url);
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(proxy.authorization().map(Secret::expose), authorization);
            proxy.uri().expect("a URL");
        }
    }

    #[test]
    fn a_url_that_cannot_be_read_is_an_error_that_does_not_quote_it() {
        for url in [
            "canary",
            "canary:3128",
            "ftp://canary:1",
            "socks5h://canary:1",
            "http://canary",
            "http://",
            "http://:1",
            "http://canary:0",
            "http://canary:99999",
            "http://canary:1/path",
            "http://canary:1?query",
            "http://canary password@proxy.test",
            "http://us%3Aer:canary@proxy.test:1",
            "http://user:%ffcanary@proxy.test:1",
            "http://user:can/ary@proxy.test:1x",
        ] {
            let error = Proxy::new(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{} {error:?}", error.report());
            assert!(!text.contains("canary"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_or_shows_its_password(text in ".*", password in "canary[a-z0-9%]{0,9}") {
            for url in [text.clone(), format!("http://{text}"), format!("http://u:{password}@{text}:1")] {
                let shown = match Proxy::new(&url) {
                    Ok(proxy) => format!("{proxy} {proxy:?}"),
                    Err(error) => format!("{} {error:?}", error.report()),
                };
                prop_assert!(text.contains("canary") || !shown.contains("canary"));
            }
        }
    }
}
