//! The proxy of each host: `FLINKS_PROXY`, or else the variables that curl reads.

use flinks_transport::{Endpoint, Error, Proxy};
use flinks_types::Secret;
use http::uri::Authority;

use crate::arguments::Flags;
use crate::settings::no_proxy::exempts;
use crate::settings::path_value;
use crate::settings::source::{Given, IN_QUOTES, Source, option, utf8};
use crate::settings::table::PROXY;

/// The variables that name a proxy, and those with exceptions; the first that is set counts.
const FOREIGN_PROXY: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The proxy and the exceptions.
#[derive(Default)]
pub(crate) struct ProxySettings {
    /// `None` as the value means that no proxy is used.
    proxy: Option<Given<Option<Proxy>>>,
    no_proxy: Option<Given<String>>,
}

/// How a host is reached, and which setting says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProxyChoice {
    /// Through this proxy.
    Proxy(Given<Proxy>),
    /// Directly, because of a setting; `None` if no setting names a proxy.
    Direct(Option<String>),
}

impl ProxySettings {
    pub(super) fn read(source: &Source, flags: &Flags) -> Result<Self, Error> {
        let given = match option(&PROXY, flags) {
            Some(flag) => {
                let name = flag.name().to_owned();
                let url = Secret::new(utf8(&name, flag.value)?);
                Some(without_user(Given::new(name, url))?)
            }
            None => source.secret(&PROXY)?,
        };
        let given = match given {
            Some(given) => Some(given),
            None => first(source, &FOREIGN_PROXY)?,
        };
        let no_proxy = first(source, &NO_PROXY)?
            .map(|given| Given::new(given.name().to_owned(), given.value.expose().to_owned()));
        Ok(Self {
            proxy: given.map(parsed).transpose()?,
            no_proxy,
        })
    }

    /// Returns the setting that names the proxy.
    pub(crate) fn name(&self) -> Option<&str> {
        self.proxy.as_ref().map(Given::name)
    }

    pub(super) fn choice(&self, endpoint: &Endpoint) -> ProxyChoice {
        let Some(given) = &self.proxy else {
            return ProxyChoice::Direct(None);
        };
        let Some(proxy) = &given.value else {
            return ProxyChoice::Direct(Some(format!("{} is none", given.name())));
        };
        let url = endpoint.to_string();
        if url.starts_with("http://") {
            return ProxyChoice::Direct(Some("plain http uses no proxy".to_owned()));
        }
        let authority: Option<Authority> = endpoint.authority().parse().ok();
        let (host, port) = authority.as_ref().map_or(("", 443), |authority| {
            (authority.host(), authority.port_u16().unwrap_or(443))
        });
        match &self.no_proxy {
            Some(list) if exempts(&list.value, host, port) => {
                ProxyChoice::Direct(Some(list.name().to_owned()))
            }
            Some(_) | None => {
                ProxyChoice::Proxy(Given::new(given.name().to_owned(), proxy.clone()))
            }
        }
    }
}

/// Returns the first variable that is set.
fn first(source: &Source, names: &[&'static str]) -> Result<Option<Given<Secret>>, Error> {
    for name in names {
        if let Some(given) = source.foreign_variable(name)? {
            return Ok(Some(given));
        }
    }
    Ok(None)
}

/// Options are visible to other users of the machine.
fn without_user(given: Given<Secret>) -> Result<Given<Secret>, Error> {
    if given.value.expose().contains('@') {
        return Err(given.invalid(
            "it takes no user or password, because other users can see options: set FLINKS_PROXY \
             or FLINKS_PROXY_FILE",
        ));
    }
    Ok(given)
}

/// As for curl, a proxy without a scheme is one that is reached over plain TCP.
fn parsed(given: Given<Secret>) -> Result<Given<Option<Proxy>>, Error> {
    let text = given.value.expose().trim();
    if path_value::is_quoted(text) {
        return Err(given.invalid(IN_QUOTES));
    }
    let proxy = if text.eq_ignore_ascii_case("none") {
        Ok(None)
    } else if text.contains("://") {
        Proxy::new(text).map(Some)
    } else {
        let url = Secret::new(format!("http://{text}"));
        Proxy::new(url.expose()).map(Some)
    };
    let proxy = proxy.map_err(|error| given.invalid(error))?;
    Ok(Given::new(given.name().to_owned(), proxy))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::ffi::OsString;

    use super::*;

    const HOST: &str = "https://upload.test";

    fn choice(environment: &[(&str, &str)], flag: Option<&str>) -> Result<String, String> {
        let environment: HashMap<String, OsString> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.into()))
            .collect();
        let source = Source::new(move |name| environment.get(name).cloned(), None, None);
        let flags = flag.map(|url| Flags::default().with(&PROXY, url));
        let flags = flags.unwrap_or_default();
        let settings = source.and_then(|source| ProxySettings::read(&source, &flags));
        let settings = settings.map_err(|error| error.report().to_string())?;
        let endpoint = Endpoint::new(HOST).expect("an endpoint");
        Ok(match settings.choice(&endpoint) {
            ProxyChoice::Proxy(given) => format!("{} by {}", given.value, given.name()),
            ProxyChoice::Direct(reason) => format!("direct: {}", reason.unwrap_or_default()),
        })
    }

    #[test]
    fn the_nearest_setting_decides_and_is_named() {
        let every = [
            ("FLINKS_PROXY", "http://u:p@flinks.test:1"),
            ("https_proxy", "http://lower.test:2"),
            ("HTTPS_PROXY", "https://upper.test"),
            ("all_proxy", "all.test:4"),
            ("ALL_PROXY", "http://ALL.test:5/"),
        ];
        let of = |from: usize| choice(&every[from..], None).expect("a choice");
        let flagged = choice(&every, Some("http://flag.test:9"));
        assert_eq!(flagged.expect("a choice"), "http://flag.test:9 by --proxy");
        assert_eq!(of(0), "http://flinks.test:1 by FLINKS_PROXY");
        assert_eq!(of(1), "http://lower.test:2 by https_proxy");
        assert_eq!(of(2), "https://upper.test:443 by HTTPS_PROXY");
        assert_eq!(of(3), "http://all.test:4 by all_proxy");
        assert_eq!(of(4), "http://ALL.test:5 by ALL_PROXY");
        assert_eq!(of(5), "direct: ");
        let none = [("FLINKS_PROXY", "none"), every[2]];
        assert_eq!(
            choice(&none, None).expect("a choice"),
            "direct: FLINKS_PROXY is none"
        );
        let empty = [("https_proxy", ""), every[2]];
        assert_eq!(choice(&empty, None).expect("a choice"), of(2));
    }

    #[test]
    fn exceptions_hold_for_each_way_to_name_a_proxy() {
        for proxy in ["FLINKS_PROXY", "HTTPS_PROXY"] {
            let with = |name, list| choice(&[(proxy, "http://p.test:1"), (name, list)], None);
            for name in ["no_proxy", "NO_PROXY"] {
                let direct = with(name, "upload.test:443").expect("a choice");
                assert_eq!(direct, format!("direct: {name}"));
            }
            let used = with("NO_PROXY", "other.test").expect("a choice");
            assert_eq!(used, format!("http://p.test:1 by {proxy}"));
        }
    }

    #[test]
    fn an_error_names_the_setting_and_not_the_value() {
        let rows = [
            ("FLINKS_PROXY", "ftp://canary:1"),
            ("HTTPS_PROXY", "socks5://canary:1"),
            ("all_proxy", "http://u:canary@p.test"),
            ("https_proxy", "'http://u:canary@p.test:1'"),
            ("FLINKS_PROXY_FILE", "http://u:canary@p.test:1"),
        ];
        for (name, value) in rows {
            let error = choice(&[(name, value)], None).expect_err(name);
            assert!(error.starts_with(name), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
        let error = choice(&[], Some("http://user:canary@p.test:1")).expect_err("a password");
        assert!(
            error.contains("FLINKS_PROXY") && !error.contains("canary"),
            "{error}"
        );
    }
}
