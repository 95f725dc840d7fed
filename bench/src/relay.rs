//! A link with a round trip of 40 ms: what one side sends reaches the other 20 ms later.
//!
//! The client is connected at once, but nothing of it is carried during the first round trip, which stands for TCP's
//! handshake. Each direction has the window of TCP's slow start: 10 segments at first, then twice as much each
//! round trip, up to 4 MB. Loss, a limit of bandwidth, and the wait of Nagle's algorithm are not played.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

pub const ROUND_TRIP: Duration = Duration::from_millis(40);
const FIRST_WINDOW: usize = 10 * 1460;
const LAST_WINDOW: usize = 4 << 20;

/// `bench relay`: prints its address, then carries connections to another address until it is killed.
pub fn serve(arguments: &[String]) -> Result {
    let target = arguments.first().ok_or("to which address?")?.clone();
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?);
    for client in listener.incoming() {
        let (client, server) = (client?, TcpStream::connect(&target)?);
        let open = Instant::now() + ROUND_TRIP;
        for (from, to) in [(&client, &server), (&server, &client)] {
            from.set_nodelay(true)?;
            let (from, to) = (from.try_clone()?, to.try_clone()?);
            let (sender, carried) = channel();
            thread::spawn(move || deliver(to, &carried));
            thread::spawn(move || {
                let mut window = Window::new();
                let mut buffer = vec![0; 64 << 10];
                loop {
                    let room = window.wait_for_room().min(buffer.len());
                    // A broken connection is passed on as one that ends.
                    let count = (&from).read(&mut buffer[..room]).unwrap_or(0);
                    let due = Instant::now().max(open) + ROUND_TRIP / 2;
                    window.sent(count, due + ROUND_TRIP / 2);
                    if sender.send((due, buffer[..count].to_vec())).is_err() || count == 0 {
                        break;
                    }
                }
            });
        }
    }
    Ok(())
}

fn deliver(mut to: TcpStream, carried: &Receiver<(Instant, Vec<u8>)>) {
    for (due, piece) in carried {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if piece.is_empty() || to.write_all(&piece).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// How much may be under way without an acknowledgement.
struct Window {
    size: usize,
    unacknowledged: usize,
    acknowledgements: VecDeque<(Instant, usize)>,
}

impl Window {
    fn new() -> Self {
        let acknowledgements = VecDeque::new();
        Self {
            size: FIRST_WINDOW,
            unacknowledged: 0,
            acknowledgements,
        }
    }

    fn sent(&mut self, count: usize, acknowledged: Instant) {
        self.unacknowledged += count;
        self.acknowledgements.push_back((acknowledged, count));
    }

    fn wait_for_room(&mut self) -> usize {
        while let Some(&(due, count)) = self.acknowledgements.front() {
            let wait = due.saturating_duration_since(Instant::now());
            if !wait.is_zero() && self.unacknowledged < self.size {
                break;
            }
            thread::sleep(wait);
            self.acknowledgements.pop_front();
            self.unacknowledged -= count;
            self.size = (self.size + count).min(LAST_WINDOW);
        }
        self.size - self.unacknowledged
    }
}
