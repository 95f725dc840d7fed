//! Text of others on the page: escaped, with nothing invisible in it.

use std::time::SystemTime;

use flinks_types::text::escaped;
use maud::Render;

/// Text from outside of this program. The page has no other way to show it.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, html: &mut String) {
        escaped(self.0).as_ref().render_to(html);
    }
}

/// Formats a time: `29 Nov 2026, 10:20:30 UTC`.
pub(super) fn date(time: SystemTime) -> String {
    // `Sun, 29 Nov 2026 10:20:30 GMT`
    let date = httpdate::fmt_http_date(time);
    let words: Vec<_> = date.split(' ').collect();
    match words.as_slice() {
        [_, day, month, year, time, _] => format!("{day} {month} {year}, {time} UTC"),
        _ => date,
    }
}
