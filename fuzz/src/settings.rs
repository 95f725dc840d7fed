//! The settings file, and the URL of a proxy: every setting that is in it is read and made into what it is for.

use std::ffi::OsString;

use flinks_cli::settings::Settings;
use flinks_transport::Proxy;

use crate::{CANARY, file, shown};

pub fn run(input: &[u8]) {
    let path = OsString::from(file("settings.toml", input));
    let variable = move |name: &str| (name == "FLINKS_CONFIG").then(|| path.clone());
    match Settings::from_environment(variable) {
        Ok(settings) => read(&settings),
        Err(error) => drop(shown(&error)),
    }
    if let Ok(text) = str::from_utf8(input) {
        match Proxy::new(text) {
            Ok(proxy) => {
                let seen = format!("{proxy:?}").replace(proxy.authority(), "");
                assert!(!seen.contains(CANARY), "the canary is shown: {seen}");
            }
            Err(error) => drop(shown(&error)),
        }
    }
}

fn read(settings: &Settings) {
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
