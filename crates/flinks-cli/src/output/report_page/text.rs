//! Text from outside of this program on the page: escaped, with nothing invisible in it.

use flinks_types::text::escaped;
use maud::{Markup, Render, html};

/// Text from outside of this program. The page has no other way to show it.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, html: &mut String) {
        escaped(self.0).as_ref().render_to(html);
    }
}

/// Returns text from outside, isolated from the writing direction of its surroundings.
pub(super) fn value(text: &str) -> Markup {
    html! { bdi { (Shown(text)) } }
}
