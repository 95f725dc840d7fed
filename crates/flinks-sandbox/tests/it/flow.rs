//! The documented flow: token, files, complete, analysis; and what the sandbox then shows.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use flinks_sandbox::{ApiOperation, Config, Host, Sandbox};
use serde_json::json;

use crate::client::{Client, FORM, GOOD_FORM, complete, file, fraud, post};

#[tokio::test]
async fn a_whole_session_is_answered_as_documented() {
    let mut config = Config::default();
    config.processing = Duration::ZERO;
    let sandbox = Sandbox::start(config).await.unwrap();
    let client = Client::upload(&sandbox);
    let mut connection = client.connect().await.unwrap();

    let token = connection
        .send(post("/api/v1/token", &client.basic, FORM, GOOD_FORM))
        .await
        .unwrap();
    assert_eq!(token.json()["token_type"], "Bearer");
    assert_eq!(token.json()["expires_in"], 300);
    assert!(token.text("access_token").starts_with("eyJ"));
    let bearer = format!("Bearer {}", token.text("access_token"));

    let first = connection.send(file(&bearer, None)).await.unwrap();
    let id = first.text("AggregationId");
    assert_eq!(
        first.json(),
        json!({
            "HttpStatusCode": 200,
            "AggregationId": id,
            "Message": "The files were uploaded successfully. Please send the next file(s).",
        })
    );
    // The same file again is a second file.
    let second = connection.send(file(&bearer, Some(&id))).await.unwrap();
    assert_eq!(second.json(), first.json());

    let done = connection.send(complete(&bearer, &id)).await.unwrap();
    let login_id = done.json()["Login"]["Id"].as_str().unwrap().to_owned();
    assert_eq!(
        done.json(),
        json!({
            "HttpStatusCode": 200,
            "AggregationId": id,
            "Login": {"Id": login_id},
            "Message":
                "All files were uploaded successfully. The OCR process will start shortly.",
        })
    );

    let request = fraud(sandbox.api_secret(), sandbox.customer_id(), &login_id);
    let analysis = Client::results(&sandbox).send(request).await.json();
    assert_eq!(analysis["Message"], "No Fraud Signal Detected");
    assert_eq!(analysis["Login"]["LoginId"], login_id.as_str());
    assert_eq!(analysis["Tag"], "tag");
    let document = json!({
        "Status": "COMPLETED",
        "FullAnalysis": [{"DocumentType": "BANK_STATEMENT", "FraudSignals": []}],
    });
    assert_eq!(analysis["DocumentAnalysis"], json!([document, document]));

    let [session] = sandbox.sessions().try_into().unwrap();
    assert_eq!(session.aggregation_id, id);
    assert_eq!(session.files.len(), 2);
    assert_eq!(session.files[0].bytes, 5);
    assert_eq!(session.tag.as_deref(), Some("tag"));
    assert!(session.completed);
    assert_eq!(session.login_id.as_deref(), Some(login_id.as_str()));

    let log = sandbox.log();
    let operations: Vec<_> = log.iter().map(|line| line.operation).collect();
    assert_eq!(
        operations,
        [
            ApiOperation::Token,
            ApiOperation::Upload,
            ApiOperation::Upload,
            ApiOperation::Complete,
            ApiOperation::Fraud
        ]
    );
    assert!(log.iter().all(|line| line.status == Some(200)));
    assert_eq!(
        log.iter().map(|line| line.acted).collect::<Vec<_>>(),
        [true, true, true, true, false]
    );
    assert_eq!(log[1].file_name.as_deref(), Some("a.pdf"));
    assert_eq!(
        log[1].crc32,
        Some(format!("{:08x}", session.files[0].crc32))
    );
    assert_eq!(log[3].files, Some(2));
    assert_eq!(log[3].login_id.as_deref(), Some(login_id.as_str()));
    assert_eq!(log[4].host, Host::Results);
    assert_eq!(log[4].client_serial, None);
    assert!(
        log[0]
            .client_serial
            .as_ref()
            .is_some_and(|serial| serial.len() == 32)
    );

    let text = serde_json::to_string(&log).unwrap();
    for secret in [
        sandbox.client_secret(),
        sandbox.api_secret(),
        bearer.as_str(),
        "JVBERi0",
        client.basic.as_str(),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn signals_come_from_the_content_whatever_the_name() {
    let mut config = Config::default();
    config.processing = Duration::ZERO;
    let sandbox = Sandbox::start(config).await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents/");
    for (file, name, expected) in [
        ("statement-january.pdf", "edited-fraud.pdf", &[][..]),
        (
            "statement-january-edited.pdf",
            "clean.pdf",
            &["EDITING_SOFTWARE_DETECTED", "UNRECONCILED_BALANCES"][..],
        ),
    ] {
        let content = BASE64_STANDARD.encode(std::fs::read(format!("{folder}{file}")).unwrap());
        let body = json!({"Files": [{"FileName": name, "Content": content}]}).to_string();
        let answer = client
            .send(post("/upload", &token, "application/json", body))
            .await;
        let done = client
            .send(complete(&token, &answer.text("AggregationId")))
            .await
            .json();
        let login_id = done["Login"]["Id"].as_str().unwrap();
        let request = fraud(sandbox.api_secret(), sandbox.customer_id(), login_id);
        let analysis = Client::results(&sandbox).send(request).await.json();
        let signals = &analysis["DocumentAnalysis"][0]["FullAnalysis"][0]["FraudSignals"];
        let types: Vec<_> = signals
            .as_array()
            .unwrap()
            .iter()
            .map(|signal| signal["Type"].as_str().unwrap())
            .collect();
        assert_eq!(types, expected, "{name}");
        assert_eq!(
            analysis.get("Message").is_some(),
            expected.is_empty(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_root_preset_of_paths_works_too() {
    let sandbox = Sandbox::start(Config::default()).await.unwrap();
    let client = Client::upload(&sandbox);
    let token = client.token().await;
    let body = r#"{"Files":[{"FileName":"a.tiff","Content":"SUkqAA=="}]}"#;
    let answer = client
        .send(post("/upload", &token, "application/json", body))
        .await;
    let id = json!({"AggregationId": answer.text("AggregationId")}).to_string();
    let done = client
        .send(post("/upload/complete", &token, "application/json", id))
        .await;
    assert_eq!(done.status, 200);
}

#[tokio::test]
async fn the_directory_serves_other_programs() {
    let sandbox = Sandbox::start(Config::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("client.key"),
        "an older and longer file".repeat(99),
    )
    .unwrap();
    let written = sandbox.write_dir(folder.path()).unwrap();
    let read = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&written.ca), sandbox.ca_pem());
    assert_eq!(read(&written.client_cert), sandbox.client_cert_pem());
    assert_eq!(read(&written.client_key), sandbox.client_key_pem());
    let env = read(&written.env);
    assert!(env.contains(&format!(
        "export FLINKS_UPLOAD_URL='{}'\n",
        sandbox.upload_url()
    )));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [&written.client_key, &written.env] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        // A shell reads back exactly what was meant, quotes and all.
        let shell = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!(
                ". '{}' && printf %s \"$FLINKS_CLIENT_SECRET\"",
                written.env.display()
            ))
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(shell.stdout).unwrap(),
            sandbox.client_secret()
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_directory_is_private_and_follows_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let sandbox = Sandbox::start(Config::default()).await.unwrap();
    let parent = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;

    let folder = parent.path().join("new/dir");
    let written = sandbox.write_dir(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
    for path in [
        &written.ca,
        &written.client_cert,
        &written.client_key,
        &written.env,
    ] {
        assert_eq!(mode(path), 0o600);
    }

    let victim = parent.path().join("victim");
    std::fs::write(&victim, "kept").unwrap();
    for path in [&written.client_key, &written.env] {
        std::fs::remove_file(path).unwrap();
        symlink(&victim, path).unwrap();
    }
    sandbox.write_dir(&folder).unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "kept");
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        4,
        "no draft stays"
    );

    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&folder, open).unwrap();
    sandbox.write_dir(&folder).unwrap_err();
    // Only root can give a folder away.
    let owned = std::process::Command::new("chown")
        .arg("65534")
        .arg(&folder)
        .status();
    if owned.is_ok_and(|status| status.success()) {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        sandbox.write_dir(&folder).unwrap_err();
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut config = Config::default();
    config.results_port = port;
    let error = Sandbox::start(config).await.unwrap_err();
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}
