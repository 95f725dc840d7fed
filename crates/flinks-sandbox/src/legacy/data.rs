//! The data of an open session: asked for once, then polled until they are ready.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    account::{Account, Holding, Parts, holdings},
    authorize::data_links,
    fields::{Fields, invalid},
    session::{Session, Store},
    statement::Statements,
    user::Conduct,
};
use crate::{answer::Answer, lock, log::LogLine, state::State};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dataset {
    AccountsDetail,
    AccountsSummary,
    Statements,
}

/// Data that are being gathered, or are ready.
#[derive(Clone, Debug)]
pub(super) struct Work {
    order: Order,
    /// How many more times the answer is 202.
    pending: u32,
    done: bool,
}

#[derive(Clone, Debug)]
enum Order {
    Accounts { parts: Parts, filter: Filter },
    Statements { months: usize, filter: Filter },
}

/// Ids of the accounts that are asked for; `None` is all.
type Filter = Option<Vec<String>>;

impl Work {
    pub(super) fn is_done(&self) -> bool {
        self.done
    }
}

impl Dataset {
    pub(crate) fn with_endpoint(endpoint: &str) -> Option<Self> {
        [
            Self::AccountsDetail,
            Self::AccountsSummary,
            Self::Statements,
        ]
        .into_iter()
        .find(|dataset| dataset.endpoint() == endpoint)
    }

    fn endpoint(self) -> &'static str {
        match self {
            Self::AccountsDetail => "GetAccountsDetail",
            Self::AccountsSummary => "GetAccountsSummary",
            Self::Statements => "GetStatements",
        }
    }

    fn order(self, fields: &Fields) -> Result<Order, Answer> {
        let flag = |name, default| Ok::<_, Answer>(fields.flag(name)?.unwrap_or(default));
        let filter = fields
            .texts("AccountsFilter")?
            .filter(|ids| !ids.is_empty());
        if self == Self::Statements {
            let months = match fields.text("NumberOfStatements")?.as_deref() {
                None | Some("MostRecent") => 1,
                Some("Months3") => 3,
                Some("Months12") if filter.as_ref().is_some_and(|ids| ids.len() == 1) => 12,
                Some("Months12") => {
                    return Err(invalid("AccountsFilter", "has to name one account"));
                }
                Some(_) => {
                    let form = "has to be MostRecent, Months3 or Months12";
                    return Err(invalid("NumberOfStatements", form));
                }
            };
            return Ok(Order::Statements { months, filter });
        }
        let days = match fields.text("DaysOfTransactions")?.as_deref() {
            None | Some("Days90") => 90,
            Some("Days360") => 360,
            Some("Days365") => 365,
            Some(_) => {
                return Err(invalid("DaysOfTransactions", "has to be Days90 or Days365"));
            }
        };
        let summary = self == Self::AccountsSummary;
        let parts = Parts {
            identity: flag("WithAccountIdentity", true)?,
            holder: flag("WithKYC", true)? && !summary,
            balance: flag("WithBalance", true)?,
            transactions: flag("WithTransactions", true)?.then_some(days),
            summary,
        };
        Ok(Order::Accounts { parts, filter })
    }
}

/// Starts gathering. Asking once more starts again.
pub(super) fn start(
    state: &State,
    dataset: Dataset,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body)?;
    let request_id = fields.needed_text("RequestId")?;
    line.request_id = Some(request_id.clone());
    let order = dataset.order(&fields)?;
    let mut store = lock(&state.legacy);
    let session = open_session(state, &mut store, &request_id, line)?;
    let pending = match session.user.conduct {
        Conduct::Pending => u32::MAX,
        Conduct::Dispatched => state.config.data_pending.max(1),
        Conduct::Ordinary
        | Conduct::Refused(_)
        | Conduct::AlreadyAuthorized
        | Conduct::OneAtATime
        | Conduct::TripleAfterWrong
        | Conduct::NoRetry
        | Conduct::EndsAfterWrong => state.config.data_pending,
    };
    let work = Work {
        order,
        pending,
        done: false,
    };
    session.work.insert(dataset, work);
    line.acted = true;
    let dispatched = session.user.conduct == Conduct::Dispatched;
    step(&mut store, dataset, &request_id, dispatched)
}

/// Asks again for what a 202 left open.
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
            Answer::house(
                StatusCode::BAD_REQUEST,
                "SESSION_NONEXISTENT",
                "The RequestId is invalid or the session has ended",
            )
        })?;
    line.login_id.clone_from(&session.login_id);
    if !session.is_authorized() {
        return Err(Answer::json(
            StatusCode::UNAUTHORIZED,
            &json!({
                "HttpStatusCode": 401,
                "FlinksCode": "UNAUTHORIZED",
                "Message": "The session is not authorized yet",
                "Institution": session.user.institution,
                "RequestId": request_id,
            }),
        ));
    }
    Ok(session)
}

/// One answer: 202 as long as it is due, then the data.
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
        // The largest number stands for ever.
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
        (
            "OPERATION_DISPATCHED",
            "Your operations had been dispatched to background process for long running jobs",
        )
    } else {
        ("OPERATION_PENDING", "Your operation is still processing")
    };
    Answer::json(
        StatusCode::ACCEPTED,
        &json!({
            "HttpStatusCode": 202,
            "FlinksCode": code,
            "Message": message,
            "Links": [{
                "rel": name,
                "href": format!("/{name}"),
                "example": format!("/{name}/{request_id}"),
            }],
            "RequestId": request_id,
        }),
    )
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
            body.links = parts.summary.then(data_links);
            body.accounts = Some(holdings.iter().map(|one| one.show(parts)).collect());
        }
        Order::Statements { months, filter } => {
            keep(&mut holdings, filter);
            let statements = holdings.iter().map(|one| Statements::new(one, months));
            body.statements_by_account = Some(statements.collect());
        }
    }
    let text = serde_json::to_string(&body).map_err(|_| {
        Answer::house(
            StatusCode::INTERNAL_SERVER_ERROR,
            "AGGREGATION_ERROR",
            "The sandbox could not write its answer.",
        )
    })?;
    Ok(Answer::json_text(StatusCode::OK, text))
}
