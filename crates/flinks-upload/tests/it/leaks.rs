//! Nothing that is secret or a customer's shows in `Debug`, `Display`, a report or a ledger.

use flinks_auth::{ApiSecret, ClientCredentials, TokenRequest};
use flinks_types::Secret;
use flinks_upload::{Document, FileLedger, UploadFile};

use crate::service::{Fate, Host};

const CANARIES: [&str; 3] = ["canary-secret", "canary-content", "token-1"];

fn clean(text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} leaks: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_value_gives_its_secret_away() {
    let credentials = ClientCredentials::new("client-id", "canary-secret");
    let document = Document::from_bytes("a.pdf", "%PDF-1.7 canary-content").unwrap();
    let url: http::Uri = "https://example.com/".parse().unwrap();
    let host = Host::default();
    let client = host.client();
    let token = client.token().await.unwrap();
    for text in [
        format!("{credentials:?}{credentials:#?}"),
        format!("{:?}", TokenRequest::new(url.clone(), credentials)),
        format!("{:?}", ApiSecret::new("canary-secret")),
        format!("{:?}", Secret::new("canary-secret")),
        format!("{document:?}{document:#?}"),
        format!("{:?}", UploadFile::first(url, document.clone())),
        format!("{client:?}{:?}", client.session()),
        format!("{token:?}{token:#?}"),
        format!("{:?}", client.upload_file(document, None)),
    ] {
        clean(&text);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_and_ledgers_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    for (n, fate) in [
        Fate::CutAfter,
        Fate::Gateway(500),
        Fate::Stale,
        Fate::Garbled,
    ]
    .iter()
    .enumerate()
    {
        let path = folder.path().join(format!("ledger-{n}"));
        let host = Host::new([*fate; 9]);
        let ledger = FileLedger::create(&path).unwrap();
        let document = Document::from_bytes("a.pdf", "%PDF-1.7 canary-content").unwrap();
        let error = host
            .client()
            .session()
            .ledger(ledger)
            .upload([document])
            .await
            .unwrap_err();
        clean(&format!(
            "{error}{error:?}{error:#?}{}",
            error.error().report()
        ));
        clean(&std::fs::read_to_string(&path).unwrap());
    }
}
