//! The tests on the page of flinks-sandbox, as a user writes them.

use flinks_legacy::Credentials;
use flinks_sandbox::legacy_client;
use flinks_upload::{RetryConfig, Transport};

// README:begin
use flinks_fraud::{LoginId, Verdict};
use flinks_sandbox::{Analysis, Sandbox, Signal, fraud_client, upload_client};
use flinks_upload::{BoxError, Document, OnUnknown};

fn statement(name: &str) -> Result<Document, BoxError> {
    let content = "%PDF-1.7\nstartxref\n0\n%%EOF\n";
    Ok(Document::from_bytes(name, content)?)
}

#[tokio::test]
async fn a_statement_arrives() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    let session = upload_client!(sandbox)?.session().tag("loan-4711");
    let done = session.upload([statement("march.pdf")?]).await?;
    let received = sandbox.upload(done.login_id.as_str()).expect("an upload");
    assert_eq!(received.tag.as_deref(), Some("loan-4711"));
    assert_eq!(received.files[0].file_name, "march.pdf");
    Ok(())
}

#[tokio::test]
async fn three_signals_are_a_flagged_verdict() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    let signals = ["DATE_EDITS", "MISALIGNED_TEXT", "UNRECONCILED_BALANCES"].map(Signal::new);
    sandbox.set_analysis("login-4711", Analysis::flagged(signals));
    let fraud = fraud_client!(sandbox)?;
    let analysis = fraud.analysis(&LoginId::new("login-4711")?).await?;
    assert!(matches!(analysis.verdict(), Verdict::Flagged(signals) if signals.len() == 3));
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_to_file_2_restarts_the_upload() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    sandbox.inject("upload@2=reset-after".parse()?);
    let session = upload_client!(sandbox)?.session();
    let files = [statement("march.pdf")?, statement("april.pdf")?];
    let done = session.on_unknown(OnUnknown::Restart).upload(files).await?;
    assert_eq!(done.abandoned.len(), 1);
    Ok(())
}
// README:end

#[tokio::test]
async fn a_client_takes_the_transport_of_a_tester() -> Result<(), BoxError> {
    let sandbox = Sandbox::builder().x_api_key("key").start().await?;
    sandbox.inject("token@1=status:503".parse()?);
    let transport = || Transport::builder().retry(RetryConfig::none());
    assert!(upload_client!(sandbox, transport())?.token().await.is_err());
    let login = Credentials::new("FlinksCapital", "greatday_nomfa", "Everyday");
    let legacy = legacy_client!(sandbox, transport())?;
    assert!(legacy.authorize(login).await.is_ok());
    Ok(())
}
