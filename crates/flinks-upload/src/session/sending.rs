//! Sends the files of a session, and decides what follows an unknown outcome.

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::{AggregationId, UploadResponse, find_aggregation_id};

use super::{OnUnknown, Phase, UploadSession};
use crate::document::Document;
use crate::error::{UploadError, UploadErrorKind, file_error};
use crate::ledger::{Completion, FileEntry, FileState, LedgerEntry};

/// How often a session is started over, or a file resent, before its upload gives up.
const MAX_RESTARTS: u32 = 2;

/// The longest `Retry-After` that a restart waits for; a longer one ends the upload, as it ends a call.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// What to grant the service before the next attempt.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Pause {
    /// Nothing: the failed attempt was another process's.
    None,
    /// As long as the service requested, otherwise one second, then two.
    Short,
}

type Sending = Pin<Box<dyn Future<Output = Result<UploadResponse, Error>> + Send>>;

impl UploadSession {
    /// Sends every file that the service does not have, starting over where that is allowed.
    pub(super) async fn send_all(&mut self) -> Result<(), UploadError> {
        if self.state.completion != Completion::Open {
            return Ok(());
        }
        self.write_staged().await?;
        self.mark_interrupted().await?;
        self.restart_if_changed().await?;
        if let Some(file) = self.state.first(FileState::Unknown) {
            // The call that sent it is gone, and its error with it.
            let message =
                "the upload stopped while this file was sent: whether it arrived is unknown";
            let error = Error::new(ErrorKind::Connection, message)
                .with_delivery(Delivery::Unknown)
                .with_operation("upload.file");
            let failure = Failure::new(file, error);
            self.recover(failure, Pause::None).await?;
        }
        while self.state.first(FileState::Pending).is_some() {
            if let Some(failure) = self.send_pending().await? {
                if failure.is_final() {
                    return Err(self.fail(failure));
                }
                self.recover(failure, Pause::Short).await?;
            }
        }
        Ok(())
    }

    /// A file that was being sent when its process or its future ended may have arrived.
    async fn mark_interrupted(&mut self) -> Result<(), UploadError> {
        while let Some(file) = self.state.first(FileState::Sending) {
            self.append(LedgerEntry::Unknown { file })
                .await
                .map_err(|failed| failed.with_delivery(Delivery::Unknown))?;
        }
        Ok(())
    }

    /// Sends pending files, several at once after the first, until one fails or none is left.
    async fn send_pending(&mut self) -> Result<Option<Failure>, UploadError> {
        let mut under_way: Vec<(usize, Sending)> = Vec::new();
        let mut failure: Option<Failure> = None;
        loop {
            let width = if self.state.aggregation_id.is_some() {
                self.concurrency
            } else {
                1
            };
            while failure.is_none() && under_way.len() < width {
                let Some(file) = self.state.first(FileState::Pending) else {
                    break;
                };
                // Made first: a file that cannot be sent is not announced.
                match self.begin(file) {
                    Ok(sending) => match self.append(LedgerEntry::Sending { file }).await {
                        Ok(()) => under_way.push((file, sending)),
                        Err(unwritten) => {
                            let file = self.held_file().unwrap_or(file);
                            failure = Some(Failure::new(file, unwritten));
                        }
                    },
                    Err(error) => failure = Some(Failure::new(file, error)),
                }
            }
            // No entry follows at once.
            if failure.is_some() || !under_way.is_empty() {
                let held = self.held_file().unwrap_or_default();
                if let Err(unwritten) = self.write_held().await {
                    failure = Some(Failure::new(held, unwritten).or_worse(failure));
                }
            }
            if under_way.is_empty() {
                return Ok(failure);
            }
            let (file, outcome) = next_finished(&mut under_way).await;
            let Err(failed) = self.finish_file(file, outcome).await else {
                continue;
            };
            let restart = !failed.is_final() && self.may_restart();
            failure = Some(failed.or_worse(failure));
            if restart {
                // The session is given up, and with it whatever else was on its way into it.
                return Ok(failure);
            }
        }
    }

    fn begin(&self, file: usize) -> Result<Sending, UploadError> {
        let document = self.state.files.get(file);
        let Some(document) = document.and_then(|file| file.document.clone()) else {
            let message = "a file of the session is gone";
            return Err(file_error(message));
        };
        let aggregation_id = self.state.aggregation_id.clone();
        let mut operation = self
            .client
            .file_request(document, aggregation_id)
            .tag(self.tag.clone())
            .client_name(self.client_name.clone());
        if self.may_restart() {
            operation = operation.reuse_connection();
        }
        self.report(file, Phase::Preparing);
        if let Some(on_bytes) = self.count_bytes(file) {
            operation = operation.on_bytes(on_bytes);
        }
        Ok(self.client.send(operation).into_future())
    }

    /// Records the outcome of a file.
    async fn finish_file(
        &mut self,
        file: usize,
        outcome: Result<UploadResponse, Error>,
    ) -> Result<(), Failure> {
        let mut failure = match outcome {
            Ok(answer) => {
                let named = answer.aggregation_id;
                // Until it is the session's own, it is an id that a session at the service has.
                self.strays.extend(named.clone());
                // An answer that names another one is an error; spelled otherwise it is the same.
                match self
                    .state
                    .aggregation_id
                    .clone()
                    .filter(|_| named.is_some())
                    .or(named)
                {
                    Some(aggregation_id) => {
                        let confirmed = LedgerEntry::Confirmed {
                            file,
                            aggregation_id,
                        };
                        if let Err(refused) = self.hold(confirmed) {
                            let error = refused.with_delivery(Delivery::Delivered);
                            return Err(Failure::new(file, error.with_operation("upload.file")));
                        }
                        self.report(file, Phase::Confirmed);
                        if let Some(known) = &self.state.aggregation_id {
                            self.strays.retain(|stray| known.is_another(stray.as_str()));
                        }
                        return Ok(());
                    }
                    None => {
                        let message = "the answer names no AggregationId: the session is unusable";
                        let error = Error::new(ErrorKind::Decode, message)
                            .with_delivery(Delivery::Delivered)
                            .with_operation("upload.file");
                        Failure {
                            wrong_session: true,
                            ..Failure::new(file, error)
                        }
                    }
                }
            }
            Err(error) => {
                let answer = error.answer().filter(|_| error.delivery().may_have_acted());
                let named = answer.and_then(|answer| find_aggregation_id(answer));
                let sent = self.state.aggregation_id.as_ref();
                let another = |named: &AggregationId| {
                    sent.is_some_and(|sent| sent.is_another(named.as_str()))
                };
                let wrong_session = named.as_ref().is_some_and(another);
                self.strays.extend(named);
                Failure {
                    wrong_session,
                    ..Failure::new(file, error)
                }
            }
        };
        let entry = if failure.error.delivery().may_have_acted() {
            LedgerEntry::Unknown { file }
        } else {
            LedgerEntry::NotSent { file }
        };
        let refused = matches!(entry, LedgerEntry::NotSent { .. });
        let unwritten = self.append(entry).await.err();
        if let Some(known) = self.state.files.get_mut(file).filter(|_| refused) {
            if known.may_have_arrived {
                failure.error = failure.error.with_delivery(Delivery::Unknown);
            } else {
                // True even when it could not be recorded.
                known.state = FileState::Pending;
            }
        }
        failure.error.ledger = unwritten.map(Error::from);
        Err(failure)
    }

    /// Decides how to go on when it is unknown whether a file arrived.
    async fn recover(&mut self, failure: Failure, pause: Pause) -> Result<(), UploadError> {
        let pause = match self.pause(failure.error.error(), pause) {
            Some(pause) if self.may_go_on(&failure) => pause,
            _ => return Err(self.fail(failure)),
        };
        self.restarts += 1;
        tracing::warn!(
            name: "flinks.upload_repeated",
            {
                error.type = failure.error.kind().as_str(),
                flinks.delivery = failure.error.delivery().as_str(),
                flinks.restarts = self.restarts,
                flinks.wait_seconds = pause.as_secs_f64(),
            },
            "it is unknown whether a file arrived; it is sent again"
        );
        self.report(failure.file, Phase::Retrying);
        tokio::time::sleep(pause).await;
        // Without an id there is no session to send it into again.
        if self.on_unknown == OnUnknown::Restart || self.state.aggregation_id.is_none() {
            if let Err(unwritten) = self.abandon().await {
                let mut failed = self.fail(failure);
                failed.ledger = Some(unwritten.into());
                return Err(failed);
            }
            return Ok(());
        }
        for file in &mut self.state.files {
            // Nothing is under way: of what still counts as sending, the outcome could not be recorded.
            if matches!(file.state, FileState::Unknown | FileState::Sending) {
                file.state = FileState::Pending;
                file.may_have_arrived = true;
            }
        }
        Ok(())
    }

    fn may_go_on(&self, failure: &Failure) -> bool {
        let resend = self.on_unknown == OnUnknown::Resend && !failure.wrong_session;
        self.may_restart() || (resend && self.may_send_again())
    }

    fn may_restart(&self) -> bool {
        self.on_unknown == OnUnknown::Restart && self.may_send_again()
    }

    fn may_send_again(&self) -> bool {
        let is_replayable = |file: &FileEntry| {
            let document = file.document.as_ref();
            document.is_some_and(Document::is_replayable)
        };
        self.restarts < MAX_RESTARTS && self.state.files.iter().all(is_replayable)
    }

    /// How long to wait; `None` if the service requests more than a session waits.
    fn pause(&self, error: &Error, pause: Pause) -> Option<Duration> {
        match (pause, error.retry_after()) {
            (Pause::None, _) => Some(Duration::ZERO),
            (Pause::Short, Some(asked)) => (asked <= MAX_PAUSE).then_some(asked),
            (Pause::Short, None) => Some(Duration::from_secs(u64::from(self.restarts) + 1)),
        }
    }

    pub(super) async fn abandon(&mut self) -> Result<(), UploadError> {
        let known = self.state.aggregation_id.clone();
        let aggregation_ids: Vec<_> = known.into_iter().chain(self.strays.clone()).collect();
        let unnamed = aggregation_ids.is_empty();
        self.append(LedgerEntry::Abandoned {
            aggregation_ids,
            unnamed,
        })
        .await?;
        self.strays.clear();
        Ok(())
    }

    fn fail(&self, failure: Failure) -> UploadError {
        let may_have_arrived = self
            .state
            .files
            .get(failure.file)
            .is_some_and(|f| f.may_have_arrived);
        let error = if may_have_arrived && !failure.error.delivery().may_have_acted() {
            // It was sent before, into the same session.
            failure.error.with_delivery(Delivery::Unknown)
        } else {
            failure.error
        };
        self.failed(error, Some(failure.file))
    }
}

/// A file that was not confirmed.
struct Failure {
    file: usize,
    error: UploadError,
    /// The answer named another session than was sent, or none: this one is unusable.
    wrong_session: bool,
}

impl Failure {
    fn new(file: usize, error: impl Into<UploadError>) -> Self {
        Self {
            file,
            error: error.into(),
            wrong_session: false,
        }
    }

    /// Of several failures the one that leaves most open is the one to act on.
    fn or_worse(self, first: Option<Self>) -> Self {
        match first {
            Some(first) if first.error.delivery() >= self.error.delivery() => first,
            _ => self,
        }
    }

    /// Starting over does not help: nothing was acted on, or the ledger cannot be written.
    fn is_final(&self) -> bool {
        let unwritten = self.error.ledger.is_some() || self.error.kind() == UploadErrorKind::Ledger;
        unwritten || !self.error.delivery().may_have_acted()
    }
}

/// Waits for the first to finish; the others continue.
async fn next_finished(
    under_way: &mut Vec<(usize, Sending)>,
) -> (usize, Result<UploadResponse, Error>) {
    poll_fn(|cx| {
        for index in 0..under_way.len() {
            let Some((file, sending)) = under_way.get_mut(index) else {
                break;
            };
            if let Poll::Ready(outcome) = sending.as_mut().poll(cx) {
                let file = *file;
                drop(under_way.swap_remove(index));
                return Poll::Ready((file, outcome));
            }
        }
        Poll::Pending
    })
    .await
}
