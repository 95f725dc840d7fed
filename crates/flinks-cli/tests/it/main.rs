//! The built program against a sandbox on loopback: output, exit statuses, ledgers, secrets.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "clippy does not see that this whole binary is a test"
)]

mod accounts;
mod accounts_csv;
mod authorize;
mod batch;
mod bench;
mod config;
mod doctor;
mod doctor_lab;
mod doctor_setups;
mod exits;
mod fraud;
mod guide;
mod json_keys;
mod kills;
mod local;
mod mock;
mod output_failures;
mod pages;
mod proxy;
mod resume;
#[cfg(unix)]
mod sandbox_command;
mod secrets;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod terminal;
mod tls_host;
mod upload;

/// Says that this test cannot run here, past libtest, which would keep it from being seen;
/// `cargo xtask test` counts such lines.
fn skipped(why: &str) {
    let thread = std::thread::current();
    let line = format!("\nskipped: {}: {why}\n", thread.name().unwrap_or("a test"));
    drop(std::io::Write::write_all(
        &mut std::io::stdout(),
        line.as_bytes(),
    ));
}
