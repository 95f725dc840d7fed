//! The data of an authorized session: requested once, then polled until they are ready.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::accounts::{Account, holdings};
use super::data_request::{Dataset, Order, Work};
use super::links;
use super::sessions::{Session, Store};
use super::statements::Statements;
use super::users::Conduct;
use crate::answer::Answer;
use crate::fraud::{Progress, progress};
use crate::json_fields::{Casing, Fields, invalid};
use crate::lock::lock;
use crate::log::LogLine;
use crate::state::State;
use crate::webhook::{ACCOUNTS_DETAIL, Subject};

/// Starts gathering data. A repeated call goes on with the same work, one with other options starts
/// again.
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
    if session
        .work
        .get(&dataset)
        .is_none_or(|work| work.order != order)
    {
        line.acted = true;
        let conduct = session.user.conduct;
        let ready = Instant::now().checked_add(state.config.data_pending);
        let ready = ready.filter(|_| conduct != Conduct::Pending);
        let dispatched = conduct == Conduct::Dispatched;
        session.work.insert(dataset, Work { order, ready });
        let is_late = dispatched || ready.is_some_and(|ready| ready > Instant::now());
        if dataset == Dataset::AccountsDetail && is_late {
            let subject = Subject::Data(request_id.clone());
            state
                .webhooks
                .send_after(state.config.data_pending, subject);
        }
        if dispatched {
            return Ok(pending(dataset, &request_id, true));
        }
    }
    step(state, &store, dataset, &request_id)
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
    step(state, &store, dataset, request_id)
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
    let dataset = Dataset::AccountsDetail;
    let fields = Fields::read(br#"{"DaysOfTransactions":"Days365"}"#, Casing::Exact).ok()?;
    let order = dataset.order(&fields).ok()?;
    let ready = Some(Instant::now());
    session.work.insert(dataset, Work { order, ready });
    let request_id = store.open(session);
    webhook(step(state, &store, dataset, &request_id))
}

/// Returns the LoginId and the body of the *GetAccountsDetail* webhook for a session that has
/// requested it.
pub(crate) fn accounts_of_request(
    state: &State,
    request_id: &str,
) -> Option<(Option<String>, Bytes)> {
    let store = lock(&state.legacy);
    let session = store.peek(request_id)?;
    let body = webhook(step(state, &store, Dataset::AccountsDetail, request_id))?;
    Some((session.login_id.clone(), body))
}

/// The answer's own text, with the `ResponseType` in front: amounts keep their decimal places.
fn webhook(answer: Result<Answer, Answer>) -> Option<Bytes> {
    let answer = answer
        .ok()
        .filter(|answer| answer.status == StatusCode::OK)?;
    let fields = answer.body.strip_prefix(b"{")?;
    let response_type = format!(r#"{{"ResponseType":"{ACCOUNTS_DETAIL}","#);
    Some([response_type.as_bytes(), fields].concat().into())
}

/// Answers 202 as long as the data are pending, then with the data.
fn step(
    state: &State,
    store: &Store,
    dataset: Dataset,
    request_id: &str,
) -> Result<Answer, Answer> {
    let session = store.peek(request_id);
    let work = session.and_then(|session| Some((session, session.work.get(&dataset)?)));
    let (session, work) =
        work.ok_or_else(|| invalid("RequestId", "belongs to no call that has been started"))?;
    let documents = session
        .login_id
        .as_deref()
        .filter(|_| session.user.is_upload());
    // Accounts that the tester has set need no documents.
    let documents = documents.filter(|_| store.accounts(session).is_none());
    match documents.map_or(Progress::Done, |login_id| progress(state, login_id)) {
        Progress::Failed => Err(Answer::error(
            StatusCode::BAD_REQUEST,
            "Document_Processing_Failed",
            "A document could not be processed",
        )),
        Progress::Done if work.is_ready() => ready(state, store, session, request_id, &work.order),
        Progress::Done | Progress::Pending => Ok(pending(dataset, request_id, false)),
    }
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
    accounts: Option<Accounts<'a>>,
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

#[derive(Serialize)]
#[serde(untagged)]
enum Accounts<'a> {
    Set(&'a RawValue),
    Shown(Vec<Account>),
}

fn ready(
    state: &State,
    store: &Store,
    session: &Session,
    request_id: &str,
    order: &Order,
) -> Result<Answer, Answer> {
    let mut holdings = holdings(session.user);
    if let Some(ids) = &order.filter {
        holdings.retain(|one| ids.contains(&one.id));
    }
    let client_name = || {
        let sessions = lock(&state.sessions);
        let record = sessions.with_login(session.login_id.as_deref()?)?;
        record.session.client_name.clone()
    };
    let accounts = match (&order.accounts, store.accounts(session)) {
        (None, _) => None,
        (Some(_), Some(set)) if set.get().starts_with('{') => {
            return Ok(Answer::json(StatusCode::OK, set.get().to_owned()));
        }
        (Some(_), Some(set)) => Some(Accounts::Set(set)),
        (Some(parts), None) => {
            let name = client_name();
            let shown = holdings.iter().map(|one| one.show(parts, name.as_deref()));
            Some(Accounts::Shown(shown.collect()))
        }
    };
    let statements = order.statements.map(|months| {
        let statements = holdings.iter().map(|one| Statements::new(one, months));
        statements.collect()
    });
    let is_summary = order.accounts.as_ref().is_some_and(|parts| parts.summary);
    let text = serde_json::to_string(&Ready {
        http_status_code: 200,
        accounts,
        statements_by_account: statements,
        links: is_summary.then(links::data),
        login: store.login(session),
        institution: session.user.institution,
        institution_name: session.user.institution,
        institution_id: session.user.institution_id,
        request_id,
        tag: session.tag.as_deref(),
    });
    let text = text.map_err(|_| {
        let (status, message) = (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The answer cannot be written.",
        );
        Answer::error(status, "AGGREGATION_ERROR", message)
    })?;
    Ok(Answer::json(StatusCode::OK, text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cards;
    use super::super::sessions::CACHED_LOGIN_ID;
    use super::super::users::{self, Language};
    use super::*;
    use crate::config::Config;
    use crate::operation::{ApiOperation, Host};

    const PENDING: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn data_are_ready_by_time_and_other_options_start_again() {
        let state = State::new(Config {
            data_pending: PENDING,
            ..Config::default()
        });
        let user = users::find("FlinksCapital", "greatday_nomfa").unwrap();
        let mut session = Session::new(user, Language::English);
        session.login_id = Some(CACHED_LOGIN_ID.to_owned());
        let request_id = lock(&state.legacy).open(session);
        let line = || LogLine::new(Host::Results, "POST", "/", ApiOperation::Data);
        let status = |days: &str| {
            let body = json!({"RequestId": request_id, "DaysOfTransactions": days}).to_string();
            let answer = start(
                &state,
                Dataset::AccountsDetail,
                body.as_bytes(),
                &mut line(),
            );
            answer.unwrap().status.as_u16()
        };
        assert_eq!(status("Days90"), 202);
        tokio::time::advance(PENDING / 2).await;
        assert_eq!(status("Days90"), 202);
        tokio::time::advance(PENDING / 2).await;
        assert_eq!(status("Days90"), 200);
        assert_eq!(status("Days365"), 202);
        assert_eq!(status("Days365"), 202);

        // Data that were never polled occupy their card until their time is over.
        assert!(cards::delete(&state, CACHED_LOGIN_ID, &mut line()).is_err());
        tokio::time::advance(PENDING).await;
        assert!(cards::delete(&state, CACHED_LOGIN_ID, &mut line()).is_ok());
    }
}
