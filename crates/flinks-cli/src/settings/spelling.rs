//! Finds the setting that was probably meant by an unknown name.

/// Returns the most similar known key, if at most a third of its letters differ.
pub(super) fn nearest(key: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let known: Vec<_> = known.collect();
    if let Some(value) = key.strip_suffix("_file")
        && known.iter().any(|known| known == value)
    {
        return Some(value.to_owned());
    }
    known
        .into_iter()
        .map(|known| (distance(key, &known), known))
        .filter(|(distance, _)| *distance <= (key.len() / 3).max(1))
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
