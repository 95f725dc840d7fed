//! Bank sessions, by RequestId, and the cards behind them, by LoginId.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::challenges::Challenge;
use super::data_request::{Dataset, Work};
use super::keys::AuthorizeTokens;
use super::users::{self, Language, User};
use crate::answer::Answer;
use crate::fraud::FIXED_LOGIN_IDS;
use crate::ids::uuid;

/// The LoginId of `greatday_nomfa` at FlinksCapital, for cached and live sessions.
pub const CACHED_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000011";
/// The LoginId of `rbc_device` at RBC, whose live sessions wait for the trusted device.
pub const DEVICE_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000012";
/// The LoginId of `Greatday` at FlinksCapital whose last refresh failed: a cached session
/// replays 401 `QUESTION_NOT_FOUND`, with a RequestId that still gives the old data, until a
/// live session succeeds.
pub const REFUSED_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000013";

/// When every card was refreshed; fixed, so that answers can be compared.
pub(super) const LAST_REFRESH: &str = "2026-01-31T20:47:47.145999";

/// A login that the sandbox stores until its card is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SandboxLogin {
    /// The LoginId.
    pub login_id: String,
    /// The bank.
    pub institution: String,
    /// The user name at the bank; `upload` for the LoginId of an upload.
    pub username: String,
    /// Whether the nightly refresh is on.
    pub scheduled_refresh: bool,
    /// The number of answers that are stored for the bank's questions.
    pub answers: usize,
}

/// The state of the legacy API.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) tokens: AuthorizeTokens,
    pub(super) cards: HashMap<String, Card>,
    sessions: HashMap<String, Session>,
    /// What [`Sandbox::set_accounts`](crate::Sandbox::set_accounts) has set, by LoginId.
    accounts: HashMap<String, Box<RawValue>>,
}

/// What is stored of a user under a LoginId.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) user: &'static User,
    pub(super) language: Language,
    pub(super) scheduled: bool,
    /// Stored answers, by question.
    pub(super) answers: HashMap<String, String>,
    /// The FlinksCode of the last refresh, if that failed.
    pub(super) last_error: Option<&'static str>,
}

/// One session, named by its RequestId.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: &'static User,
    pub(super) language: Language,
    pub(super) tag: Option<String>,
    /// Whether to make a card once the session is authorized.
    pub(super) save: bool,
    pub(super) schedule: bool,
    pub(super) login_id: Option<String>,
    /// The challenges that are not answered yet, the current round first; empty once authorized.
    pub(super) rounds: VecDeque<Vec<Challenge>>,
    pub(super) rounds_done: usize,
    /// When the current round was first sent.
    pub(super) asked: Instant,
    pub(super) touched: Instant,
    pub(super) ended: bool,
    pub(super) work: HashMap<Dataset, Work>,
}

/// Why a RequestId cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    Unknown,
    Expired,
}

impl Card {
    pub(super) fn new(user: &'static User, language: Language) -> Self {
        Self {
            user,
            language,
            scheduled: false,
            answers: HashMap::new(),
            last_error: None,
        }
    }
}

impl Session {
    pub(super) fn new(user: &'static User, language: Language) -> Self {
        let now = Instant::now();
        Self {
            user,
            language,
            tag: None,
            save: false,
            schedule: false,
            login_id: None,
            rounds: user.rounds(language).into(),
            rounds_done: 0,
            asked: now,
            touched: now,
            ended: false,
            work: HashMap::new(),
        }
    }

    pub(super) fn is_authorized(&self) -> bool {
        self.rounds.is_empty() && !self.ended
    }
}

impl Store {
    /// Returns a store with the fixed cards.
    pub(crate) fn new() -> Self {
        #[rustfmt::skip]
        let fixed = [
            (CACHED_LOGIN_ID, "FlinksCapital", "greatday_nomfa", None),
            (DEVICE_LOGIN_ID, "RBC", "rbc_device", None),
            (REFUSED_LOGIN_ID, "FlinksCapital", "Greatday", Some("QUESTION_NOT_FOUND")),
        ];
        let cards = fixed
            .into_iter()
            .filter_map(|(id, institution, name, last_error)| {
                let card = Card::new(users::find(institution, name)?, Language::English);
                Some((id.to_owned(), Card { last_error, ..card }))
            });
        let mut store = Self {
            tokens: AuthorizeTokens::default(),
            cards: cards.collect(),
            sessions: HashMap::new(),
            accounts: HashMap::new(),
        };
        for login_id in FIXED_LOGIN_IDS {
            store.add_upload(login_id);
        }
        store
    }

    /// Adds the card of an upload, unless the LoginId has a card.
    pub(crate) fn add_upload(&mut self, login_id: &str) {
        let cards = self.cards.entry(login_id.to_owned());
        cards.or_insert_with(|| Card::new(&users::UPLOAD, Language::English));
    }

    /// Returns whether the LoginId has a card.
    pub(crate) fn has_card(&self, login_id: &str) -> bool {
        self.cards.contains_key(login_id)
    }

    /// Sets the accounts of a LoginId, which gets a card if it has none.
    pub(crate) fn set_accounts(&mut self, login_id: &str, accounts: Box<RawValue>) {
        self.add_upload(login_id);
        self.accounts.insert(login_id.to_owned(), accounts);
    }

    pub(super) fn accounts(&self, session: &Session) -> Option<&RawValue> {
        let accounts = self.accounts.get(session.login_id.as_ref()?);
        accounts.map(|accounts| &**accounts)
    }

    /// Returns a live session, and starts its idle time again.
    pub(super) fn session(
        &mut self,
        request_id: &str,
        idle: Duration,
    ) -> Result<&mut Session, Gone> {
        let session = self.sessions.get_mut(request_id).ok_or(Gone::Unknown)?;
        let now = Instant::now();
        if session.ended || now - session.touched >= idle {
            return Err(Gone::Expired);
        }
        session.touched = now;
        Ok(session)
    }

    /// Returns a session in any state; its idle time goes on.
    pub(super) fn peek(&self, request_id: &str) -> Option<&Session> {
        self.sessions.get(request_id)
    }

    pub(super) fn open(&mut self, session: Session) -> String {
        let request_id = uuid();
        self.sessions.insert(request_id.clone(), session);
        request_id
    }

    /// Returns the LoginId of this institution, user name and language; makes a card if there is
    /// none.
    pub(super) fn save(&mut self, session: &Session) -> String {
        let saved = self.cards.iter().find(|(id, card)| {
            card.user == session.user
                && card.language == session.language
                && id.as_str() != REFUSED_LOGIN_ID
        });
        if let Some((id, _)) = saved {
            return id.clone();
        }
        let mut card = Card::new(session.user, session.language);
        // For a card that exists, there is SetScheduledRefresh.
        card.scheduled = session.schedule;
        let id = uuid();
        self.cards.insert(id.clone(), card);
        id
    }

    pub(super) fn card(&mut self, login_id: &str) -> Result<&mut Card, Answer> {
        self.cards.get_mut(login_id).ok_or_else(|| {
            let message =
                "The LoginId provided is either invalid or does not belong to the CustomerId";
            Answer::error(StatusCode::UNAUTHORIZED, "INVALID_LOGIN", message)
        })
    }

    /// Returns every login in the order of the LoginIds.
    pub(crate) fn logins(&self) -> Vec<SandboxLogin> {
        let logins = self.cards.iter().map(|(id, card)| SandboxLogin {
            login_id: id.clone(),
            institution: card.user.institution.to_owned(),
            username: card.user.name.to_owned(),
            scheduled_refresh: card.scheduled,
            answers: card.answers.len(),
        });
        let mut logins: Vec<_> = logins.collect();
        logins.sort_by(|one, other| one.login_id.cmp(&other.login_id));
        logins
    }

    /// Returns the number of sessions that are stored, live or not.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Returns whether a live session is still gathering data of the card.
    pub(super) fn is_in_use(&self, login_id: &str, idle: Duration) -> bool {
        let now = Instant::now();
        self.sessions.values().any(|session| {
            session.login_id.as_deref() == Some(login_id)
                && now - session.touched < idle
                && session.work.values().any(|work| !work.is_ready())
        })
    }

    /// Returns whether the user has a live session.
    pub(super) fn has_session(&self, user: &User, idle: Duration) -> bool {
        let now = Instant::now();
        let mut sessions = self.sessions.values();
        sessions.any(|one| one.user == user && !one.ended && now - one.touched < idle)
    }

    /// Removes a card, and ends its sessions.
    pub(super) fn delete(&mut self, login_id: &str) {
        self.cards.remove(login_id);
        self.accounts.remove(login_id);
        self.sessions
            .retain(|_, session| session.login_id.as_deref() != Some(login_id));
    }

    /// Returns the `Login` of an answer; `None` for a session that stores nothing.
    pub(super) fn login(&self, session: &Session) -> Option<Value> {
        let id = session.login_id.as_deref()?;
        Some(json!({
            "Username": session.user.name,
            "IsScheduledRefresh": self.cards.get(id).is_some_and(|card| card.scheduled),
            "LastRefresh": LAST_REFRESH,
            "Type": "Personal",
            "Id": id,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(480);

    #[tokio::test(start_paused = true)]
    async fn a_session_dies_of_idleness_and_lives_as_long_as_it_is_used() {
        let mut store = Store::new();
        let user = users::find("FlinksCapital", "Greatday").unwrap();
        let id = store.open(Session::new(user, Language::English));
        for _ in 0..3 {
            tokio::time::advance(IDLE - Duration::from_millis(1)).await;
            assert!(store.session(&id, IDLE).is_ok());
        }
        tokio::time::advance(IDLE).await;
        assert_eq!(store.session(&id, IDLE).unwrap_err(), Gone::Expired);
        assert_eq!(store.session(&id, IDLE).unwrap_err(), Gone::Expired);
        assert_eq!(store.session("other", IDLE).unwrap_err(), Gone::Unknown);
    }

    #[tokio::test]
    async fn one_identity_has_one_card() {
        let mut store = Store::new();
        let user = users::find("FlinksCapital", "Greatday").unwrap();
        let english = Session::new(user, Language::English);
        let first = store.save(&english);
        assert_ne!(first, REFUSED_LOGIN_ID);
        assert_eq!(store.save(&english), first);
        assert_ne!(store.save(&Session::new(user, Language::French)), first);
        let nomfa = users::find("FlinksCapital", "greatday_nomfa").unwrap();
        let saved = store.save(&Session::new(nomfa, Language::English));
        assert_eq!(saved, CACHED_LOGIN_ID);
        store.delete(&first);
        assert_ne!(store.save(&english), first);
    }

    #[tokio::test]
    async fn the_logins_are_those_that_are_kept() {
        let mut store = Store::new();
        let ids = |store: &Store| -> Vec<_> {
            store.logins().into_iter().map(|one| one.login_id).collect()
        };
        let uploads = FIXED_LOGIN_IDS;
        let fixed = [CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID];
        assert_eq!(ids(&store), [&uploads[..], &fixed[..]].concat());
        let card = store.cards.get_mut(DEVICE_LOGIN_ID).unwrap();
        card.scheduled = true;
        card.answers.insert("dog".to_owned(), "Wouf".to_owned());
        let device = store.logins().remove(uploads.len() + 1);
        assert_eq!((device.institution.as_str(), device.answers), ("RBC", 1));
        assert_eq!(device.username, "rbc_device");
        assert!(device.scheduled_refresh);
        store.delete(DEVICE_LOGIN_ID);
        assert_eq!(ids(&store).len(), uploads.len() + 2);
        assert!(!store.has_card(DEVICE_LOGIN_ID));
    }
}
