//! The program `flinks`.
fn main() {}
