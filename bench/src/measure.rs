//! Runs one program and reports its CPU time, wall time and peak memory.
//!
//! A process of its own, because a child inherits the peak memory of the process that starts it: this one is small.

use std::io::Read as _;
use std::process::{Command, Stdio, exit};
use std::time::{Duration, Instant};
use std::{env, thread};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Result;

const LIMIT: Duration = Duration::from_secs(120);

/// What one run of a program cost, together with the processes that it started and waited for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// User and system time in seconds.
    pub cpu: f64,
    /// Seconds.
    pub wall: f64,
    /// Peak memory of the largest process in MB.
    pub peak: f64,
}

/// Measures a program with these variables as its whole environment.
pub fn cost(command: &[String], variables: &[(&str, String)]) -> Result<Cost> {
    let mut measure = Command::new(env::current_exe()?);
    measure.arg("measure").args(command).env_clear();
    measure.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = measure.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {said}", command.join(" ")).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let numbers: std::result::Result<Vec<f64>, _> =
        text.split_whitespace().map(str::parse).collect();
    match numbers?.as_slice() {
        &[cpu, wall, peak] => Ok(Cost { cpu, wall, peak }),
        _ => Err("three numbers are expected".into()),
    }
}

/// `bench measure`.
pub fn serve(arguments: &[String]) -> Result {
    let (program, arguments) = arguments.split_first().ok_or("which program?")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let id = Pid::from_raw(child.id().cast_signed());
    thread::spawn(move || {
        thread::sleep(LIMIT);
        eprintln!("still running after {} s", LIMIT.as_secs());
        let _ = kill(id, Signal::SIGKILL);
        exit(1);
    });
    let mut said = String::new();
    child
        .stdout
        .take()
        .ok_or("no output")?
        .read_to_string(&mut said)?;
    let status = child.wait()?;
    let wall = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{status} {said}").into());
    }
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = time(used.user_time()) + time(used.system_time());
    println!("{cpu} {wall} {}", used.max_rss() as f64 * 1024.0 / 1e6);
    Ok(())
}
