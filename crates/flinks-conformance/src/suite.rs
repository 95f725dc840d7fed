//! Many cases through one transport: the client's own, or one with the layers of an application.

use std::fmt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flinks_transport::{Error, TlsVersion, Transport, TransportBuilder};

use crate::corpus::{CorpusError, Fixture, load};
use crate::coverage::Coverage;
use crate::requirements::Requirements;
use crate::run::{Assemble, CaseResult, Pass, Provider, Wire, judge};
use crate::summary::Summary;

/// Returns the folder of the cases of this workspace; for a Git dependency, the one in its
/// checkout.
#[must_use]
pub fn fixtures() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"));
    folder.canonicalize().unwrap_or(folder)
}

/// A corpus, and what its cases run through.
pub struct Suite {
    pub(crate) folder: PathBuf,
    pub(crate) fixtures: Vec<Fixture>,
    pub(crate) assemble: Box<Assemble>,
}

impl Suite {
    /// The passes of a plain run: the codec, the stack, and TLS 1.3 on loopback.
    pub const USUAL: [Pass; 3] = [
        Pass::Codec,
        Pass::Stack,
        Pass::Wire(Wire::new(TlsVersion::Tls13, Provider::Ring)),
    ];

    /// The passes in which the layers of an application take part: the stack and the wire.
    pub const LAYERS: [Pass; 2] = [
        Pass::Stack,
        Pass::Wire(Wire::new(TlsVersion::Tls13, Provider::Ring)),
    ];

    /// The cases of this workspace.
    ///
    /// # Errors
    /// The first file that cannot be read or breaks a rule of the format.
    pub fn new() -> Result<Self, CorpusError> {
        Self::of(&fixtures())
    }

    /// The cases of another folder.
    ///
    /// # Errors
    /// The first file that cannot be read or breaks a rule of the format.
    pub fn of(folder: &Path) -> Result<Self, CorpusError> {
        Ok(Self {
            folder: folder.to_owned(),
            fixtures: load(folder)?,
            assemble: Box::new(TransportBuilder::build),
        })
    }

    /// Keeps the cases whose `family/name` contains the text.
    #[must_use]
    pub fn matching(mut self, filter: &str) -> Self {
        self.fixtures
            .retain(|fixture| fixture.path().contains(filter));
        self
    }

    /// Runs the cases through a transport with layers of one's own.
    ///
    /// The builder comes with the runner's server, certificates and an attempt layer that looks for
    /// credentials. Add layers to it as the application does, and build it; its service, identity,
    /// roots and TLS version must be left alone.
    #[must_use]
    pub fn through(
        mut self,
        assemble: impl Fn(TransportBuilder) -> Result<Transport, Error> + Send + Sync + 'static,
    ) -> Self {
        self.assemble = Box::new(assemble);
        self
    }

    /// The cases.
    #[must_use]
    pub fn fixtures(&self) -> &[Fixture] {
        &self.fixtures
    }

    /// What these cases cover.
    ///
    /// # Errors
    /// The folder's `coverage.json` cannot be read.
    pub fn coverage(&self) -> Result<Coverage, CorpusError> {
        Coverage::of(&self.folder, &self.fixtures)
    }

    /// What the documents demand, and the cases that pin it.
    ///
    /// # Errors
    /// The folder's `requirements.json` cannot be read.
    pub fn requirements(&self) -> Result<Requirements, CorpusError> {
        Requirements::load(&self.folder)
    }

    /// Runs every case in each of the passes.
    #[must_use]
    pub fn run(&self, passes: &[Pass]) -> Summary {
        let mut summary = Summary::default();
        for (fixture, results) in self.fixtures.iter().zip(self.results(passes)) {
            for (pass, result) in passes.iter().zip(results) {
                summary.add(fixture, pass, result);
            }
        }
        summary
    }

    /// The results of each case, in the order of the cases.
    pub(crate) fn results(&self, passes: &[Pass]) -> Vec<Vec<CaseResult>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(fixture) = self.fixtures.get(index) else {
                    return done;
                };
                let result = |pass| judge(fixture, pass, &*self.assemble);
                done.push((index, passes.iter().map(result).collect()));
            }
        };
        let mut done: Vec<(usize, Vec<CaseResult>)> = thread::scope(|scope| {
            let mut workers = Vec::new();
            // A real service is asked one thing at a time.
            let live = passes.iter().any(|pass| matches!(pass, Pass::Live(_)));
            for _ in 0..if live { 1 } else { WORKERS } {
                workers.push(scope.spawn(work));
            }
            let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, results)| results).collect()
    }
}

/// The third level spends its time waiting, so more cases than cores run at once.
const WORKERS: usize = 12;

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("fixtures", &self.fixtures.len())
            .finish_non_exhaustive()
    }
}
