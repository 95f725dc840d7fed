//! What is worth a look before an upload, although nothing forbids it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use flinks_types::text::escaped;
use flinks_upload::Document;

/// 18 MB by the other reading of the guide's limit.
const DECIMAL_LIMIT: u64 = 18_000_000;

/// Where a PDF refers to its encryption dictionary: in the trailer, at the end.
const TRAILER: u64 = 4096;

/// Returns a sentence for each document that the service may refuse or not be able to read, and for
/// each file that is given twice.
pub(crate) fn notes(documents: &[Document]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut notes = Vec::new();
    for document in documents {
        let name = escaped(document.name());
        if document.len() > DECIMAL_LIMIT {
            notes.push(format!(
                "{name} is larger than 18,000,000 bytes: it may be refused, because the guide does \
                 not say whether its 18 MB are these or 18 MiB"
            ));
        }
        let Some(path) = document.path() else {
            continue;
        };
        if !seen.insert(canonical(path)) {
            notes.push(format!("{name} is given twice and will be sent twice"));
        }
        if is_encrypted_pdf(path).unwrap_or(false) {
            notes.push(format!(
                "{name} seems to be encrypted: a PDF that requires a password cannot be processed"
            ));
        }
    }
    notes
}

/// A link to a file is the same file.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn is_encrypted_pdf(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = [0; 5];
    file.read_exact(&mut start)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TRAILER)))?;
    let mut end = Vec::new();
    file.take(TRAILER).read_to_end(&mut end)?;
    let mark = b"/Encrypt";
    Ok(&start == b"%PDF-" && end.windows(mark.len()).any(|part| part == mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_fail_is_noted_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("written");
            Document::open(path).expect("a document")
        };
        let plain = write("plain.pdf", b"%PDF-1.7\n%%EOF");
        assert_eq!(notes(std::slice::from_ref(&plain)), [""; 0]);
        let mut large = b"%PDF-1.7\n".to_vec();
        large.resize(18_000_001, b' ');
        let documents = [
            plain.clone(),
            write(
                "locked.pdf",
                b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>\n%%EOF",
            ),
            write("large.pdf", &large),
            plain,
        ];
        let found = notes(&documents);
        let [locked, large, twice] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(locked.starts_with("locked.pdf seems to be encrypted"));
        assert!(large.starts_with("large.pdf is larger than 18,000,000 bytes"));
        assert!(twice.starts_with("plain.pdf is given twice"));
    }
}
