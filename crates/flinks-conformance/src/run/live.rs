//! The live level: the same call, answered by the hosts of the environment.

use flinks_cli::settings::Settings;
use flinks_transport::Transport;
use tokio::time::{Duration, timeout};

use super::stack::runtime;
use super::{Assemble, CaseRun, SetupError, setup_error};
use crate::check;
use crate::corpus::Fixture;
use crate::keys::Keys;
use crate::layer_probes::LayerProbes;
use crate::logs::Logs;
use crate::operations::{CaseCall, Host, Stack};

/// A bank may take four minutes (Legacy guide); a case waits for one, and for little more.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(
    fixture: &Fixture,
    call: &dyn CaseCall,
    settings: &Settings,
    assemble: &Assemble,
    logs: &Logs,
) -> Result<CaseRun, SetupError> {
    let Some(live) = &fixture.case.live else {
        return Err(setup_error("the case is not marked for live runs"));
    };
    let probes = LayerProbes::default();
    let builder = Transport::builder().roots(settings.roots().map_err(setup_error)?);
    let (builder, endpoint) = match call.host() {
        Host::Upload => {
            let identity = settings.identity().map_err(setup_error)?;
            (builder.identity(identity), settings.upload_endpoint())
        }
        Host::Results => (builder, settings.results_endpoint()),
    };
    let stack = Stack {
        transport: assemble(probes.add(builder)).map_err(setup_error)?,
        endpoint: endpoint.map_err(setup_error)?,
        credentials: fixture.case.call.credentials,
        keys: Keys::of(settings).map_err(setup_error)?,
    };
    let outcome =
        runtime(logs, false)?.block_on(async { timeout(PATIENCE, call.run(&stack)).await });
    let outcome = outcome.map_err(|_| setup_error("the call does not end"))?;
    let problems = check::live(fixture, live, &outcome);
    Ok(CaseRun::of(Vec::new(), problems, outcome).probed(&probes, call, fixture))
}
