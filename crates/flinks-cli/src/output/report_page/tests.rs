//! Whole pages: nothing in them runs or loads, all of it is escaped, and all can be reached.

use std::sync::LazyLock;

use flinks_fraud::{Reason, Verdict};
use flinks_types::text::is_invisible;
use flinks_types::{LoginId, SignalType};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// An analysis of two documents with a signal of each type. `text` is in all that may be any text.
fn flagged(text: &str) -> AnalysisReport {
    let signal = |kind: &str| {
        json!({ "Type": kind, "PageNumber": 2, "Count": 1, "UnderlyingData": [
            { "Details": [{ "SpecificType": text, "Value": text, "DataType": text }] }
        ]})
    };
    let known = SignalType::KNOWN.iter().map(|kind| signal(kind.as_str()));
    let signals: Vec<_> = known.chain([signal(text)]).collect();
    let documents = json!([
        { "Status": text, "FullAnalysis": [{ "DocumentType": text, "FraudSignals": signals }] },
        { "Status": "COMPLETED" },
    ]);
    report(&documents, Verdict::Flagged(Vec::new()))
}

fn report(documents: &serde_json::Value, verdict: Verdict) -> AnalysisReport {
    let analysis = json!({ "DocumentAnalysis": documents }).to_string();
    AnalysisReport {
        login_id: LoginId::new("aabf32b7").expect("an id"),
        read_at: SystemTime::UNIX_EPOCH,
        verdict,
        analysis: flinks_types::from_json(analysis.as_bytes()).expect("an analysis"),
    }
}

fn borrower<'a>(
    text: &'a str,
    files: &'a [String],
    outcome: Result<&'a AnalysisReport, &'a str>,
) -> Borrower<'a> {
    Borrower {
        id: Some(text),
        tag: Some(text),
        client_name: Some(text),
        login_id: Some(text),
        files,
        outcome,
    }
}

/// A page with this text in every place for text: one borrower with an analysis, one without.
fn page_with(text: &str) -> String {
    let (report, files) = (flagged(text), [text.to_owned()]);
    let borrowers = [Ok(&report), Err(text)].map(|outcome| borrower(text, &files, outcome));
    page(&borrowers, SystemTime::UNIX_EPOCH)
}

static PLAIN: LazyLock<String> = LazyLock::new(|| structure(&page_with("x")));

/// The characters that make up the page's structure.
fn structure(page: &str) -> String {
    page.chars().filter(|c| "<>\"".contains(*c)).collect()
}

#[test]
fn nothing_runs_and_nothing_is_loaded() {
    let page = page_with("x");
    assert!(page.contains(r#"content="default-src 'none'; style-src 'unsafe-inline';"#));
    for part in [
        "<script",
        "<img",
        "<link",
        "<iframe",
        "://",
        "url(",
        "@import",
        "@font-face",
    ] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let texts = [
        "</style><script>alert(1)</script>",
        "\"' onload=\"alert(1)",
        "<!-- ]]> &lt;&#60;&amp",
        "\u{0}\u{7}\u{1b}[31m\r\n",
        "\u{202e}gpj.exe\u{2066}\u{200b}\u{feff}",
    ];
    for text in texts
        .map(str::to_owned)
        .into_iter()
        .chain([">".repeat(70_000)])
    {
        let page = page_with(&text);
        assert_eq!(structure(&page), *PLAIN, "{text}");
        assert!(
            page.chars().all(|c| c == '\n' || !is_invisible(c)),
            "{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_stays_text(text in "[<>&\"'\\PC]{1,3}\\PC{0,20}[<>&\"'\\x00-\\x1f]{0,3}") {
        let page = page_with(&text);
        prop_assert_eq!(structure(&page), PLAIN.as_str());
        prop_assert!(page.chars().all(|c| c == '\n' || !is_invisible(c)));
    }
}

#[test]
fn only_a_clean_verdict_reads_as_clean() {
    let clean = report(&json!([]), Verdict::Clean);
    let undetermined = report(&json!([]), Verdict::Undetermined(Reason::NoDocuments));
    let flagged = flagged("x");
    let rows = [
        (Ok(&clean), "Clean", "does not prove"),
        (Ok(&flagged), "Flagged", "not a proof of fraud"),
        (Ok(&undetermined), "Undetermined", "not a clean result"),
        (Err("HTTP 503"), "No verdict", "not a clean result"),
    ];
    for (outcome, label, meaning) in rows {
        let page = page(&[borrower("x", &[], outcome)], SystemTime::UNIX_EPOCH);
        assert!(
            page.contains(&format!("</svg>{label}</span>")),
            "{label}: {page}"
        );
        assert!(
            page.contains(meaning) && page.contains("Next: "),
            "{label}: {page}"
        );
        assert_eq!(
            page.contains("</svg>Clean</span>"),
            label == "Clean",
            "{label}"
        );
    }
}

#[test]
fn the_table_leads_to_every_borrower_and_the_page_stays_small() {
    let (flagged, files) = (
        flagged("x"),
        ["statement.pdf".to_owned(), "2.pdf".to_owned()],
    );
    let clean = report(&json!([]), Verdict::Clean);
    let outcomes: [Result<_, &str>; 2] = [Ok(&clean), Ok(&flagged)];
    let borrowers = outcomes.into_iter().cycle().take(200);
    let borrowers: Vec<_> = borrowers
        .map(|outcome| borrower("Zoë", &files, outcome))
        .collect();
    let page = page(&borrowers, SystemTime::UNIX_EPOCH);
    for number in 1..=200 {
        let (link, target) = (format!("href=\"#b{number}\""), format!(" id=\"b{number}\""));
        assert!(page.contains(&link) && page.contains(&target), "{number}");
    }
    let place = |number| page.find(&format!(" id=\"b{number}\""));
    assert!(place(200) < place(1), "those flagged come first");
    assert!(page.len() < 1_000_000, "{}", page.len());
}
