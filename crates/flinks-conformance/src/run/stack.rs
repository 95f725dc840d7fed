//! Level 2: the real stack over a scripted leaf, in paused time.

use std::cell::RefCell;

use flinks_transport::{Endpoint, Transport};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Duration, Instant, timeout};
use tracing::Dispatch;
use tracing::dispatcher::DefaultGuard;

use super::{Assemble, CaseRun, SetupError, setup_error};
use crate::check;
use crate::corpus::Fixture;
use crate::keys::Keys;
use crate::layer_probes::LayerProbes;
use crate::leaf::Leaf;
use crate::logs::Logs;
use crate::operations::{CaseCall, Stack};
use crate::script::Script;

/// Far beyond every limit of the stack: virtual time costs nothing.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn run(
    fixture: &Fixture,
    call: &dyn CaseCall,
    assemble: &Assemble,
    logs: &Logs,
) -> Result<CaseRun, SetupError> {
    let script = Script::new(fixture);
    let probes = LayerProbes::default();
    let builder = Transport::builder().service(Leaf(script.clone()));
    let transport = assemble(probes.add(builder)).map_err(setup_error)?;
    let endpoint = Endpoint::new("https://stack.test").map_err(setup_error)?;
    let is_one_call = call.codec(&endpoint).is_some();
    let stack = Stack {
        transport,
        endpoint,
        credentials: fixture.case.call.credentials,
        keys: Keys::standard(),
    };
    let (outcome, took) = runtime(logs, true)?.block_on(async {
        let start = Instant::now();
        let outcome = timeout(PATIENCE, call.run(&stack)).await;
        (outcome, start.elapsed())
    });
    let outcome = outcome.map_err(|_| setup_error("the call never ends"))?;
    let (mut requests, waits) = script.close();
    requests.extend(probes.misplaced(is_one_call, script.arrived()));
    if let Some(wanted) = &fixture.case.waits_ms {
        requests.extend(check::waits(wanted, &waits));
    }
    let takes = fixture.case.takes_ms;
    if let Some(line) = takes.and_then(|span| check::within(span, took)) {
        requests.push(format!("takes_ms: {line}"));
    }
    let problems = check::outcome(fixture, &outcome);
    Ok(CaseRun::of(requests, problems, outcome).probed(&probes, call, fixture))
}

/// One thread for everything but the blocking pool, whose threads are listened to as well.
pub(super) fn runtime(logs: &Logs, paused: bool) -> Result<Runtime, SetupError> {
    thread_local! {
        static LISTENING: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
    }
    let dispatch: Dispatch = logs.dispatch();
    Builder::new_current_thread()
        .enable_all()
        .start_paused(paused)
        .on_thread_start(move || {
            let guard = tracing::dispatcher::set_default(&dispatch);
            LISTENING.with(|listening| listening.replace(Some(guard)));
        })
        .build()
        .map_err(setup_error)
}
