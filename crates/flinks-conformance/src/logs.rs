//! Captures everything that any crate traces while a case runs, at the finest level.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The text of every span and event, field by field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs(Arc<Mutex<String>>);

impl Logs {
    /// What is traced through this is kept here.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(Registry::default().with(self.clone()))
    }

    pub(crate) fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn write(&self, name: &str, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(name);
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

struct Line<'t>(&'t mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap_or_default();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Unescaped, so that a secret is found as it is.
        write!(self.0, " {}={value}", field.name()).unwrap_or_default();
    }
}

impl<S: Subscriber> Layer<S> for Logs {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.write(attributes.metadata().name(), |line| attributes.record(line));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.write("record", |line| values.record(line));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.write(event.metadata().target(), |line| event.record(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_records_and_events_are_captured_at_every_level() {
        let logs = Logs::default();
        tracing::dispatcher::with_default(&logs.dispatch(), || {
            let span = tracing::trace_span!("a-span", one = "1st", later = tracing::field::Empty);
            span.record("later", "2nd");
            tracing::trace!(third = ?"3rd", "the message");
        });
        let text = logs.text();
        for part in ["a-span", "1st", "2nd", "3rd", "the message"] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }
}
