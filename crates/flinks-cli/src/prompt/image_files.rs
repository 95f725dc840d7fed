//! Writes the images of a round to the user's folder, for as long as the round waits.

use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flinks_legacy::{ChallengeRound, QuestionKind};
use sha2::{Digest as _, Sha256};

use crate::output::error::CliError;
use crate::prompt::terminal_images::extension;
use crate::state::files::{self, Draft, Existing};
use crate::state::temporary::Temporary;

/// The image files of a round. They are removed on drop, unless they are kept.
#[derive(Default)]
pub(crate) struct ImageFiles(Vec<Temporary>);

impl ImageFiles {
    /// Writes the images of a round, each with mode 0600.
    ///
    /// # Errors
    /// The folder or a file cannot be written; no file is left then.
    pub(crate) fn write(round: &ChallengeRound, folder: &Path) -> Result<Self, CliError> {
        let mut images = Self::default();
        let mark = mark(round);
        for (index, question) in round.questions().enumerate() {
            let QuestionKind::Image(question) = question.kind() else {
                continue;
            };
            files::make_folder(folder)
                .map_err(|error| CliError::disk("the folder (--images)", &error))?;
            let count = question.images().len();
            for (place, image) in question.images().enumerate() {
                let Some(image) = decoded(image) else {
                    continue;
                };
                let (question, number, kind) = (index + 1, place + 1, extension(&image));
                let name =
                    format!("flinks-question-{question}-image-{number}-of-{count}-{mark}.{kind}");
                let path = folder.join(name);
                images.0.push(Temporary::new(path.clone()));
                write(&path, &image).map_err(|error| {
                    CliError::disk("an image in the folder of --images", &error)
                })?;
            }
        }
        Ok(images)
    }

    /// Whether the round has no images.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the files while the round waits for answers.
    pub(crate) fn keep(self) {
        for image in &self.0 {
            image.keep();
        }
    }
}

/// Decodes an image; `None` if it is not base64.
pub(crate) fn decoded(image: &str) -> Option<Vec<u8>> {
    STANDARD.decode(image).ok()
}

/// Writes a file. It may replace one that an earlier run wrote for this round.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::beside(path)?;
    draft.write_all(bytes)?;
    draft.place(path, Existing::Replace).map(drop)
}

/// Returns a hash of the RequestId for the file names, so that two sessions can share a folder. The
/// RequestId itself must not be in a file name.
fn mark(round: &ChallengeRound) -> String {
    let hash = Sha256::digest(round.request_id().as_str());
    let hash = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
    hash.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::state::session_file::tests::round;

    #[test]
    fn images_exist_while_the_round_waits() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("images");
        let round = round(&[
            json!({ "type": "QuestionAndAnswer", "prompt": "Dog?", "choices": [] }),
            json!({ "type": "ImageSelection", "prompt": "P", "choices": ["R0lGODlh", "?", "iVBORw0KGgo="] }),
        ]);
        let files = || {
            let entries = fs::read_dir(&folder).expect("readable");
            let mut names: Vec<_> = entries
                .map(|entry| entry.expect("an entry").file_name())
                .map(|name| name.into_string().expect("UTF-8"))
                .collect();
            names.sort();
            names
        };
        let images = ImageFiles::write(&round, &folder).ok().expect("written");
        let mark = mark(&round);
        let expected = [
            format!("flinks-question-2-image-1-of-3-{mark}.gif"),
            format!("flinks-question-2-image-3-of-3-{mark}.png"),
        ];
        assert_eq!(files(), expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = fs::metadata(folder.join(&expected[0])).expect("there");
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
        images.keep();
        assert_eq!(files(), expected);
        drop(ImageFiles::write(&round, &folder).ok().expect("again"));
        assert_eq!(files().len(), 0);
    }
}
