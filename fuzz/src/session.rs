//! The program's session files and answers files. An input is read as each.

use flinks_cli::fuzz;

use crate::{CANARY, file};

pub fn run(input: &[u8]) {
    for read in [fuzz::session_file, fuzz::answers_file] {
        let path = file("session", input);
        if let Err(shown) = read(&path) {
            assert!(!shown.contains(CANARY), "the canary is shown: {shown}");
        }
    }
}

/// A file as the program writes it, with the challenges of the fixtures, and the answers of the fixtures.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (_, case) in crate::fixtures() {
        let answers = &case["call"]["input"]["answers"];
        if !answers.is_null() {
            seeds.push(format!("[{answers}]").into_bytes());
        }
        for step in case["steps"].as_array().into_iter().flatten() {
            let body = step["reply"]["body_json"].to_string();
            if let Some(new) = fuzz::new_session_file(body.as_bytes()) {
                let path = file("session", &new);
                fuzz::session_file(&path).expect("the format of a session file");
                seeds.push(new);
            }
        }
    }
    seeds
}
