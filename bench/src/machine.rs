//! The machine that a report was made on.

use std::fs::read_to_string;
use std::thread::available_parallelism;

use crate::peers::said;

/// Instructions that encryption and base64 depend on, by their names on x86-64 and on ARM.
const FLAGS: [&str; 9] = [
    "aes",
    "pclmulqdq",
    "avx2",
    "avx512f",
    "vaes",
    "vpclmulqdq",
    "sha_ni",
    "asimd",
    "pmull",
];

/// Lines of the report: processor, kernel, date.
pub fn lines() -> Vec<String> {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    let all = field("flags")
        .or_else(|| field("Features"))
        .unwrap_or_default();
    let flags: Vec<_> = FLAGS
        .into_iter()
        .filter(|flag| all.split(' ').any(|word| word == *flag))
        .collect();
    let cores = available_parallelism().map_or(0, usize::from);
    let model = field("model name").unwrap_or_else(|| "a processor without a name".to_owned());
    let known = |command: &[&str]| said(command).unwrap_or_else(|| "unknown".to_owned());
    vec![
        format!("{model}, {cores} cores; {}", flags.join(", ")),
        format!(
            "{}; {}",
            known(&["uname", "-sr"]),
            known(&["rustc", "--version"])
        ),
        known(&["date", "-u", "+%Y-%m-%d"]),
    ]
}
