//! How the bank's challenges are answered: at the terminal or from a file, with their images.

pub(crate) mod answers_file;
pub(crate) mod challenges;
pub(crate) mod image_files;
pub(crate) mod terminal;
pub(crate) mod terminal_images;
