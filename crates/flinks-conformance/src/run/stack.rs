//! Level 2: the real stack over a scripted leaf, in paused time.

use std::cell::RefCell;

use flinks_transport::{Endpoint, Transport};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Duration, Instant, timeout};
use tracing::Dispatch;
use tracing::dispatcher::DefaultGuard;

use super::{Assemble, Broken, Ran, broken, credentials};
use crate::check;
use crate::corpus::Fixture;
use crate::keys::Keys;
use crate::leaf::Leaf;
use crate::logs::Logs;
use crate::operations::{Parsed, Stack};
use crate::script::Script;
use crate::watch::Watches;

/// Far beyond every limit of the stack: virtual time costs nothing.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn run(
    fixture: &Fixture,
    parsed: &Parsed,
    assemble: &Assemble,
    logs: &Logs,
) -> Result<Ran, Broken> {
    let credentials = credentials(&fixture.case.call, parsed);
    let script = Script::new(&fixture.steps, fixture.case.any_order, credentials);
    let watches = Watches::default();
    let builder = Transport::builder().service(Leaf(script.clone()));
    let transport = assemble(watches.add(builder)).map_err(broken)?;
    let endpoint = Endpoint::new("https://stack.test").map_err(broken)?;
    let is_one_call = parsed.codec(&endpoint).is_some();
    let stack = Stack {
        transport,
        endpoint,
        credentials,
        keys: Keys::standard(),
    };
    let (outcome, took) = runtime(logs, true)?.block_on(async {
        let start = Instant::now();
        let outcome = timeout(PATIENCE, parsed.run(&stack)).await;
        (outcome, start.elapsed())
    });
    let outcome = outcome.map_err(|_| broken("the call never ends"))?;
    let (mut asked, waits) = script.close();
    asked.extend(watches.misplaced(is_one_call, script.arrived()));
    let came = check::outcome(fixture, &outcome);
    if let Some(wanted) = &fixture.case.waits_ms {
        asked.extend(check::waits(wanted, &waits));
    }
    if let Some(line) = fixture
        .case
        .takes_ms
        .and_then(|span| check::within(span, took))
    {
        asked.push(format!("takes_ms: {line}"));
    }
    Ok(Ran::of(asked, came, outcome).watched(&watches, credentials))
}

/// One thread for everything but the blocking pool, whose threads are listened to as well.
pub(crate) fn runtime(logs: &Logs, paused: bool) -> Result<Runtime, Broken> {
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
        .map_err(broken)
}
