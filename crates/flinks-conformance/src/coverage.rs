//! What the corpus covers: matrices of what can happen, in which an empty cell needs a reason.

mod cells;
mod challenges;
mod matrix;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::corpus::{CorpusError, Fixture, strict};
use crate::operations::operations;
use cells::cells;
use matrix::Matrix;

/// `coverage.json`: what the documents list, and which cells may stay empty.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Each FlinksCode with the statuses that it is documented with.
    codes: BTreeMap<String, Vec<u16>>,
    waived: Vec<Waiver>,
}

/// Cells that no case can or need fill.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiver {
    matrix: String,
    rows: Vec<String>,
    columns: Vec<String>,
    why: String,
}

/// The matrices of a corpus. `Display` prints them.
#[derive(Debug)]
pub struct Coverage {
    matrices: Vec<Matrix>,
    waived: Vec<Waiver>,
    problems: Vec<String>,
}

impl Coverage {
    /// Sorts a whole corpus into the matrices of its folder's `coverage.json`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(folder: &Path, corpus: &[Fixture]) -> Result<Self, CorpusError> {
        let plan: Plan = strict(&folder.join("coverage.json"))?;
        let mut matrices = matrices(&plan);
        let mut problems: Vec<_> = corpus.iter().flat_map(cells::doubts).collect();
        problems.extend(without_column(&plan));
        for cell in corpus.iter().flat_map(cells) {
            for matrix in &mut matrices {
                matrix.fill(&cell);
            }
        }
        for waiver in &plan.waived {
            problems.extend(waive(waiver, &mut matrices));
        }
        problems.extend(matrices.iter().flat_map(Matrix::holes));
        Ok(Self {
            matrices,
            waived: plan.waived,
            problems,
        })
    }

    /// One line for each empty cell without a reason, and for each reason without an empty cell.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The reasons of the cells that stay empty, one line for each.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let reason = |waiver: &Waiver| {
            let (rows, columns) = (waiver.rows.join(", "), waiver.columns.join(", "));
            format!("{}: {rows} × {columns}: {}", waiver.matrix, waiver.why)
        };
        self.waived.iter().map(reason).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for matrix in &self.matrices {
            writeln!(f, "{matrix}")?;
        }
        writeln!(
            f,
            "A dash is waived, for a reason in fixtures/coverage.json; where nothing stands, there is no cell."
        )
    }
}

fn matrices(plan: &Plan) -> Vec<Matrix> {
    let mut codes = Matrix::new(cells::CODES, plan.codes.keys(), cells::STATUSES);
    codes.keep(|row, column| {
        let documented = plan.codes.get(row).into_iter().flatten();
        documented
            .into_iter()
            .any(|status| status.to_string() == column)
    });
    let mut certificates = Matrix::new(
        cells::CERTIFICATES,
        ["client", "server"],
        cells::CERTIFICATE_COLUMNS,
    );
    // A client's certificate names no host, and a server always has one.
    certificates.keep(|row, column| {
        !matches!((row, column), ("client", "wrong-host") | ("server", "none"))
    });
    vec![
        Matrix::new(cells::OUTCOMES, operations(), cells::OUTCOME_COLUMNS),
        Matrix::new(
            cells::CHALLENGES,
            challenges::ROWS,
            ["right", "wrong", "missing"],
        ),
        Matrix::new(
            cells::FAULTS,
            cells::FAULT_ROWS,
            ["Safe", "Unsent", "Never"],
        ),
        Matrix::new(
            cells::SESSIONS,
            ["restart", "stop", "resend"],
            cells::SESSION_COLUMNS,
        ),
        certificates,
        codes,
    ]
}

/// Statuses for which the codes' matrix has no column: their cells would never be asked for.
fn without_column(plan: &Plan) -> Vec<String> {
    let codes = plan.codes.iter();
    let statuses = codes.flat_map(|(code, statuses)| statuses.iter().map(move |one| (code, one)));
    statuses
        .filter(|(_, status)| !cells::STATUSES.contains(&status.to_string().as_str()))
        .map(|(code, status)| format!("coverage.json: codes: {code}: no column for {status}"))
        .collect()
}

/// Marks the cells of a waiver; what is wrong with it comes back.
fn waive(waiver: &Waiver, matrices: &mut [Matrix]) -> Vec<String> {
    let Waiver {
        matrix: name,
        rows,
        columns,
        why,
    } = waiver;
    let Some(matrix) = matrices.iter_mut().find(|matrix| matrix.name == name) else {
        return vec![format!("coverage.json: there is no matrix {name:?}")];
    };
    if why.trim().is_empty() {
        return vec![format!("coverage.json: {name}: a waiver gives no reason")];
    }
    if rows.is_empty() || columns.is_empty() {
        return vec![format!("coverage.json: {name}: a waiver names no cell")];
    }
    let cells = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| (row, column)));
    cells
        .filter_map(|(row, column)| matrix.waive(row, column).err())
        .map(|problem| format!("coverage.json: {problem}"))
        .collect()
}
