//! One matrix: which cells there are, how many cases fill each, and which may stay empty.

use std::fmt;

use super::cells::Cell;

/// Rows and columns in the order in which they are printed.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) name: &'static str,
    columns: Vec<String>,
    rows: Vec<(String, Vec<State>)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// So many cases.
    Filled(usize),
    /// Empty, for a reason.
    Waived,
    /// There is no such cell.
    Absent,
}

impl Matrix {
    pub(crate) fn new<R: ToString, C: ToString>(
        name: &'static str,
        rows: impl IntoIterator<Item = R>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns: Vec<_> = columns
            .into_iter()
            .map(|column| column.to_string())
            .collect();
        let empty = vec![State::Filled(0); columns.len()];
        let rows = rows.into_iter().map(|row| (row.to_string(), empty.clone()));
        Self {
            name,
            rows: rows.collect(),
            columns,
        }
    }

    /// Takes out the cells that are none.
    pub(crate) fn keep(&mut self, is_cell: impl Fn(&str, &str) -> bool) {
        for (row, states) in &mut self.rows {
            for (state, column) in states.iter_mut().zip(&self.columns) {
                if !is_cell(row, column) {
                    *state = State::Absent;
                }
            }
        }
    }

    fn state(&mut self, row: &str, column: &str) -> Option<&mut State> {
        let column = self.columns.iter().position(|name| name == column)?;
        let (_, states) = self.rows.iter_mut().find(|(name, _)| name == row)?;
        states
            .get_mut(column)
            .filter(|state| **state != State::Absent)
    }

    /// Adds a case to a cell, if the cell is one of this matrix.
    pub(crate) fn fill(&mut self, cell: &Cell) {
        if cell.matrix == self.name
            && let Some(State::Filled(cases)) = self.state(&cell.row, cell.column)
        {
            *cases += 1;
        }
    }

    /// Lets a cell stay empty.
    pub(crate) fn waive(&mut self, row: &str, column: &str) -> Result<(), String> {
        let name = self.name;
        match self.state(row, column) {
            Some(state @ State::Filled(0)) => {
                *state = State::Waived;
                Ok(())
            }
            Some(State::Filled(_)) => Err(format!(
                "{name}: {row} × {column} is waived, but there are cases: take the waiver out"
            )),
            Some(State::Waived) => Err(format!("{name}: {row} × {column} is waived twice")),
            Some(State::Absent) | None => Err(format!("{name}: there is no cell {row} × {column}")),
        }
    }

    /// One line for each cell that is empty without a reason.
    pub(crate) fn holes(&self) -> Vec<String> {
        let mut holes = Vec::new();
        for (row, states) in &self.rows {
            for (state, column) in states.iter().zip(&self.columns) {
                if *state == State::Filled(0) {
                    holes.push(format!(
                        "{}: no case for {row} × {column}, and coverage.json does not waive it",
                        self.name
                    ));
                }
            }
        }
        holes
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.rows.iter().map(|(row, _)| row.chars().count());
        let first = first.chain([self.name.chars().count()]).max().unwrap_or(0);
        write!(f, "{:<first$}", self.name)?;
        for column in &self.columns {
            write!(f, "  {column}")?;
        }
        writeln!(f)?;
        for (row, states) in &self.rows {
            let mut line = format!("{row:<first$}");
            for (state, column) in states.iter().zip(&self.columns) {
                let shown = match state {
                    State::Filled(0) => "HOLE".to_owned(),
                    State::Filled(cases) => cases.to_string(),
                    State::Waived => "-".to_owned(),
                    State::Absent => String::new(),
                };
                line.push_str(&format!(
                    "  {shown:>width$}",
                    width = column.chars().count()
                ));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let mut matrix = Matrix::new("faults", ["503", "reset"], ["Safe", "Never"]);
        matrix.keep(|row, column| (row, column) != ("reset", "Safe"));
        matrix
    }

    fn cell(row: &str, column: &'static str) -> Cell {
        Cell {
            matrix: "faults",
            row: row.to_owned(),
            column,
        }
    }

    #[test]
    fn an_empty_cell_is_a_hole_until_it_is_filled_or_waived() {
        let mut matrix = matrix();
        assert_eq!(matrix.holes().len(), 3);
        matrix.fill(&cell("503", "Safe"));
        matrix.fill(&cell("reset", "Safe")); // there is no such cell
        assert_eq!(matrix.waive("503", "Never"), Ok(()));
        assert_eq!(
            matrix.holes(),
            ["faults: no case for reset × Never, and coverage.json does not waive it"]
        );
        let shown = "faults  Safe  Never\n503        1      -\nreset          HOLE\n";
        assert_eq!(matrix.to_string(), shown);
    }

    #[test]
    fn a_waiver_that_waives_nothing_is_an_error() {
        let mut matrix = matrix();
        matrix.fill(&cell("503", "Safe"));
        let refused = |result: Result<(), String>| result.expect_err("refused");
        assert!(refused(matrix.waive("503", "Safe")).contains("take the waiver out"));
        assert!(refused(matrix.waive("reset", "Safe")).contains("there is no cell"));
        assert!(refused(matrix.waive("504", "Safe")).contains("there is no cell"));
        assert_eq!(matrix.waive("503", "Never"), Ok(()));
        assert!(refused(matrix.waive("503", "Never")).contains("twice"));
    }
}
