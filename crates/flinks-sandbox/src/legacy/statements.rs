//! Bank statements: one generated PDF a month.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::accounts::{Holding, decimal};
use super::calendar::MONTH_COUNT;

/// The statements of one account, as GetStatements shows them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statements {
    account_number: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    unique_id: String,
    file_type: &'static str,
    base64_bytes: String,
}

impl Statements {
    /// The last `months` statements, the newest first.
    pub(super) fn new(holding: &Holding, months: usize) -> Self {
        let newest = (0..MONTH_COUNT).rev().take(months);
        Self {
            account_number: holding.number.clone(),
            statements: newest
                .map(|month| Statement {
                    unique_id: unique_id(holding.seed, month),
                    file_type: "PDF",
                    base64_bytes: BASE64_STANDARD.encode(pdf(holding, month)),
                })
                .collect(),
        }
    }
}

fn unique_id(seed: u64, month: usize) -> String {
    let seed = seed << 8 | month as u64;
    format!("{:032x}", fastrand::Rng::with_seed(seed).u128(..))
}

/// The month's transactions between its first and its last balance, on one page.
fn pdf(holding: &Holding, month: usize) -> Vec<u8> {
    let history = &holding.history;
    let all = history.transactions.iter();
    let rows: Vec<_> = all.clone().filter(|one| one.day.month == month).collect();
    let before = all.rev().find(|one| one.day.month < month);
    let opening = before.map_or(history.opening, |one| one.balance);
    let closing = rows.last().map_or(opening, |last| last.balance);
    let mut page = Page::default();
    page.line(&[&format!("{} {}", holding.title, holding.number)]);
    page.line(&["Date", "Description", "Debit", "Credit", "Balance"]);
    page.line(&["Opening balance", "", "", "", &decimal(opening)]);
    for row in rows {
        let amount = |cents: Option<i64>| cents.map(decimal).unwrap_or_default();
        page.line(&[
            &row.day.date,
            row.description,
            &amount(row.debit),
            &amount(row.credit),
            &decimal(row.balance),
        ]);
    }
    page.line(&["Closing balance", "", "", "", &decimal(closing)]);
    page.file()
}

/// The text of a page, in ASCII without brackets or backslashes.
#[derive(Debug, Default)]
struct Page {
    content: String,
    lines: usize,
}

impl Page {
    fn line(&mut self, cells: &[&str]) {
        let y = 750_usize.saturating_sub(16 * self.lines);
        self.lines += 1;
        let cells = [50, 120, 330, 410, 490].iter().zip(cells);
        for (x, text) in cells.filter(|(_, text)| !text.is_empty()) {
            self.content
                .push_str(&format!("BT /F1 9 Tf {x} {y} Td ({text}) Tj ET\n"));
        }
    }

    fn file(&self) -> Vec<u8> {
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R \
             /Resources << /Font << /F1 4 0 R >> >> >>"
                .to_owned(),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
                .to_owned(),
            format!(
                "<< /Length {} >>\nstream\n{}endstream",
                self.content.len(),
                self.content
            ),
            "<< /Title (Account statement) /Producer (Sandbox Statements 1.0) >>".to_owned(),
        ];
        let mut file = "%PDF-1.4\n".to_owned();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for (number, object) in (1..).zip(&objects) {
            table.push_str(&format!("{:010} 00000 n \n", file.len()));
            file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
        }
        let start = file.len();
        file.push_str(&table);
        file.push_str(&format!(
            "trailer\n<< /Size {} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{start}\n%%EOF\n",
            objects.len() + 1
        ));
        file.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{Document, analyze};
    use crate::legacy::accounts::holdings;
    use crate::legacy::users;

    fn greatday() -> Vec<Holding> {
        holdings(users::find("FlinksCapital", "Greatday").unwrap())
    }

    #[test]
    fn the_cross_references_point_at_the_objects() {
        let file = String::from_utf8(pdf(&greatday()[0], 11)).unwrap();
        let start: usize = file.lines().rev().nth(1).unwrap().parse().unwrap();
        let (_, table) = file.split_at(start);
        assert!(table.starts_with("xref\n0 7\n"));
        for (number, line) in table.lines().skip(3).take(6).enumerate() {
            let (offset, _) = line.split_once(' ').unwrap();
            let (_, object) = file.split_at(offset.parse().unwrap());
            assert!(object.starts_with(&format!("{} 0 obj\n", number + 1)));
        }
    }

    #[test]
    fn statements_are_clean_when_they_are_uploaded() {
        let file = pdf(&greatday()[0], 11);
        assert_eq!(analyze("a.pdf", &file), Ok(Document::default()));
    }

    #[test]
    fn every_statement_fits_its_page_and_has_its_own_id() {
        let mut ids = Vec::new();
        for holding in greatday() {
            for one in Statements::new(&holding, 12).statements {
                let file = BASE64_STANDARD.decode(one.base64_bytes).unwrap();
                let text = String::from_utf8(file).unwrap();
                assert!(!text.contains(" 0 Td") && text.contains("Closing balance"));
                ids.push(one.unique_id);
            }
        }
        assert_eq!(ids.len(), 36);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 36);
    }
}
