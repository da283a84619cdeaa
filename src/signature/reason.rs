//! The vendor's own words, made fit for logs: one line, short, without anything that a terminal would obey.

use super::matcher::Found;
use crate::text::Scalar;

/// In characters.
const LONGEST: usize = 256;

/// What `found` says, if it says anything.
pub(super) fn reason(found: Found<'_>) -> Option<Box<str>> {
    let Some(text) = found.text() else {
        let Found::Json(value) = found else { return None };
        return match value.scalar()? {
            Scalar::Number(digits) => Some(tidy(digits)),
            Scalar::Bool(value) => Some(tidy(&value.to_string())),
            Scalar::Text(_) | Scalar::Null => None,
        };
    };
    Some(tidy(&text)).filter(|text| !text.is_empty())
}

fn tidy(text: &str) -> Box<str> {
    let visible: String = text.trim().chars().filter(|&char| !is_control(char)).take(LONGEST).collect();
    visible.trim_end().into()
}

/// Control characters, and those that break lines or turn the direction of what follows.
fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::Document;

    fn of(value: serde_json::Value) -> Option<String> {
        let document = Document::parse(value.to_string().into()).expect("json");
        reason(Found::Json(document.root())).map(String::from)
    }

    #[test]
    fn strings_numbers_and_booleans_are_reasons() {
        assert_eq!(of(json!(" jwt expired ")).as_deref(), Some("jwt expired"));
        assert_eq!(of(json!("\"quoted\" \\ é")).as_deref(), Some("\"quoted\" \\ é"));
        assert_eq!(of(json!(401)).as_deref(), Some("401"));
        assert_eq!(of(json!(-1.5)).as_deref(), Some("-1.5"));
        assert_eq!(of(json!(false)).as_deref(), Some("false"));
        for nothing in [json!(null), json!([]), json!({"a": 1}), json!(""), json!(" \n\u{1b}")] {
            assert_eq!(of(nothing), None);
        }
    }

    #[test]
    fn what_a_terminal_or_a_log_would_obey_is_removed() {
        assert_eq!(of(json!("a\r\nb\u{1b}[31mc\u{0}\u{9b}d\u{2028}\u{202e}e")).as_deref(), Some("ab[31mcde"));
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(of(json!("é".repeat(10_000))), Some("é".repeat(LONGEST)));
    }
}
