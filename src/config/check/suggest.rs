//! "Did you mean": the known word nearest to an unknown one.

/// The nearest of the known words, if it is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the word may be wrong; more than that is a guess, not a correction.
    let length = word.chars().count();
    let far = (length / 3).max(1);
    known
        .into_iter()
        // A longer or shorter word is further than that already; comparing takes time as the product of the lengths.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= far)
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words, a swap of neighbours counting as one (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_corrected_and_guesses_are_not_made() {
        let known = ["title", "name", "questionnaire", "csat5", "ces5"];
        assert_eq!(nearest("titel", known), Some("title"));
        assert_eq!(nearest("Name", known), Some("name"));
        assert_eq!(nearest("questionaire", known), Some("questionnaire"));
        assert_eq!(nearest("cast5", known), Some("csat5"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("题", ["name"]), None);
        assert_eq!(nearest(&"a".repeat(1 << 20), known), None);
    }
}
