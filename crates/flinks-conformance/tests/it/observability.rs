//! The tables of the observability guide against the spans and events of the client crates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use flinks_conformance::{Pass, Provider, TlsVersion, Wire, fixtures, load, run};
use flinks_transport::{Body, request_span};
use http::Request;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// The fields of each span and event, and its level, by name.
type Table = BTreeMap<String, (String, BTreeSet<String>)>;

/// Collects what the code can emit at each place that was passed, by whichever thread.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<Table>>);

impl Subscriber for Places {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let target = metadata.target();
        let is_program =
            target.starts_with("flinks_cli") || target.starts_with("flinks_conformance");
        if target.starts_with("flinks_") && !is_program {
            let fields = metadata.fields().iter().map(|field| field.name());
            let fields = fields.filter(|field| *field != "message");
            let level = metadata.level().as_str().to_lowercase();
            let row = (level, fields.map(str::to_owned).collect());
            let name = metadata.name().to_owned();
            self.0.lock().expect("lock").insert(name, row);
        }
        Interest::never()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The words in backticks.
fn code(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The code of all crates, in one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(path).expect("code");
        }
    }
    text
}

#[test]
fn the_guide_documents_every_span_event_and_field() {
    let crates = fixtures().join("../crates");
    let guide = crates.join("flinks-transport/guide/observability.md");
    let guide = fs::read_to_string(guide).expect("the guide");
    let mut documented = Table::new();
    let mut explained = BTreeSet::new();
    for line in guide.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split(" |").collect();
        let names = code(cells[0]);
        match cells[1].trim() {
            level @ ("info" | "debug" | "warn") => {
                let row = (level.to_owned(), code(cells[2]).into_iter().collect());
                documented.insert(names[0].clone(), row);
            }
            _ => explained.extend(names),
        }
    }

    let places = Places::default();
    let collecting = Dispatch::new(places.clone());
    let wire = Pass::Wire(Wire::new(TlsVersion::Tls13, Provider::Ring));
    for fixture in load(&fixtures()).expect("a corpus") {
        drop(run(&fixture, &Pass::Stack));
        if fixture.path().starts_with("complete/") {
            drop(run(&fixture, &wire));
        }
    }
    drop(request_span(&Request::new(Body::empty())));
    drop(collecting);

    let emitted = places.0.lock().expect("lock").clone();
    for (name, row) in &emitted {
        assert_eq!(documented.get(name), Some(row), "{name}");
    }
    let sources = sources(&crates);
    for (name, (_, fields)) in &documented {
        // The corpus has no webhooks, and replaces no identity.
        let is_in_code = emitted.contains_key(name) || sources.contains(&format!("\"{name}\""));
        assert!(is_in_code, "{name} is not emitted");
        for field in fields {
            assert!(
                explained.contains(field),
                "{field} of {name} is not explained"
            );
        }
    }
    for name in [
        "flinks.call",
        "flinks.attempt",
        "flinks.connection",
        "flinks.retry",
    ] {
        assert!(emitted.contains_key(name), "{name} was not passed");
    }
}
