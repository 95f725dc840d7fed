//! Answers of the service, with their status and headers, to every call.
//!
//! The first line of an input is `OPERATION STATUS`, then come headers, an empty line and the body. Every request
//! gets this answer, but for the token that another call needs.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use flinks_auth::{ApiSecret, AuthorizeTokenRequest, LegacyKeys};
use flinks_fraud::FraudClient;
use flinks_legacy::{
    Authorize, Credentials, CustomerId, LegacyClient, LoginId, QuestionKind, Session,
};
use flinks_transport::{Body, Endpoint, Error, Transport};
use flinks_types::{AggregationId, Secret};
use flinks_upload::{ClientCredentials, Document, Paths, UploadClient};
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::{CANARY, fixtures, shown};

thread_local! {
    /// Waits take no time.
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime"),
    );
}

const TOKEN: &str = r#"{"access_token":"cAnArY4711sEcReT","token_type":"Bearer","expires_in":3600,"scope":"ocr.write"}"#;

pub fn run(input: &[u8]) {
    let Some((operation, answer)) = parse(input) else {
        return;
    };
    RUNTIME.with_borrow(|runtime| {
        let once = runtime.block_on(outcome(&operation, answer.clone()));
        let again = runtime.block_on(outcome(&operation, answer));
        assert_eq!(once, again, "the same answer is read as something else");
    });
}

/// The operation, and a response as the service would send it.
fn parse(input: &[u8]) -> Option<(String, Response<Bytes>)> {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = input.split_at(end.unwrap_or(input.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = str::from_utf8(lines.next()?).ok()?;
    let (operation, status) = first.split_once(' ')?;
    let body = Bytes::copy_from_slice(body.get(2..).unwrap_or_default());
    let mut response = Response::builder()
        .status(status.parse::<u16>().ok()?)
        .body(body)
        .ok()?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[colon + 1..])) {
            response.headers_mut().append(name, value);
        }
    }
    Some((operation.to_owned(), response))
}

/// What came of a call, in a form that does not depend on the lengths of waits.
async fn outcome(operation: &str, answer: Response<Bytes>) -> Option<String> {
    let is_token = operation == "auth.token";
    let service = tower::service_fn(move |request: Request<Body>| {
        let token = !is_token && request.uri().path().ends_with("/token");
        let answer = match token {
            true => Response::new(Bytes::from_static(TOKEN.as_bytes())),
            false => answer.clone(),
        };
        async move { Ok::<_, Infallible>(answer.map(Body::from)) }
    });
    let transport = Transport::builder()
        .service(service)
        .build()
        .expect("a transport");
    let outcome = call(operation, transport).await?;
    Some(outcome.unwrap_or_else(|error| {
        shown(&error);
        assert!(
            !error.report().to_string().contains(CANARY),
            "the canary is reported"
        );
        format!(
            "{:?} {:?} {:?}",
            error.kind(),
            error.delivery(),
            error.status()
        )
    }))
}

async fn read<T: Debug>(call: impl Future<Output = Result<T, Error>>) -> Result<String, Error> {
    let answer = call.await?;
    let seen = format!("{answer:?} {answer:#?}");
    assert!(!seen.contains(CANARY), "the canary is shown: {seen}");
    Ok(seen)
}

async fn call(operation: &str, transport: Transport) -> Option<Result<String, Error>> {
    let endpoint = Endpoint::new("https://api.test").expect("an endpoint");
    let customer = CustomerId::new("43387ca6").expect("an id");
    let login = LoginId::new("aabf32b7").expect("an id");
    let uploads = || {
        let credentials = ClientCredentials::new("client", CANARY);
        UploadClient::with_endpoint(
            transport.clone(),
            endpoint.clone(),
            Paths::default(),
            credentials,
        )
        .expect("a client")
    };
    let legacy = || {
        let keys = LegacyKeys::new()
            .x_api_key(CANARY)
            .api_secret(ApiSecret::new(CANARY));
        LegacyClient::new(transport.clone(), endpoint.clone(), customer.clone(), keys)
            .expect("a client")
    };
    let limit = Duration::from_secs(30);
    Some(match operation {
        "auth.token" => read(async { uploads().token().await }).await,
        "auth.authorize_token" => {
            let request = AuthorizeTokenRequest::new(endpoint, customer, &Secret::new(CANARY))
                .expect("a request");
            read(async { transport.call(request).await }).await
        }
        "upload.file" => {
            let document = Document::from_bytes("a.pdf", "%PDF-1.7").expect("a document");
            read(async { uploads().upload_file(document, None).await }).await
        }
        "upload.complete" => {
            let id = AggregationId::new("d521ae0d").expect("an id");
            read(async { uploads().complete(id).await }).await
        }
        "fraud.analysis" => {
            let fraud = FraudClient::new(transport, endpoint, customer, ApiSecret::new(CANARY))
                .expect("a client");
            read(async {
                Ok(fraud.analysis(&login).await?).map(|analysis| (analysis.verdict(), analysis))
            })
            .await
        }
        "legacy.authorize" | "legacy.answer" => {
            let credentials = Credentials::new("FlinksCapital", "Greatday", CANARY);
            read(async { authorize(&legacy(), credentials).await }).await
        }
        "legacy.accounts_detail" => {
            read(async { legacy().accounts_detail(&session()).timeout(limit).await }).await
        }
        "legacy.accounts_summary" => {
            read(async { legacy().accounts_summary(&session()).timeout(limit).await }).await
        }
        "legacy.statements" => {
            read(async { legacy().statements(&session()).timeout(limit).await }).await
        }
        "legacy.mfa_questions" => read(async { legacy().mfa_questions(&login).await }).await,
        "legacy.answer_mfa_questions" => {
            read(async {
                legacy()
                    .answer_mfa_questions(&login, [("Which?", CANARY)])
                    .await
            })
            .await
        }
        "legacy.delete_card" => read(async { legacy().delete_card(&login).await }).await,
        "legacy.set_scheduled_refresh" => {
            read(async { legacy().set_scheduled_refresh(&login, true).await }).await
        }
        "legacy.nightly_status" => read(async { legacy().nightly_status().await }).await,
        "legacy.institutions" => read(async { legacy().institutions(0, 10).await }).await,
        _ => return None,
    })
}

fn session() -> Session {
    match Authorize::from_json(
        br#"{"HttpStatusCode":200,"RequestId":"2b000833","Login":{"Id":"b0debb48"}}"#,
    ) {
        Ok(Authorize::Authorized(session)) => session,
        _ => unreachable!("a session"),
    }
}

/// Signs in, and answers each question of a first round in a way that its type may accept.
async fn authorize(legacy: &LegacyClient, credentials: Credentials) -> Result<Authorize, Error> {
    let step = legacy
        .authorize(credentials)
        .await
        .map_err(|error| error.error().clone())?;
    let Authorize::Challenged(round) = step else {
        return Ok(step);
    };
    let mut answers = round.answers();
    for question in round.questions() {
        match question.kind() {
            QuestionKind::Text(text) => text.answer(&mut answers, CANARY)?,
            QuestionKind::SingleChoice(one) => {
                one.choose(&mut answers, one.choices().next().unwrap_or_default())?
            }
            QuestionKind::MultipleChoice(some) => some.choose(&mut answers, some.choices())?,
            QuestionKind::Image(image) => {
                image.choose(&mut answers, image.images().last().unwrap_or_default())?
            }
            other => other.answer_raw(&mut answers, [CANARY])?,
        }
    }
    legacy
        .answer(answers.finish()?)
        .await
        .map_err(|error| error.error().clone())
}

/// Every answer of the fixtures, to the operation that it is given to. Flows are taken by their calls.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (_, case) in fixtures() {
        let called = case["call"]["operation"].as_str().unwrap_or_default();
        for step in case["steps"].as_array().into_iter().flatten() {
            let reply = &step["reply"];
            let Some(status) = reply["status"].as_u64() else {
                continue;
            };
            let path = step["expect"]["path"].as_str().unwrap_or_default();
            let operation = match called.trim_end_matches("_async") {
                "upload.session" if path.ends_with("/token") => "auth.token",
                "upload.session" if path.ends_with("/complete") => "upload.complete",
                "upload.session" => "upload.file",
                "fraud.wait" => "fraud.analysis",
                "legacy.fetch" => "legacy.accounts_detail",
                single => single,
            };
            let mut seed = format!("{operation} {status}\n");
            for (name, value) in reply["headers"].as_object().into_iter().flatten() {
                seed += &format!("{name}:{}\n", value.as_str().unwrap_or_default());
            }
            seed += "\n";
            match &reply["body_json"] {
                Value::Null => seed += reply["body_text"].as_str().unwrap_or_default(),
                body => seed += &body.to_string(),
            }
            seeds.push(seed.into_bytes());
        }
    }
    seeds
}
