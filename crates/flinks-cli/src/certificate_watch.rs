//! Watches the files of the client certificate during a long command, and replaces the identity of its
//! connections when they change.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use flinks_transport::Transport;

use crate::output::text::counted;
use crate::settings::{Material, Settings};

const INTERVAL: Duration = Duration::from_secs(30);

/// What shows that a file was rewritten, renamed over, or is now reached through another link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileState {
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            inode,
        })
    }
}

/// The files of the client certificate and its key; empty if they are not in files.
pub(crate) type FileStates = Vec<Option<FileState>>;

/// Looks at the files that `settings` name.
pub(crate) fn file_states(settings: &Settings) -> FileStates {
    let given = [&settings.certificate, &settings.key];
    let files = given.into_iter().flatten().filter_map(Material::file);
    files.map(|file| FileState::of(&file.value)).collect()
}

/// Replaces the identity of a transport when its files change.
pub(crate) struct CertificateWatcher {
    settings: Arc<Settings>,
    in_use: FileStates,
    transport: Transport,
    /// Files that could not be used, and how often they were tried.
    refused: Option<(FileStates, u32)>,
}

impl CertificateWatcher {
    /// Prepares a watch; `in_use` are the files as they were before the identity of `transport` was
    /// read from them.
    pub(crate) fn new(settings: &Arc<Settings>, in_use: FileStates, transport: Transport) -> Self {
        Self {
            settings: Arc::clone(settings),
            in_use,
            transport,
            refused: None,
        }
    }

    /// Looks at the files every 30 s. Each replacement, and each change that cannot be used, is one
    /// line for `report`.
    pub(crate) fn start(self, report: impl Fn(&str) + Send + 'static) -> CertificateWatch {
        self.start_with(INTERVAL, report)
    }

    /// Starts a thread, because reading files may block; nothing waits for it.
    fn start_with(
        mut self,
        interval: Duration,
        report: impl Fn(&str) + Send + 'static,
    ) -> CertificateWatch {
        let (running, stopped) = channel();
        let work = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                if let Some(line) = self.look()
                    && stopped.try_recv() == Err(TryRecvError::Empty)
                {
                    report(&line);
                }
            }
        };
        // Without a thread the command goes on with the certificate that it has.
        drop(thread::Builder::new().spawn(work));
        CertificateWatch { _running: running }
    }

    /// Replaces the identity if its files have changed and can be used. Returns what to report.
    fn look(&mut self) -> Option<String> {
        let states = file_states(&self.settings);
        if states == self.in_use {
            return None;
        }
        let identity = self.settings.identity();
        if file_states(&self.settings) != states {
            // They are being written.
            return None;
        }
        let replaced = identity.and_then(|identity| {
            let left = identity.expires_in();
            self.transport.replace_identity(identity)?;
            Ok(left)
        });
        match replaced {
            Ok(left) => {
                self.in_use = states;
                let days = usize::try_from(left.as_secs() / 86_400).unwrap_or(usize::MAX);
                let days = counted(days, "day");
                Some(format!(
                    "the client certificate was replaced; new connections use it ({days} left)\n"
                ))
            }
            Err(error) => {
                let tries = match &self.refused {
                    Some((refused, tries)) if *refused == states => tries.saturating_add(1),
                    Some(_) | None => 1,
                };
                self.refused = Some((states, tries));
                // Certificate and key may be replaced a moment apart: the first failure is not reported.
                (tries == 2).then(|| {
                    format!(
                        "warning: the new client certificate cannot be used, and the old one stays in \
                         use: {error}\n"
                    )
                })
            }
        }
    }
}

/// Watches until it is dropped.
pub(crate) struct CertificateWatch {
    _running: Sender<()>,
}

#[cfg(test)]
mod tests;
