//! The client identity is replaced under load, against a sandbox that binds tokens to certificates.

use std::collections::HashMap;

use flinks_sandbox::certificates::Validity;
use flinks_sandbox::{ApiOperation, Sandbox};
use flinks_transport::{ClientIdentity, Roots, Transport};
use tokio::task::JoinSet;

use crate::sandbox::client;
use crate::service::documents;

const IN_FLIGHT: usize = 100;
const SWAPS: usize = 20;
/// Uploads that end before the next swap.
const BETWEEN: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_uploads_in_flight_do_not_notice_twenty_swaps() {
    let sandbox = Sandbox::start().await.unwrap();
    let issue = |n| {
        let name = format!("client {n}");
        let issued = sandbox.authority().issue_client(&name, Validity::Valid);
        let issued = issued.unwrap();
        let (certificate, key) = (issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
        let identity = ClientIdentity::from_pem(certificate, key).unwrap();
        (identity, issued.serial)
    };
    let (identities, serials): (Vec<_>, Vec<_>) = (0..=SWAPS).map(issue).unzip();
    let mut identities = identities.into_iter();
    let roots = Roots::pem(sandbox.ca_pem().as_bytes()).unwrap();
    let transport = Transport::builder()
        .identity(identities.next().unwrap())
        .roots(roots);
    let transport = transport.build().unwrap();
    let client = client(&sandbox, transport.clone());

    let mut uploads = JoinSet::new();
    let mut documents = documents(IN_FLIGHT + SWAPS * BETWEEN).into_iter();
    // How many swaps there had been when each upload began.
    let mut began = Vec::new();
    let mut most_connections = 0;
    for swaps in 0..=SWAPS {
        while uploads.len() < IN_FLIGHT {
            let document = documents.next().unwrap();
            began.push(swaps);
            uploads.spawn(client.session().upload([document]));
        }
        if swaps == SWAPS {
            break;
        }
        for _ in 0..BETWEEN {
            uploads.join_next().await.unwrap().unwrap().unwrap();
        }
        most_connections = most_connections.max(sandbox.open_connections());
        transport
            .replace_identity(identities.next().unwrap())
            .unwrap();
    }
    for upload in uploads.join_all().await {
        upload.unwrap();
    }

    let mut tokens = vec![0; serials.len()];
    let mut files = HashMap::new();
    for line in sandbox.log() {
        assert_eq!(line.status, Some(200), "{line:?}");
        let serial = line.client_serial.unwrap();
        let identity = serials.iter().position(|one| *one == serial).unwrap();
        match line.operation {
            ApiOperation::Token => tokens[identity] += 1,
            ApiOperation::Upload | ApiOperation::Complete => {
                let session = line.aggregation_id.unwrap();
                if let Some(name) = line.file_name {
                    let number: usize = name.trim_end_matches(".pdf").parse().unwrap();
                    files.insert(session.clone(), number);
                }
                let began = began[files[&session]];
                assert!(identity >= began, "{identity} after {began} swaps");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(tokens.iter().all(|count| *count <= 1), "{tokens:?}");
    for operation in [ApiOperation::Upload, ApiOperation::Complete] {
        assert_eq!(sandbox.requests(operation), began.len());
    }
    // One from the pool and one for *complete*, and those that the sandbox has not seen closed yet.
    assert!(most_connections <= 3 * IN_FLIGHT, "{most_connections}");
}
