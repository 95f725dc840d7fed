//! Every case of the corpus at the levels without a network; the runner adds the third.

use flinks_conformance::{Fixture, Level, Provider, Summary, TlsVersion, Wire, load, run};

use crate::fixtures;

fn run_all(level: Level) {
    let wire = Wire::new(TlsVersion::Tls13, Provider::Ring);
    let mut summary = Summary::default();
    for fixture in load(fixtures()).expect("a corpus") {
        let verdict = run(&fixture, level, &wire);
        summary.add(&fixture, &[(level, format!("{level:?}"), verdict)]);
    }
    assert_eq!(summary.failed(), 0, "\n{summary}");
    assert!(summary.passed() > 100, "the corpus has shrunk\n{summary}");
}

#[test]
fn every_case_holds_at_the_codec() {
    run_all(Level::L1);
}

#[test]
fn every_case_holds_in_the_stack() {
    run_all(Level::L2);
}

#[test]
fn every_case_runs_at_some_level_and_says_why_not_at_all() {
    for fixture in load(fixtures()).expect("a corpus") {
        assert!(
            [Level::L1, Level::L2, Level::L3]
                .into_iter()
                .any(|level| fixture.has(level)),
            "{}",
            fixture.path()
        );
    }
}

#[test]
fn every_operation_has_its_cases() {
    let corpus = load(fixtures()).expect("a corpus");
    let cases = |operation: &str, fits: fn(&Fixture) -> bool| {
        let of = |fixture: &&Fixture| fixture.case.call.operation == operation && fits(fixture);
        corpus.iter().filter(of).count()
    };
    for operation in [
        "auth.token",
        "upload.file",
        "upload.complete",
        "fraud.analysis",
    ] {
        let kind = |kind: &'static str| {
            let of = move |fixture: &&Fixture| {
                let error = fixture.case.want.error.as_ref();
                fixture.case.call.operation == operation
                    && error.is_some_and(|error| error.kind == kind)
            };
            corpus.iter().filter(of).count()
        };
        assert!(
            cases(operation, |fixture| fixture.case.want.error.is_none()) > 0,
            "{operation}"
        );
        assert!(kind("api") > 0, "{operation} has no documented error");
        assert!(kind("decode") > 0, "{operation} has no undocumented body");
    }
    assert!(cases("upload.session", |_| true) > 20);
    assert!(cases("fraud.wait", |_| true) > 5);
}
