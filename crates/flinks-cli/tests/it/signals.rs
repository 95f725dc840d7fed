//! A signal always ends the program, also while its output is not read.

use std::io::{BufRead as _, BufReader};
#[cfg(target_os = "linux")]
use std::io::{PipeReader, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use flinks_sandbox::CACHED_LOGIN_ID;
use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{Bench, without_settings};

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// Longer than any slow machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

fn send(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(id.expect("an id"), signal).expect("signalled");
}

/// Waits for the end of a program without reading what it writes.
fn end(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().expect("killed");
            panic!("the signal did not end it");
        }
        std::thread::yield_now();
    }
}

/// Starts a program whose standard output is a pipe that a page fills.
#[cfg(target_os = "linux")]
fn into_small_pipe(command: &mut Command) -> (Child, PipeReader) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("a small pipe");
    let child = command.stdout(writer).spawn();
    (child.expect("the program starts"), reader)
}

/// A program in the middle of more output than its reader takes.
#[cfg(target_os = "linux")]
fn blocked() -> (Child, PipeReader) {
    let (child, mut reader) = into_small_pipe(&mut without_settings(&["completions", "bash"]));
    reader.read_exact(&mut [0]).expect("a byte");
    (child, reader)
}

#[cfg(target_os = "linux")]
#[test]
fn unread_output_does_not_keep_the_program_running() {
    let running = SIGNALS.map(|signal| {
        let (child, reader) = blocked();
        send(&child, signal);
        (signal, child, reader)
    });
    for (signal, mut child, _reader) in running {
        assert_eq!(end(&mut child).code(), Some(130), "{signal:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_signal_ends_the_program_at_once() {
    let (mut child, _reader) = blocked();
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(2), "it waits on");
        send(&child, Signal::TERM);
        std::thread::yield_now();
    }
}

#[test]
fn an_unread_support_pipe_does_not_keep_the_program_running() {
    let bench = Bench::new(&["fraud=status:403"]);
    let pipe = bench.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let pipe = pipe.to_str().expect("UTF-8");
    let line = ["fraud", CACHED_LOGIN_ID, "--json", "--support", pipe];
    let running = SIGNALS.map(|signal| {
        let child = bench.command(&line).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        // The error is printed; only the pipe is still to be opened.
        let mut printed = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut printed)
            .expect("a line");
        assert!(printed.contains("error"), "{printed}");
        send(&child, signal);
        (signal, child)
    });
    for (signal, mut child) in running {
        assert_eq!(end(&mut child).code(), Some(130), "{signal:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_unread_log_delays_no_answer_and_no_exit() {
    let bench = Bench::new(&[]);
    let folder = bench.path("dir");
    let line = ["sandbox", "--dir", folder.to_str().expect("UTF-8")];
    let (mut child, reader) = into_small_pipe(&mut without_settings(&line));
    let mut stdout = BufReader::with_capacity(1, reader);
    stdout.read_line(&mut String::new()).expect("a line");
    // Some forty lines of log.
    for number in 0..40 {
        bench.document(&format!("{number}.pdf"));
    }
    let flinks = env!("CARGO_BIN_EXE_flinks");
    let line = format!(". ./dir/env && exec '{flinks}' upload *.pdf --json");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).current_dir(bench.folder.path());
    let uploaded = shell.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut uploaded = uploaded.expect("a shell");
    assert_eq!(end(&mut uploaded).code(), Some(0));
    send(&child, Signal::TERM);
    assert_eq!(end(&mut child).code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_leaves_no_temporary_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = || {
        std::fs::read_dir(folder.path())
            .expect("readable")
            .flatten()
    };
    // No room for the line that tells that the server is ready.
    let (_reader, mut writer) = std::io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("a small pipe");
    writer.write_all(&[b'x'; 4096]).expect("room for a page");
    let mut command = without_settings(&["sandbox"]);
    let child = command.env("TMPDIR", folder.path()).stdout(writer).spawn();
    let mut child = child.expect("the program starts");
    let begun = Instant::now();
    while !inside().any(|entry| entry.path().join("env").exists()) {
        assert!(begun.elapsed() < PATIENCE, "the server does not start");
        std::thread::yield_now();
    }
    send(&child, Signal::TERM);
    assert_eq!(end(&mut child).code(), Some(0));
    assert_eq!(inside().count(), 0);
}

#[test]
fn the_log_goes_to_the_end_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log");
    std::fs::write(&file, "before\n").expect("written");
    let dir = folder.path().join("dir");
    let (log, dir) = (file.to_str().expect("UTF-8"), dir.to_str().expect("UTF-8"));
    let mut command = without_settings(&["sandbox", "--dir", dir, "--log", log]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut String::new()).expect("a line");
    let flinks = env!("CARGO_BIN_EXE_flinks");
    let line = format!(". '{dir}/env' && '{flinks}' fraud {CACHED_LOGIN_ID}; true");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).stdin(Stdio::null());
    assert!(shell.output().expect("a shell").status.success());
    send(&child, Signal::TERM);
    assert_eq!(end(&mut child).code(), Some(0));
    let log = std::fs::read_to_string(&file).expect("readable");
    assert!(log.starts_with("before\n{\"seq\":1,\"time\":\""), "{log}");
    let mut rest = String::new();
    stdout.read_line(&mut rest).expect("readable");
    assert_eq!(rest, "");
    // A folder cannot be written to.
    let refused = without_settings(&["sandbox", "--log", dir]).output();
    assert_eq!(refused.expect("it ends").status.code(), Some(2));
}
