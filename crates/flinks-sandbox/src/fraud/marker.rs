//! Marker lines in a document's bytes: a tester's choice of what the analysis finds.

use std::io::BufRead;

use super::document::Document;
use super::integrity::{is_readable, text_parts};
use super::signal::{Detail, SIGNALS, STATUSES, Signal};

const START: &[u8] = b"flinks-sandbox";
/// The largest `count` of a marker.
const MAX_COUNT: usize = 1_000;

/// Returns the analysis that a document's markers specify.
///
/// Without a marker, a document is clean if it is readable.
///
/// # Errors
///
/// Returns what is wrong with a marker, without quoting anything outside of markers.
pub(crate) fn analyze(file_name: &str, content: &[u8]) -> Result<Document, String> {
    let mut document = None;
    for part in text_parts(content) {
        for marker in markers(part) {
            apply(&marker, document.get_or_insert_default()).map_err(|reason| {
                format!("The marker `%{marker}` cannot be understood: {reason}.")
            })?;
        }
    }
    Ok(document.unwrap_or_else(|| {
        if is_readable(file_name, content) {
            Document::default()
        } else {
            Document::with_status("UNABLE_TO_PROCESS")
        }
    }))
}

/// Returns each text that starts with `%flinks-sandbox`, up to the first byte that is not printable
/// ASCII, at most 500 bytes.
fn markers(mut rest: &[u8]) -> Vec<String> {
    let mut markers = Vec::new();
    // The standard library's search is fast in debug builds too.
    while rest.skip_until(b'%').is_ok_and(|skipped| skipped > 0) {
        let Some(after) = rest.strip_prefix(START) else {
            continue;
        };
        let printable = after
            .iter()
            .take(500)
            .take_while(|byte| matches!(byte, b' '..=b'~'));
        let text: String = printable.map(|&byte| char::from(byte)).collect();
        markers.push(format!("flinks-sandbox{text}"));
    }
    markers
}

fn apply(marker: &str, document: &mut Document) -> Result<(), String> {
    let (_, settings) = marker.split_once(' ').ok_or("it says nothing")?;
    let (mut signal, mut page, mut count, mut details) = (None, None, None, Vec::new());
    for (name, value) in pairs(settings)? {
        match name {
            "signal" => set(&mut signal, name, known(&SIGNALS, |one| one.kind, value)?)?,
            "page" => set(&mut page, name, number(value, usize::MAX)?)?,
            "count" => set(&mut count, name, number(value, MAX_COUNT)?)?,
            "detail" => details.push(Detail::parse(value).ok_or("a detail is NAME:VALUE")?),
            "status" => set(
                &mut document.status,
                name,
                (*known(&STATUSES, |one| one, value)?).to_owned(),
            )?,
            "document_type" => set(&mut document.document_type, name, value.to_owned())?,
            _ => {
                return Err(format!(
                    "there is no `{name}`; there are signal, page, count, detail, status, document_type"
                ));
            }
        }
    }
    match signal {
        Some(kind) => {
            if details.is_empty() {
                details.extend(Detail::example_of(kind));
            }
            let occurrences = vec![details; count.unwrap_or(1)];
            document.add(Signal {
                kind: kind.kind.to_owned(),
                page,
                occurrences,
            });
            Ok(())
        }
        None if page.is_some() || count.is_some() || !details.is_empty() => {
            Err("page, count and detail belong to a signal".to_owned())
        }
        None => Ok(()),
    }
}

/// The `NAME=VALUE` pairs of a marker; a value with spaces is in double quotes.
fn pairs(settings: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut pairs = Vec::new();
    let mut rest = settings.trim();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| format!("`{rest}` is not NAME=VALUE"))?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .ok_or("a quotation mark is not closed")?,
            None => after.split_once(' ').unwrap_or((after, "")),
        };
        pairs.push((name, value));
        rest = after.trim_start();
    }
    if pairs.is_empty() {
        return Err("it says nothing".to_owned());
    }
    Ok(pairs)
}

fn set<T: PartialEq>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place {
        Some(earlier) if *earlier != value => Err(format!("`{name}` is given twice")),
        Some(_) | None => {
            *place = Some(value);
            Ok(())
        }
    }
}

fn known<'a, T>(all: &'a [T], name: fn(&T) -> &'static str, text: &str) -> Result<&'a T, String> {
    all.iter().find(|one| name(one) == text).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(name).collect();
        format!("there is no `{text}`; there are {}", names.join(", "))
    })
}

fn number(text: &str, max: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| format!("`{text}` is not a number from 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn analysis(content: &str) -> serde_json::Value {
        analyze("a.pdf", content.as_bytes()).unwrap().json()
    }

    fn signals(content: &str) -> serde_json::Value {
        analysis(content)["FullAnalysis"][0]["FraudSignals"].clone()
    }

    #[test]
    fn a_signal_has_its_page_count_and_details() {
        let line = "%PDF-1.7\n%flinks-sandbox signal=UNRECONCILED_BALANCES page=2 count=2\n";
        let details = json!({"Details": [
            {"SpecificType": "delta", "Value": "0.85", "DataType": "float"}]});
        assert_eq!(
            signals(line),
            json!([{
                "Type": "UNRECONCILED_BALANCES", "PageNumber": 2, "Count": 2,
                "UnderlyingData": [details, details],
            }])
        );
        let line = "%flinks-sandbox signal=DATE_EDITS detail=delta:-3 detail=\"text:1 May\" detail=ok:true";
        assert_eq!(
            signals(line)[0],
            json!({
                "Type": "DATE_EDITS", "PageNumber": null, "Count": 1,
                "UnderlyingData": [{"Details": [
                    {"SpecificType": "delta", "Value": "-3", "DataType": "int"},
                    {"SpecificType": "text", "Value": "1 May", "DataType": "str"},
                    {"SpecificType": "ok", "Value": "true", "DataType": "bool"}]}],
            })
        );
    }

    #[test]
    fn all_ten_signals_and_all_statuses_are_known() {
        assert_eq!(SIGNALS.len(), 10);
        for signal in &SIGNALS {
            let found = signals(&format!("%flinks-sandbox signal={}", signal.kind));
            assert_eq!(found[0]["Type"], signal.kind);
        }
        for status in STATUSES {
            let found = analysis(&format!("%flinks-sandbox status={status}"));
            assert_eq!(found["Status"], status);
            let analyses = found["FullAnalysis"].as_array().unwrap().len();
            assert_eq!(analyses, usize::from(status == "COMPLETED"));
        }
    }

    #[test]
    fn several_lines_add_up() {
        let lines = "%flinks-sandbox signal=DATE_EDITS page=1\n\
            %flinks-sandbox signal=DATE_EDITS page=1 count=2\n\
            %flinks-sandbox signal=DATE_EDITS page=2\n\
            %flinks-sandbox status=PENDING document_type=PAYSTUB\n";
        let analysis = analysis(lines);
        assert_eq!(analysis["Status"], "PENDING");
        let full = &analysis["FullAnalysis"][0];
        assert_eq!(full["DocumentType"], "PAYSTUB");
        let found = full["FraudSignals"].as_array().unwrap();
        let counts: Vec<_> = found
            .iter()
            .map(|one| (&one["PageNumber"], &one["Count"]))
            .collect();
        assert_eq!(counts, [(&json!(1), &json!(3)), (&json!(2), &json!(1))]);
    }

    #[test]
    fn a_mistake_in_a_marker_is_named() {
        for (marker, part) in [
            ("", "says nothing"),
            (" ", "says nothing"),
            ("-2 signal=DATE_EDITS x", "not NAME=VALUE"),
            (" signal", "not NAME=VALUE"),
            (
                " signal=DATES",
                "there are ACCOUNT_INFORMATION_EDITS, DATE_EDITS",
            ),
            (" status=DONE", "there are COMPLETED, PENDING"),
            (" pages=2", "there is no `pages`"),
            (" page=2", "belong to a signal"),
            (" signal=DATE_EDITS page=0", "number from 1"),
            (" signal=DATE_EDITS count=1001", "from 1 to 1000"),
            (" signal=DATE_EDITS detail=delta", "NAME:VALUE"),
            (" signal=DATE_EDITS detail=\"delta:1", "not closed"),
            (" status=DELETED status=PENDING", "given twice"),
        ] {
            let error = analyze("a.pdf", format!("%flinks-sandbox{marker}\n").as_bytes());
            let error = error.unwrap_err();
            assert!(error.contains(part), "{marker:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            name in prop::sample::select(vec!["a.pdf", "a.png", "a.jpg", "a.tif"]),
            start in prop::sample::select(vec![
                &b"%PDF-1.7\n"[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"%flinks-sandbox ",
            ]),
            rest: Vec<u8>,
        ) {
            drop(analyze(name, &[start, &rest].concat()));
        }
    }
}
