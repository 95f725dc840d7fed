//! JSON read strictly: an error names the key by its path, and what is allowed there.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

/// Reads a file's text.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = tracked("", &mut json)?;
    json.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Reads the value of `key` in a file.
pub(crate) fn read_value<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T, String> {
    tracked(key, value)
}

fn tracked<'de, T, D>(key: &str, from: D) -> Result<T, String>
where
    T: Deserialize<'de>,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    let mut track = Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(from, &mut track))
        .map_err(|error| format!("{}{error}", place(key, &track.path())))
}

/// `steps[1].reply.status: `, or nothing at the top.
fn place(key: &str, path: &Path) -> String {
    let mut place = key.to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => place += &format!("[{index}]"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !place.is_empty() {
                    place.push('.');
                }
                place += key;
            }
            Segment::Unknown => {}
        }
    }
    if !place.is_empty() {
        place += ": ";
    }
    place
}
