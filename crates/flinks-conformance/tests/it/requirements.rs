//! Every demand of the documents has cases that pin it, and the file says what editors are told.

use flinks_conformance::{Requirements, fixtures, load};

#[test]
fn every_requirement_is_traced_to_cases() {
    let requirements = Requirements::load(&fixtures()).expect("the requirements");
    let problems = requirements.check(&load(&fixtures()).expect("a corpus"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for (document, least) in [("Upload guide", 80), ("Legacy guide", 40)] {
        let of = requirements.requirements.iter();
        let of = of.filter(|row| row.document == document).count();
        assert!(of >= least, "{document} has shrunk to {of} requirements");
    }
}

#[test]
fn the_documents_stand_one_after_the_other() {
    let requirements = Requirements::load(&fixtures()).expect("the requirements");
    let mut documents: Vec<_> = requirements
        .requirements
        .iter()
        .map(|row| row.document.as_str())
        .collect();
    documents.dedup();
    assert_eq!(documents, ["Upload guide", "Legacy guide", "API reference"]);
}

#[test]
fn the_table_fits_a_terminal() {
    let requirements = Requirements::load(&fixtures()).expect("the requirements");
    let table = requirements.to_string();
    for line in table.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    assert_eq!(table.matches("  cases  text\n").count(), 3, "{table}");
}
