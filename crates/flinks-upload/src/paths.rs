//! The paths of the token, upload and complete calls: two presets, or paths of your own.

use std::fmt;

use flinks_transport::{Error, ErrorKind};

/// The paths of the token, upload and complete calls.
///
/// The Upload guide's code samples post to `/api/v1/upload`, its flow table names `/upload`. No
/// path is ever probed: a statement is not sent to a guessed URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paths {
    pub(crate) token: String,
    pub(crate) upload: String,
    pub(crate) complete: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self::api_v1()
    }
}

impl Paths {
    /// `/api/v1/token`, `/api/v1/upload`, `/api/v1/upload/complete`: as in the guide's samples.
    #[must_use]
    pub fn api_v1() -> Self {
        Self::new("/api/v1/token", "/api/v1/upload", "/api/v1/upload/complete")
    }

    /// `/api/v1/token`, `/upload`, `/upload/complete`: as in the guide's flow table.
    #[must_use]
    pub fn root() -> Self {
        Self::new("/api/v1/token", "/upload", "/upload/complete")
    }

    /// Paths of your own.
    #[must_use]
    pub fn new(token: &str, upload: &str, complete: &str) -> Self {
        Self {
            token: token.to_owned(),
            upload: upload.to_owned(),
            complete: complete.to_owned(),
        }
    }

    /// The path of the token call.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The path of the upload call.
    #[must_use]
    pub fn upload(&self) -> &str {
        &self.upload
    }

    /// The path of the complete call.
    #[must_use]
    pub fn complete(&self) -> &str {
        &self.complete
    }
}

/// `api-v1`, `root`, or the three paths separated by commas; `FromStr` reads it back.
impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::api_v1() {
            f.write_str("api-v1")
        } else if *self == Self::root() {
            f.write_str("root")
        } else {
            write!(f, "{},{},{}", self.token, self.upload, self.complete)
        }
    }
}

impl std::str::FromStr for Paths {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "api-v1" => return Ok(Self::api_v1()),
            "root" => return Ok(Self::root()),
            _ => {}
        }
        let parts: Vec<_> = text.split(',').map(str::trim).collect();
        match parts.as_slice() {
            [token, upload, complete] => Ok(Self::new(token, upload, complete)),
            _ => Err(Error::new(
                ErrorKind::Config,
                "the upload paths are \"api-v1\", \"root\", or three paths separated by commas \
                 (token, upload, complete)",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_and_own_paths_round_trip() {
        for paths in [Paths::api_v1(), Paths::root(), Paths::new("/t", "/u", "/c")] {
            assert_eq!(
                paths.to_string().parse::<Paths>().expect("its own text"),
                paths
            );
        }
        for bad in ["", "v1", "/a,/b", "/a,/b,/c,/d"] {
            assert!(bad.parse::<Paths>().is_err(), "{bad}");
        }
    }
}
