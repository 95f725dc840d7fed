//! The page of `--html`: fraud analyses for a person to read, keep and print, in one HTML file.

mod document;
mod pages;
mod section;
mod text;
mod verdict;

use std::io;
use std::path::Path;
use std::time::SystemTime;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::section::{name, section};
use self::text::value;
use self::verdict::{Mark, signs};
use crate::output::Output;
use crate::output::analysis::AnalysisReport;
use crate::output::error::CliError;
use crate::output::text::{counted, date, shown_path, wrapped};
use crate::state::files;

const STYLE: &str = include_str!("report_page/style.css");

/// The page loads nothing and runs nothing, even if an escape were missing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// One borrower's part of the page. What is not known is left out.
#[derive(Clone, Copy)]
pub(crate) struct Borrower<'a> {
    /// The id in a batch's manifest.
    pub(crate) id: Option<&'a str>,
    pub(crate) tag: Option<&'a str>,
    pub(crate) client_name: Option<&'a str>,
    pub(crate) login_id: Option<&'a str>,
    /// The names of the uploaded files.
    pub(crate) files: &'a [String],
    /// The analysis, or why there is none.
    pub(crate) outcome: Result<&'a AnalysisReport, &'a str>,
}

/// Writes the page to a new file with mode 0600, which replaces an older one, or to a device or a
/// pipe.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, borrowers: &[Borrower<'_>]) -> Result<(), CliError> {
    let page = page(borrowers, SystemTime::now());
    files::write_to(path, page.as_bytes()).map_err(|error| disk(&error).after_the_call())
}

/// Checks that [`write`] can write the file, before anything is sent.
///
/// # Errors
/// It cannot.
pub(crate) fn check(path: &Path) -> Result<(), CliError> {
    files::check_write_to(path).map_err(|error| disk(&error))
}

/// Says where the page is, or how to get one.
pub(crate) fn note(path: Option<&Path>, output: Output) -> String {
    match path {
        Some(path) => format!("\nPage: {} (has personal data)\n", shown_path(path)),
        None => {
            let note = "--html FILE writes this as a page to read in a browser, and to print.";
            let columns = output.columns().unwrap_or(usize::MAX);
            output.faint(&format!("\n{}", wrapped(note, 0, columns)))
        }
    }
}

fn disk(error: &io::Error) -> CliError {
    CliError::disk("the page (--html)", error)
}

/// Returns the page: whom a person has to look at first, comes first.
pub(crate) fn page(borrowers: &[Borrower<'_>], now: SystemTime) -> String {
    let mut numbered: Vec<_> = (1..).zip(borrowers).collect();
    numbered.sort_by_key(|(_, borrower)| Mark::of(borrower));
    let several = borrowers.len() != 1;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { "Fraud analysis" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (signs())
                header {
                    h1 { "Fraud analysis" }
                    p {
                        @if several { (counted(borrowers.len(), "borrower")) ", " }
                        "written " (date(now))
                    }
                }
                main {
                    @if several { (index(&numbered)) }
                    @for (number, borrower) in &numbered { (section(borrower, *number)) }
                }
                footer {
                    p { "Confidential: this page has personal data." }
                    p {
                        "Written by flinks " (env!("CARGO_PKG_VERSION")) " from the analysis of Flinks. \
                         The explanations are the program's."
                    }
                }
            }
        }
    };
    page.into_string()
}

/// Returns the table of all borrowers, with links to their sections.
fn index(borrowers: &[(usize, &Borrower<'_>)]) -> Markup {
    let count = |mark| {
        let marks = borrowers.iter().map(|(_, borrower)| Mark::of(borrower));
        marks.filter(|of| *of == mark).count()
    };
    html! {
        ul.counts {
            @for mark in Mark::ALL { li { b { (count(mark)) } (mark.to_html()) } }
        }
        table.index {
            thead { tr { th { "Verdict" } th { "Borrower" } th { "Finding" } th { "LoginId" } } }
            tbody {
                @for (number, borrower) in borrowers {
                    tr {
                        td { (Mark::of(borrower).to_html()) }
                        td { a href=(format!("#b{number}")) { (name(borrower, *number)) } }
                        td {
                            @match borrower.outcome {
                                Ok(report) => (report.summary()),
                                Err(reason) => (value(reason)),
                            }
                        }
                        td { @if let Some(id) = borrower.login_id { (value(id)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
