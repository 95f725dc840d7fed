//! The images of a round, as files of a folder that the user names: there while the round waits.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flinks_legacy::{Ask, Round};

use crate::failure::Failure;
use crate::picture::extension;

/// The files of a round's images; they are removed when this is dropped, unless they are kept.
#[derive(Default)]
pub(crate) struct Images(Vec<PathBuf>);

impl Images {
    /// Writes the images of a round, each with mode 0600.
    ///
    /// # Errors
    /// The folder or a file cannot be written; none of the files is left then.
    pub(crate) fn write(round: &Round, folder: &Path) -> Result<Self, Failure> {
        let mut images = Self::default();
        for (index, question) in round.questions().enumerate() {
            let Ask::Image(question) = question.ask() else {
                continue;
            };
            make(folder).map_err(|error| Failure::disk("the folder", folder, &error))?;
            for (number, image) in question.images().enumerate() {
                let Some(image) = decoded(image) else {
                    continue;
                };
                let (question, kind) = (index + 1, extension(&image));
                let name = format!("flinks-question-{question}-image-{number}.{kind}");
                let path = folder.join(name);
                images.0.push(path.clone());
                write(&path, &image).map_err(|error| Failure::disk("the image", &path, &error))?;
            }
        }
        Ok(images)
    }

    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The round waits on: somebody will look at its images.
    pub(crate) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        for path in &self.0 {
            // One that was never written, or that somebody else has removed, is gone already.
            drop(fs::remove_file(path));
        }
    }
}

/// The bytes of an image as it came; nothing when it cannot be read.
pub(crate) fn decoded(image: &str) -> Option<Vec<u8>> {
    STANDARD.decode(image).ok()
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a new file. One of this name is of this round, written before it waited.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    drop(fs::remove_file(path));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::waiting::tests::round;

    #[test]
    fn images_are_there_while_the_round_waits() {
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
                .collect();
            names.sort();
            names
        };
        let images = Images::write(&round, &folder).ok().expect("written");
        let expected = [
            "flinks-question-2-image-0.gif",
            "flinks-question-2-image-2.png",
        ];
        assert_eq!(files(), expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = fs::metadata(folder.join(expected[0])).expect("there");
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
        images.keep();
        assert_eq!(files(), expected);
        drop(Images::write(&round, &folder).ok().expect("again"));
        assert_eq!(files().len(), 0);
    }
}
