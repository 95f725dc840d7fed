//! Cases of the conformance suite: an input is a `case.json`, which is read, and run without a network if it is one.

use flinks_conformance::{Pass, Suite, run as run_case};

use crate::file_path;

pub fn run(input: &[u8]) {
    let folder = file_path("cases/family/case");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("case.json"), input).expect("a file");
    if let Ok(suite) = Suite::of(&file_path("cases")) {
        for fixture in suite.fixtures() {
            drop([Pass::Codec, Pass::Stack].map(|pass| run_case(fixture, &pass)));
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let fixtures = crate::fixtures().into_iter();
    fixtures
        .map(|(_, case)| case.to_string().into_bytes())
        .collect()
}
