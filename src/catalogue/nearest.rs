//! Which of some names was probably meant.

/// The name that is like `wanted`, if one is.
pub(super) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = plain(wanted);
    let score = |name: &'n str| {
        let plain = plain(name);
        let is_part = wanted.len() >= 3 && (plain.contains(&*wanted) || wanted.contains(&*plain));
        (if is_part { 1 } else { distance(&wanted, &plain) }, name)
    };
    let longest = wanted.chars().count() / 3;
    names.map(score).min().filter(|(distance, _)| *distance <= longest.max(1)).map(|(_, name)| name)
}

/// As people write it: `Google Drive`, `google_drive` and `google-drive` are the same.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many characters have to be put in, taken out or replaced (Levenshtein's).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, c) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["baidu", "github-app", "salesforce", "vault", "zoom"];

    #[test]
    fn slips_of_the_pen_are_understood() {
        for (wanted, meant) in [
            ("zom", "zoom"),
            ("Zoom", "zoom"),
            ("zooom", "zoom"),
            ("hashicorp-vault", "vault"),
            ("github", "github-app"),
            ("GitHub App", "github-app"),
            ("github_app", "github-app"),
            ("slaesforce", "salesforce"),
        ] {
            assert_eq!(nearest(wanted, NAMES.into_iter()), Some(meant), "{wanted}");
        }
    }

    #[test]
    fn what_is_like_none_of_them_suggests_none() {
        for wanted in ["", "x", "acme", "netsuite", "zo"] {
            assert_eq!(nearest(wanted, NAMES.into_iter()), None, "{wanted}");
        }
    }

    #[test]
    fn distances_are_those_of_single_changes() {
        for (from, to, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!((distance(from, to), distance(to, from)), (expected, expected), "{from} {to}");
        }
    }
}
