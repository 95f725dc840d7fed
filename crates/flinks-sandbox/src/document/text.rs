//! The text of a page, in lines as a reader sees them.

use memchr::memmem;

use super::syntax::{Reader, Value};

/// Cells whose baselines differ by less stand in one line (points).
const SAME_LINE: f64 = 2.0;
/// A gap this wide inside a TJ array is a space (thousandths of the font size).
const WORD_GAP: f64 = -200.0;
const OPERANDS: usize = 64;
const SAVED_STATES: usize = 256;
/// More than any page that a person could read.
const CELLS: usize = 20_000;

/// `[a b c d e f]`, as PDF writes an affine map.
#[derive(Clone, Copy, Debug)]
struct Matrix([f64; 6]);

impl Matrix {
    const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    fn translation(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First `self`, then `next`.
    fn then(self, next: Self) -> Self {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, next.0);
        Self([
            a * g + b * i,
            a * h + b * j,
            c * g + d * i,
            c * h + d * j,
            e * g + f * i + k,
            e * h + f * j + l,
        ])
    }

    fn origin(self) -> (f64, f64) {
        let [.., x, y] = self.0;
        (x, y)
    }
}

#[derive(Debug)]
struct Cell {
    x: f64,
    y: f64,
    text: String,
}

/// What the operators change.
#[derive(Debug)]
struct Page {
    transformation: Matrix,
    saved: Vec<Matrix>,
    line: Matrix,
    leading: f64,
    /// Whether the place was set since the last text: if not, it goes on where that ended.
    moved: bool,
    cells: Vec<Cell>,
}

/// The lines of a page from top to bottom, their cells from left to right.
pub(super) fn lines(content: &[u8]) -> Vec<String> {
    let mut page = Page {
        transformation: Matrix::IDENTITY,
        saved: Vec::new(),
        line: Matrix::IDENTITY,
        leading: 0.0,
        moved: true,
        cells: Vec::new(),
    };
    let mut reader = Reader::new(content);
    let mut operands = Vec::new();
    while let Some(value) = reader.value() {
        let Value::Word(operator) = value else {
            if operands.len() < OPERANDS {
                operands.push(value);
            }
            continue;
        };
        if operator == b"ID" {
            // The bytes of an inline image are no tokens.
            let end = memmem::find(reader.rest(), b"EI");
            reader.skip(end.unwrap_or(usize::MAX));
        }
        page.apply(operator, &operands);
        operands.clear();
    }
    page.lines()
}

impl Page {
    fn apply(&mut self, operator: &[u8], operands: &[Value<'_>]) {
        let number = |index: usize| operands.get(index).and_then(Value::number).unwrap_or(0.0);
        let matrix = || Matrix(std::array::from_fn(number));
        match operator {
            b"q" if self.saved.len() < SAVED_STATES => self.saved.push(self.transformation),
            b"Q" => {
                self.transformation = self.saved.pop().unwrap_or(self.transformation);
                self.moved = true;
            }
            b"cm" => {
                self.transformation = matrix().then(self.transformation);
                self.moved = true;
            }
            b"BT" => self.place(Matrix::IDENTITY),
            b"Tm" => self.place(matrix()),
            b"Td" => self.step(number(0), number(1)),
            b"TD" => {
                self.leading = -number(1);
                self.step(number(0), number(1));
            }
            b"TL" => self.leading = number(0),
            b"T*" => self.step(0.0, -self.leading),
            b"Tj" => self.show(operands),
            b"'" => {
                self.step(0.0, -self.leading);
                self.show(operands);
            }
            b"\"" => {
                self.step(0.0, -self.leading);
                self.show(operands.get(2..).unwrap_or_default());
            }
            b"TJ" => self.show(operands.first().map(Value::elements).unwrap_or_default()),
            _ => {}
        }
    }

    fn place(&mut self, line: Matrix) {
        self.line = line;
        self.moved = true;
    }

    fn step(&mut self, x: f64, y: f64) {
        self.place(Matrix::translation(x, y).then(self.line));
    }

    fn show(&mut self, pieces: &[Value<'_>]) {
        let mut text = String::new();
        for piece in pieces {
            if let Some(bytes) = piece.text() {
                text.extend(bytes.iter().copied().map(char::from));
            } else if piece.number().is_some_and(|gap| gap < WORD_GAP) {
                text.push(' ');
            }
        }
        let full = self.cells.len() >= CELLS;
        match self.cells.last_mut() {
            Some(cell) if !self.moved => cell.text.push_str(&text),
            _ if full => {}
            _ => {
                let (x, y) = self.line.then(self.transformation).origin();
                self.cells.push(Cell { x, y, text });
            }
        }
        self.moved = false;
    }

    fn lines(mut self) -> Vec<String> {
        self.cells.sort_by(|one, other| other.y.total_cmp(&one.y));
        self.cells
            .chunk_by_mut(|above, below| above.y - below.y < SAME_LINE)
            .map(|cells| {
                cells.sort_by(|one, other| one.x.total_cmp(&other.x));
                let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
                texts.join("  ")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_grouped_by_line_and_sorted() {
        let content = br"
            BT /F1 9 Tf 1 0 0 1 200 700 Tm (12.00) Tj ET
            BT 1 0 0 1 50 700.5 Tm (2026-01-02) Tj ET
            BT 100 700 Td (Rent) Tj ET
            BT 50 720 Td (Title) Tj ( goes on) Tj ET";
        assert_eq!(lines(content), ["Title goes on", "2026-01-02  Rent  12.00"]);
    }

    #[test]
    fn every_way_of_showing_and_moving_is_followed() {
        let content = br#"
            q 1 0 0 1 10 100 cm BT 14 TL 0 0 Td (one) Tj T* (two) Tj (three) ' 0 0 (four) "
            0 -20 TD [(fi) -50 (ve) -300 (six)] TJ <0A37> Tj ET Q
            BI /W 1 ID (((( EI BT 10 110 Td (top) Tj ET"#;
        assert_eq!(
            lines(content),
            ["top", "one", "two", "three", "four", "five six\n7"]
        );
    }

    #[test]
    fn a_flipped_page_is_read_from_its_top() {
        let content = b"1 0 0 -1 0 792 cm BT 1 0 0 -1 0 50 Tm (top) Tj ET \
                        BT 1 0 0 -1 0 90 Tm (below) Tj ET";
        assert_eq!(lines(content), ["top", "below"]);
    }
}
