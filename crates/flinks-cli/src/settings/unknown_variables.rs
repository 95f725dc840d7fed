//! Warnings about unknown `FLINKS_…` variables, with the name that was probably meant.

use std::ffi::OsString;

use flinks_types::text::escaped;

use crate::settings::spelling::nearest;
use crate::settings::table::{SETTINGS, keys, variable_of};

/// Returns a warning for each variable that begins with `FLINKS_` and is not known. It shows the
/// variable's name and not its value.
pub(crate) fn warnings(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut unknown: Vec<_> = names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("FLINKS_"))
        .filter(|name| !known().any(|known| variable_of(&known) == *name))
        .collect();
    unknown.sort();
    let warn = |name: &String| {
        let key = name.trim_start_matches("FLINKS_").to_ascii_lowercase();
        let meant =
            nearest(&key, known()).map(|known| format!(": is {} meant?", variable_of(&known)));
        let meant = meant.unwrap_or_default();
        let name: String = escaped(name).chars().take(64).collect();
        format!("{name} is not a setting of this program{meant}")
    };
    unknown.iter().map(warn).collect()
}

fn known() -> impl Iterator<Item = String> {
    SETTINGS.iter().flat_map(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_gets_a_warning_with_the_known_name() {
        let rows = [
            ("FLINKS_CLIENT_SECERT", Some("FLINKS_CLIENT_SECRET")),
            ("FLINKS_API_KEY", Some("FLINKS_X_API_KEY")),
            ("FLINKS_KEY_FILE", Some("FLINKS_KEY")),
            ("FLINKS_CUSTOMERID", Some("FLINKS_CUSTOMER_ID")),
            ("FLINKS_URL_OF_SOMETHING_ELSE", None),
        ];
        for (name, meant) in rows {
            let warnings = warnings([name.into()].into_iter());
            let [warning] = warnings.as_slice() else {
                panic!("{warnings:?}");
            };
            assert!(warning.contains(name), "{warning}");
            assert_eq!(warning.contains("meant"), meant.is_some(), "{warning}");
            assert!(warning.contains(meant.unwrap_or_default()), "{warning}");
        }
    }

    #[test]
    fn known_names_and_other_programs_names_get_no_warning() {
        let names = known()
            .map(|key| variable_of(&key))
            .chain(["PATH".to_owned(), "XFLINKS_KEY".to_owned()]);
        assert!(warnings(names.map(OsString::from)).is_empty());
    }
}
