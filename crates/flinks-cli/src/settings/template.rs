//! The settings file that `flinks config init` writes: every key, as a comment.

use crate::settings::table::{SETTINGS, Setting};

/// Returns the text of the file, with the keys in a profile if one is named.
pub(crate) fn text(profile: Option<&str>) -> String {
    let mut text = INTRODUCTION.to_owned();
    if let Some(name) = profile {
        text.push_str(&format!(
            "\n# Keys above this line are shared by all profiles.\n[profile.{name}]\n"
        ));
    }
    let mut group = None;
    for setting in SETTINGS.iter().filter(|setting| setting.is_in_file()) {
        if group.replace(setting.group) != Some(setting.group) {
            text.push_str(&format!("\n## {}\n", setting.group.heading()));
        }
        text.push_str(&entry(setting));
    }
    text
}

const INTRODUCTION: &str = "\
# Settings of the program flinks, which `flinks help settings` describes.
# Options and environment variables take precedence. Relative paths start at the folder of this file.
# A table [profile.NAME] at the end holds the keys of a profile, which --profile NAME takes.
";

fn entry(setting: &Setting) -> String {
    let (key, default) = (setting.key, setting.default.unwrap_or_default());
    let mut text = format!("\n# {}\n# {key} = \"{default}\"\n", setting.meaning);
    if let Some(file_key) = setting.file_key() {
        text.push_str(&format!(
            "# Or the path of a file that holds it:\n# {file_key} = \"\"\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::settings::Source;

    #[test]
    fn every_line_of_the_file_can_be_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        for profile in [None, Some("test")] {
            let text = text(profile);
            let is_key = |line: &&str| line.starts_with("# ") && line.contains(" = \"");
            assert_eq!(text.lines().filter(is_key).count(), 22, "{text}");
            let used: Vec<_> = text
                .lines()
                .map(|line| match is_key(&line) {
                    true => line.trim_start_matches("# "),
                    false => line,
                })
                .collect();
            for text in [&text, &used.join("\n")] {
                fs::write(&path, text).expect("written");
                let source = Source::new(|_| None, Some(&path), profile);
                assert_eq!(source.expect(text).profile(), profile);
            }
        }
    }
}
