//! One borrower's section of the page.

use flinks_types::DocumentStatus;
use maud::{Markup, html};

use super::Borrower;
use super::document::{document, kinds};
use super::text::{Shown, value};
use super::verdict::Mark;
use crate::output::analysis::AnalysisReport;
use crate::output::explanations;
use crate::output::text::{counted, date, shell_word};

/// Returns the section of the borrower with this number.
pub(super) fn section(borrower: &Borrower<'_>, number: usize) -> Markup {
    let mark = Mark::of(borrower);
    html! {
        section.borrower.(mark.class()) id=(format!("b{number}")) {
            h2 { (name(borrower, number)) }
            (verdict(borrower, mark))
            (facts(borrower))
            @if let Ok(report) = borrower.outcome {
                @let documents = &report.analysis.documents;
                @let kinds = kinds(documents);
                @let single = documents.len() == 1 && borrower.files.len() == 1;
                @for (index, analyzed) in documents.iter().enumerate() {
                    @let file = borrower.files.first().filter(|_| single);
                    @let place = (index + 1, documents.len());
                    (document(analyzed, &kinds, place, file.map(String::as_str)))
                }
                @if !documents.is_empty() && !single {
                    p.note { (explanations::ORDER) }
                }
            }
        }
    }
}

/// Returns what a borrower is called: the first that is known of name, tag, id and LoginId.
pub(super) fn name(borrower: &Borrower<'_>, number: usize) -> Markup {
    let names = [
        borrower.client_name,
        borrower.tag,
        borrower.id,
        borrower.login_id,
    ];
    match names.into_iter().flatten().find(|name| !name.is_empty()) {
        Some(name) => value(name),
        None => html! { "Borrower " (number) },
    }
}

fn verdict(borrower: &Borrower<'_>, mark: Mark) -> Markup {
    let (explanation, summary) = match borrower.outcome {
        Ok(report) => (
            explanations::verdict(&report.verdict),
            html! { (report.summary()) },
        ),
        Err(reason) => (explanations::NO_VERDICT, value(reason)),
    };
    let again = matches!(mark, Mark::Undetermined | Mark::NoVerdict);
    let login_id = borrower.login_id.filter(|_| again);
    html! {
        div.verdict {
            p.headline { (mark.to_html()) " " span.summary { (summary) } }
            p { (explanation.meaning) @if mark == Mark::Flagged { (unfinished(borrower)) } }
            p { b { "Next: " } (explanation.next) }
            @if let Some(id) = login_id {
                p { code { "flinks fraud " (Shown(&shell_word(id.as_ref()))) " --wait" } }
            }
        }
    }
}

/// Returns a warning if more signals may be found.
fn unfinished(borrower: &Borrower<'_>) -> String {
    let documents = borrower.outcome.map(|report| &report.analysis.documents);
    let is_unfinished = |status: Option<&DocumentStatus>| status.is_none_or(|s| !s.is_terminal());
    let unfinished = documents.map_or(0, |documents| {
        let statuses = documents.iter().map(|document| document.status.as_ref());
        statuses.filter(|status| is_unfinished(*status)).count()
    });
    if unfinished == 0 {
        return String::new();
    }
    let count = counted(unfinished, "document");
    format!(" More signals may be found: {count} not finished.")
}

fn facts(borrower: &Borrower<'_>) -> Markup {
    let report: Option<&AnalysisReport> = borrower.outcome.ok();
    let request_id = report.and_then(|report| report.analysis.request_id.as_ref());
    let facts = [
        ("Client name", borrower.client_name),
        ("Tag", borrower.tag),
        ("Id", borrower.id),
        ("LoginId", borrower.login_id),
        ("RequestId", request_id.map(|id| id.as_str())),
    ];
    let read_at = report.map(|report| date(report.read_at));
    html! {
        dl.facts {
            @for (name, fact) in facts {
                @if let Some(fact) = fact { div { dt { (name) } dd { (value(fact)) } } }
            }
            @if let Some(date) = read_at { div { dt { "Analysis read" } dd { (date) } } }
            @if !borrower.files.is_empty() {
                div.files {
                    dt { (counted(borrower.files.len(), "file")) }
                    dd { ol { @for file in borrower.files { li { (value(file)) } } } }
                }
            }
        }
    }
}
