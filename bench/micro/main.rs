//! Cases for counting instructions: `micro CASE COUNT` does its work COUNT times. `bench run` runs each case under
//! callgrind with two counts, so that the difference is the work alone.

mod calls;
mod decode;
mod upload;

use std::error::Error;

use tokio::runtime::{Builder, Runtime};

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
/// Prepares a case, and returns one repetition of its work.
type Case = fn() -> Result<Box<dyn FnMut() -> Result>>;

/// The first part of a name is what is done, the second who does it.
const CASES: [&[(&str, Case)]; 3] = [&calls::CASES, &upload::CASES, decode::CASES];

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, count] = arguments.as_slice() else {
        for (name, _) in CASES.concat() {
            println!("{name}");
        }
        return Ok(());
    };
    let cases = CASES.concat();
    let (_, prepare) = cases
        .iter()
        .find(|(known, _)| known == name)
        .ok_or("no such case")?;
    let mut work = prepare()?;
    for _ in 0..count.parse::<usize>()? {
        work()?;
    }
    Ok(())
}

/// A runtime for the cases that await something.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
