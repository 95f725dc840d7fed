//! Authorize in its three forms: with credentials, by LoginId, with answers (legacy guide).

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    challenge::{Challenge, Right, Verdict, verdict},
    fields::{Fields, invalid},
    key,
    session::{Gone, Session, Store},
    user::{self, Conduct, Language, PASSWORD, User},
};
use crate::{
    answer::Answer,
    lock,
    log::LogLine,
    state::{State, uuid},
};

pub(super) fn authorize(
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body)?;
    let answers = fields.answers("SecurityResponses")?;
    line.answers = answers.as_ref().map(Vec::len);
    line.request_id = fields.text("RequestId")?;
    line.login_id = fields.text("LoginId")?;
    let mut store = lock(&state.legacy);
    let store = &mut *store;
    key::spend(
        store,
        &state.config.credentials,
        headers,
        line.request_id.as_deref(),
    )?;
    if let Some(request_id) = line.request_id.clone() {
        let answers = answers.unwrap_or_default();
        return Round { state, request_id }.answer(store, &answers, line);
    }
    let session = if let Some(login_id) = line.login_id.clone() {
        by_login_id(store, &fields, login_id)?
    } else {
        with_credentials(&fields)?
    };
    let conduct = session.user.conduct;
    let cached = fields.flag("MostRecentCached")? == Some(true);
    let is_taken = conduct == Conduct::OneAtATime
        && store.has_session(session.user, state.config.session_idle);
    if !cached && is_taken {
        let institution = Some(session.user.institution);
        return Err(bank_refusal("CONCURRENT_SESSION", institution));
    }
    // What the last refresh met with is told to cached sessions alone.
    let last_error = session
        .login_id
        .as_ref()
        .filter(|_| cached)
        .and_then(|id| store.cards.get(id)?.last_error);
    let request_id = store.open(session);
    key::bind(store, headers, &request_id);
    line.request_id = Some(request_id.clone());
    line.acted = true;
    let round = Round { state, request_id };
    if let Some(code) = last_error {
        return Err(round.refusal(store, code));
    }
    if !cached && conduct == Conduct::AlreadyAuthorized {
        round.finish(store, line)?;
        return Err(round.refusal(store, "ALREADY_AUTHORIZED"));
    }
    round.state_of_affairs(store, line)
}

/// A session of a saved card: cached, it is open at once; live, its bank is asked again.
fn by_login_id(store: &mut Store, fields: &Fields, login_id: String) -> Result<Session, Answer> {
    let card = store.card(&login_id)?;
    let mut session = Session::new(card.user, card.language);
    session.tag = fields.text("Tag")?;
    if fields.flag("MostRecentCached")? == Some(true) {
        session.rounds.clear();
    } else {
        refuse_live(card.user)?;
        // Answers given beforehand serve until one is wrong; then all are forgotten.
        while let Some(round) = session.rounds.front() {
            let stored: Option<Vec<_>> = round
                .iter()
                .map(|one| {
                    let answer = card.answers.get(&*one.prompt)?.clone();
                    Some((one.prompt.clone().into_owned(), vec![answer]))
                })
                .collect();
            let Some(stored) = stored else { break };
            if verdict(round, &stored) != Verdict::Right {
                card.answers.clear();
                break;
            }
            session.rounds.pop_front();
        }
    }
    session.login_id = Some(login_id);
    Ok(session)
}

fn with_credentials(fields: &Fields) -> Result<Session, Answer> {
    let institution = fields.needed_text("Institution")?;
    let name = fields.needed_text("Username")?;
    let password = fields.needed_text("Password")?;
    let language = match fields.text("Language")? {
        None => Language::English,
        Some(code) => {
            Language::with_code(&code).ok_or_else(|| invalid("Language", "has to be en or fr"))?
        }
    };
    if !user::is_institution(&institution) {
        return Err(invalid("Institution", "is unknown"));
    }
    let user = user::find(&institution, &name)
        .ok_or_else(|| bank_refusal("INVALID_USERNAME", Some(&institution)))?;
    if !password.eq_ignore_ascii_case(PASSWORD) {
        return Err(bank_refusal("INVALID_PASSWORD", Some(user.institution)));
    }
    refuse_live(user)?;
    let mut session = Session::new(user, language);
    session.tag = fields.text("Tag")?;
    session.save = fields.flag("Save")?.unwrap_or(false);
    session.schedule = fields.flag("ScheduleRefresh")?.unwrap_or(false);
    Ok(session)
}

fn refuse_live(user: &User) -> Result<(), Answer> {
    match user.conduct {
        Conduct::Refused(code) => Err(bank_refusal(code, Some(user.institution))),
        Conduct::Ordinary
        | Conduct::AlreadyAuthorized
        | Conduct::OneAtATime
        | Conduct::TripleAfterWrong
        | Conduct::NoRetry
        | Conduct::EndsAfterWrong
        | Conduct::Pending
        | Conduct::Dispatched => Ok(()),
    }
}

/// A 401 of the bank: it has a RequestId, which tells it from a refused token; no session
/// is behind it.
fn bank_refusal(code: &str, institution: Option<&str>) -> Answer {
    let message = match code {
        "INVALID_USERNAME" | "INVALID_PASSWORD" => {
            "The card number (username) or password provided is invalid"
        }
        "DISABLED_LOGIN" => "The bank has disabled this login",
        "RETRY_LATER" => "The bank cannot be reached, try again later",
        "CONCURRENT_SESSION" => "Another session of this login is open",
        _ => "The bank has refused",
    };
    Answer::json(
        StatusCode::UNAUTHORIZED,
        &json!({
            "HttpStatusCode": 401,
            "Links": authorization_links(),
            "FlinksCode": code,
            "Message": message,
            "Institution": institution,
            "RequestId": uuid(),
        }),
    )
}

fn authorization_links() -> Value {
    json!([{"rel": "Authorization", "href": "/Authorize", "example": null}])
}

/// The links of a session that is open.
pub(super) fn data_links() -> Value {
    json!([
        {"rel": "AccountsDetail", "href": "/GetAccountsDetail", "example": null},
        {"rel": "AccountsSummary", "href": "/GetAccountsSummary", "example": null},
        {"rel": "Statements", "href": "/GetStatements", "example": null},
    ])
}

/// One step of one session.
struct Round<'a> {
    state: &'a State,
    request_id: String,
}

impl Round<'_> {
    fn session<'a>(&self, store: &'a mut Store) -> Result<&'a mut Session, Answer> {
        store
            .session(&self.request_id, self.state.config.session_idle)
            .map_err(|gone| match gone {
                Gone::Unknown => Answer::house(
                    StatusCode::BAD_REQUEST,
                    "SESSION_NONEXISTENT",
                    "Inputs session id or card if were not found.",
                ),
                Gone::Expired => Answer::house(
                    StatusCode::UNAUTHORIZED,
                    "SESSION_EXPIRED",
                    "The session has expired or has ended",
                ),
            })
    }

    fn answer(
        &self,
        store: &mut Store,
        answers: &[(String, Vec<String>)],
        line: &mut LogLine,
    ) -> Result<Answer, Answer> {
        let session = self.session(store)?;
        let Some(round) = session.rounds.front() else {
            return Err(self.refusal(store, "ALREADY_AUTHORIZED"));
        };
        // As the service's own sandbox does: nothing answered, nothing lost.
        if answers.is_empty() {
            return self.state_of_affairs(store, line);
        }
        let approved = session.asked + self.state.config.device_approval;
        let waits = round.iter().any(|one| one.right == Right::Approval);
        match verdict(round, answers) {
            Verdict::UnknownKey => Err(self.refusal(store, "UNKNOWN_CHALLENGE_KEY")),
            Verdict::Incomplete => Err(self.refusal(store, "SECURITYRESPONSES_INCOMPLETE")),
            Verdict::Wrong => Err(self.wrong(store)),
            Verdict::Right if waits && Instant::now() < approved => {
                self.state_of_affairs(store, line)
            }
            Verdict::Right => {
                session.rounds.pop_front();
                session.rounds_done += 1;
                session.asked = Instant::now();
                line.acted = true;
                self.state_of_affairs(store, line)
            }
        }
    }

    /// What a wrong answer does: mostly the round is asked again, in the body of the 401.
    fn wrong(&self, store: &mut Store) -> Answer {
        let session = match self.session(store) {
            Ok(session) => session,
            Err(gone) => return gone,
        };
        match session.user.conduct {
            Conduct::TripleAfterWrong => {
                session.rounds = [user::triple()].into();
            }
            Conduct::NoRetry => {
                session.ended = true;
                return self.refusal(store, "INVALID_SECURITY_RESPONSE_NO_RETRY");
            }
            Conduct::EndsAfterWrong if session.rounds_done > 0 => {
                session.ended = true;
                return self.refusal(store, "INVALID_SECURITY_RESPONSE");
            }
            Conduct::Ordinary
            | Conduct::Refused(_)
            | Conduct::AlreadyAuthorized
            | Conduct::OneAtATime
            | Conduct::EndsAfterWrong
            | Conduct::Pending
            | Conduct::Dispatched => {}
        }
        let round = session.rounds.front();
        let challenges = round.map_or(Value::Null, |round| {
            round.iter().map(Challenge::json).collect()
        });
        Answer::json(
            StatusCode::UNAUTHORIZED,
            &json!({
                "HttpStatusCode": 401,
                "Links": authorization_links(),
                "FlinksCode": "INVALID_SECURITY_RESPONSE",
                "SecurityChallenges": challenges,
                "Institution": session.user.institution,
                "RequestId": self.request_id,
            }),
        )
    }

    /// A 401 with the session's RequestId, and with its login if it has one.
    fn refusal(&self, store: &Store, code: &str) -> Answer {
        let message = match code {
            "QUESTION_NOT_FOUND" => "The answer to a security question is not stored",
            "ALREADY_AUTHORIZED" => "The session is already authorized",
            "UNKNOWN_CHALLENGE_KEY" => "A key of SecurityResponses is not among the challenges",
            "SECURITYRESPONSES_INCOMPLETE" => "Every challenge has to be answered",
            _ => "The answer is wrong and the session has ended",
        };
        let mut body = json!({
            "HttpStatusCode": 401,
            "Links": authorization_links(),
            "FlinksCode": code,
            "Message": message,
            "RequestId": self.request_id,
        });
        if let (Some(session), Some(fields)) = (store.peek(&self.request_id), body.as_object_mut())
        {
            fields.insert("Institution".to_owned(), session.user.institution.into());
            let login = store
                .login(session)
                .map(|login| ("Login".to_owned(), login));
            fields.extend(login);
        }
        Answer::json(StatusCode::UNAUTHORIZED, &body)
    }

    /// The next challenge, or that the session is open.
    fn state_of_affairs(&self, store: &mut Store, line: &mut LogLine) -> Result<Answer, Answer> {
        let session = self.session(store)?;
        let Some(round) = session.rounds.front() else {
            self.finish(store, line)?;
            return self.authorized(store);
        };
        let challenges: Value = round.iter().map(Challenge::json).collect();
        let mut body = json!({
            "HttpStatusCode": 203,
            "Links": authorization_links(),
            "SecurityChallenges": challenges,
            "Institution": session.user.institution,
            "RequestId": self.request_id,
        });
        if let (Some(tag), Some(fields)) = (&session.tag, body.as_object_mut()) {
            fields.insert("Tag".to_owned(), tag.as_str().into());
        }
        Ok(Answer::json(
            StatusCode::NON_AUTHORITATIVE_INFORMATION,
            &body,
        ))
    }

    /// Saves the card of a session that is now open, if that was asked for. A card that is
    /// there already has been refreshed.
    fn finish(&self, store: &mut Store, line: &mut LogLine) -> Result<(), Answer> {
        let session = self.session(store)?;
        if session.save && session.login_id.is_none() {
            let session = session.clone();
            let login_id = store.save(&session);
            self.session(store)?.login_id = Some(login_id);
        }
        line.login_id.clone_from(&self.session(store)?.login_id);
        if let Some(card) = line
            .login_id
            .as_ref()
            .and_then(|id| store.cards.get_mut(id))
        {
            card.last_error = None;
        }
        Ok(())
    }

    fn authorized(&self, store: &mut Store) -> Result<Answer, Answer> {
        let session = self.session(store)?.clone();
        let mut body = json!({
            "HttpStatusCode": 200,
            "Links": data_links(),
            "InstitutionName": session.user.institution,
            "InstitutionId": session.user.institution_id,
            "Institution": session.user.institution,
            "RequestId": self.request_id,
        });
        if let Some(fields) = body.as_object_mut() {
            let login = store
                .login(&session)
                .map(|login| ("Login".to_owned(), login));
            fields.extend(login);
            fields.extend(session.tag.map(|tag| ("Tag".to_owned(), tag.into())));
        }
        Ok(Answer::json(StatusCode::OK, &body))
    }
}
