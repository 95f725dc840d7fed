//! Documents: the fraud signals that their content gives, whatever their name.

mod image;
mod pdf;
mod software;
mod statement;
mod syntax;
mod text;

use memchr::memmem;
use serde_json::{Value, json};

/// A sign of fraud in one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    kind: &'static str,
    /// From 1; `None` for what concerns the whole document.
    page: Option<usize>,
    occurrences: Vec<Vec<Detail>>,
}

/// One fact of an occurrence, always as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    specific_type: &'static str,
    value: String,
    data_type: &'static str,
}

impl Signal {
    /// The signal of the guide's example ("Response — Fraud Signals Detected"), with as many
    /// occurrences as its count says.
    pub(crate) fn guide_example() -> Self {
        let delta = Detail::new("delta", "0.85".to_owned(), "float");
        Self {
            kind: "SIGNAL_TYPE",
            page: Some(1),
            occurrences: vec![vec![delta.clone()], vec![delta]],
        }
    }

    pub(crate) fn json(&self) -> Value {
        let occurrences: Vec<Value> = self
            .occurrences
            .iter()
            .map(|details| {
                let details: Vec<Value> = details.iter().map(Detail::json).collect();
                json!({"Details": details})
            })
            .collect();
        json!({
            "Type": self.kind,
            "PageNumber": self.page,
            "Count": self.occurrences.len(),
            "UnderlyingData": occurrences,
        })
    }
}

impl Detail {
    fn new(specific_type: &'static str, value: String, data_type: &'static str) -> Self {
        Self {
            specific_type,
            value,
            data_type,
        }
    }

    fn json(&self) -> Value {
        json!({
            "SpecificType": self.specific_type,
            "Value": self.value,
            "DataType": self.data_type,
        })
    }
}

/// The signals of a document, in a fixed order. What cannot be read gives none.
pub(crate) fn inspect(content: &[u8]) -> Vec<Signal> {
    let mut signals = Vec::new();
    let (metadata, breaks) = if image::is_image(content) {
        (image::metadata(content), Vec::new())
    } else if memmem::find(content.get(..1024).unwrap_or(content), b"%PDF-").is_some() {
        let objects = pdf::objects(content);
        let packed = pdf::packed(&objects);
        let pdf = pdf::Pdf::new(objects, &packed);
        let breaks = pdf.pages().map(|pages| {
            let pages: Vec<_> = pages.iter().map(|content| text::lines(content)).collect();
            statement::breaks(&pages)
        });
        (pdf.metadata(), breaks.unwrap_or_default())
    } else {
        return signals;
    };
    signals.extend(software::signal(&metadata));
    signals.extend(statement::signals(&breaks));
    signals
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    #[test]
    fn honest_documents_give_no_signal() {
        for name in [
            "statement-january.pdf",
            "scan.png",
            "scan.jpg",
            "scan.jpeg",
            "scan.tif",
            "scan.tiff",
        ] {
            assert_eq!(inspect(&fixture(name)), [], "{name}");
        }
    }

    #[test]
    fn the_edited_statement_shows_its_editor_and_the_raised_salary() {
        let signals: Vec<_> = inspect(&fixture("statement-january-edited.pdf"))
            .iter()
            .map(Signal::json)
            .collect();
        let [software, balances] = &signals[..] else {
            panic!("{signals:?}")
        };
        assert_eq!(software["Type"], "EDITING_SOFTWARE_DETECTED");
        assert_eq!(software["PageNumber"], Value::Null);
        assert_eq!(software["Count"], 2);
        let details = &software["UnderlyingData"][0]["Details"];
        assert_eq!(details[0]["Value"], "Creator");
        assert_eq!(details[1]["Value"], "Adobe Photoshop 25.4 (Windows)");
        assert_eq!(
            *balances,
            json!({
                "Type": "UNRECONCILED_BALANCES",
                "PageNumber": 2,
                "Count": 1,
                "UnderlyingData": [{"Details": [
                    {"SpecificType": "delta", "Value": "2000.00", "DataType": "float"}
                ]}],
            })
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            start in prop::sample::select(vec![
                &b"%PDF-1.7\n"[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*",
            ]),
            rest: Vec<u8>,
        ) {
            inspect(&[start, &rest].concat());
        }

        #[test]
        fn damaged_documents_do_no_harm(
            name in prop::sample::select(vec![
                "statement-january.pdf", "scan.png", "scan.jpg", "scan.tif", "scan.tiff",
            ]),
            length: prop::sample::Index,
            places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        ) {
            let mut content = fixture(name);
            for (place, byte) in places {
                let place = place.index(content.len());
                content[place] = byte;
            }
            content.truncate(length.index(content.len()));
            inspect(&content);
        }
    }
}
