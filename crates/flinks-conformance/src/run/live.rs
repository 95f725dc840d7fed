//! The live level: the same call, answered by the hosts of an environment.

use flinks_transport::{Error, Transport, TransportBuilder};
use tokio::time::{Duration, timeout};

use super::stack::runtime;
use super::{Assemble, Broken, Ran, broken, credentials};
use crate::case::Credentials;
use crate::check;
use crate::corpus::Fixture;
use crate::environment::Environment;
use crate::logs::Logs;
use crate::operations::{Host, Outcome, Parsed, Stack};
use crate::watch::Watches;

/// A bank may take four minutes (Legacy guide); a case waits for one, and for little more.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(
    fixture: &Fixture,
    parsed: &Parsed,
    environment: &Environment,
    assemble: &Assemble,
    logs: &Logs,
) -> Result<Ran, Broken> {
    let (Some(live), Some(made)) = (&fixture.case.live, &fixture.live) else {
        return Err(broken("the case is not marked for live runs"));
    };
    let credentials = credentials(made, parsed);
    let watches = Watches::default();
    let assemble = |builder: TransportBuilder| assemble(watches.add(builder));
    let outcome = call(parsed, credentials, environment, &assemble, logs)?;
    let came = check::live(fixture, live, &outcome);
    Ok(Ran::of(Vec::new(), came, outcome).watched(&watches, credentials))
}

/// Makes a call to the host that serves it.
pub(crate) fn call(
    parsed: &Parsed,
    credentials: Credentials,
    environment: &Environment,
    assemble: &dyn Fn(TransportBuilder) -> Result<Transport, Error>,
    logs: &Logs,
) -> Result<Outcome, Broken> {
    let builder = Transport::builder().roots(environment.roots());
    let (builder, endpoint) = match parsed.host() {
        Host::Upload => (
            builder.identity(environment.identity()),
            environment.upload(),
        ),
        Host::Results => (builder, environment.results()),
    };
    let stack = Stack {
        transport: assemble(builder).map_err(broken)?,
        endpoint: endpoint.clone(),
        credentials,
        keys: environment.keys().clone(),
    };
    let outcome =
        runtime(logs, false)?.block_on(async { timeout(PATIENCE, parsed.run(&stack)).await });
    outcome.map_err(|_| broken("the call does not end"))
}
