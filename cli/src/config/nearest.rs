//! What somebody may have meant who wrote something else.

/// What follows a complaint about `word`: the one of `known` that may have been meant, if there is such, and the end of the
/// sentence.
pub(super) fn hint(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("; did you mean {near}? "),
        None => ". ".to_owned(),
    }
}

/// The one of `known` that is nearest to `word`, if any is near.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|known| (distance(word, known), *known));
    let (distance, known) = near.min()?;
    (distance <= word.chars().count().max(3) / 3 || is_mixed_up(word, known)).then_some(known)
}

/// Whether it is the same letters in another order.
fn is_mixed_up(one: &str, other: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<_> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(one) == sorted(other)
}

/// How many characters have to be put in, taken out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (index, char) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (at, known) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(char != *known);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_slip_away_is_found_and_nothing_else() {
        let known = ["vendor", "scope", "client-id", "client-secret"];
        assert_eq!(nearest("scopes", &known), Some("scope"));
        assert_eq!(nearest("client_id", &known), Some("client-id"));
        assert_eq!(nearest("scpoe", &known), Some("scope"));
        assert_eq!(nearest("vednor", &known), Some("vendor"));
        assert_eq!(nearest("password", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
