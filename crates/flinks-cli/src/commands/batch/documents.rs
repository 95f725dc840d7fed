//! The files of a borrower: paths and patterns of the manifest become documents.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use flinks_types::text::escaped;
use flinks_upload::{Document, Limits};
use glob::{MatchOptions, Pattern};

use crate::commands::batch::manifest::{Borrower, Mistake};
use crate::commands::upload_notes::notes;
use crate::output::text::shown_path;
use crate::state::folder::absolute;

/// As a shell matches names.
const MATCH: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that a line of the manifest names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Absolute, each once.
    pub(crate) files: Vec<PathBuf>,
    /// A pattern is among the names.
    pub(crate) has_pattern: bool,
    /// Patterns that match nothing or are not valid.
    pub(crate) mistakes: Vec<Mistake>,
}

impl Named {
    /// Looks for the files of a borrower, relative to the absolute `folder` of the manifest. A path
    /// without a pattern need not exist.
    pub(crate) fn find(borrower: &Borrower, folder: &Path) -> Self {
        let mut named = Self::default();
        let mut seen = HashSet::new();
        for name in borrower.files.iter().filter(|name| !name.is_empty()) {
            let path = folder.join(name);
            // Brackets may also be part of a name.
            let is_pattern = name.contains(['*', '?', '[']) && path.symlink_metadata().is_err();
            let found = if is_pattern {
                named.has_pattern = true;
                matching(folder, name)
            } else {
                Ok(vec![path])
            };
            match found {
                Ok(paths) => {
                    let paths = paths.iter().map(|path| absolute(path));
                    let new = paths.filter(|path| seen.insert(same(path)));
                    named.files.extend(new);
                }
                Err(reason) => {
                    let text = format!("\"{}\" {reason}", escaped(name));
                    named.mistakes.push(Mistake::of_file(borrower, text));
                }
            }
        }
        named
    }

    /// Opens and checks the documents, and closes them again. Returns what is refused, and what is
    /// worth a look.
    pub(crate) fn check(
        &self,
        borrower: &Borrower,
        limits: &Limits,
    ) -> (Vec<Mistake>, Vec<String>) {
        let mut mistakes = self.mistakes.clone();
        let mut documents = Vec::with_capacity(self.files.len());
        for path in &self.files {
            let checked = Document::open(path).and_then(|document| {
                document.check(limits)?;
                Ok(document)
            });
            match checked {
                Ok(document) => documents.push(document),
                Err(error) => {
                    let text = error.report().to_string();
                    let name = shown_path(path.file_name().unwrap_or_default().as_ref());
                    let text = if escaped(&text).contains(&name) {
                        text
                    } else {
                        format!("{name}: {text}")
                    };
                    mistakes.push(Mistake::of_file(borrower, text));
                }
            }
        }
        let total = documents
            .iter()
            .map(Document::len)
            .fold(0, u64::saturating_add);
        if let Err(error) = limits.check_session(total) {
            mistakes.push(Mistake::of_file(borrower, error.report().to_string()));
        }
        let owner = format!("line {} ({})", borrower.line, escaped(&borrower.id));
        let notes = notes(&documents).into_iter();
        (
            mistakes,
            notes.map(|note| format!("{owner}: {note}")).collect(),
        )
    }
}

/// Returns a file's path without links, if it exists.
pub(crate) fn same(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Returns the files that match a pattern, in alphabetical order.
fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let full = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        let folder = folder
            .to_str()
            .ok_or("is a pattern, and the path of the manifest is not UTF-8")?;
        format!("{}/{pattern}", Pattern::escape(folder))
    };
    let paths = glob::glob_with(&full, MATCH)
        .map_err(|error| format!("is not a valid pattern: {}", error.msg))?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| format!("cannot be searched: {}", error.error().kind()))?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err("matches no file".to_owned());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn borrower(files: &[&str]) -> Borrower {
        Borrower {
            line: 2,
            id: "4711".to_owned(),
            files: files.iter().map(|&file| file.to_owned()).collect(),
            ..Borrower::default()
        }
    }

    #[test]
    fn patterns_match_as_in_a_shell_and_each_file_counts_once() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("of [one] borrower");
        std::fs::create_dir_all(folder.join("inner/deep")).expect("made");
        for name in [
            "b.pdf",
            "a.pdf",
            ".hidden.pdf",
            "c [1].pdf",
            "inner/deep/d.pdf",
        ] {
            std::fs::write(folder.join(name), "%PDF-1.7\n%%EOF").expect("written");
        }
        let find = |files: &[&str]| {
            let named = Named::find(&borrower(files), &folder);
            let mut texts: Vec<_> = named.mistakes.iter().map(ToString::to_string).collect();
            let names = named.files.iter().map(|path| {
                let path = path.strip_prefix(&folder).expect("inside");
                path.to_str().expect("UTF-8").to_owned()
            });
            texts.extend(names);
            texts
        };
        assert_eq!(find(&["*.pdf"]), ["a.pdf", "b.pdf", "c [1].pdf"]);
        assert_eq!(find(&["b.pdf", "?.pdf"]), ["b.pdf", "a.pdf"]);
        assert_eq!(find(&["c [1].pdf"]), ["c [1].pdf"]);
        assert_eq!(find(&["inner/**/*.pdf"]), ["inner/deep/d.pdf"]);
        assert_eq!(find(&["gone.pdf"]), ["gone.pdf"]);
        assert_eq!(find(&["inn*"]), ["line 2 (4711): \"inn*\" matches no file"]);
        assert!(find(&["***"])[0].contains("is not a valid pattern"));
    }

    #[test]
    fn every_file_that_is_refused_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("good.pdf"), "%PDF-1.7\n%%EOF").expect("written");
        std::fs::write(folder.path().join("text.pdf"), "text").expect("written");
        let good = borrower(&["good.pdf"]);
        let borrower = borrower(&["good.pdf", "text.pdf", "gone.pdf", "*.png"]);
        let named = Named::find(&borrower, folder.path());
        let (refused, _) = named.check(&borrower, &Limits::default());
        let texts: Vec<_> = refused.iter().map(ToString::to_string).collect();
        assert!(
            texts.iter().all(|text| text.starts_with("line 2 (4711): ")),
            "{texts:?}"
        );
        for (text, name) in texts.iter().zip(["*.png", "text.pdf", "gone.pdf"]) {
            assert!(text.contains(name), "{texts:?}");
        }
        assert_eq!(texts.len(), 3);
        let small = Limits::default().with_max_session_bytes(10);
        let named = Named::find(&good, folder.path());
        assert!(
            named.check(&borrower, &small).0[0]
                .text
                .contains("split them")
        );
    }
}
