//! One borrower's section of the page.

use maud::{Markup, html};

use super::Borrower;
use super::text::{self, Shown};

/// Returns the section of the borrower at this place.
pub(super) fn borrower(borrower: &Borrower<'_>, index: usize) -> Markup {
    let (verdict, reason) = match borrower.outcome {
        Ok(report) => (report.verdict.as_str(), None),
        Err(reason) => ("no verdict", Some(reason)),
    };
    html! {
        section id=(format!("b{}", index + 1)) {
            h2 { (Shown(verdict)) }
            @if let Some(reason) = reason { p { (Shown(reason)) } }
            dl {
                @for (name, value) in [
                    ("Id", borrower.id),
                    ("Client name", borrower.client_name),
                    ("Tag", borrower.tag),
                    ("LoginId", borrower.login_id),
                ] {
                    @if let Some(value) = value { dt { (name) } dd { (Shown(value)) } }
                }
            }
            @if let Ok(report) = borrower.outcome { p { "Read " (text::date(report.read_at)) } }
            ol { @for file in borrower.files { li { (Shown(file)) } } }
        }
    }
}
