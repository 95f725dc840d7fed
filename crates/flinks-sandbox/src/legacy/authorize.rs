//! Authorize in its three forms: with credentials, by LoginId, with answers (legacy guide).

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::challenges::{AnswerCheck, Challenge, Right, check};
use super::links;
use super::sessions::{Gone, Session, Store};
use super::users::{self, Conduct, Language, USERS, User};
use crate::answer::Answer;
use crate::ids::uuid;
use crate::json_fields::{Answers, Casing, Fields, invalid};
use crate::lock::lock;
use crate::log::LogLine;
use crate::state::State;

pub(super) fn authorize(
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body, Casing::Any)?;
    let answers = fields.answers("SecurityResponses")?;
    line.answers = answers.as_ref().map(Vec::len);
    line.request_id = fields.text("RequestId")?;
    line.login_id = fields.text("LoginId")?;
    let mut store = lock(&state.legacy);
    let store = &mut *store;
    let named = line.request_id.as_deref();
    store
        .tokens
        .spend(&state.config.credentials, headers, named)?;
    if let Some(request_id) = line.request_id.clone() {
        let answers = answers.unwrap_or_default();
        return Step { state, request_id }.answer(store, &answers, line);
    }
    let session = if let Some(login_id) = line.login_id.clone() {
        by_login_id(store, &fields, login_id)?
    } else {
        with_credentials(state, &fields)?
    };
    line.tag.clone_from(&session.tag);
    let conduct = session.user.conduct;
    let cached = fields.flag("MostRecentCached")? == Some(true);
    let is_taken = conduct == Conduct::OneAtATime
        && store.has_session(session.user, state.config.session_idle);
    if !cached && is_taken {
        return Err(bank_refusal("CONCURRENT_SESSION", session.user.institution));
    }
    // Only cached sessions show how the last refresh failed.
    let saved = session.login_id.as_ref().filter(|_| cached);
    let last_error = saved.and_then(|id| store.cards.get(id)?.last_error);
    let request_id = store.open(session);
    store.tokens.bind(headers, &request_id);
    line.request_id = Some(request_id.clone());
    line.acted = true;
    let step = Step { state, request_id };
    if let Some(code) = last_error {
        return Err(step.refusal(store, code));
    }
    if !cached && conduct == Conduct::AlreadyAuthorized {
        step.finish(store, line)?;
        return Err(step.refusal(store, "ALREADY_AUTHORIZED"));
    }
    step.proceed(store, line)
}

/// A session of a saved card. A cached session is authorized at once; a live one is challenged by
/// its bank.
fn by_login_id(store: &mut Store, fields: &Fields, login_id: String) -> Result<Session, Answer> {
    let card = store.card(&login_id)?;
    let mut session = Session::new(card.user, card.language);
    session.tag = fields.text("Tag")?;
    if fields.flag("MostRecentCached")? == Some(true) {
        session.rounds.clear();
    } else if card.user.is_upload() {
        let problem =
            "has to be true for the LoginId of an upload, which has no bank to refresh from";
        return Err(invalid("MostRecentCached", problem));
    } else {
        refuse_live(card.user)?;
        // Stored answers are used until one is wrong; then all are deleted.
        while let Some(round) = session.rounds.front() {
            let stored = round.iter().map(|one| {
                let answer = card.answers.get(&*one.prompt)?.clone();
                Some((one.prompt.clone().into_owned(), vec![answer]))
            });
            let Some(stored) = stored.collect::<Option<Vec<_>>>() else {
                break;
            };
            if check(round, &stored) != AnswerCheck::Right {
                card.answers.clear();
                break;
            }
            session.rounds.pop_front();
        }
    }
    session.login_id = Some(login_id);
    Ok(session)
}

fn with_credentials(state: &State, fields: &Fields) -> Result<Session, Answer> {
    let institution = fields.required_text("Institution")?;
    let name = fields.required_text("Username")?;
    let password = fields.required_text("Password")?;
    let language = fields.text("Language")?;
    let language = Language::with_code(language.as_deref().unwrap_or("en"))
        .ok_or_else(|| invalid("Language", "has to be en or fr"))?;
    let added = state.config.users.iter().copied();
    let mut of_bank = added
        .chain(&USERS)
        .filter(|user| user.is_of(&institution))
        .peekable();
    if of_bank.peek().is_none() {
        return Err(invalid("Institution", "is unknown"));
    }
    let user = of_bank
        .find(|user| user.is_named(&institution, &name))
        .ok_or_else(|| bank_refusal("INVALID_USERNAME", &institution))?;
    if !password.eq_ignore_ascii_case(user.password) {
        return Err(bank_refusal("INVALID_PASSWORD", user.institution));
    }
    refuse_live(user)?;
    let mut session = Session::new(user, language);
    session.tag = fields.text("Tag")?;
    session.save = fields.flag("Save")?.unwrap_or(false);
    session.schedule = fields.flag("ScheduleRefresh")?.unwrap_or(false);
    // The questions of every card can be read.
    fields.flag("WithMfaQuestions")?;
    Ok(session)
}

fn refuse_live(user: &User) -> Result<(), Answer> {
    if let Conduct::Refused(code) = user.conduct {
        return Err(bank_refusal(code, user.institution));
    }
    Ok(())
}

/// A 401 of the bank. It has a RequestId, unlike a refused token, but no session.
fn bank_refusal(code: &str, institution: &str) -> Answer {
    let message = match code {
        "INVALID_USERNAME" | "INVALID_PASSWORD" => {
            "The card number (username) or password provided is invalid"
        }
        "DISABLED_LOGIN" => "The bank has disabled this login",
        "RETRY_LATER" => "The bank cannot be reached, try again later",
        "CONCURRENT_SESSION" => "Another session of this login is open",
        _ => "The bank has refused",
    };
    Answer::with_status_code(
        StatusCode::UNAUTHORIZED,
        json!({
            "Links": links::authorization(),
            "FlinksCode": code,
            "Message": message,
            "Institution": institution,
            "RequestId": uuid(),
        }),
    )
}

fn challenges(session: &Session) -> Value {
    let round = session.rounds.front().into_iter().flatten();
    round.map(Challenge::json).collect()
}

/// One call of a session.
struct Step<'a> {
    state: &'a State,
    request_id: String,
}

impl Step<'_> {
    fn session<'a>(&self, store: &'a mut Store) -> Result<&'a mut Session, Answer> {
        let session = store.session(&self.request_id, self.state.config.session_idle);
        session.map_err(|gone| match gone {
            Gone::Unknown => {
                let message = "Inputs session id or card if were not found.";
                Answer::error(StatusCode::BAD_REQUEST, "SESSION_NONEXISTENT", message)
            }
            Gone::Expired => {
                let message = "The session has expired or has ended";
                Answer::error(StatusCode::UNAUTHORIZED, "SESSION_EXPIRED", message)
            }
        })
    }

    fn answer(
        &self,
        store: &mut Store,
        answers: &Answers,
        line: &mut LogLine,
    ) -> Result<Answer, Answer> {
        let session = self.session(store)?;
        let Some(round) = session.rounds.front() else {
            return Err(self.refusal(store, "ALREADY_AUTHORIZED"));
        };
        // Without answers the round is asked again, as by the service's own sandbox.
        if answers.is_empty() {
            return self.proceed(store, line);
        }
        let approved = session.asked + self.state.config.device_approval;
        let waits = round.iter().any(|one| one.right == Right::Approval);
        match check(round, answers) {
            AnswerCheck::UnknownKey => Err(self.refusal(store, "UNKNOWN_CHALLENGE_KEY")),
            AnswerCheck::Incomplete => Err(self.refusal(store, "SECURITYRESPONSES_INCOMPLETE")),
            AnswerCheck::Wrong => Err(self.wrong(store, line)),
            AnswerCheck::Right if waits && Instant::now() < approved => self.proceed(store, line),
            AnswerCheck::Right => {
                session.rounds.pop_front();
                session.rounds_done += 1;
                session.asked = Instant::now();
                line.acted = true;
                self.proceed(store, line)
            }
        }
    }

    /// Answers to a wrong answer: for most users, the body of the 401 asks the round again.
    fn wrong(&self, store: &mut Store, line: &mut LogLine) -> Answer {
        let session = match self.session(store) {
            Ok(session) => session,
            Err(gone) => return gone,
        };
        let conduct = session.user.conduct;
        line.acted = conduct == Conduct::NoRetry
            || conduct == Conduct::TripleAfterWrong
            || conduct == Conduct::EndsAfterWrong && session.rounds_done > 0;
        if conduct == Conduct::NoRetry {
            session.ended = true;
            return self.refusal(store, "INVALID_SECURITY_RESPONSE_NO_RETRY");
        }
        if conduct == Conduct::EndsAfterWrong && session.rounds_done > 0 {
            session.ended = true;
            return self.refusal(store, "INVALID_SECURITY_RESPONSE");
        }
        if conduct == Conduct::TripleAfterWrong {
            session.rounds = [users::triple()].into();
        }
        Answer::with_status_code(
            StatusCode::UNAUTHORIZED,
            json!({
            "Links": links::authorization(),
                "FlinksCode": "INVALID_SECURITY_RESPONSE",
                "SecurityChallenges": challenges(session),
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
        let session = store.peek(&self.request_id);
        Answer::with_status_code(
            StatusCode::UNAUTHORIZED,
            json!({
            "Links": links::authorization(),
                "FlinksCode": code,
                "Message": message,
                "Institution": session.map(|session| session.user.institution),
                "Login": session.and_then(|session| store.login(session)),
                "RequestId": self.request_id,
            }),
        )
    }

    /// Answers with the next challenge, or with the authorized session.
    fn proceed(&self, store: &mut Store, line: &mut LogLine) -> Result<Answer, Answer> {
        let session = self.session(store)?;
        if !session.rounds.is_empty() {
            let body = json!({
                "Links": links::authorization(),
                "SecurityChallenges": challenges(session),
                "Institution": session.user.institution,
                "RequestId": self.request_id,
                "Tag": session.tag,
            });
            let status = StatusCode::NON_AUTHORITATIVE_INFORMATION;
            return Ok(Answer::with_status_code(status, body));
        }
        self.finish(store, line)?;
        let session = self.session(store)?.clone();
        let body = json!({
            "Links": links::data(),
            "InstitutionName": session.user.institution,
            "InstitutionId": session.user.institution_id,
            "Institution": session.user.institution,
            "Login": store.login(&session),
            "RequestId": self.request_id,
            "Tag": session.tag,
        });
        Ok(Answer::with_status_code(StatusCode::OK, body))
    }

    /// Saves the card of an authorized session if that was requested; a card that exists counts
    /// as refreshed.
    fn finish(&self, store: &mut Store, line: &mut LogLine) -> Result<(), Answer> {
        let session = self.session(store)?;
        if session.save && session.login_id.is_none() {
            let session = session.clone();
            let login_id = store.save(&session);
            self.session(store)?.login_id = Some(login_id);
        }
        line.login_id.clone_from(&self.session(store)?.login_id);
        let saved = line.login_id.as_ref();
        if let Some(card) = saved.and_then(|id| store.cards.get_mut(id)) {
            card.last_error = None;
        }
        Ok(())
    }
}
