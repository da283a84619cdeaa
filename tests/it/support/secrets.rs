//! Looks for secrets where none may be.

use std::{error::Error, iter};

use base64::{Engine, prelude::BASE64_STANDARD};

/// Texts that nothing may show, in any of the forms in which they travel.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(secrets.into_iter().map(Into::into).collect())
    }

    pub(crate) fn and(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.extend(more.into_iter().map(Into::into));
        self
    }

    /// Checks everything that an error shows of itself and of what caused it.
    #[track_caller]
    pub(crate) fn assert_not_in(&self, error: &(dyn Error + 'static)) {
        for error in iter::successors(Some(error), |&error| error.source()) {
            self.assert_not_shown(&format!("{error} {error:?} {error:#?}"));
        }
    }

    #[track_caller]
    pub(crate) fn assert_not_shown(&self, text: &str) {
        for form in self.0.iter().filter(|secret| secret.len() > 3).flat_map(|secret| forms(secret)) {
            assert!(!text.contains(&form), "{form:?} is shown: {text}");
        }
    }
}

/// As it is, percent-encoded, and in base64, with up to two bytes of anything else before it.
fn forms(secret: &str) -> Vec<String> {
    let percent = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
    let mut forms = vec![secret.to_owned(), percent.to_string()];
    for before in 0..3 {
        let encoded = BASE64_STANDARD.encode([&vec![0; before], secret.as_bytes()].concat());
        // Without the characters that depend on what is around it.
        let inner = &encoded[(before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6];
        forms.push(inner.to_owned());
        forms.push(inner.replace('+', "-").replace('/', "_"));
    }
    forms
}

#[test]
fn a_secret_is_found_in_all_its_forms() {
    let secrets = Secrets::new(["pass:wörd"]);
    for before in ["", "a", "ab", "abc:"] {
        let encoded = BASE64_STANDARD.encode(format!("{before}pass:wörd tail"));
        assert!(std::panic::catch_unwind(|| secrets.assert_not_shown(&encoded)).is_err(), "{before:?}");
    }
    assert!(std::panic::catch_unwind(|| secrets.assert_not_shown("a=pass%3Aw%C3%B6rd")).is_err());
    secrets.assert_not_shown("nothing of the kind");
}
