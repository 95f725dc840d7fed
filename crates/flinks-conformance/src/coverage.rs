//! What the corpus covers: matrices of what can happen, in which an empty cell needs a reason.

mod cells;
mod challenges;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::corpus::{CorpusError, Fixture, strict};
use crate::operations::operations;
use cells::{Cell, cells};

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
struct Waiver {
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

/// Rows and columns in the order in which they are printed.
#[derive(Debug)]
struct Matrix {
    name: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<String>,
    /// The cells that there are, with the number of their cases.
    cells: BTreeMap<(String, String), usize>,
    waived: BTreeSet<(String, String)>,
}

impl Matrix {
    fn new<R: ToString>(
        name: &'static str,
        rows: impl IntoIterator<Item = R>,
        columns: &[&'static str],
        is_cell: impl Fn(&str, &str) -> bool,
    ) -> Self {
        let rows: Vec<_> = rows.into_iter().map(|row| row.to_string()).collect();
        let pairs = rows
            .iter()
            .flat_map(|row| columns.iter().map(move |column| (row, *column)));
        let cells = pairs
            .filter(|(row, column)| is_cell(row, column))
            .map(|(row, column)| ((row.clone(), column.to_owned()), 0));
        Self {
            name,
            cells: cells.collect(),
            columns: columns.to_vec(),
            rows,
            waived: BTreeSet::new(),
        }
    }

    fn fill(&mut self, cell: &Cell) {
        let place = (cell.row.clone(), cell.column.to_owned());
        if cell.matrix == self.name
            && let Some(cases) = self.cells.get_mut(&place)
        {
            *cases += 1;
        }
    }

    /// Lets a cell stay empty, or returns why that is wrong.
    fn waive(&mut self, row: &str, column: &str) -> Option<&'static str> {
        let place = (row.to_owned(), column.to_owned());
        match self.cells.get(&place) {
            None => Some("is waived, but there is no such cell"),
            Some(0) if self.waived.insert(place) => None,
            Some(0) => Some("is waived twice"),
            Some(_) => Some("is waived, but there are cases: take the waiver out"),
        }
    }

    /// One line for each cell that is empty without a reason.
    fn holes(&self) -> impl Iterator<Item = String> {
        let empty = self
            .cells
            .iter()
            .filter(|(place, cases)| **cases == 0 && !self.waived.contains(*place));
        empty.map(|((row, column), _)| {
            let name = self.name;
            format!("{name}: no case for {row} × {column}, and coverage.json does not waive it")
        })
    }
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
            let lines = waive(waiver, &mut matrices).into_iter();
            problems.extend(lines.map(|line| format!("coverage.json: {}: {line}", waiver.matrix)));
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
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for matrix in &self.matrices {
            let first = matrix.rows.iter().map(|row| row.chars().count());
            let first = first.chain([matrix.name.len()]).max().unwrap_or(0);
            writeln!(f, "{:<first$}  {}", matrix.name, matrix.columns.join("  "))?;
            for row in &matrix.rows {
                let mut line = format!("{row:<first$}");
                for column in &matrix.columns {
                    let shown = match matrix.cells.get(&(row.clone(), (*column).to_owned())) {
                        None => String::new(),
                        Some(0) => "-".to_owned(),
                        Some(cases) => cases.to_string(),
                    };
                    line += &format!("  {shown:>width$}", width = column.len());
                }
                writeln!(f, "{}", line.trim_end())?;
            }
            writeln!(f)?;
        }
        writeln!(f, "A dash is an empty cell. Waived:\n")?;
        for Waiver {
            matrix,
            rows,
            columns,
            why,
        } in &self.waived
        {
            let (rows, columns) = (rows.join(", "), columns.join(", "));
            writeln!(f, "  {matrix}: {rows} × {columns}: {why}")?;
        }
        Ok(())
    }
}

fn matrices(plan: &Plan) -> Vec<Matrix> {
    let all = |_: &str, _: &str| true;
    vec![
        Matrix::new(cells::OUTCOMES, operations(), &cells::OUTCOME_COLUMNS, all),
        Matrix::new(
            cells::CHALLENGES,
            challenges::ROWS,
            &["right", "wrong", "missing"],
            all,
        ),
        Matrix::new(
            cells::FAULTS,
            cells::FAULT_ROWS,
            &["Safe", "Unsent", "Never"],
            all,
        ),
        Matrix::new(
            cells::SESSIONS,
            ["restart", "stop", "resend"],
            &cells::SESSION_COLUMNS,
            all,
        ),
        // A client's certificate names no host, and a server always has one.
        Matrix::new(
            cells::CERTIFICATES,
            ["client", "server"],
            &cells::CERTIFICATE_COLUMNS,
            |row, column| !matches!((row, column), ("client", "wrong-host") | ("server", "none")),
        ),
        Matrix::new(
            cells::CODES,
            plan.codes.keys(),
            &cells::STATUSES,
            |row, column| {
                let documented = plan.codes.get(row).into_iter().flatten();
                documented
                    .into_iter()
                    .any(|status| status.to_string() == column)
            },
        ),
    ]
}

/// Statuses for which the matrix of codes has no column.
fn without_column(plan: &Plan) -> Vec<String> {
    let codes = plan.codes.iter();
    let statuses = codes.flat_map(|(code, statuses)| statuses.iter().map(move |one| (code, one)));
    statuses
        .filter(|(_, status)| !cells::STATUSES.contains(&status.to_string().as_str()))
        .map(|(code, status)| format!("coverage.json: codes: {code}: no column for {status}"))
        .collect()
}

/// Marks the cells of a waiver, and returns what is wrong with it.
fn waive(waiver: &Waiver, matrices: &mut [Matrix]) -> Vec<String> {
    let mut named = matrices.iter_mut();
    let Some(matrix) = named.find(|matrix| matrix.name == waiver.matrix) else {
        return vec!["there is no such matrix".to_owned()];
    };
    if waiver.why.trim().is_empty() || waiver.rows.is_empty() || waiver.columns.is_empty() {
        return vec!["a waiver needs rows, columns and a reason".to_owned()];
    }
    let mut lines = Vec::new();
    for row in &waiver.rows {
        for column in &waiver.columns {
            if let Some(wrong) = matrix.waive(row, column) {
                lines.push(format!("{row} × {column} {wrong}"));
            }
        }
    }
    lines
}
