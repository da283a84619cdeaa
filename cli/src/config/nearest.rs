//! What somebody may have meant who wrote something else.

use strsim::osa_distance;

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
    let near = known.iter().map(|known| (osa_distance(word, known), *known));
    let (distance, known) = near.min()?;
    (distance <= word.chars().count().max(3) / 3).then_some(known)
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
