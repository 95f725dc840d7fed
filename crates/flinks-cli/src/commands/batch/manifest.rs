//! The manifest of a batch: one borrower a line, as CSV with a header or as JSON lines.

use std::collections::HashMap;
use std::fmt;

use flinks_types::text::escaped;
use serde_json::{Map, Value};

/// One line of a manifest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Borrower {
    pub(crate) line: u64,
    pub(crate) id: String,
    /// Paths and patterns, relative to the manifest.
    pub(crate) files: Vec<String>,
    pub(crate) tag: Option<String>,
    pub(crate) client_name: Option<String>,
}

/// What has to be corrected before anything is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mistake {
    pub(crate) line: u64,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    /// A document is refused; the manifest itself is right.
    pub(crate) is_of_file: bool,
}

impl Mistake {
    fn new(line: u64, id: Option<&str>, text: impl Into<String>) -> Self {
        Self {
            line,
            id: id.map(str::to_owned),
            text: text.into(),
            is_of_file: false,
        }
    }

    /// A mistake in the line of a borrower.
    pub(crate) fn of(borrower: &Borrower, text: impl Into<String>) -> Self {
        Self::new(borrower.line, Some(&borrower.id), text)
    }

    /// A file of a borrower that is refused.
    pub(crate) fn of_file(borrower: &Borrower, text: impl Into<String>) -> Self {
        Self {
            is_of_file: true,
            ..Self::of(borrower, text)
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(id) = &self.id {
            write!(f, " ({})", escaped(id))?;
        }
        write!(f, ": {}", escaped(&self.text))
    }
}

/// The columns, which are also the keys of a JSON line.
const COLUMNS: [&str; 4] = ["id", "files", "tag", "client_name"];

/// Reads a manifest.
///
/// # Errors
/// All mistakes that its text has.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Borrower>, Vec<Mistake>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        vec![Mistake::new(
            line,
            None,
            "it is not UTF-8: save it as \"CSV UTF-8\"",
        )]
    })?;
    let mut mistakes = Vec::new();
    let borrowers = if text.trim_start().starts_with('{') {
        json_lines(text, &mut mistakes)
    } else {
        csv(text, &mut mistakes)
    };
    let mut lines = HashMap::new();
    for borrower in &borrowers {
        if let Some(first) = lines.insert(&borrower.id, borrower.line) {
            let text = format!("its id is also on line {first}; ids must be unique");
            mistakes.push(Mistake::of(borrower, text));
        }
    }
    if borrowers.is_empty() && mistakes.is_empty() {
        mistakes.push(Mistake::new(1, None, "there is no borrower"));
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() {
        Ok(borrowers)
    } else {
        Err(mistakes)
    }
}

fn csv(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Borrower> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(_) => return Vec::new(),
    };
    if header.is_empty() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (index, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            wrong.push(format!("the header has an unknown column \"{name}\""));
        } else if header.iter().position(|other| other == name) != Some(index) {
            wrong.push(format!("the header has the column \"{name}\" twice"));
        }
    }
    for name in ["id", "files"] {
        if !header.iter().any(|column| column == name) {
            wrong.push(format!("the header has no column \"{name}\""));
        }
    }
    if !wrong.is_empty() {
        let expected = COLUMNS.join(",");
        let text = format!("{}; the header is {expected}", wrong.join("; "));
        mistakes.push(Mistake::new(1, None, text));
        return Vec::new();
    }
    let mut borrowers = Vec::new();
    let mut lines = Lines::new(text);
    // The text is UTF-8, and rows may have any length: no record is an error.
    for record in reader.records().filter_map(Result::ok) {
        let line = lines.number_at(record.position().map_or(0, csv::Position::byte));
        // As a spreadsheet writes empty rows.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let mut borrower = Borrower {
            line,
            ..Borrower::default()
        };
        for (name, value) in header.iter().zip(&record) {
            match name {
                "id" => value.clone_into(&mut borrower.id),
                "files" => {
                    let files = value.split(';').map(str::trim);
                    let files = files.filter(|file| !file.is_empty());
                    borrower.files = files.map(str::to_owned).collect();
                }
                "tag" => borrower.tag = optional(value),
                _ => borrower.client_name = optional(value),
            }
        }
        if record.len() > header.len() {
            let text = format!(
                "it has {} values for {} columns; put a value that contains a comma in double quotes",
                record.len(),
                header.len()
            );
            mistakes.push(Mistake::of(&borrower, text));
        } else if let Some(borrower) = checked(borrower, mistakes) {
            borrowers.push(borrower);
        }
    }
    borrowers
}

/// Counts lines. The reader's own count is too low after CRLF, whose second half it reads with the next
/// record.
struct Lines<'a> {
    rest: &'a [u8],
    read: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes(),
            read: 0,
            line: 1,
        }
    }

    /// Returns the number of the line of the record that begins at or right after `byte`. The places of
    /// several calls ascend.
    fn number_at(&mut self, byte: u64) -> u64 {
        let place = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some((first, rest)) = self.rest.split_first() {
            if self.read >= place && !matches!(first, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*first == b'\n');
            self.read += 1;
            self.rest = rest;
        }
        self.line
    }
}

fn json_lines(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Borrower> {
    let mut borrowers = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        // Its errors may quote the line, which can hold names.
        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            mistakes.push(Mistake::new(line, None, "it is not a JSON object"));
            continue;
        };
        match from_object(line, &object) {
            Ok(borrower) => borrowers.extend(checked(borrower, mistakes)),
            Err(wrong) => {
                let id = object.get("id").and_then(Value::as_str);
                mistakes.push(Mistake::new(line, id, wrong));
            }
        }
    }
    borrowers
}

fn from_object(line: u64, object: &Map<String, Value>) -> Result<Borrower, String> {
    if let Some(key) = object.keys().find(|key| !COLUMNS.contains(&key.as_str())) {
        let keys = COLUMNS.join(", ");
        return Err(format!(
            "it has an unknown key \"{key}\"; the keys are {keys}"
        ));
    }
    let text = |key: &str| match object.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(_) => Err(format!("its \"{key}\" is not a string")),
    };
    let files = match object.get("files") {
        None => Some(Vec::new()),
        Some(files) => files.as_array().and_then(|files| {
            let texts = files.iter().map(|file| file.as_str().map(str::to_owned));
            texts.collect()
        }),
    };
    Ok(Borrower {
        line,
        id: text("id")?,
        files: files.ok_or("its \"files\" are not an array of strings")?,
        tag: optional(&text("tag")?),
        client_name: optional(&text("client_name")?),
    })
}

/// Returns the borrower if it has an id and a file.
fn checked(borrower: Borrower, mistakes: &mut Vec<Mistake>) -> Option<Borrower> {
    let wrong = if borrower.id.is_empty() {
        "its id is empty"
    } else if borrower.id.contains(char::is_control) {
        "its id has a control character"
    } else if borrower.files.iter().all(String::is_empty) {
        "it has no files"
    } else {
        return Some(borrower);
    };
    let id = Some(borrower.id.as_str()).filter(|id| !id.is_empty());
    mistakes.push(Mistake::new(borrower.line, id, wrong));
    None
}

fn optional(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = parse(text.as_bytes()).expect_err(text);
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn spreadsheets_and_scripts_write_the_same_manifest() {
        let expected = Borrower {
            line: 2,
            id: "4711".to_owned(),
            files: vec!["a.pdf".to_owned(), "b/*.pdf".to_owned()],
            tag: None,
            client_name: Some("Doe, Jane".to_owned()),
        };
        let csv =
            "\u{feff}id,files,tag,client_name\r\n4711,a.pdf; b/*.pdf;,,\"Doe, Jane\"\r\n,,,\r\n";
        assert_eq!(parse(csv.as_bytes()), Ok(vec![expected.clone()]));
        let other = "client_name,files,id\n\"Doe, Jane\",\"a.pdf;b/*.pdf\",4711";
        assert_eq!(parse(other.as_bytes()), Ok(vec![expected.clone()]));
        let json = "\n{\"id\":\"4711\",\"files\":[\"a.pdf\",\"b/*.pdf\"],\"client_name\":\"Doe, Jane\",\"tag\":null}\n";
        assert_eq!(parse(json.as_bytes()), Ok(vec![expected]));
    }

    #[test]
    fn every_mistake_is_named_with_its_line_and_id() {
        let text = "id,files\n1,a.pdf\n,b.pdf\n2,\n1,c.pdf\n3,d.pdf,x,y\n";
        assert_eq!(
            mistakes(text),
            [
                "line 3: its id is empty",
                "line 4 (2): it has no files",
                "line 5 (1): its id is also on line 2; ids must be unique",
                "line 6 (3): it has 4 values for 2 columns; put a value that contains a comma in double \
                 quotes",
            ]
        );
        let text = "{\"id\":\"1\",\"files\":\"a\"}\n{\"id\":\"2\",\"file\":[]}\n[]\n{\"id\":3,\"files\":[\"a\"]}";
        assert_eq!(
            mistakes(text),
            [
                "line 1 (1): its \"files\" are not an array of strings",
                "line 2 (2): it has an unknown key \"file\"; the keys are id, files, tag, client_name",
                "line 3: it is not a JSON object",
                "line 4: its \"id\" is not a string",
            ]
        );
        let header = mistakes("id;files\n1;a.pdf\n");
        assert!(
            header[0].contains("unknown column \"id;files\""),
            "{header:?}"
        );
        assert!(mistakes("id,files,files\n1,a,b")[0].contains("twice"));
        assert!(mistakes("id,files\n")[0].contains("no borrower"));
        assert!(mistakes("")[0].contains("no borrower"));
        let latin = parse(b"id,files\n1,a.pdf\n2,\xe9.pdf\n").expect_err("not UTF-8");
        assert!(latin[0].to_string().starts_with("line 3: it is not UTF-8"));
    }

    fn borrowers() -> impl Strategy<Value = Vec<Borrower>> {
        let word = "[a-zé0-9 ,\"'=+*?./_-]{0,12}[a-z]";
        let rest = (vec(word, 1..4), option::of(word), option::of(word));
        vec(rest, 1..6).prop_map(|rows| {
            let row = |(index, (files, tag, client_name)): (usize, (Vec<String>, _, _))| Borrower {
                id: format!("id,{index}"),
                files: files.iter().map(|file| file.trim().to_owned()).collect(),
                tag: Option::map(tag, |tag: String| tag.trim().to_owned()),
                client_name: Option::map(client_name, |name: String| name.trim().to_owned()),
                line: index as u64,
            };
            rows.into_iter().enumerate().map(row).collect()
        })
    }

    fn without_lines(borrowers: Vec<Borrower>) -> Vec<Borrower> {
        let reset = |borrower| Borrower {
            line: 0,
            ..borrower
        };
        borrowers.into_iter().map(reset).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(expected in borrowers()) {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(COLUMNS).expect("written");
            let mut lines = String::new();
            for borrower in &expected {
                let (tag, name) = (&borrower.tag, &borrower.client_name);
                let files = borrower.files.join(";");
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                csv.write_record([&borrower.id, &files, &text(tag), &text(name)]).expect("written");
                let line = json!({ "id": borrower.id, "files": borrower.files, "tag": tag, "client_name": name });
                lines.push_str(&format!("{line}\n"));
            }
            let csv = csv.into_inner().expect("written");
            let json = lines.as_bytes();
            let expected = without_lines(expected);
            for bytes in [csv.as_slice(), json] {
                prop_assert_eq!(&without_lines(parse(bytes).expect("read")), &expected);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
            drop(parse(&bytes));
        }
    }
}
