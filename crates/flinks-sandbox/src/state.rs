//! The state that all connections share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::Config;
use crate::fault::{Fault, Plan};
use crate::fraud::Analysis;
use crate::legacy::{SandboxLogin, Store};
use crate::lock::lock;
use crate::log::Log;
use crate::operation::ApiOperation;
use crate::upload::{SandboxSession, Sessions, Tokens};
use crate::webhook::Queue;

/// What a sandbox has received and stores: [`Sandbox::state`](crate::Sandbox::state).
///
/// Serializes to the JSON object that `GET /sandbox/state` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SandboxState {
    /// The upload sessions, in the order in which they were opened.
    pub sessions: Vec<SandboxSession>,
    /// The number of requests of each operation that was called, answered or not.
    pub requests: BTreeMap<ApiOperation, u64>,
    /// The number of access tokens that the upload host has issued.
    pub tokens: u64,
    /// The logins that the legacy API stores, in the order of the LoginIds.
    pub logins: Vec<SandboxLogin>,
    /// The number of legacy sessions (RequestIds), live or not.
    pub legacy_sessions: usize,
    /// The faults that apply, from the start and added since.
    pub faults: Vec<Fault>,
}

/// The state of a sandbox.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) log: Arc<Log>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) analyses: Mutex<Analyses>,
    pub(crate) legacy: Mutex<Store>,
    pub(crate) webhooks: Queue,
    counted: Mutex<Counted>,
    /// Each open connection holds a reference.
    pub(crate) connection: Arc<()>,
}

/// The analyses that a tester has set.
#[derive(Debug, Default)]
pub(crate) struct Analyses {
    pub(crate) by_login: HashMap<String, Value>,
    /// For the next uploads that are completed.
    next: VecDeque<Analysis>,
}

/// The requests so far, and the faults that count them.
#[derive(Debug, Default)]
struct Counted {
    requests: BTreeMap<ApiOperation, u64>,
    handshakes: u64,
    faults: Vec<Fault>,
}

impl Analyses {
    /// Those from the start.
    fn new(config: &Config) -> Self {
        let from_start = config.analyses.iter().cloned();
        Self {
            by_login: from_start
                .map(|(login_id, analysis)| (login_id, analysis.into_json()))
                .collect(),
            next: VecDeque::new(),
        }
    }
}

impl State {
    pub(crate) fn new(mut config: Config) -> Self {
        Self {
            log: Arc::new(Log::new(config.on_request.take())),
            counted: Mutex::new(Counted::new(&config)),
            analyses: Mutex::new(Analyses::new(&config)),
            config,
            webhooks: Queue::default(),
            tokens: Mutex::default(),
            sessions: Mutex::default(),
            legacy: Mutex::new(Store::new()),
            connection: Arc::default(),
        }
    }

    /// Goes back to the start: all that was received, stored or set is gone.
    pub(crate) fn reset(&self) {
        *lock(&self.sessions) = Sessions::default();
        *lock(&self.tokens) = Tokens::default();
        *lock(&self.analyses) = Analyses::new(&self.config);
        *lock(&self.legacy) = Store::new();
        *lock(&self.counted) = Counted::new(&self.config);
        self.webhooks.forget();
        self.log.clear();
    }

    pub(crate) fn snapshot(&self) -> SandboxState {
        let (requests, faults) = {
            let counted = lock(&self.counted);
            (counted.requests.clone(), counted.faults.clone())
        };
        let (logins, legacy_sessions) = {
            let legacy = lock(&self.legacy);
            (legacy.logins(), legacy.sessions())
        };
        SandboxState {
            sessions: lock(&self.sessions).all(),
            requests,
            tokens: lock(&self.tokens).issued,
            logins,
            legacy_sessions,
            faults,
        }
    }

    /// Counts a request, and returns what is to go wrong with it.
    pub(crate) fn arrive(&self, operation: ApiOperation) -> Plan {
        let mut counted = lock(&self.counted);
        let nth = counted.requests.entry(operation).or_default();
        *nth += 1;
        let (nth, overall) = (*nth, counted.overall());
        Plan::new(&counted.faults, operation, nth, overall)
    }

    /// Counts a handshake of the upload host, which is no request.
    pub(crate) fn arrive_handshake(&self) -> Plan {
        let mut counted = lock(&self.counted);
        counted.handshakes += 1;
        let nth = counted.handshakes;
        Plan::new(&counted.faults, ApiOperation::Handshake, nth, 0)
    }

    /// Adds faults.
    pub(crate) fn inject(&self, faults: Vec<Fault>) {
        let mut counted = lock(&self.counted);
        for mut fault in faults {
            let count = match fault.target() {
                Some(ApiOperation::Handshake) => Some(counted.handshakes),
                Some(operation) => counted.requests.get(&operation).copied(),
                None => Some(counted.overall()),
            };
            fault.count_from(count.unwrap_or_default());
            counted.faults.push(fault);
        }
    }

    pub(crate) fn clear_faults(&self) {
        lock(&self.counted).faults.clear();
    }

    /// Sets the accounts of a LoginId: a JSON array or object, whose text is kept.
    pub(crate) fn set_accounts(&self, login_id: &str, json: &str) -> io::Result<()> {
        let accounts: Box<RawValue> = serde_json::from_str(json)?;
        if !accounts.get().starts_with(['[', '{']) {
            let message = "accounts are a JSON array or object";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        lock(&self.legacy).set_accounts(login_id, accounts);
        Ok(())
    }

    pub(crate) fn requests(&self, operation: ApiOperation) -> u64 {
        let counted = lock(&self.counted);
        counted
            .requests
            .get(&operation)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn set_analysis(&self, login_id: &str, analysis: Analysis) {
        let analysis = analysis.into_json();
        lock(&self.analyses)
            .by_login
            .insert(login_id.to_owned(), analysis);
    }

    pub(crate) fn set_next_analysis(&self, analysis: Analysis) {
        lock(&self.analyses).next.push_back(analysis);
    }

    /// Gives the next analysis, if one is set, to an upload that was completed.
    pub(crate) fn use_next_analysis(&self, login_id: &str) {
        let next = lock(&self.analyses).next.pop_front();
        if let Some(next) = next {
            self.set_analysis(login_id, next);
        }
    }
}

impl Counted {
    fn new(config: &Config) -> Self {
        Self {
            requests: BTreeMap::new(),
            handshakes: 0,
            faults: config.faults.clone(),
        }
    }

    fn overall(&self) -> u64 {
        self.requests.values().sum()
    }
}
