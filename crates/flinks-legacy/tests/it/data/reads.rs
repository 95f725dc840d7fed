//! Large answers, exact amounts and statements; and that no account data is ever printed.

use flinks_legacy::StatementContent;
use flinks_transport::testing::{Reply, ScriptedService};

use crate::service::{LegacyService as _, session};

#[tokio::test]
async fn fifty_thousand_transactions_keep_every_digit() {
    let transactions: Vec<_> = (0..50_000)
        .map(|i| {
            format!(
                r#"{{"Id":"t{i}","Date":"2025-01-31","Code":null,"Description":"Bought number {i}","Debit":{i}.10,"Credit":null,"Balance":-0.00}}"#
            )
        })
        .collect();
    let body = format!(
        r#"{{"HttpStatusCode":200,"Accounts":[{{"Transactions":[{}]}}]}}"#,
        transactions.join(",")
    );
    let service = ScriptedService::new([Reply::json(200, body.clone())]);
    let answer = service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap();
    assert_eq!(answer.raw(), body.as_bytes());
    let transactions = answer.accounts.as_ref().unwrap()[0]
        .transactions
        .as_ref()
        .unwrap();
    assert_eq!(transactions.len(), 50_000);
    for (i, transaction) in transactions.iter().enumerate() {
        let debit = transaction.debit.as_ref().unwrap();
        assert_eq!(debit.as_str(), format!("{i}.10"));
        assert_eq!(debit.units(2), Some(i as i128 * 100 + 10));
        assert_eq!(transaction.balance.as_ref().unwrap().as_str(), "-0.00");
    }
}

#[tokio::test]
async fn statements_larger_than_other_answers_are_read() {
    let length = 18 << 20;
    let body = format!(
        r#"{{"StatementsByAccount":[{{"AccountNumber":"1","Statements":[{{"UniqueId":"0a","FileType":"PDF","Base64Bytes":"{}"}}]}}]}}"#,
        "QUJD".repeat(length / 4)
    );
    let service = ScriptedService::new([Reply::json(200, body)]);
    let answer = service
        .client_without_retries()
        .statements(&session())
        .await
        .unwrap();
    let statement = &answer.accounts.as_ref().unwrap()[0].statements[0];
    let written = statement.write_to(std::io::sink()).unwrap();
    assert_eq!(written, length as u64 / 4 * 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_an_account_is_shown() {
    let body = r#"{"HttpStatusCode":200,"Institution":"canary","Tag":"canary","Accounts":[{"Title":"canary",
        "AccountNumber":"canary","Type":"canary","Holder":{"Name":"canary"},"Balance":{"Current":4711.10}}],
        "Message":"canary","FlinksCode":"canary"}"#;
    let service = ScriptedService::new([Reply::json(200, body)]);
    let client = service.client_without_retries();
    let fetch = client.accounts_detail(&session());
    let shown = format!("{fetch:?}");
    let answer = fetch.await.unwrap();
    let shown = format!("{shown} {answer:?} {answer:#?}");
    for told in ["canary", "4711"] {
        assert!(!shown.contains(told), "{told} is in {shown}");
    }
    let broken = format!("{body},");
    for (status, body) in [(200, broken.as_str()), (400, "canary"), (200, "canary")] {
        let service = ScriptedService::new([Reply::json(status, body)]);
        let error = service
            .client_without_retries()
            .accounts_detail(&session())
            .await
            .unwrap_err();
        let shown = format!("{error} {error:?} {}", error.report());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
