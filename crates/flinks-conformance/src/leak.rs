//! The leak rule: no secret, and no encoding of one, in any text that a program might write down.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Shorter pieces of base64 turn up by chance.
const SHORTEST_PIECE: usize = 8;

/// What to search for.
#[derive(Debug, Default)]
pub(crate) struct Needles(Vec<(String, String)>);

impl Needles {
    /// Adds a secret and its base64 forms; `name` is what a failure calls it.
    pub(crate) fn add(&mut self, name: &str, secret: &str) {
        if secret.is_empty() {
            return;
        }
        self.0.push((name.to_owned(), secret.to_owned()));
        for piece in base64_pieces(secret.as_bytes()) {
            self.0.push((format!("{name} in base64"), piece));
        }
    }

    /// One line for each secret found, with the place it was found in. Never the secret itself.
    pub(crate) fn search(&self, place: &str, text: &str) -> Vec<String> {
        let found = self.0.iter().filter(|(_, needle)| text.contains(needle));
        found
            .map(|(name, _)| format!("leak: {name} appears in {place}"))
            .collect()
    }
}

/// The characters that base64 makes of a secret, wherever in a longer text it begins.
fn base64_pieces(secret: &[u8]) -> Vec<String> {
    let piece = |before: usize| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        // Characters that also hold bits of the neighbours are left out.
        let (start, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        STANDARD_NO_PAD
            .encode(bytes)
            .get(start..end)
            .map(ToOwned::to_owned)
    };
    (0..3)
        .filter_map(piece)
        .filter(|piece| piece.len() >= SHORTEST_PIECE)
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_found_plain_and_in_every_base64_alignment() {
        let mut needles = Needles::default();
        needles.add("the secret", "s3cr3t-of-the-case");
        for prefix in ["", "a", "ab", "abc", "user:"] {
            let text = STANDARD.encode(format!("{prefix}s3cr3t-of-the-case and more"));
            let found = needles.search("a log", &format!("Basic {text}"));
            assert_eq!(
                found,
                ["leak: the secret in base64 appears in a log"],
                "{prefix}"
            );
        }
        let found = needles.search("a log", "password=s3cr3t-of-the-case!");
        assert_eq!(found, ["leak: the secret appears in a log"]);
        assert!(needles.search("a log", "nothing here").is_empty());
    }
}
