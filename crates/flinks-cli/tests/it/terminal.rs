//! The program at a terminal: what is typed, what is seen of it, and what is left when the terminal goes.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::bench::{Bench, Run};

const PASSWORD: &str = "Everyday";

/// A terminal without a program yet: what is typed waits in it.
struct Terminal {
    keyboard: File,
    /// What appears on the screen, until the terminal closes.
    screen: Receiver<String>,
    seen: String,
    /// Where the part of it begins that was not waited for yet.
    new: usize,
    program: File,
}

impl Terminal {
    fn open() -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keyboard).expect("granted");
        unlockpt(&keyboard).expect("unlocked");
        let name = ptsname(&keyboard, Vec::new()).expect("its name");
        let program = OpenOptions::new()
            .read(true)
            .write(true)
            // Or it becomes the terminal of a test program that leads a session, which its end kills.
            .custom_flags(OpenptFlags::NOCTTY.bits().cast_signed())
            .open(Path::new(OsStr::from_bytes(name.as_bytes())))
            .expect("the other side");
        let keyboard = File::from(keyboard);
        let mut output = keyboard.try_clone().expect("the screen");
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            // The end is an error: the other side is closed.
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(bytes.get(..read).unwrap_or_default());
                if tell.send(text.into_owned()).is_err() {
                    break;
                }
            }
        });
        Self {
            keyboard,
            screen,
            seen: String::new(),
            new: 0,
            program,
        }
    }

    fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("typed");
    }

    /// Starts `authorize` at this terminal; its result goes to a pipe.
    fn start(&self, bench: &Bench, arguments: &[&str]) -> Program {
        let arguments = [&["authorize", "--json"], arguments].concat();
        self.run(bench.command(&arguments))
    }

    fn run(&self, mut command: Command) -> Program {
        let side = || Stdio::from(self.program.try_clone().expect("the other side"));
        command.stdin(side()).stderr(side()).stdout(Stdio::piped());
        Program(Some(command.spawn().expect("the program starts")))
    }

    /// Waits until the screen shows a text once more.
    fn shows(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen[self.new..].find(text) {
                self.new += at + text.len();
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(more) => self.seen += &more,
                Err(_) => panic!("{text:?} never appears: {}", self.seen),
            }
        }
    }

    /// Waits for the program's end, and returns all that the screen has shown.
    fn close(mut self, mut program: Program) -> (Run, String) {
        drop(self.program);
        loop {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(more) => self.seen += &more,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program waits: {}", self.seen),
            }
        }
        let child = program.0.take().expect("a program");
        let run = Run::from(child.wait_with_output().expect("it ends"));
        (run, self.seen)
    }
}

/// A running program, which does not outlive a test that fails.
struct Program(Option<Child>);

impl Program {
    fn signal(&self, signal: Signal) {
        let id = self.0.as_ref().map(Child::id);
        let id = id.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        kill_process(id.expect("an id"), signal).expect("signalled");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Longer than any slow machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

const SECURID: [&str; 4] = [
    "--institution",
    "National",
    "--username",
    "national_securid",
];

#[test]
fn input_typed_before_a_hidden_prompt_is_kept() {
    let bench = Bench::new(&[]);
    let mut terminal = Terminal::open();
    terminal.type_in(&format!("{PASSWORD}\n123456\nWouf\n"));
    let program = terminal.start(&bench, &SECURID);
    let (run, _) = terminal.close(program);
    assert_eq!(run.ends_with(0).json()["status"], "authorized");
}

#[test]
fn password_and_answers_are_not_echoed() {
    let bench = Bench::new(&[]);
    let mut terminal = Terminal::open();
    let program = terminal.start(&bench, &SECURID);
    let secrets = [PASSWORD, "123456", "Wouf"];
    for secret in secrets {
        terminal.shows("(hidden): ");
        terminal.type_in(&format!("{secret}\n"));
    }
    let (run, seen) = terminal.close(program);
    assert_eq!(run.ends_with(0).json()["status"], "authorized");
    for secret in secrets {
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[test]
fn a_signal_removes_the_images() {
    for signal in [Signal::HUP, Signal::TERM, Signal::INT] {
        let bench = Bench::new(&[]);
        let images = bench.path("images");
        let who = [
            "--institution",
            "Laurentienne",
            "--username",
            "laurentienne_image",
        ];
        let folder = ["--images", images.to_str().expect("UTF-8")];
        let mut terminal = Terminal::open();
        terminal.type_in(&format!("{PASSWORD}\nWouf\n"));
        let program = terminal.start(&bench, &[&who[..], &folder].concat());
        terminal.shows("Select an image");
        let written = || fs::read_dir(&images).map_or(0, Iterator::count);
        assert!(written() > 0);
        program.signal(signal);
        let (run, _) = terminal.close(program);
        run.ends_with(130);
        assert_eq!(written(), 0, "{signal:?}");
    }
}

#[test]
fn a_signal_erases_the_progress() {
    let bench = Bench::new(&["upload@1=delay-after:60000"]);
    let file = bench.document("a.pdf");
    let mut terminal = Terminal::open();
    let program = terminal.run(bench.command(&["upload", &file]));
    terminal.shows("sent, waiting for the answer");
    program.signal(Signal::INT);
    let (run, seen) = terminal.close(program);
    run.ends_with(130);
    // The two lines of the progress, and what is printed in their place.
    assert!(
        seen.contains("\u{1b}[1A\u{1b}[Jerror: interrupted"),
        "{seen:?}"
    );
}

#[test]
fn progress_is_plain_lines_in_ci_and_none_in_a_pipe() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let run = |ci| {
        let mut command = bench.command(&["upload", &file]);
        Run::of(command.env("CI", ci)).ends_with(0).stderr
    };
    assert!(run("true").contains("uploaded file 1 of 1: a.pdf ("));
    assert_eq!(run(""), "");
}
