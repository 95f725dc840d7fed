//! The program `flinks`; its code is in the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    flinks_cli::run()
}
