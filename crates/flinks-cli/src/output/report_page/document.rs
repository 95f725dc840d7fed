//! An analyzed document on the page: its signals by type, each explained.

use std::collections::{BTreeMap, HashMap};

use flinks_types::{Detail, DocumentAnalysis, FraudSignal, SignalType, UnderlyingData};
use maud::{Markup, html};

use super::pages::pages;
use super::text::value;
use crate::output::analysis::document::{finding, kind, signals, status};
use crate::output::explanations;
use crate::output::text::counted;

/// The maximum number of findings per signal on the page. The JSON has all.
const MAX_FINDINGS: usize = 8;

/// The place of each type of signal, which its letter is for.
pub(super) type Kinds<'a> = HashMap<Option<&'a SignalType>, usize>;

/// The signals of a document that are of one type.
pub(super) struct Group<'a> {
    /// Names the group in the picture.
    pub(super) letter: String,
    kind: Option<&'a SignalType>,
    pub(super) signals: Vec<&'a FraudSignal>,
}

/// Returns a document at its place, counted from 1, among all. `file` is its name, if it is known.
pub(super) fn document(
    document: &DocumentAnalysis,
    kinds: &Kinds<'_>,
    (number, of): (usize, usize),
    file: Option<&str>,
) -> Markup {
    let groups = groups(document, kinds);
    let kind = kind(document);
    html! {
        article {
            h3 {
                "Document " (number) " of " (of)
                @if let Some(file) = file { ": " (value(file)) }
            }
            p.state {
                @if !kind.is_empty() { (value(&kind)) " · " }
                (value(status(document))) " · " b { (finding(document)) }
            }
            @if !groups.is_empty() { (pages(&groups)) }
            @for group in &groups { (signal(group)) }
            @if groups.iter().flat_map(|group| &group.signals).any(|s| has_details(s)) {
                p.note { (explanations::DETAILS) }
            }
        }
    }
}

/// Returns the place of each type of signal among those of the documents, the same for all of them.
pub(super) fn kinds(documents: &[DocumentAnalysis]) -> Kinds<'_> {
    let mut kinds = Kinds::new();
    for signal in documents.iter().flat_map(signals) {
        let place = kinds.len();
        kinds.entry(signal.signal_type.as_ref()).or_insert(place);
    }
    kinds
}

fn groups<'a>(document: &'a DocumentAnalysis, kinds: &Kinds<'_>) -> Vec<Group<'a>> {
    let mut groups = BTreeMap::new();
    for signal in signals(document) {
        let kind = signal.signal_type.as_ref();
        let place = kinds.get(&kind).copied().unwrap_or_default();
        let group = groups.entry(place).or_insert_with(|| Group {
            letter: letter(place),
            kind,
            signals: Vec::new(),
        });
        group.signals.push(signal);
    }
    for group in groups.values_mut() {
        // The document as a whole has no number, and comes first.
        group.signals.sort_by_key(|signal| signal.page_number);
    }
    groups.into_values().collect()
}

/// Returns the name of a group: a letter, or a number once there are no more letters.
fn letter(place: usize) -> String {
    match ('A'..='Z').nth(place) {
        Some(letter) => letter.to_string(),
        None => (place + 1).to_string(),
    }
}

fn signal(group: &Group<'_>) -> Markup {
    let explanation = explanations::signal(group.kind);
    let documented = group.kind.and_then(explanations::documented_signal);
    let details = group.signals.iter().any(|signal| has_details(signal));
    let name = group.kind.map_or("unnamed signal", SignalType::as_str);
    html! {
        div.signal {
            h4 {
                span.letter { (group.letter) }
                (value(name))
                @if documented.is_none() { span.unknown { "not documented" } }
            }
            p { (explanation.meaning) }
            p { b { "Next: " } (explanation.next) }
            table {
                thead {
                    tr { th { "Page" } th { "Findings" } @if details { th { "Details" } } }
                }
                tbody {
                    @for signal in &group.signals { (row(signal, details)) }
                }
            }
        }
    }
}

fn row(signal: &FraudSignal, details: bool) -> Markup {
    let findings = || {
        signal
            .underlying_data
            .iter()
            .filter(|data| !data.details.is_empty())
    };
    let more = findings().count().saturating_sub(MAX_FINDINGS);
    html! {
        tr {
            td {
                @match signal.page_number { Some(page) => (page), None => "whole document" }
            }
            td { @match signal.count { Some(count) => (count), None => "not stated" } }
            @if details {
                td {
                    @for data in findings().take(MAX_FINDINGS) { (finding_details(data)) }
                    @if more > 0 { span.note { (counted(more, "more finding")) "; --json prints all" } }
                }
            }
        }
    }
}

fn finding_details(data: &UnderlyingData) -> Markup {
    let name = |detail: &Detail| value(detail.specific_type.as_deref().unwrap_or("value"));
    html! {
        span.finding {
            @for (index, detail) in data.details.iter().enumerate() {
                @if index > 0 { ", " }
                span.detail { (name(detail)) } " " (value(detail.value.as_deref().unwrap_or("–")))
            }
        }
    }
}

fn has_details(signal: &FraudSignal) -> bool {
    let mut findings = signal.underlying_data.iter();
    findings.any(|data| !data.details.is_empty())
}
