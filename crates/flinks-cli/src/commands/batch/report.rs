//! The report of a batch: CSV with one row a borrower, replaced as a whole.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::commands::batch::row::Row;
use crate::state::files::{self, Draft, Existing};

/// The columns of a report.
pub(crate) const HEADER: [&str; 6] = [
    "id",
    "status",
    "aggregation_id",
    "login_id",
    "verdict",
    "error",
];

/// Where the report of a manifest is by default.
pub(crate) fn default_path(manifest: &Path, sandbox: bool) -> PathBuf {
    let mut path = manifest.as_os_str().to_owned();
    path.push(if sandbox {
        ".sandbox-report.csv"
    } else {
        ".report.csv"
    });
    path.into()
}

/// Whether the file at `path` begins as a report does.
pub(crate) fn is_report(path: &Path) -> bool {
    let mut start = vec![0; HEADER.join(",").len()];
    let read =
        std::fs::File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut start));
    read.is_ok() && start == HEADER.join(",").as_bytes()
}

/// Replaces the report, durably. Its draft is made in `drafts`, a folder of the same file system, or
/// else beside it.
///
/// # Errors
/// The file system refuses.
pub(crate) fn write<'a>(
    path: &Path,
    drafts: Option<&Path>,
    rows: impl IntoIterator<Item = (&'a str, &'a Row)>,
) -> io::Result<()> {
    let mut draft = Draft::within(drafts.unwrap_or_else(|| files::folder_of(path)))?;
    draft.write_all(&to_csv(rows)?)?;
    draft.place_durably(path, Existing::Replace).map(drop)
}

/// Returns the report's bytes: RFC 4180, as spreadsheets read it.
fn to_csv<'a>(rows: impl IntoIterator<Item = (&'a str, &'a Row)>) -> io::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(HEADER)?;
    for (id, row) in rows {
        csv.write_record([
            id,
            row.status.as_str(),
            row.aggregation_id.as_ref().map_or("", |id| id.as_str()),
            row.login_id.as_ref().map_or("", |id| id.as_str()),
            row.verdict.as_ref().map_or("", |verdict| &verdict.name),
            &not_a_formula(row.error_text()),
        ])?;
    }
    csv.into_inner().map_err(|error| error.into_error())
}

/// Keeps a spreadsheet from running a text of the service or a file's name as a formula. The ids stay
/// as they are, because they are used.
fn not_a_formula(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::error::CliError;

    #[test]
    fn a_report_is_csv_that_runs_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.csv");
        assert!(!is_report(&path));
        let failed = Row::failed(None, &CliError::settings("=cmd(\"x\"), and more"));
        let rows = [("4711", &Row::default()), ("a,\"b\"", &failed)];
        write(&path, None, rows).expect("written");
        let text = std::fs::read_to_string(&path).expect("there");
        assert_eq!(
            text,
            "id,status,aggregation_id,login_id,verdict,error\n4711,pending,,,,\n\"a,\"\"b\"\"\",failed,,,,\"'=cmd(\"\"x\"\"), and more\"\n"
        );
        assert!(is_report(&path));
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("readable").count(),
            1
        );
    }

    #[test]
    fn the_report_is_beside_the_manifest() {
        let path = default_path(Path::new("in/borrowers.csv"), false);
        assert_eq!(path, Path::new("in/borrowers.csv.report.csv"));
    }
}
