//! The data calls against the sandbox, over real TLS.

use std::time::Duration;

use flinks_auth::{ApiSecret, LegacyKeys};
use flinks_legacy::{
    AccountsDetail, Authorize, LegacyClient, Session, StatementContent, Statements,
};
use flinks_sandbox::{ApiOperation, Fault, Sandbox, SandboxBuilder};
use flinks_transport::{Endpoint, ErrorKind, Roots, Transport};
use flinks_types::{
    Credentials, CustomerId, DaysOfTransactions, FileType, FlinksCode, NumberOfStatements,
};

const SOON: Duration = Duration::from_millis(20);

async fn sandbox(change: impl FnOnce(SandboxBuilder) -> SandboxBuilder) -> Sandbox {
    let config = Sandbox::builder()
        .x_api_key("canary x-api-key")
        .data_pending(SOON / 2);
    change(config).start().await.unwrap()
}

fn client(sandbox: &Sandbox) -> LegacyClient {
    let roots = Roots::pem(sandbox.ca_pem().as_bytes()).unwrap();
    LegacyClient::new(
        Transport::builder().roots(roots).build().unwrap(),
        Endpoint::new(sandbox.results_url()).unwrap(),
        CustomerId::new(sandbox.customer_id()).unwrap(),
        LegacyKeys::new()
            .x_api_key(sandbox.x_api_key().unwrap())
            .api_secret(ApiSecret::new(sandbox.api_secret())),
    )
    .unwrap()
}

async fn session(client: &LegacyClient, user: &str) -> Session {
    let credentials = Credentials::new("FlinksCapital", user, "Everyday");
    let Authorize::Authorized(session) = client.authorize(credentials).await.unwrap() else {
        panic!("nothing is asked")
    };
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_a_session_is_fetched() {
    let sandbox = sandbox(|config| config).await;
    let client = client(&sandbox);
    let session = session(&client, "greatday_nomfa").await;

    let detail = client.accounts_detail(&session);
    let options = AccountsDetail::new().with_days(DaysOfTransactions::Days365);
    let detail = detail.options(options).interval(SOON).await.unwrap();
    let accounts = detail.accounts.as_ref().unwrap();
    assert!(!accounts.is_empty());
    for account in accounts {
        assert!(account.id.is_some() && account.holder.is_some());
        for transaction in account.transactions.as_ref().unwrap() {
            let amount = transaction.debit.as_ref().or(transaction.credit.as_ref());
            assert!(amount.unwrap().units(2).is_some());
            assert!(transaction.date.as_ref().unwrap().date().is_some());
        }
    }

    let summary = client.accounts_summary(&session).interval(SOON);
    let summary = summary.await.unwrap();
    let first = &summary.accounts.as_ref().unwrap()[0];
    assert!(first.eft_eligible_ratio.is_some() && first.transactions.is_none());
    assert!(!summary.links.is_empty());

    let year = Statements::new()
        .with_number(NumberOfStatements::Months12)
        .with_account(accounts[0].id.clone().unwrap());
    let statements = client.statements(&session).options(year).interval(SOON);
    let statements = statements.await.unwrap();
    let [account] = statements.accounts.as_deref().unwrap() else {
        panic!("one account")
    };
    assert_eq!(account.statements.len(), 12);
    for statement in &account.statements {
        assert_eq!(statement.file_type, Some(FileType::Pdf));
        assert!(statement.to_bytes().unwrap().starts_with(b"%PDF-"));
    }
    assert_eq!(sandbox.requests(ApiOperation::Data), 3);
    assert_eq!(sandbox.requests(ApiOperation::DataAsync), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_whose_answer_is_lost_is_begun_once() {
    for fault in ["data@1=reset-after", "data@1=close-after", "data@1=torn"] {
        let fault: Fault = fault.parse().unwrap();
        let sandbox = sandbox(|config| config.fault(fault)).await;
        let client = client(&sandbox);
        let session = session(&client, "greatday_nomfa").await;
        let detail = client.accounts_detail(&session).interval(SOON);
        assert!(detail.await.unwrap().accounts.is_some());
        assert_eq!(sandbox.requests(ApiOperation::Data), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_that_never_come_can_be_waited_for_elsewhere() {
    let sandbox = sandbox(|config| config).await;
    let client = client(&sandbox);
    let session = session(&client, "test_pending").await;
    let wait = Duration::from_millis(200);
    let detail = client.accounts_detail(&session).interval(SOON);
    let error = detail.timeout(wait).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let elsewhere = Session::from_request_id(session.request_id().clone());
    let detail = client.accounts_detail_async(&elsewhere).interval(SOON);
    let error = detail.timeout(wait).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_looked_after_and_deleted() {
    let sandbox = sandbox(|config| config).await;
    let client = client(&sandbox);
    let session = session(&client, "greatday_nomfa").await;
    let login_id = session.login_id().unwrap().clone();

    let page = client.institutions(0, 2).await.unwrap();
    assert_eq!(page.data.as_ref().unwrap().len(), 2);
    assert!(page.count.unwrap() > 2);
    let said = client.set_scheduled_refresh(&login_id, true).await.unwrap();
    assert!(said.message.is_some());
    let status = client.nightly_status().await.unwrap();
    assert!(status.ineligible_cards.is_some());
    let questions = client.mfa_questions(&login_id).await.unwrap();
    assert!(questions.questions.is_some());

    let detail = client.accounts_detail(&session).interval(SOON);
    detail.await.unwrap();
    client.delete_card(&login_id).await.unwrap();
    let error = client.mfa_questions(&login_id).await.unwrap_err();
    let code = error.api().and_then(|api| api.flinks_code.clone());
    assert_eq!(code, Some(FlinksCode::InvalidLogin));
}
