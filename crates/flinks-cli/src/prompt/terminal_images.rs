//! Escape sequences that show an image, for terminals that support it.

use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A terminal's image protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    /// OSC 1337, of iTerm2 and others.
    Iterm,
    /// Kitty's graphics protocol.
    Kitty,
}

impl Protocol {
    /// Detects the terminal's protocol from its environment variables; `None` if it has none.
    pub(crate) fn of_terminal(environment: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let is = |name: &str, words: &[&str]| {
            let value = environment(name).and_then(|value| value.into_string().ok());
            value.is_some_and(|value| words.contains(&value.as_str()))
        };
        let kitty = environment("KITTY_WINDOW_ID").is_some_and(|id| !id.is_empty());
        if kitty || is("TERM", &["xterm-kitty", "xterm-ghostty"]) {
            return Some(Self::Kitty);
        }
        is("TERM_PROGRAM", &["iTerm.app", "WezTerm"]).then_some(Self::Iterm)
    }

    /// Returns the sequence for an image; `None` if the protocol does not support its format. The
    /// bank's bytes are encoded as base64, so they cannot control the terminal.
    pub(crate) fn sequence(self, image: &[u8]) -> Option<String> {
        match self {
            Self::Iterm => Some(iterm(image)),
            Self::Kitty => is_png(image).then(|| kitty(image)),
        }
    }
}

fn is_png(image: &[u8]) -> bool {
    image.starts_with(b"\x89PNG\r\n\x1a\n")
}

/// Returns the file name extension for an image.
pub(crate) fn extension(image: &[u8]) -> &'static str {
    match image {
        _ if is_png(image) => "png",
        [0xff, 0xd8, 0xff, ..] => "jpg",
        [b'G', b'I', b'F', b'8', ..] => "gif",
        [b'B', b'M', ..] => "bmp",
        _ => "bin",
    }
}

fn iterm(image: &[u8]) -> String {
    let (size, text) = (image.len(), STANDARD.encode(image));
    format!("\u{1b}]1337;File=inline=1;size={size};preserveAspectRatio=1:{text}\u{7}")
}

/// Kitty accepts at most 4096 characters at a time.
const KITTY_PIECE: usize = 4096 / 4 * 3;

fn kitty(image: &[u8]) -> String {
    let mut text = String::new();
    let mut pieces = image.chunks(KITTY_PIECE).peekable();
    let mut control = "a=T,f=100,q=2,";
    while let Some(piece) = pieces.next() {
        let more = u8::from(pieces.peek().is_some());
        let piece = STANDARD.encode(piece);
        text.push_str(&format!("\u{1b}_G{control}m={more};{piece}\u{1b}\\"));
        control = "";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn terminals_are_detected() {
        let rows = [
            (("TERM", "xterm-kitty"), Some(Protocol::Kitty)),
            (("KITTY_WINDOW_ID", "1"), Some(Protocol::Kitty)),
            (("TERM_PROGRAM", "iTerm.app"), Some(Protocol::Iterm)),
            (("TERM_PROGRAM", "WezTerm"), Some(Protocol::Iterm)),
            (("TERM_PROGRAM", "Apple_Terminal"), None),
            (("KITTY_WINDOW_ID", ""), None),
            (("TERM", "xterm-256color"), None),
        ];
        for ((name, value), protocol) in rows {
            let environment = |asked: &str| (asked == name).then(|| value.into());
            assert_eq!(
                Protocol::of_terminal(environment),
                protocol,
                "{name}={value}"
            );
        }
    }

    #[test]
    fn kitty_gets_png_in_pieces() {
        assert_eq!(
            Protocol::Kitty.sequence(PNG).as_deref(),
            Some("\u{1b}_Ga=T,f=100,q=2,m=0;iVBORw0KGgo=\u{1b}\\")
        );
        let large = [PNG, &[0; 2 * KITTY_PIECE]].concat();
        let text = Protocol::Kitty.sequence(&large).expect("a sequence");
        let pieces: Vec<_> = text.split_terminator("\u{1b}\\").collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces[0].starts_with("\u{1b}_Ga=T,f=100,q=2,m=1;iVBORw0KGgo"));
        assert!(pieces[1].starts_with("\u{1b}_Gm=1;") && pieces[2].starts_with("\u{1b}_Gm=0;"));
        assert!(pieces.iter().all(|piece| piece.len() <= 4096 + 32));
        assert_eq!(Protocol::Kitty.sequence(b"GIF89a"), None);
    }

    #[test]
    fn iterm_gets_any_image_with_its_size() {
        assert_eq!(
            Protocol::Iterm.sequence(b"GIF8").as_deref(),
            Some("\u{1b}]1337;File=inline=1;size=4;preserveAspectRatio=1:R0lGOA==\u{7}")
        );
    }

    #[test]
    fn images_are_named_after_their_first_bytes() {
        let rows: [(&[u8], &str); 5] = [
            (PNG, "png"),
            (b"\xff\xd8\xff\xe0", "jpg"),
            (b"GIF89a", "gif"),
            (b"BM", "bmp"),
            (b"", "bin"),
        ];
        for (image, name) in rows {
            assert_eq!(extension(image), name);
        }
    }
}
