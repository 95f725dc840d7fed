//! Warnings about unknown `FLINKS_…` variables, with the name that was probably meant.

use std::ffi::OsString;

use flinks_types::text::escaped;

use crate::settings::table::{SETTINGS, Setting};

/// Returns a warning for each variable that begins with `FLINKS_` and is not known. It shows the
/// variable's name and not its value.
pub(crate) fn warnings(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut unknown: Vec<_> = names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("FLINKS_") && !known().any(|known| known == *name))
        .collect();
    unknown.sort();
    let warn = |name: &String| {
        let meant = nearest(name).map_or_else(String::new, |known| format!(": is {known} meant?"));
        let name: String = escaped(name).chars().take(64).collect();
        format!("{name} is not a setting of this program{meant}")
    };
    unknown.iter().map(warn).collect()
}

fn known() -> impl Iterator<Item = String> {
    let variables = SETTINGS.iter().map(Setting::variable);
    let files = SETTINGS.iter().filter_map(Setting::file_variable);
    // The last two are for the user's own receiver of webhooks.
    let others = [
        "FLINKS_CONFIG",
        "FLINKS_WEBHOOK_SECRET",
        "FLINKS_WEBHOOK_SECRET_FILE",
    ];
    variables.chain(files).chain(others.map(str::to_owned))
}

/// Returns the most similar known name, if at most a third of its letters differ.
fn nearest(name: &str) -> Option<String> {
    if let Some(variable) = name.strip_suffix("_FILE")
        && let Some(known) = known().find(|known| known == variable)
    {
        return Some(known);
    }
    let letters = name.len() - "FLINKS_".len();
    known()
        .map(|known| (distance(name, &known), known))
        .filter(|(distance, _)| *distance <= (letters / 3).max(1))
        .min()
        .map(|(_, known)| known)
}

/// Returns the edit distance between two names.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.bytes().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut next = vec![index + 1];
        for (place, known) in other.iter().enumerate() {
            let [above, before, left] = [row.get(place + 1), row.get(place), next.last()]
                .map(|cost| cost.copied().unwrap_or(usize::MAX - 1));
            let change = before + usize::from(letter != *known);
            next.push(change.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
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
        let names = known().chain(["PATH".to_owned(), "XFLINKS_KEY".to_owned()]);
        assert!(warnings(names.map(OsString::from)).is_empty());
    }
}
