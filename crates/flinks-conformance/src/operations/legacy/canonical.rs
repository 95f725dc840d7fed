//! What the legacy host answers, as canonical JSON: keys of absent values are left out.

use flinks_legacy::{
    Acknowledgement, Authorize, ChallengeRound, DataState, Question, QuestionKind, Session,
};
use flinks_types::{
    Account, AccountCategory, AccountKind, AccountStatements, AccountsResponse, Address, Balance,
    ChallengeType, Currency, Decimal, FileType, FlinksCode, Holder, IneligibleCard, Institution,
    InstitutionStatus, InstitutionsResponse, Link, LinkRel, Localization, Login, LoginId,
    LoginType, MfaQuestionsResponse, NightlyStatusResponse, RefreshState, RequestId,
    StatementsResponse, Timestamp, Transaction,
};
use serde_json::{Value, json};

/// Without the keys whose value is null.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, compact(value)))
            .collect(),
        Value::Array(list) => list.into_iter().map(compact).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn list<T>(items: &[T], item: fn(&T) -> Value) -> Value {
    items.iter().map(item).collect()
}

fn list_of<T>(items: Option<&Vec<T>>, item: fn(&T) -> Value) -> Option<Value> {
    items.map(|items| list(items, item))
}

pub(super) fn authorize(step: &Authorize) -> Value {
    compact(match step {
        Authorize::Authorized(open) => json!({ "authorized": session(open) }),
        Authorize::Challenged(asked) => json!({ "challenged": round(asked) }),
        _ => Value::Null,
    })
}

fn session(session: &Session) -> Value {
    json!({
        "request_id": session.request_id().as_str(),
        "login": session.login().map(login),
        "links": list(session.links(), link),
        "institution": session.institution(),
        "tag": session.tag(),
    })
}

fn login(login: &Login) -> Value {
    json!({
        "id": login.id.as_ref().map(LoginId::as_str),
        "username": login.username,
        "is_scheduled_refresh": login.is_scheduled_refresh,
        "last_refresh": login.last_refresh.as_ref().map(Timestamp::as_str),
        "type": login.r#type.as_ref().map(LoginType::as_str),
    })
}

fn link(link: &Link) -> Value {
    json!({
        "rel": link.rel.as_ref().map(LinkRel::as_str),
        "href": link.href,
        "example": link.example,
    })
}

fn round(round: &ChallengeRound) -> Value {
    json!({
        "request_id": round.request_id().as_str(),
        "answers_were_wrong": round.answers_were_wrong(),
        "flinks_code": round.flinks_code().map(FlinksCode::as_str),
        "institution": round.institution(),
        "tag": round.tag(),
        "questions": round.questions().map(question).collect::<Value>(),
    })
}

fn question(question: Question<'_>) -> Value {
    let challenge = question.challenge();
    json!({
        "ask": ask(question.kind()),
        "type": challenge.r#type.as_ref().map(ChallengeType::as_str),
        "text": challenge.prompt,
        "choices": Some(&challenge.iterables).filter(|choices| !choices.is_empty()),
    })
}

/// What kind of answer the question's type offers.
const fn ask(ask: QuestionKind<'_>) -> &'static str {
    match ask {
        QuestionKind::Approval(_) => "approval",
        QuestionKind::Code(_) => "code",
        QuestionKind::Date(_) => "date",
        QuestionKind::Image(_) => "image",
        QuestionKind::NewQuestion(_) => "new_question",
        QuestionKind::SingleChoice(_) => "one_of",
        QuestionKind::Other(_) => "other",
        QuestionKind::Phone(_) => "phone",
        QuestionKind::MultipleChoice(_) => "several_of",
        QuestionKind::Text(_) => "text",
        _ => "unknown to the runner",
    }
}

pub(super) fn fetched<T>(fetched: &DataState<T>, value: fn(&T) -> Value) -> Value {
    compact(match fetched {
        DataState::Ready(answer) => json!({ "ready": value(answer) }),
        DataState::Pending(answer) => json!({ "pending": value(answer) }),
        _ => Value::Null,
    })
}

pub(super) fn accounts(answer: &AccountsResponse) -> Value {
    compact(json!({
        "http_status_code": answer.http_status_code,
        "flinks_code": answer.flinks_code.as_ref().map(FlinksCode::as_str),
        "request_id": answer.request_id.as_ref().map(RequestId::as_str),
        "login": answer.login.as_ref().map(login),
        "institution": answer.institution,
        "institution_name": answer.institution_name,
        "institution_id": answer.institution_id,
        "tag": answer.tag,
        "links": Some(&answer.links).filter(|links| !links.is_empty()).map(|links| list(links, link)),
        "accounts": list_of(answer.accounts.as_ref(), account),
    }))
}

/// Amounts are texts: they must come out as the service printed them.
fn account(account: &Account) -> Value {
    json!({
        "id": account.id.as_ref().map(flinks_types::AccountId::as_str),
        "title": account.title,
        "account_number": account.account_number,
        "last_four_digits": account.last_four_digits,
        "transit_number": account.transit_number,
        "institution_number": account.institution_number,
        "overdraft_limit": account.overdraft_limit.as_ref().map(Decimal::as_str),
        "category": account.category.as_ref().map(AccountCategory::as_str),
        "type": account.r#type.as_ref().map(AccountKind::as_str),
        "account_type": account.account_type,
        "currency": account.currency.as_ref().map(Currency::as_str),
        "balance": account.balance.as_ref().map(balance),
        "holder": account.holder.as_ref().map(holder),
        "transactions": list_of(account.transactions.as_ref(), transaction),
        "eft_eligible_ratio": account.eft_eligible_ratio.as_ref().map(Decimal::as_str),
        "e_transfer_eligible_ratio": account.e_transfer_eligible_ratio.as_ref().map(Decimal::as_str),
    })
}

fn balance(balance: &Balance) -> Value {
    json!({
        "available": balance.available.as_ref().map(Decimal::as_str),
        "current": balance.current.as_ref().map(Decimal::as_str),
        "limit": balance.limit.as_ref().map(Decimal::as_str),
    })
}

fn holder(holder: &Holder) -> Value {
    json!({
        "name": holder.name,
        "address": holder.address.as_ref().map(address),
        "email": holder.email,
        "phone_number": holder.phone_number,
    })
}

fn address(address: &Address) -> Value {
    json!({
        "civic_address": address.civic_address,
        "city": address.city,
        "province": address.province,
        "postal_code": address.postal_code,
        "po_box": address.po_box,
        "country": address.country,
    })
}

fn transaction(transaction: &Transaction) -> Value {
    json!({
        "id": transaction.id,
        "date": transaction.date.as_ref().map(Timestamp::as_str),
        "code": transaction.code,
        "description": transaction.description,
        "debit": transaction.debit.as_ref().map(Decimal::as_str),
        "credit": transaction.credit.as_ref().map(Decimal::as_str),
        "balance": transaction.balance.as_ref().map(Decimal::as_str),
    })
}

pub(super) fn statements(answer: &StatementsResponse) -> Value {
    compact(json!({
        "http_status_code": answer.http_status_code,
        "flinks_code": answer.flinks_code.as_ref().map(FlinksCode::as_str),
        "request_id": answer.request_id.as_ref().map(RequestId::as_str),
        "login": answer.login.as_ref().map(login),
        "institution": answer.institution,
        "accounts": list_of(answer.accounts.as_ref(), account_statements),
    }))
}

fn account_statements(account: &AccountStatements) -> Value {
    let statements = account.statements.iter().map(|statement| {
        json!({
            "unique_id": statement.unique_id,
            "file_type": statement.file_type.as_ref().map(FileType::as_str),
            "content": content(statement),
        })
    });
    json!({
        "account_number": account.account_number,
        "statements": statements.collect::<Value>(),
    })
}

/// The file's bytes as text, or why there are none.
fn content(statement: &flinks_types::Statement) -> Value {
    use flinks_legacy::StatementContent as _;
    match statement.to_bytes() {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

pub(super) fn acknowledged(done: &Acknowledgement) -> Value {
    compact(json!({ "message": done.message }))
}

pub(super) fn questions(answer: &MfaQuestionsResponse) -> Value {
    compact(json!({
        "http_status_code": answer.http_status_code,
        "message": answer.message,
        "questions": list_of(answer.questions.as_ref(), |question| json!(question.question)),
    }))
}

pub(super) fn nightly(answer: &NightlyStatusResponse) -> Value {
    compact(json!({
        "http_status_code": answer.http_status_code,
        "flinks_code": answer.flinks_code.as_ref().map(FlinksCode::as_str),
        "message": answer.message,
        "ineligible_cards": list_of(answer.ineligible_cards.as_ref(), card),
    }))
}

fn card(card: &IneligibleCard) -> Value {
    json!({
        "login_id": card.login_id.as_ref().map(LoginId::as_str),
        "last_refresh_date": card.last_refresh_date.as_ref().map(Timestamp::as_str),
        "last_refresh_state": card.last_refresh_state.as_ref().map(RefreshState::as_str),
        "last_refresh_error_code": card.last_refresh_error_code.as_ref().map(FlinksCode::as_str),
    })
}

pub(super) fn institutions(answer: &InstitutionsResponse) -> Value {
    compact(json!({
        "institutions": list_of(answer.data.as_ref(), institution),
        "count": answer.count,
    }))
}

fn institution(institution: &Institution) -> Value {
    json!({
        "id": institution.id,
        "status": institution.status.as_ref().map(InstitutionStatus::as_str),
        "country": institution.country,
        "localizations": list(&institution.localizations, localization),
    })
}

fn localization(localization: &Localization) -> Value {
    let urls = localization.urls.iter();
    json!({
        "language": localization.language,
        "name": localization.name,
        "urls": urls.map(|url| json!({ "type": url.r#type, "url": url.url })).collect::<Value>(),
    })
}
