//! The state that all connections share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::config::Config;
use crate::fault::{Fault, Plan};
use crate::legacy::Store;
use crate::lock::lock;
use crate::log::Log;
use crate::operation::ApiOperation;
use crate::upload::{Sessions, Tokens};
use crate::webhook::Queue;

/// The state of a sandbox.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) log: Arc<Log>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) sessions: Mutex<Sessions>,
    /// What [`Sandbox::set_analysis`](crate::Sandbox::set_analysis) has set, by LoginId.
    pub(crate) analyses: Mutex<HashMap<String, Value>>,
    pub(crate) legacy: Mutex<Store>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) webhooks: Queue,
    requests: Mutex<HashMap<ApiOperation, u64>>,
    /// Each open connection holds a reference.
    pub(crate) connection: Arc<()>,
}

impl State {
    pub(crate) fn new(mut config: Config) -> Self {
        Self {
            log: Arc::new(Log::new(config.on_request.take())),
            faults: Mutex::new(std::mem::take(&mut config.faults)),
            config,
            webhooks: Queue::default(),
            tokens: Mutex::default(),
            sessions: Mutex::default(),
            analyses: Mutex::default(),
            legacy: Mutex::new(Store::new()),
            requests: Mutex::default(),
            connection: Arc::default(),
        }
    }

    /// Counts a request, and returns what is to go wrong with it.
    pub(crate) fn arrive(&self, operation: ApiOperation) -> Plan {
        let (nth, overall) = {
            let mut requests = lock(&self.requests);
            let nth = requests.entry(operation).or_default();
            *nth += 1;
            (*nth, requests.values().sum())
        };
        Plan::new(&lock(&self.faults), operation, nth, overall)
    }

    pub(crate) fn requests(&self, operation: ApiOperation) -> u64 {
        let requests = lock(&self.requests);
        requests.get(&operation).copied().unwrap_or_default()
    }
}
