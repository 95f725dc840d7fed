//! Mutations: an input made of seeds by a few random changes, the same for the same random numbers.

use fastrand::Rng;

use crate::CANARY;

/// No input is longer.
const LONGEST: usize = 64 << 10;

/// Pieces that random bytes do not hit upon.
const DICTIONARY: [&str; 40] = [
    CANARY,
    "null",
    "true",
    "[]",
    "{}",
    "{\"\":",
    "\"\"",
    "0",
    "-1",
    "1e309",
    "0.1",
    "4294967296",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "é",
    "\u{202e}",
    "\r\n",
    "\n",
    "\0",
    ",",
    ":",
    "\"",
    "\\",
    "00000000-0000-0000-0000-000000000000",
    "0001-01-01T00:00:00",
    "retry-after:99999999999999999999\n",
    "retry-after:Sun, 06 Nov 1994 08:49:37 GMT\n",
    "date:Sun, 06 Nov 1994 08:49:37 GMT\n",
    "content-type:text/html; charset=utf-16\n",
    "content-encoding:gzip\n",
    "\"HttpStatusCode\":203",
    "\"FlinksCode\":\"OPERATION_PENDING\"",
    "\"Message\":\"cAnArY4711sEcReT\"",
    "<title>cAnArY4711sEcReT</title>",
    "\"SecurityChallenges\":[{}]",
    "-----BEGIN PRIVATE KEY-----\n",
    "-----END CERTIFICATE-----\n",
    "Proc-Type: 4,ENCRYPTED\n",
];

/// Changes a seed in one to eight places.
pub fn mutate(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let pick = |rng: &mut Rng| {
        seeds
            .get(rng.usize(..seeds.len().max(1)))
            .cloned()
            .unwrap_or_default()
    };
    let mut input = pick(rng);
    for _ in 0..rng.usize(1..=8) {
        let at = rng.usize(..=input.len());
        let longest = 1 + rng.usize(..64);
        let end = rng.usize(at..=input.len().min(at + longest));
        match rng.u8(..9) {
            0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
            1 if at < input.len() => input[at] = rng.u8(..),
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                let times = 1 << rng.u8(..10);
                input.splice(at..at, piece.repeat(times));
            }
            4 => input.truncate(at),
            5 => {
                let other = pick(rng);
                let from = rng.usize(..=other.len());
                let to = rng.usize(from..=other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            // Deeper than any reader should go.
            6 if rng.u8(..16) == 0 => drop(input.splice(at..at, [b'['; 5000])),
            _ => {
                let word = DICTIONARY[rng.usize(..DICTIONARY.len())];
                input.splice(at..end, word.bytes());
            }
        }
        input.truncate(LONGEST);
    }
    input
}
