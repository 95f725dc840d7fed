//! The data of an authorized session: requested once, then polled until they are ready.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::accounts::{Account, Holding, holdings};
use super::data_request::{Dataset, Filter, Order, Work};
use super::links;
use super::sessions::{Session, Store};
use super::statements::Statements;
use super::users::Conduct;
use crate::answer::Answer;
use crate::json_fields::{Casing, Fields, invalid};
use crate::lock::lock;
use crate::log::LogLine;
use crate::state::State;
use crate::webhook::{ACCOUNTS_DETAIL, Subject};

/// Starts gathering data, again if the call is repeated.
pub(super) fn start(
    state: &State,
    dataset: Dataset,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body, Casing::Any)?;
    let request_id = fields.required_text("RequestId")?;
    line.request_id = Some(request_id.clone());
    let order = dataset.order(&fields)?;
    let mut store = lock(&state.legacy);
    let session = open_session(state, &mut store, &request_id, line)?;
    let dispatched = session.user.conduct == Conduct::Dispatched;
    let pending = match state.config.data_pending {
        _ if session.user.conduct == Conduct::Pending => u32::MAX,
        0 if dispatched => 1,
        pending => pending,
    };
    let work = Work {
        order,
        pending,
        done: false,
    };
    session.work.insert(dataset, work);
    line.acted = true;
    if dataset == Dataset::AccountsDetail && (1..u32::MAX).contains(&pending) {
        let subject = Subject::Data(request_id.clone());
        state.webhooks.send_after(state.config.processing, subject);
    }
    step(&mut store, dataset, &request_id, dispatched)
}

/// Polls for data after a 202.
pub(super) fn poll(
    state: &State,
    dataset: Dataset,
    request_id: &str,
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    line.request_id = Some(request_id.to_owned());
    let mut store = lock(&state.legacy);
    open_session(state, &mut store, request_id, line)?;
    step(&mut store, dataset, request_id, false)
}

fn open_session<'a>(
    state: &State,
    store: &'a mut Store,
    request_id: &str,
    line: &mut LogLine,
) -> Result<&'a mut Session, Answer> {
    let session = store
        .session(request_id, state.config.session_idle)
        .map_err(|_| {
            let message = "The RequestId is invalid or the session has ended";
            Answer::error(StatusCode::BAD_REQUEST, "SESSION_NONEXISTENT", message)
        })?;
    line.login_id.clone_from(&session.login_id);
    if !session.is_authorized() {
        let body = json!({
            "FlinksCode": "UNAUTHORIZED",
            "Message": "The session is not authorized yet",
            "Institution": session.user.institution,
            "RequestId": request_id,
        });
        return Err(Answer::with_status_code(StatusCode::UNAUTHORIZED, body));
    }
    Ok(session)
}

/// Returns the body of the *GetAccountsDetail* webhook for a card, with a session of its own.
pub(crate) fn accounts_of_login(
    state: &State,
    login_id: &str,
    tag: Option<String>,
) -> Option<Bytes> {
    let mut store = lock(&state.legacy);
    let card = store.cards.get(login_id)?;
    let mut session = Session::new(card.user, card.language);
    session.rounds.clear();
    session.login_id = Some(login_id.to_owned());
    session.tag = tag;
    let fields = Fields::read(br#"{"DaysOfTransactions":"Days365"}"#, Casing::Exact).ok()?;
    let order = Dataset::AccountsDetail.order(&fields).ok()?;
    let request_id = store.open(session);
    let session = store.peek(&request_id)?;
    webhook(ready(&store, session, &request_id, order))
}

/// Returns the LoginId and the body of the *GetAccountsDetail* webhook for a session that has
/// requested it.
pub(crate) fn accounts_of_request(
    state: &State,
    request_id: &str,
) -> Option<(Option<String>, Bytes)> {
    let mut store = lock(&state.legacy);
    let order = store
        .work(request_id, Dataset::AccountsDetail)?
        .order
        .clone();
    let session = store.peek(request_id)?;
    let body = webhook(ready(&store, session, request_id, order))?;
    Some((session.login_id.clone(), body))
}

/// The answer's own text, with the `ResponseType` in front: amounts keep their decimal places.
fn webhook(answer: Result<Answer, Answer>) -> Option<Bytes> {
    let answer = answer.ok()?;
    let fields = answer.body.strip_prefix(b"{")?;
    let response_type = format!(r#"{{"ResponseType":"{ACCOUNTS_DETAIL}","#);
    Some([response_type.as_bytes(), fields].concat().into())
}

/// Answers 202 as long as the data are pending, then with the data.
fn step(
    store: &mut Store,
    dataset: Dataset,
    request_id: &str,
    dispatched: bool,
) -> Result<Answer, Answer> {
    let work = store
        .work(request_id, dataset)
        .ok_or_else(|| invalid("RequestId", "belongs to no call that has been started"))?;
    if work.pending > 0 {
        if work.pending < u32::MAX {
            work.pending -= 1;
        }
        return Ok(pending(dataset, request_id, dispatched));
    }
    work.done = true;
    let order = work.order.clone();
    let session = store
        .peek(request_id)
        .ok_or_else(|| invalid("RequestId", "is unknown"))?;
    ready(store, session, request_id, order)
}

fn pending(dataset: Dataset, request_id: &str, dispatched: bool) -> Answer {
    let name = format!("{}Async", dataset.endpoint());
    let (code, message) = if dispatched {
        let message =
            "Your operations had been dispatched to background process for long running jobs";
        ("OPERATION_DISPATCHED", message)
    } else {
        ("OPERATION_PENDING", "Your operation is still processing")
    };
    let link = json!({
        "rel": name,
        "href": format!("/{name}"),
        "example": format!("/{name}/{request_id}"),
    });
    let body = json!({
        "FlinksCode": code, "Message": message, "Links": [link], "RequestId": request_id,
    });
    Answer::with_status_code(StatusCode::ACCEPTED, body)
}

/// The body of a 200; written as text, because amounts keep their two decimal places.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ready<'a> {
    http_status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<Account>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements_by_account: Option<Vec<Statements>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<Value>,
    institution: &'a str,
    institution_name: &'a str,
    institution_id: u32,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
}

fn ready(
    store: &Store,
    session: &Session,
    request_id: &str,
    order: Order,
) -> Result<Answer, Answer> {
    let mut body = Ready {
        http_status_code: 200,
        accounts: None,
        statements_by_account: None,
        links: None,
        login: store.login(session),
        institution: session.user.institution,
        institution_name: session.user.institution,
        institution_id: session.user.institution_id,
        request_id,
        tag: session.tag.as_deref(),
    };
    let mut holdings = holdings(session.user);
    let keep = |holdings: &mut Vec<Holding>, filter: Filter| {
        if let Some(ids) = filter {
            holdings.retain(|one| ids.contains(&one.id));
        }
    };
    match order {
        Order::Accounts { parts, filter } => {
            keep(&mut holdings, filter);
            body.links = parts.summary.then(links::data);
            body.accounts = Some(holdings.iter().map(|one| one.show(parts)).collect());
        }
        Order::Statements { months, filter } => {
            keep(&mut holdings, filter);
            let statements = holdings.iter().map(|one| Statements::new(one, months));
            body.statements_by_account = Some(statements.collect());
        }
    }
    let text = serde_json::to_string(&body).map_err(|_| {
        let (status, message) = (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The answer cannot be written.",
        );
        Answer::error(status, "AGGREGATION_ERROR", message)
    })?;
    Ok(Answer::json(StatusCode::OK, text))
}
