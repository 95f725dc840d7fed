//! Against the sandbox over mutual TLS: what only real connections can show.

use flinks_auth::ClientCredentials;
use flinks_sandbox::{ApiOperation, Sandbox};
use flinks_transport::{ClientIdentity, Endpoint, Roots, Transport, TransportBuilder};
use flinks_upload::{Document, OnUnknown, Paths, UploadClient};
use tokio::task::JoinSet;
use tower::limit::ConcurrencyLimitLayer;

use crate::service::documents;

fn builder(sandbox: &Sandbox) -> TransportBuilder {
    let (certificate, key) = (sandbox.client_cert_pem(), sandbox.client_key_pem());
    let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let roots = Roots::pem(sandbox.ca_pem().as_bytes()).unwrap();
    Transport::builder().identity(identity).roots(roots)
}

pub(crate) fn client(sandbox: &Sandbox, transport: Transport) -> UploadClient {
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
    let endpoint = Endpoint::new(sandbox.upload_url()).unwrap();
    UploadClient::with_endpoint(transport, endpoint, Paths::default(), credentials).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_uploads_through_a_limit_of_four_ask_for_one_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let limited = builder(&sandbox)
        .layer(ConcurrencyLimitLayer::new(4))
        .build()
        .unwrap();
    let client = client(&sandbox, limited);
    let mut calls = JoinSet::new();
    for document in documents(1000) {
        calls.spawn(client.upload_file(document, None).into_future());
    }
    while let Some(outcome) = calls.join_next().await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(sandbox.requests(ApiOperation::Token), 1);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_second_file_ends_complete_or_stops() {
    for fault in [
        "upload@2=reset-after",
        "upload@2=close-after",
        "upload@2=status:503",
        "upload@2=torn",
    ] {
        for policy in [OnUnknown::Restart, OnUnknown::Stop] {
            let sandbox = Sandbox::builder()
                .fault(fault.parse().unwrap())
                .start()
                .await
                .unwrap();
            let session = client(&sandbox, builder(&sandbox).build().unwrap()).session();
            let outcome = session.on_unknown(policy).upload(documents(2)).await;
            // Half an answer still says that the file was taken, and where.
            let told = fault.ends_with("torn");
            let completed: Vec<_> = sandbox
                .sessions()
                .into_iter()
                .filter(|session| session.completed)
                .collect();
            if policy == OnUnknown::Stop && !told {
                let error = outcome.unwrap_err();
                assert!(error.delivery().may_have_acted(), "{fault}: {error}");
                assert_eq!(sandbox.requests(ApiOperation::Complete), 0, "{fault}");
                continue;
            }
            let done = outcome.unwrap();
            assert_eq!(done.abandoned.len(), usize::from(!told), "{fault}");
            assert_eq!(completed.len(), 1, "{fault}");
            let names: Vec<_> = completed[0]
                .files
                .iter()
                .map(|file| file.file_name.as_str())
                .collect();
            assert_eq!(names, ["0.pdf", "1.pdf"], "{fault}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_is_what_was_sent_whatever_its_size() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox, builder(&sandbox).build().unwrap());
    let chunk = 192 * 1024;
    for size in [9, 10, 11, chunk - 1, chunk, chunk + 1, 3 * chunk, 18 << 20] {
        let mut contents = b"%PDF-1.7\n".to_vec();
        contents.extend((contents.len()..size).map(|n| (n * 31 % 251) as u8));
        let document = Document::from_bytes("a.pdf", contents.clone()).unwrap();
        let answer = client.upload_file(document, None).await.unwrap();
        let id = answer.aggregation_id.unwrap();
        let sessions = sandbox.sessions();
        let session = sessions
            .iter()
            .find(|s| s.aggregation_id == id.as_str())
            .unwrap();
        assert_eq!(session.files[0].bytes, size as u64);
        assert_eq!(session.files[0].crc32, crc32fast::hash(&contents), "{size}");
    }
}
