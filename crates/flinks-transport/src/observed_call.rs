//! A call as its span and the application's metrics see it, from its start to its end.

use std::sync::Arc;

use http::{StatusCode, Uri};
use tokio::time::Instant;
use tracing::Span;

use crate::metrics::{CANCELED, CallRecord, Recorder};
use crate::progress::Progress;
use crate::telemetry::{Ending, call_span};
use crate::{CallMeta, Delivery, Error};

/// A call in progress. If it is dropped before its end, the call was canceled.
pub(crate) struct ObservedCall {
    meta: CallMeta,
    recorder: Option<Arc<dyn Recorder>>,
    progress: Arc<Progress>,
    span: Span,
    start: Instant,
    status: Option<StatusCode>,
    has_ended: bool,
}

impl ObservedCall {
    pub(crate) fn begin(
        meta: CallMeta,
        uri: Option<&Uri>,
        recorder: Option<&Arc<dyn Recorder>>,
        progress: &Arc<Progress>,
    ) -> Self {
        if let Some(recorder) = recorder {
            recorder.begin(&meta);
        }
        Self {
            meta,
            recorder: recorder.cloned(),
            progress: Arc::clone(progress),
            span: call_span(&meta, uri),
            start: Instant::now(),
            status: None,
            has_ended: false,
        }
    }

    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    pub(crate) fn end<T>(mut self, outcome: &Result<T, Error>) {
        self.has_ended = true;
        match outcome {
            Ok(_) => {
                let of_status = self.status.map_or(Delivery::Delivered, Delivery::of_status);
                self.record(None, of_status);
            }
            Err(error) => {
                self.status = error.status().or(self.status);
                self.record(Some(error.kind().as_str()), error.delivery());
            }
        }
    }

    fn record(&self, error_type: Option<&'static str>, delivery: Delivery) {
        let attempts = self.progress.attempts();
        self.span.record("flinks.attempts", i64::from(attempts));
        let ending = Ending {
            status: self.status,
            error_type,
            delivery: Some(delivery),
            bytes: self.progress.bytes(),
        };
        ending.record(&self.span);
        if let Some(recorder) = &self.recorder {
            recorder.call(&CallRecord {
                meta: &self.meta,
                error_type,
                delivery,
                status: self.status,
                attempts,
                elapsed: self.start.elapsed(),
            });
        }
    }
}

impl Drop for ObservedCall {
    fn drop(&mut self) {
        if !self.has_ended {
            self.record(Some(CANCELED), self.progress.delivery());
        }
    }
}
