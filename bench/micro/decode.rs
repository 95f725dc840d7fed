//! Reading answers: by the SDK's calls, into structs that serde derives without any leniency, and into `Value`.

use std::fmt::Write as _;
use std::hint::black_box;

use bytes::Bytes;
use flinks_fraud::{AnalysisRequest, LoginId};
use flinks_legacy::{Authorize, CustomerId, Institutions, LegacyClient, LegacyKeys, Session};
use flinks_transport::{Body, CustomerEndpoint, Endpoint, Operation, Transport};
use http::{Request, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Case, Result, runtime};

/// One kind of answer, read in three ways.
macro_rules! cases {
    ($($name:literal: $sdk:expr, $structs:ty, $answer:expr;)*) => {
        pub const CASES: &[(&str, Case)] = &[$(
            (concat!($name, "/sdk"), || $sdk),
            (concat!($name, "/structs"), || plain::<$structs>(&$answer)),
            (concat!($name, "/value"), || plain::<Value>(&$answer)),
        )*];
    };
}

cases! {
    "fraud analysis, 1 MB": analysis(1_000_000), structs::Analysis, fraud(1_000_000);
    "fraud analysis, 10 kB": analysis(10_000), structs::Analysis, fraud(10_000);
    "accounts, 5,000 transactions": accounts_detail(), structs::Accounts, accounts();
    "statements, 12 of 100 kB": statements_call(), structs::Statements, statements();
    "1,000 institutions": institutions_page(), structs::Page, institutions();
}

type Work = Box<dyn FnMut() -> Result>;

fn plain<T: DeserializeOwned + 'static>(answer: &str) -> Result<Work> {
    let answer = answer.to_owned().into_bytes();
    Ok(Box::new(move || {
        black_box(serde_json::from_slice::<T>(&answer)?);
        Ok(())
    }))
}

fn operation<O: Operation + 'static>(operation: O, answer: String) -> Result<Work> {
    let answer = Bytes::from(answer);
    Ok(Box::new(move || {
        black_box(operation.decode(Response::new(answer.clone()))?);
        Ok(())
    }))
}

fn endpoint() -> Result<CustomerEndpoint> {
    Ok(CustomerEndpoint::new(
        Endpoint::new("https://api.test")?,
        CustomerId::new("43387ca6")?,
    ))
}

fn analysis(bytes: usize) -> Result<Work> {
    operation(
        AnalysisRequest::new(endpoint()?, LoginId::new("aabf32b7")?),
        fraud(bytes),
    )
}

fn institutions_page() -> Result<Work> {
    operation(
        Institutions::new(endpoint()?, 0, Institutions::PAGE),
        institutions(),
    )
}

fn accounts_detail() -> Result<Work> {
    let (runtime, client, session) = (runtime()?, client(accounts())?, session()?);
    Ok(Box::new(move || {
        black_box(runtime.block_on(async { client.accounts_detail(&session).await })?);
        Ok(())
    }))
}

fn statements_call() -> Result<Work> {
    let (runtime, client, session) = (runtime()?, client(statements())?, session()?);
    Ok(Box::new(move || {
        black_box(runtime.block_on(async { client.statements(&session).await })?);
        Ok(())
    }))
}

/// The data calls have no operation that can be had alone: this is the whole call, over a service that answers at once.
fn client(answer: String) -> Result<LegacyClient> {
    let answer = Bytes::from(answer);
    let service = tower::service_fn(move |_: Request<Body>| {
        let answer = Body::from(answer.clone());
        async { Ok::<_, std::convert::Infallible>(Response::new(answer)) }
    });
    let transport = Transport::builder().service(service).build()?;
    let customer = CustomerId::new("43387ca6")?;
    Ok(LegacyClient::new(
        transport,
        Endpoint::new("https://api.test")?,
        customer,
        LegacyKeys::new(),
    )?)
}

fn session() -> Result<Session> {
    let opened = br#"{"HttpStatusCode":200,"RequestId":"2b000833","Login":{"Id":"b0debb48"}}"#;
    match Authorize::from_json(opened)? {
        Authorize::Authorized(session) => Ok(session),
        _ => Err("no session".into()),
    }
}

fn fraud(bytes: usize) -> String {
    let mut text = r#"{"HttpStatusCode":200,"Login":{"LoginId":"aabf32b7","RequestId":"c3d4e5f6"},"DocumentAnalysis":[{"Status":"COMPLETED","FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":["#.to_owned();
    let mut number = 0;
    while text.len() < bytes {
        let comma = if number == 0 { "" } else { "," };
        write!(text, r#"{comma}{{"Type":"dollar_amount_edits","PageNumber":{},"Count":2,"UnderlyingData":[{{"Details":[{{"SpecificType":"delta","Value":"0.{number}","DataType":"float"}},{{"SpecificType":"description","Value":"PAYROLL DEPOSIT {number}","DataType":"string"}}]}}]}}"#, number % 40 + 1).ok();
        number += 1;
    }
    text + "]}]}]}"
}

fn accounts() -> String {
    let mut text = r#"{"HttpStatusCode":200,"RequestId":"2b000833","Login":{"Id":"b0debb48"},"Accounts":[{"Id":"a1b2c3d4","Title":"Everyday account","AccountNumber":"1234567","Category":"Operations","Type":"Chequing","Currency":"CAD","Balance":{"Available":1.1,"Current":-2500,"Limit":null},"Transactions":["#.to_owned();
    for number in 0..5_000 {
        let comma = if number == 0 { "" } else { "," };
        let (day, whole, cents) = (number % 28 + 1, number * 7 % 9973, number % 100);
        write!(text, r#"{comma}{{"Id":"3f1c2b9a-0000-4000-8000-{number:012}","Date":"2026-01-{day:02}","Code":null,"Description":"POINT OF SALE PURCHASE {number}","Debit":{whole}.{cents:02},"Credit":null,"Balance":{number}.{cents:02}}}"#).ok();
    }
    text + "]}]}"
}

fn statements() -> String {
    let content = "JVBERi0xLjcK".repeat(11_111);
    let statements: Vec<_> = (0..12)
        .map(|number| {
            format!(
                r#"{{"UniqueId":"5a5a{number:04}","FileType":"PDF","Base64Bytes":"{content}"}}"#
            )
        })
        .collect();
    let statements = statements.join(",");
    format!(
        r#"{{"HttpStatusCode":200,"RequestId":"2b000833","Login":{{"Id":"b0debb48"}},"Institution":"FlinksCapital","StatementsByAccount":[{{"AccountNumber":"1234567","Statements":[{statements}]}}]}}"#
    )
}

fn institutions() -> String {
    let all: Vec<_> = (0..1_000)
        .map(|id| format!(r#"{{"Id":{id},"Localizations":[{{"Language":"en","Name":"Bank {id}","Urls":[{{"Type":"Website","Url":"https://bank{id}.test"}}]}},{{"Language":"fr","Name":"Banque {id}","Urls":[]}}],"Status":"Active","Country":"CA"}}"#))
        .collect();
    format!(r#"{{"Data":[{}],"Count":1000}}"#, all.join(","))
}

/// What a caller would write who trusts the documents.
mod structs {
    #![allow(dead_code, reason = "fields are read from JSON only")]

    use serde::Deserialize;

    macro_rules! structs {
        ($($name:ident { $($field:ident: $type:ty,)* })*) => {$(
            #[derive(Deserialize)]
            #[serde(rename_all = "PascalCase")]
            pub struct $name { $($field: $type,)* }
        )*};
    }

    structs! {
        Analysis { http_status_code: u16, message: Option<String>, login: Login, document_analysis: Vec<Document>, }
        Login { id: Option<String>, login_id: Option<String>, request_id: Option<String>, }
        Document { status: String, full_analysis: Vec<Form>, }
        Form { document_type: String, fraud_signals: Vec<Signal>, }
        Signal { r#type: String, page_number: Option<u32>, count: Option<u32>, underlying_data: Vec<Data>, }
        Data { details: Vec<Detail>, }
        Detail { specific_type: String, value: String, data_type: String, }

        Accounts { http_status_code: u16, request_id: String, login: Login, accounts: Vec<Account>, }
        Account { id: String, title: String, account_number: String, category: String, r#type: String, currency: String, balance: Balance, transactions: Vec<Transaction>, }
        Balance { available: Option<f64>, current: Option<f64>, limit: Option<f64>, }
        Transaction { id: String, date: String, code: Option<String>, description: String, debit: Option<f64>, credit: Option<f64>, balance: Option<f64>, }

        Statements { http_status_code: u16, request_id: String, institution: String, statements_by_account: Vec<OfAccount>, }
        OfAccount { account_number: String, statements: Vec<Statement>, }
        Statement { unique_id: String, file_type: String, base64_bytes: String, }

        Page { data: Vec<Institution>, count: u32, }
        Institution { id: u32, localizations: Vec<Localization>, status: String, country: String, }
        Localization { language: String, name: String, urls: Vec<Url>, }
        Url { r#type: String, url: String, }
    }
}
