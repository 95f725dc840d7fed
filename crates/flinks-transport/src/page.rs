//! Recognizes an HTML page in place of an API response, and describes it by its title.

/// The longest title that is shown, in characters.
const MAX_CHARS: usize = 100;

/// Describes a body that is an HTML page; `None` for any other. `hide` redacts the title.
pub(crate) fn description(body: &[u8], hide: impl FnOnce(&str) -> String) -> Option<String> {
    let text = String::from_utf8_lossy(body.get(..64 * 1024).unwrap_or(body));
    let lower = text.to_ascii_lowercase();
    let begin = lower.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let html = begin.starts_with('<')
        && ["<!doctype html", "<html", "<head", "<body", "<title"]
            .iter()
            .any(|mark| lower.contains(mark));
    if !html {
        return None;
    }
    let what = "an HTML page, not the API: a proxy, portal or firewall answered";
    let title = title(&text, &lower).map(|title| shown(&hide(&title)));
    Some(match title {
        Some(title) if !title.is_empty() => format!("{what} (\"{title}\")"),
        Some(_) | None => what.to_owned(),
    })
}

/// Returns the text of the title element; `lower` is the same text in lower case, byte for byte.
fn title(text: &str, lower: &str) -> Option<String> {
    let open = lower.find("<title")?;
    let begin = open + lower.get(open..)?.find('>')? + 1;
    let end = begin + lower.get(begin..)?.find('<')?;
    let title = text.get(begin..end)?;
    Some(title.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Keeps plain characters only: others could hide text, or control a terminal.
fn shown(title: &str) -> String {
    let plain = |c: &char| {
        c.is_alphanumeric() || *c == ' ' || c.is_ascii_punctuation() || "–—’“”…·|«»".contains(*c)
    };
    title.chars().filter(plain).take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(body: &str) -> Option<String> {
        description(body.as_bytes(), str::to_owned)
    }

    #[test]
    fn a_page_is_described_by_its_title() {
        let head = "\u{feff}\n<!DOCTYPE html><HTML><head>";
        let page = format!("{head}<Title lang=en>\n Sign\u{1b}[31m  in\u{202e}</title>");
        let titled = said(&page).expect("a page");
        assert!(titled.ends_with("answered (\"Sign[31m in\")"), "{titled}");
        let untitled = said("<html><body>x").expect("a page");
        assert!(untitled.ends_with("answered"), "{untitled}");
        let long = format!("<html><title>{}</title>", "é".repeat(999));
        assert!(said(&long).expect("a page").chars().count() < 200);
        for other in ["", "{}", "{\"a\":\"<html>\"}", "<?xml?><Error/>", "html"] {
            assert_eq!(said(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_page_controls_a_terminal(text in "(?s)<html>(<title>)?.*(</title>)?.*") {
            let description = said(&text).expect("a page");
            prop_assert!(!description.contains(char::is_control));
        }
    }
}
