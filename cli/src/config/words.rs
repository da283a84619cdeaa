//! What is said of options, as whoever has written a file knows them.

use super::credential::DECLARATION;
use crate::options::HOW;

/// The same about the keys: they are called as the options are.
pub(super) fn of_keys(words: &str) -> String {
    let inputs = "set.NAME = \"env:VARIABLE\", \"file:PATH\" or { command = [...] } for a secret, and \"text:VALUE\" for anything else";
    let words = words.replace(&format!("--set {HOW}"), inputs).replace("--config", DECLARATION);
    // These are keys of a table.
    let of_store = [
        ("--old-store-key", "store.old-keys"),
        ("--store-key", "store.key"),
        ("--subject", "store.subject"),
        ("--slot", "store.slot"),
    ];
    let words = of_store.iter().fold(words, |words, (option, key)| words.replace(option, key));
    let mut keys = String::with_capacity(words.len());
    let mut rest = &*words;
    while let Some((before, after)) = rest.split_once("--") {
        let is_option = (before.is_empty() || before.ends_with([' ', '(', '\'', '"']))
            && after.starts_with(|first: char| first.is_ascii_lowercase());
        keys.push_str(before);
        if !is_option {
            keys.push_str("--");
        }
        rest = after;
    }
    keys + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_called_by_their_keys() {
        assert_eq!(of_keys("--client-auth tls needs --client-cert"), "client-auth tls needs client-cert");
        assert_eq!(of_keys("a -- b, x--y"), "a -- b, x--y");
        assert_eq!(of_keys("--config: /a--b.toml, line 1"), "declaration: /a--b.toml, line 1");
        assert_eq!(of_keys("give --store-key; see --subject"), "give store.key; see store.subject");
        assert!(of_keys(&format!("fill in by --set {HOW}")).starts_with("fill in by set.NAME = "));
    }
}
