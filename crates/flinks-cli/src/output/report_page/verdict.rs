//! How a borrower's verdict looks: a word and a sign, never a color alone.

use flinks_fraud::Verdict;
use maud::{Markup, html};

use super::Borrower;

/// A borrower's verdict, in the order in which a person has to look at them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Mark {
    Flagged,
    Undetermined,
    NoVerdict,
    Clean,
}

impl Mark {
    pub(super) const ALL: [Self; 4] = [
        Self::Flagged,
        Self::Undetermined,
        Self::NoVerdict,
        Self::Clean,
    ];

    pub(super) fn of(borrower: &Borrower<'_>) -> Self {
        match borrower.outcome.map(|report| &report.verdict) {
            Ok(Verdict::Clean) => Self::Clean,
            Ok(Verdict::Flagged(_)) => Self::Flagged,
            Ok(Verdict::Undetermined(_) | _) => Self::Undetermined,
            Err(_) => Self::NoVerdict,
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Flagged => "Flagged",
            Self::Undetermined => "Undetermined",
            Self::NoVerdict => "No verdict",
            Self::Clean => "Clean",
        }
    }

    /// The name of its style and of its sign.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Flagged => "flagged",
            Self::Undetermined => "undetermined",
            Self::NoVerdict => "no-verdict",
            Self::Clean => "clean",
        }
    }

    /// Returns the sign and the word.
    pub(super) fn to_html(self) -> Markup {
        html! {
            span.mark.(self.class()) {
                svg aria-hidden="true" { use href=(format!("#sign-{}", self.class())) {} }
                (self.label())
            }
        }
    }

    /// Returns the shape of the sign: each has its own outline.
    const fn shape(self) -> &'static str {
        match self {
            Self::Flagged => "M8 1.5 15.2 14.5H.8zM8 6v4.2M8 12v.6",
            Self::Undetermined => {
                "M8 1.2a6.8 6.8 0 1 1 0 13.6 6.8 6.8 0 0 1 0-13.6zM6 6.3a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.4v.6"
            }
            Self::NoVerdict => "M1.5 1.5h13v13h-13zM5 8h6",
            Self::Clean => {
                "M8 1.2a6.8 6.8 0 1 1 0 13.6 6.8 6.8 0 0 1 0-13.6zM4.9 8.2l2.2 2.2 4-4.4"
            }
        }
    }
}

/// Returns the signs, which the page refers to.
pub(super) fn signs() -> Markup {
    html! {
        svg.signs aria-hidden="true" {
            @for mark in Mark::ALL {
                symbol id=(format!("sign-{}", mark.class())) viewBox="0 0 16 16" {
                    path d=(mark.shape()) {}
                }
            }
        }
    }
}
