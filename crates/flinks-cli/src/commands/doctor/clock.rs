//! Compares this machine's clock with the server's `Date`: certificates are valid by both or neither.

use std::time::{Duration, SystemTime};

use crate::commands::doctor::finding::Finding;
use crate::output::exit_status::Exit;

const CLOCK: &str = "clock";

/// A larger difference is a warning.
const TOLERANCE: Duration = Duration::from_secs(60);

/// The time of this machine and of a server at the same moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) here: SystemTime,
    pub(super) server: SystemTime,
}

/// From when and until when a certificate is valid.
pub(super) type Validity = (SystemTime, SystemTime);

pub(super) fn check(clocks: Option<Clocks>, validities: &[Validity]) -> Finding {
    let Some(Clocks { here, server }) = clocks else {
        return Finding::skip(CLOCK, "not compared: no answer had the server's time");
    };
    let (difference, way) = match here.duration_since(server) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if difference <= TOLERANCE {
        return Finding::ok(CLOCK, "agrees with the server's to the minute");
    }
    let message = format!("this machine is {} {way} the server", shown(difference));
    let valid_at =
        |time: SystemTime| move |(from, until): &Validity| *from <= time && time <= *until;
    let depends = |validity: &Validity| valid_at(here)(validity) != valid_at(server)(validity);
    let hint = "set this machine's clock, for example by NTP";
    if validities.iter().any(depends) {
        let message = format!("{message}, and a certificate is valid by only one of the clocks");
        Finding::fail(CLOCK, Exit::Usage, message).hint(hint)
    } else {
        Finding::warn(CLOCK, message).hint(hint)
    }
}

fn shown(difference: Duration) -> String {
    match difference.as_secs() {
        seconds @ 0..=7_199 => format!("{} minutes", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} hours", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::commands::doctor::finding::Findings;

    #[test]
    fn a_difference_is_a_fault_only_if_a_certificate_hangs_on_it() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let day = 86_400;
        let rows = [
            (1000, 1059, "ok", ""),
            (1000, 1061, "warn", "1 minutes behind the server"),
            (9 * day, 2 * day, "warn", "7 days ahead of the server"),
            (9 * day, 20 * day, "fail", "11 days behind"),
            (12 * day, 9 * day, "fail", "3 days ahead"),
        ];
        for (here, server, status, words) in rows {
            let clocks = Clocks {
                here: at(here),
                server: at(server),
            };
            let mut findings = Findings::default();
            findings.extend([check(Some(clocks), &[(at(0), at(10 * day))])]);
            let finding = &findings.to_json()[0];
            assert_eq!(finding["status"], status, "{finding}");
            let message = finding["message"].as_str().expect("text");
            assert!(message.contains(words), "{message}");
        }
    }
}
