//! What the sandbox remembers: tokens, sessions, logins, faults, and the request log.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    config::Config,
    fault::{Fault, Plan},
    fraud::Document,
    legacy::Store,
    lock,
    log::Log,
    operation::ApiOperation,
};

/// An upload session, as the sandbox holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SandboxSession {
    /// The id that the first upload was answered with.
    pub aggregation_id: String,
    /// The files, in the order in which they were accepted.
    pub files: Vec<StoredFile>,
    /// Whether *complete* was accepted.
    pub completed: bool,
    /// The LoginId that *complete* was answered with.
    pub login_id: Option<String>,
    /// The last `Tag` that an upload of the session carried.
    pub tag: Option<String>,
    /// The last `ClientName` that an upload of the session carried.
    pub client_name: Option<String>,
}

/// A file that was accepted; the content itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    /// The name it was sent under.
    pub file_name: String,
    /// Its size, decoded.
    pub bytes: u64,
    /// CRC-32 (IEEE) of its decoded content.
    pub crc32: u32,
}

/// What only the sandbox knows of a session.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) session: SandboxSession,
    /// The analysis of each file.
    pub(crate) documents: Vec<Document>,
    pub(crate) completed_at: Option<Instant>,
}

impl Record {
    pub(crate) fn bytes(&self) -> u64 {
        self.session.files.iter().map(|file| file.bytes).sum()
    }
}

/// All sessions, found by either of their ids.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    records: Vec<Record>,
    by_aggregation: HashMap<String, usize>,
    by_login: HashMap<String, usize>,
}

impl Sessions {
    pub(crate) fn with_aggregation(&mut self, id: &str) -> Option<&mut Record> {
        self.records.get_mut(*self.by_aggregation.get(id)?)
    }

    pub(crate) fn with_login(&self, id: &str) -> Option<&Record> {
        self.records.get(*self.by_login.get(id)?)
    }

    pub(crate) fn open(&mut self, record: Record) {
        self.by_aggregation
            .insert(record.session.aggregation_id.clone(), self.records.len());
        self.records.push(record);
    }

    /// Completes a session under a new LoginId.
    pub(crate) fn complete(&mut self, aggregation_id: &str, login_id: &str, now: Instant) {
        let Some(&index) = self.by_aggregation.get(aggregation_id) else {
            return;
        };
        let Some(record) = self.records.get_mut(index) else {
            return;
        };
        record.session.completed = true;
        record.session.login_id = Some(login_id.to_owned());
        record.completed_at = Some(now);
        self.by_login.insert(login_id.to_owned(), index);
    }

    pub(crate) fn all(&self) -> Vec<SandboxSession> {
        self.records
            .iter()
            .map(|record| record.session.clone())
            .collect()
    }
}

/// An access token that was issued.
#[derive(Debug)]
struct Token {
    /// The certificate that asked for it: nobody else may use it.
    serial: String,
    /// `None` for a lifetime beyond what the clock can count.
    expires: Option<Instant>,
}

impl Token {
    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

/// Why a bearer is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    UnknownOrExpired,
    OtherCertificate,
}

#[derive(Debug, Default)]
struct Arrivals {
    all: u64,
    of: HashMap<ApiOperation, u64>,
}

/// Everything that connections share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) log: Arc<Log>,
    pub(crate) sessions: Mutex<Sessions>,
    /// What [`Sandbox::set_analysis`](crate::Sandbox::set_analysis) has set, by LoginId.
    pub(crate) analyses: Mutex<HashMap<String, Value>>,
    pub(crate) legacy: Mutex<Store>,
    tokens: Mutex<HashMap<String, Token>>,
    arrivals: Mutex<Arrivals>,
    faults: Mutex<Vec<Fault>>,
}

impl State {
    pub(crate) fn new(mut config: Config) -> Self {
        Self {
            log: Arc::new(Log::new(config.on_request.take())),
            faults: Mutex::new(std::mem::take(&mut config.faults)),
            config,
            sessions: Mutex::default(),
            analyses: Mutex::default(),
            legacy: Mutex::new(Store::new()),
            tokens: Mutex::default(),
            arrivals: Mutex::default(),
        }
    }

    pub(crate) fn inject(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }

    /// Counts a request and says what is to go wrong with it.
    pub(crate) fn arrive(&self, operation: ApiOperation) -> Plan {
        let (nth, overall) = {
            let mut arrivals = lock(&self.arrivals);
            arrivals.all += 1;
            let overall = arrivals.all;
            let nth = arrivals.of.entry(operation).or_default();
            *nth += 1;
            (*nth, overall)
        };
        Plan::new(&lock(&self.faults), operation, nth, overall)
    }

    pub(crate) fn requests(&self, operation: ApiOperation) -> u64 {
        lock(&self.arrivals)
            .of
            .get(&operation)
            .copied()
            .unwrap_or(0)
    }

    /// Keeps a token until it expires, for the holder of the certificate with this serial.
    pub(crate) fn keep_token(&self, token: String, serial: String) {
        let now = Instant::now();
        let mut tokens = lock(&self.tokens);
        tokens.retain(|_, token| !token.is_expired(now));
        tokens.insert(
            token,
            Token {
                serial,
                expires: now.checked_add(self.config.token_ttl),
            },
        );
    }

    pub(crate) fn check_token(&self, token: &str, serial: &str) -> Result<(), TokenRefusal> {
        match lock(&self.tokens).get(token) {
            Some(token) if token.is_expired(Instant::now()) => Err(TokenRefusal::UnknownOrExpired),
            None => Err(TokenRefusal::UnknownOrExpired),
            Some(token) if token.serial != serial => Err(TokenRefusal::OtherCertificate),
            Some(_) => Ok(()),
        }
    }
}

/// A random id in the form of a version 4 UUID.
pub(crate) fn uuid() -> String {
    uuid_of(fastrand::u128(..))
}

/// The version 4 UUID with these random bits.
pub(crate) fn uuid_of(random: u128) -> String {
    let bits = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xffff,
        bits >> 48 & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_are_version_4_uuids_and_differ() {
        let id = uuid();
        let parts: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
        assert_ne!(id, uuid());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_serves_one_certificate_until_it_expires() {
        let state = State::new(Config::default());
        state.keep_token("token".to_owned(), "01".to_owned());
        assert_eq!(state.check_token("token", "01"), Ok(()));
        assert_eq!(
            state.check_token("token", "02"),
            Err(TokenRefusal::OtherCertificate)
        );
        assert_eq!(
            state.check_token("other", "01"),
            Err(TokenRefusal::UnknownOrExpired)
        );
        tokio::time::advance(Duration::from_secs(300)).await;
        assert_eq!(
            state.check_token("token", "01"),
            Err(TokenRefusal::UnknownOrExpired)
        );
        assert_eq!(
            state.check_token("token", "02"),
            Err(TokenRefusal::UnknownOrExpired)
        );

        let state = State::new(Config {
            token_ttl: Duration::MAX,
            ..Config::default()
        });
        state.keep_token("token".to_owned(), "01".to_owned());
        assert_eq!(state.check_token("token", "01"), Ok(()));
    }
}
