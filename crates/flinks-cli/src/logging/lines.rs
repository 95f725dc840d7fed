//! The lines of `-v` and `-vv`: one for each call, attempt, retry and connection.

use std::borrow::Cow;
use std::fmt::{Debug, Write as _};
use std::time::{Duration, SystemTime};

use flinks_types::text::escaped;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::output::text::size;
use crate::output::write_stderr;

/// Writes a line when a call ends, and for each event.
pub(super) struct Lines {
    /// Whether to write a line when an attempt ends, too.
    pub(super) attempts: bool,
}

/// A span in progress.
struct Span {
    start: Instant,
    fields: Fields,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            let start = Instant::now();
            span.extensions_mut().insert(Span { start, fields });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Span { fields, .. }) = span.extensions_mut().get_mut()
        {
            values.record(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let extensions = span.extensions();
        let Some(Span { start, fields }) = extensions.get() else {
            return;
        };
        let line = match span.name() {
            "flinks.call" => call(fields, start.elapsed()),
            "flinks.attempt" if self.attempts => attempt(fields, start.elapsed()),
            _ => return,
        };
        print(&line);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        print(&match event.metadata().name() {
            "flinks.connection" => connection(&fields),
            "flinks.retry" => retry(&fields),
            _ => other(&fields),
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a log shows when something happened"
)]
fn print(line: &str) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let second = now.unwrap_or_default().as_secs() % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let line = escaped(line);
    write_stderr(&format!("{hour:02}:{minute:02}:{second:02}Z {line}\n"));
}

/// The fields of a span or an event, in their order.
#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or("?")
    }

    fn find(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(known, _)| *known == name);
        field.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> u64 {
        self.find(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0)
    }

    fn duration(&self, name: &str) -> String {
        let seconds = self.find(name).and_then(|value| value.parse().ok());
        duration(Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default())
    }

    /// The host, with its port if it is not that of https.
    fn host(&self) -> String {
        let host = self.text("server.address");
        match self.find("server.port") {
            Some("443") | None => host.to_owned(),
            Some(port) => format!("{host}:{port}"),
        }
    }

    /// The status, or how it failed.
    fn result(&self) -> String {
        let status = self.find("http.response.status_code");
        let Some(error) = self.find("error.type") else {
            return status.unwrap_or("done").to_owned();
        };
        let mut text = "failed: ".to_owned();
        text.push_str(status.unwrap_or(error));
        if status.is_some() && error != "api" && Some(error) != status {
            text.push_str(", ");
            text.push_str(error);
        }
        match self.find("flinks.delivery") {
            Some("unknown") => text.push_str(", outcome unknown"),
            Some(delivery) => {
                text.push_str(", ");
                text.push_str(delivery);
            }
            None => {}
        }
        text.replace('_', " ")
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

/// What matters least comes last, where a narrow terminal wraps it.
fn call(fields: &Fields, took: Duration) -> String {
    let mut line = format!(
        "{} {}, {}",
        fields.text("flinks.operation"),
        fields.result(),
        duration(took)
    );
    let attempts = fields.number("flinks.attempts");
    if attempts > 1 {
        write!(line, ", {attempts} attempts").unwrap_or_default();
    }
    for (name, way) in [("request", "sent"), ("response", "received")] {
        let bytes = fields.number(&format!("http.{name}.body.size"));
        if bytes >= 1024 {
            write!(line, ", {} {way}", size(bytes)).unwrap_or_default();
        }
    }
    let (method, path) = (
        fields.text("http.request.method"),
        fields.text("url.template"),
    );
    format!("{line}; {method} {path} {}", fields.host())
}

fn attempt(fields: &Fields, took: Duration) -> String {
    let number = fields.number("http.request.resend_count") + 1;
    let (result, took) = (fields.result(), duration(took));
    format!(
        "  attempt {number} of {} {result}, {took}",
        fields.text("flinks.operation")
    )
}

fn retry(fields: &Fields) -> String {
    format!(
        "{} is sent again in {}",
        fields.text("flinks.operation"),
        fields.duration("flinks.wait_seconds")
    )
}

fn connection(fields: &Fields) -> String {
    let (host, took) = (fields.host(), fields.duration("flinks.seconds"));
    let at = fields
        .find("network.peer.address")
        .map_or(Cow::Borrowed(""), |address| format!(" at {address}").into());
    if let Some(error) = fields.find("error.type") {
        return format!(
            "  no connection to {host}{at}: {}, {took}",
            error.replace('_', " ")
        );
    }
    let tls = match fields.find("tls.protocol.version") {
        Some(version) => format!("TLS {version}"),
        None => "no TLS".to_owned(),
    };
    format!("  connected to {host}{at}, {tls}, {took}")
}

/// The message, after the operation if there is one, and the other fields.
fn other(fields: &Fields) -> String {
    let mut line = String::new();
    if let Some(operation) = fields.find("flinks.operation") {
        write!(line, "{operation}: ").unwrap_or_default();
    }
    line.push_str(fields.text("message"));
    for (name, value) in &fields.0 {
        if !["flinks.operation", "message"].contains(name) {
            let name = name.strip_prefix("flinks.").unwrap_or(name);
            write!(line, " {name}={value}").unwrap_or_default();
        }
    }
    line
}

/// Three digits at most: `12 ms`, `1.32 s`, `94.1 s`.
fn duration(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    match took.as_millis() {
        0..1000 => format!("{} ms", took.as_millis()),
        1000..10_000 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &'static str) -> Fields {
        let pairs = text.split("; ").filter_map(|pair| pair.split_once('='));
        Fields(
            pairs
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        )
    }

    #[test]
    fn lines_say_what_matters_first() {
        let ms = Duration::from_millis;
        let upload = "flinks.operation=upload.file; http.request.method=POST; \
            url.template={upload}; server.address=upload.example; server.port=443; ";
        let ended = |text: &str, took| {
            let mut all = fields(upload);
            let more: &'static str = text.to_owned().leak();
            all.0.extend(fields(more).0);
            call(&all, took)
        };
        assert_eq!(
            ended(
                "http.response.status_code=200; flinks.attempts=2; flinks.delivery=delivered; \
                 http.request.body.size=4404020; http.response.body.size=312",
                ms(1324)
            ),
            "upload.file 200, 1.32 s, 2 attempts, 4.2 MiB sent; POST {upload} upload.example"
        );
        let rows = [
            (
                "error.type=api; http.response.status_code=403; flinks.delivery=rejected",
                "upload.file failed: 403, rejected, 7 ms; POST {upload} upload.example",
            ),
            (
                "error.type=timeout; flinks.delivery=unknown",
                "upload.file failed: timeout, outcome unknown, 7 ms; POST {upload} upload.example",
            ),
            (
                "error.type=decode; http.response.status_code=200; flinks.delivery=delivered",
                "upload.file failed: 200, decode, delivered, 7 ms; POST {upload} upload.example",
            ),
        ];
        for (text, line) in rows {
            assert_eq!(ended(text, ms(7)), line);
        }
        assert_eq!(
            attempt(
                &fields(
                    "flinks.operation=a.b; http.request.resend_count=1; error.type=503; \
                     http.response.status_code=503; flinks.delivery=unknown"
                ),
                ms(12_345)
            ),
            "  attempt 2 of a.b failed: 503, outcome unknown, 12.3 s"
        );
    }

    #[test]
    fn lines_of_events() {
        assert_eq!(
            retry(&fields("flinks.operation=a.b; flinks.wait_seconds=0.183")),
            "a.b is sent again in 183 ms"
        );
        assert_eq!(
            connection(&fields(
                "server.address=localhost; server.port=4443; network.peer.address=::1; \
                 tls.protocol.version=1.3; flinks.seconds=0.0123"
            )),
            "  connected to localhost:4443 at ::1, TLS 1.3, 12 ms"
        );
        assert_eq!(
            connection(&fields(
                "server.address=upload.example; server.port=443; flinks.seconds=10.0; \
                 error.type=client_certificate"
            )),
            "  no connection to upload.example: client certificate, 10.0 s"
        );
        assert_eq!(
            other(&fields(
                "message=a poll failed; flinks.operation=a.b; error.type=timeout"
            )),
            "a.b: a poll failed error.type=timeout"
        );
    }
}
