//! The picture of a document's pages, each with the letters of its signals.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::document::Group;
use crate::output::text::counted;

/// With more pages than this, only those with signals are drawn.
const MAX_PAGES: u32 = 40;
/// The maximum number of pages with signals that are drawn.
const MAX_FLAGGED: usize = 200;
/// The letters that fit on a page, three in a line.
const MAX_LETTERS: usize = 9;

/// What was found on a page.
#[derive(Default)]
struct Page<'a> {
    letters: Vec<&'a str>,
    signals: usize,
}

/// Returns the picture.
pub(super) fn pages(groups: &[Group<'_>]) -> Markup {
    // `None` is the document as a whole, and comes first.
    let mut pages: BTreeMap<Option<u32>, Page<'_>> = BTreeMap::new();
    for group in groups {
        for signal in &group.signals {
            let page = pages.entry(signal.page_number).or_default();
            page.signals += 1;
            if page.letters.last() != Some(&group.letter.as_str()) {
                page.letters.push(&group.letter);
            }
        }
    }
    let last = pages.keys().next_back().copied().flatten().unwrap_or(0);
    let all = last <= MAX_PAGES;
    if all {
        for number in 1..=last {
            pages.entry(Some(number)).or_default();
        }
    }
    let more = pages.len().saturating_sub(MAX_FLAGGED);
    html! {
        figure {
            figcaption { "Signals by page" }
            ol.pages {
                @for (number, page) in pages.iter().take(MAX_FLAGGED) { (sheet(*number, page)) }
            }
            p.note {
                "A letter is a type of signal, explained below. "
                @if more > 0 { "Pages with signals that are not drawn: " (more) ". " }
                @if last > 0 && all { "Pages after " (last) ", if there are any, have no signal." }
                @if last > 0 && !all { "Pages without a signal are not drawn." }
            }
        }
    }
}

fn sheet(number: Option<u32>, page: &Page<'_>) -> Markup {
    let title = match number {
        Some(number) => format!("Page {number}"),
        None => "Whole document".to_owned(),
    };
    let letters = page.letters.join(", ");
    let count = match page.signals {
        0 => "no signal".to_owned(),
        signals => counted(signals, "signal"),
    };
    let label = if letters.is_empty() {
        format!("{title}: no signal")
    } else {
        format!("{title}: {count}, of type {letters}")
    };
    html! {
        li.none[page.signals == 0] {
            svg viewBox="0 0 56 72" role="img" aria-label=(label) {
                path d="M1 1h40l14 14v56H1zM41 1v14h14" {}
                @for (line, letters) in lines(&page.letters).iter().enumerate() {
                    text x="28" y=(30 + 16 * line) { (letters) }
                }
            }
            span { (title) }
            @if page.signals > 0 { span { (count) } }
        }
    }
}

/// Returns the letters in lines. What does not fit is a plus sign.
fn lines(letters: &[&str]) -> Vec<String> {
    let is_letter = |letter: &&&str| letter.len() == 1;
    let mut shown: Vec<_> = letters.iter().filter(is_letter).copied().collect();
    if letters.len() > MAX_LETTERS || shown.len() < letters.len() {
        shown.truncate(MAX_LETTERS - 1);
        shown.push("+");
    }
    shown.chunks(3).map(|line| line.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_do_not_fit_are_a_plus_sign() {
        assert_eq!(lines(&["A", "B", "C", "D"]), ["A B C", "D"]);
        assert_eq!(lines(&["A", "27"]), ["A +"]);
        let ten = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
        assert_eq!(lines(&ten), ["A B C", "D E F", "G H +"]);
        assert_eq!(lines(&ten[..9])[2], "G H I");
    }
}
