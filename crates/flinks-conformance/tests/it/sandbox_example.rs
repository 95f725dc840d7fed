//! The test on the page of flinks-sandbox, as a user writes it.

// README:begin
use flinks_fraud::{ApiSecret, CustomerId, FraudClient, Verdict};
use flinks_sandbox::{ApiOperation, Sandbox};
use flinks_upload::{
    ClientCredentials, ClientIdentity, Document, Endpoint, Paths, Roots, Transport, UploadClient,
};

#[tokio::test]
async fn an_edited_statement_is_flagged() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder()
        .processing(std::time::Duration::ZERO) // the analysis is final at once
        .start()
        .await?;

    let (cert, key) = (sandbox.client_cert_pem(), sandbox.client_key_pem());
    let transport = Transport::builder()
        .identity(ClientIdentity::from_pem(cert.as_bytes(), key.as_bytes())?)
        .roots(Roots::pem(sandbox.ca_pem().as_bytes())?)
        .build()?;
    let uploads = UploadClient::with_endpoint(
        transport.clone(),
        Endpoint::new(sandbox.upload_url())?,
        Paths::default(),
        ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()),
    )?;
    let fraud = FraudClient::new(
        transport,
        Endpoint::new(sandbox.results_url())?,
        CustomerId::new(sandbox.customer_id())?,
        ApiSecret::new(sandbox.api_secret()),
    )?;

    let content = "%PDF-1.7\n%flinks-sandbox signal=DATE_EDITS page=2 count=1\n";
    let statement = Document::from_bytes("statement.pdf", content)?;
    let done = uploads.session().upload([statement]).await?;

    let verdict = fraud.analysis(&done.login_id).await?.verdict();
    assert!(matches!(verdict, Verdict::Flagged(signals) if signals.len() == 1));
    assert_eq!(sandbox.requests(ApiOperation::Upload), 1);
    Ok(())
}
// README:end
