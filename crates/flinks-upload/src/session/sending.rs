//! How a session's files get there: one after another or several at once, and what follows an unknown outcome.

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::{AggregationId, UploadResponse};

use super::{OnUnknown, Progress, UploadSession};
use crate::document::Document;
use crate::error::UploadError;
use crate::ledger::{FileState, Record};
use crate::operation::UploadFile;

/// How often a session is started over, or a file resent, before its upload gives up.
const MAX_RESTARTS: u32 = 2;

/// What to grant the service before the next attempt.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Pause {
    /// Nothing: the failed attempt was another process's.
    None,
    /// As long as it asked for, else one second, then two.
    Short,
}

type Sending = Pin<Box<dyn Future<Output = Result<UploadResponse, Error>> + Send>>;

impl UploadSession {
    /// Sends every file that the service does not have, starting over where that is allowed.
    pub(super) async fn send_all(&mut self) -> Result<(), UploadError> {
        self.take_over_changes().await?;
        if let Some(file) = self.ledger.first(FileState::Unknown) {
            // The process that sent it is gone, and with it the only one who was to be told.
            let message =
                "the upload stopped while this file was sent: whether it arrived is unknown";
            let error = Error::at(ErrorKind::Connection, Delivery::Unknown, message)
                .of_operation("upload.file");
            self.go_on_after(file, error, None, Pause::None).await?;
        }
        while self.ledger.first(FileState::Pending).is_some() {
            if let Some(Failure { file, error, stray }) = self.send_pending().await? {
                if !error.delivery().may_have_acted() {
                    return Err(self.failed(error, Some(file)));
                }
                self.go_on_after(file, error, stray, Pause::Short).await?;
            }
        }
        Ok(())
    }

    /// Sends pending files, several at once after the first, until one fails or none is left.
    async fn send_pending(&mut self) -> Result<Option<Failure>, UploadError> {
        let mut under_way: Vec<(usize, Sending)> = Vec::new();
        let mut failure = None;
        loop {
            let width = if self.ledger.aggregation_id.is_some() {
                self.concurrency
            } else {
                1
            };
            while failure.is_none() && under_way.len() < width {
                let Some(file) = self.ledger.first(FileState::Pending) else {
                    break;
                };
                self.record(Record::Sending { file }).await?;
                under_way.extend(self.begin(file).map(|sending| (file, sending)));
            }
            if under_way.is_empty() {
                return Ok(failure);
            }
            let (file, outcome) = next_finished(&mut under_way).await;
            let Err(failed) = self.settle(file, outcome).await? else {
                continue;
            };
            let unknown = failed.error.delivery().may_have_acted();
            failure.get_or_insert(failed);
            if unknown && self.may_restart() {
                // The session is given up, and with it whatever else was on its way into it.
                return Ok(failure);
            }
        }
    }

    fn begin(&self, file: usize) -> Option<Sending> {
        let document = self.documents.get(file)?.clone();
        let url = self.client.upload_url();
        let name = document.name().to_owned();
        let (files, bytes) = (self.documents.len(), document.bytes());
        let mut operation = match self.ledger.aggregation_id.clone() {
            None => UploadFile::first(url, document),
            Some(id) => UploadFile::next(url, document, id),
        };
        operation = operation
            .tag(self.tag.clone())
            .client_name(self.client_name.clone());
        if let Some(told) = self.on_progress.clone() {
            operation = operation.on_bytes(Arc::new(move |sent| {
                told(Progress {
                    file,
                    files,
                    file_name: &name,
                    sent,
                    bytes,
                });
            }));
        }
        Some(self.client.send(operation).into_future())
    }

    /// Records what became of a file.
    async fn settle(
        &mut self,
        file: usize,
        outcome: Result<UploadResponse, Error>,
    ) -> Result<Result<(), Failure>, UploadError> {
        let error = match outcome {
            Ok(answer) => match (answer.aggregation_id, self.ledger.aggregation_id.clone()) {
                (Some(seen), sent) if sent.as_ref().is_none_or(|sent| *sent == seen) => {
                    self.record(Record::Confirmed {
                        file,
                        aggregation_id: seen,
                    })
                    .await?;
                    return Ok(Ok(()));
                }
                (stray, _) => {
                    self.record(Record::Unknown { file }).await?;
                    let message = "the answer names another AggregationId than was sent, or none: \
                                   the session is unusable";
                    let error = Error::at(ErrorKind::Decode, Delivery::Delivered, message)
                        .of_operation("upload.file");
                    return Ok(Err(Failure {
                        file,
                        error,
                        stray: Some(stray),
                    }));
                }
            },
            Err(error) => error,
        };
        let acted = error.delivery().may_have_acted();
        let record = if acted {
            Record::Unknown { file }
        } else {
            Record::NotSent { file }
        };
        self.record(record).await?;
        Ok(Err(Failure {
            file,
            error,
            stray: None,
        }))
    }

    /// Decides how to go on when nobody knows whether `file` arrived.
    async fn go_on_after(
        &mut self,
        file: usize,
        error: Error,
        stray: Option<Option<AggregationId>>,
        pause: Pause,
    ) -> Result<(), UploadError> {
        let split = stray.is_some();
        if self.may_restart() {
            self.restarts += 1;
            tokio::time::sleep(self.pause(&error, pause)).await;
            return self.abandon(stray.flatten()).await;
        }
        let resend = self.on_unknown == OnUnknown::Resend && self.restarts < MAX_RESTARTS;
        if !resend || split || !self.documents.iter().all(Document::is_replayable) {
            return Err(self.failed(error, Some(file)));
        }
        self.restarts += 1;
        tokio::time::sleep(self.pause(&error, pause)).await;
        if self.ledger.aggregation_id.is_none() {
            // Without an id there is no session to send it into again.
            return self.abandon(None).await;
        }
        for state in &mut self.ledger.files {
            if *state == FileState::Unknown {
                *state = FileState::Pending;
            }
        }
        Ok(())
    }

    fn may_restart(&self) -> bool {
        self.on_unknown == OnUnknown::Restart
            && self.restarts < MAX_RESTARTS
            && self.documents.iter().all(Document::is_replayable)
    }

    fn pause(&self, error: &Error, pause: Pause) -> Duration {
        if pause == Pause::None {
            return Duration::ZERO;
        }
        let own = Duration::from_secs(u64::from(self.restarts));
        error
            .retry_after()
            .unwrap_or(own)
            .min(Duration::from_secs(60))
    }

    pub(super) async fn abandon(
        &mut self,
        stray: Option<AggregationId>,
    ) -> Result<(), UploadError> {
        let known = self.ledger.aggregation_id.clone();
        let unnamed = known.is_none() && stray.is_none();
        let aggregation_ids = known.into_iter().chain(stray).collect();
        self.record(Record::Abandoned {
            aggregation_ids,
            unnamed,
        })
        .await
    }
}

/// A file that did not get a clear yes.
struct Failure {
    file: usize,
    error: Error,
    /// The answer named another session than was sent (`Some`), perhaps without an id (`None`).
    stray: Option<Option<AggregationId>>,
}

/// Waits for whichever ends first; the others stay under way.
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
