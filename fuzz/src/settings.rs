//! The settings file, the variables of a proxy and its URL: everything that is given is made into what it is for.
//!
//! An input is a settings file. Its lines `# NAME=VALUE` are variables.

use std::ffi::OsString;

use flinks_cli::settings::{ProxyChoice, Settings};
use flinks_transport::{Endpoint, Proxy};

use crate::{CANARY, file, shown};

pub fn run(input: &[u8]) {
    let path = OsString::from(file("settings.toml", input));
    let text = String::from_utf8_lossy(input).into_owned();
    let variable = move |name: &str| {
        if name == "FLINKS_CONFIG" {
            return Some(path.clone());
        }
        let variables = text
            .lines()
            .filter_map(|line| line.strip_prefix("# ")?.split_once('='));
        let mut named = variables.filter(|(known, _)| *known == name);
        named.next().map(|(_, value)| OsString::from(value))
    };
    match Settings::from_environment(variable) {
        Ok(settings) => read(&settings),
        Err(error) => drop(shown(&error)),
    }
    if let Ok(text) = str::from_utf8(input) {
        match Proxy::new(text) {
            Ok(proxy) => hides_its_password(&proxy),
            Err(error) => drop(shown(&error)),
        }
    }
}

/// The name of its host is shown, and a mutation may put the canary there.
fn hides_its_password(proxy: &Proxy) {
    let seen = format!("{proxy:?}").replace(proxy.authority(), "");
    assert!(!seen.contains(CANARY), "the canary is shown: {seen}");
}

fn read(settings: &Settings) {
    for url in [
        "https://api.test",
        "https://127.0.0.1:8443",
        "https://[2001:db8::1]",
    ] {
        let endpoint = Endpoint::new(url).expect("an endpoint");
        if let ProxyChoice::Proxy(proxy) = settings.proxy_for(&endpoint) {
            hides_its_password(&proxy.value);
        }
    }
    let errors = [
        settings.identity().err().map(|error| shown(&error)),
        settings.roots().err().map(|error| shown(&error)),
        settings.upload_endpoint().err().map(|error| shown(&error)),
        settings.paths().err().map(|error| shown(&error)),
        settings.results_endpoint().err().map(|error| shown(&error)),
        settings.customer_id().err().map(|error| shown(&error)),
        settings.api_secret().err().map(|error| shown(&error)),
        settings
            .client_credentials()
            .err()
            .map(|error| shown(&error)),
    ];
    drop(errors);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let all = r#"
upload_url = "https://upload.test"
upload_paths = "root"
cert = "client.pem"
key = "client.key"
cert_password = "cAnArY4711sEcReT"
ca = "ca.pem"
client_id = "client"
client_secret = "cAnArY4711sEcReT"
scope = "ocr.write"
instance = "toolbox"
customer_id = "43387ca6-0391-4c82-857d-70d95f087ecb"
api_secret = "Bearer cAnArY4711sEcReT"
auth_key = 'cAnArY4711sEcReT'
x_api_key = """cAnArY4711sEcReT"""
"#;
    let mut seeds = vec![all.as_bytes().to_vec()];
    for seed in [
        "http://proxy.test:3128",
        "# HTTPS_PROXY=http://user:cAnArY4711sEcReT@proxy.test:3128\n# NO_PROXY=.test:443, 10.0.0.0/8,2001:db8::/32 [::1]:1,*.a",
        "proxy = \"https://user:cAnArY4711sEcReT@proxy.test\"\n# no_proxy=127.0.0.0/33,api.test:0,2001:db8::1/128",
        "https://user:cAnArY4711sEcReT@[::1]:8080/",
        "user:cAnArY4711sEcReT@proxy.test",
        "client_secret = \"cAnArY4711sEcReT\napi_url = 5",
        "api_url = \"http://127.0.0.1:1/a?b=cAnArY4711sEcReT#c\"",
        "[client_secret]\nfile = \"secret\"\nunknown = \"cAnArY4711sEcReT\"",
    ] {
        seeds.push(seed.as_bytes().to_vec());
    }
    seeds
}
