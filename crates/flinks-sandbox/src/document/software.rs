//! Software that a document names as its maker, and whether it is an editor.

use memchr::memmem;

use super::{Detail, Signal};

/// Programs whose business is changing pictures and documents. A bank's statement system
/// is none of them. Lower case; each has to appear as whole words.
const EDITORS: [&str; 36] = [
    "photoshop",
    "lightroom",
    "illustrator",
    "indesign",
    "adobe express",
    "acrobat pro",
    "adobe acrobat",
    "gimp",
    "inkscape",
    "krita",
    "canva",
    "figma",
    "photopea",
    "pixlr",
    "pixelmator",
    "paint.net",
    "affinity",
    "coreldraw",
    "corel",
    "picsart",
    "snapseed",
    "ilovepdf",
    "sejda",
    "pdfescape",
    "smallpdf",
    "pdffiller",
    "dochub",
    "pdfelement",
    "foxit",
    "phantompdf",
    "nitro",
    "pdf-xchange editor",
    "master pdf editor",
    "soda pdf",
    "pdfsam",
    "libreoffice draw",
];

/// A metadata field with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// One signal for all fields that name an editor.
pub(super) fn signal(metadata: &[Field]) -> Option<Signal> {
    let mut fields: Vec<&Field> = Vec::new();
    for field in metadata {
        if names_editor(&field.value) && !fields.contains(&field) {
            fields.push(field);
        }
    }
    let occurrences: Vec<Vec<Detail>> = fields
        .iter()
        .map(|field| {
            vec![
                Detail::new("field_name", field.name.to_owned(), "str"),
                Detail::new("software", shown(&field.value), "str"),
            ]
        })
        .collect();
    (!occurrences.is_empty()).then_some(Signal {
        kind: "EDITING_SOFTWARE_DETECTED",
        page: None,
        occurrences,
    })
}

/// A document's own text, made safe to show.
fn shown(value: &str) -> String {
    value
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

fn names_editor(value: &str) -> bool {
    let value = value.to_lowercase();
    EDITORS.iter().any(|editor| {
        value.match_indices(editor).any(|(start, _)| {
            let before = value.get(..start).and_then(|text| text.chars().next_back());
            let after = value
                .get(start + editor.len()..)
                .and_then(|text| text.chars().next());
            let part_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !part_of_word(before) && !part_of_word(after)
        })
    })
}

/// The programs that an XMP packet names, as elements or attributes.
pub(super) fn xmp(packet: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    for name in ["CreatorTool", "Producer", "softwareAgent", "Software"] {
        for start in memmem::find_iter(packet, name) {
            let rest = packet.get(start + name.len()..).unwrap_or_default();
            let end = match rest {
                [b'>', ..] => b'<',
                [b'=', quote @ (b'"' | b'\''), ..] => *quote,
                _ => continue,
            };
            let rest = rest
                .get(if end == b'<' { 1 } else { 2 }..)
                .unwrap_or_default();
            // No program's name is longer, and an unclosed element must not cost a scan each.
            let rest = rest.get(..500).unwrap_or(rest);
            let length = memchr::memchr(end, rest).unwrap_or(0);
            let value = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
            // After a closing tag there is nothing but space.
            if !value.trim().is_empty() {
                fields.push(Field {
                    name,
                    value: value.into_owned(),
                });
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_are_found_as_words_in_any_case() {
        for value in [
            "Adobe Photoshop 25.4 (Windows)",
            "GIMP 2.10.34",
            "iLovePDF",
            "Canva",
            "www.sejda.com",
            "Adobe Acrobat Pro DC 23.1",
            "PDFescape Online - https://www.pdfescape.com",
            "paint.net 5.0",
        ] {
            assert!(names_editor(value), "{value}");
        }
        for value in [
            "NBSB Statement Composer 4.2",
            "Canvas renderer",
            "Nitrogen Document Server",
            "Acrobat Distiller 11.0",
            "OpenText Output Transformation Engine",
            "",
        ] {
            assert!(!names_editor(value), "{value}");
        }
    }

    #[test]
    fn xmp_is_read_in_both_spellings() {
        let packet = br#"<rdf:Description xmp:CreatorTool="Adobe Photoshop 25"
            pdf:Producer='x'><xmp:CreatorTool>GIMP</xmp:CreatorTool><stEvt:softwareAgent>"#;
        let values: Vec<_> = xmp(packet).into_iter().map(|field| field.value).collect();
        assert_eq!(values, ["Adobe Photoshop 25", "GIMP", "x"]);
    }

    #[test]
    fn one_signal_tells_each_field_once() {
        let field = |name, value: &str| Field {
            name,
            value: value.to_owned(),
        };
        let producer = field("Producer", "Canva");
        let metadata = [producer.clone(), field("Creator", "Bank"), producer];
        assert_eq!(signal(&metadata).unwrap().occurrences.len(), 1);
        assert_eq!(signal(&[field("Creator", "Bank")]), None);
    }
}
