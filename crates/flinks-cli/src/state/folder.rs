//! The default folders: for ledgers, session files and unread answers, and for the settings file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Returns `$XDG_STATE_HOME/flinks`, or else `~/.local/state/flinks`.
pub(crate) fn state_folder(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_folder(environment, "XDG_STATE_HOME", ".local/state")
}

/// Returns `$XDG_CONFIG_HOME/flinks`, or else `~/.config/flinks`.
pub(crate) fn config_folder(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_folder(environment, "XDG_CONFIG_HOME", ".config")
}

fn xdg_folder(
    environment: impl Fn(&str) -> Option<OsString>,
    variable: &str,
    in_home: &str,
) -> Option<PathBuf> {
    // The XDG specification says to ignore a relative path.
    let folder = |name| {
        environment(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder(variable)
        .or_else(|| folder("HOME").map(|home| home.join(in_home)))
        .map(|folder| folder.join("flinks"))
}

/// Returns the absolute path, or the path itself if there is no current folder.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn environment<'a>(
        pairs: &'a [(&str, &str)],
    ) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        }
    }

    #[test]
    fn the_state_folder_is_xdgs() {
        let folder = |pairs: &[(&str, &str)]| state_folder(environment(pairs));
        let both = folder(&[("XDG_STATE_HOME", "/state"), ("HOME", "/home/me")]);
        assert_eq!(both, Some("/state/flinks".into()));
        let home = folder(&[("HOME", "/home/me")]);
        assert_eq!(home, Some("/home/me/.local/state/flinks".into()));
        let relative = folder(&[("XDG_STATE_HOME", "state"), ("HOME", "/h")]);
        assert_eq!(relative, Some("/h/.local/state/flinks".into()));
        assert_eq!(folder(&[]), None);
    }
}
