//! Takes a token out of what an API said of it.

use super::{
    form::Form,
    reading::Reading,
    veil::{MARK, Veil},
};

/// Text of so many characters may have been cut off.
const CUT: usize = 256;

/// `text` without `token`, if that is in it: whole, or a beginning or an end of it that a [`Redactor`] would find, or
/// whatever of it was left where the text was cut off. For text that is too frequent for one, and in which a token is
/// not encoded, since it needs no encoding.
///
/// [`Redactor`]: super::Redactor
pub(crate) fn without_token(text: &str, token: &str) -> Option<String> {
    let reading = Reading::plain(text);
    let is_cut = text.chars().nth(CUT - 1).is_some();
    let mut veil = Veil::over(text.len());
    for form in Form::of_text(token) {
        form.each_in(&reading, |part| veil.hide(reading.place(part)));
        if is_cut && let Some(cut_off) = form.cut_off_by(&reading) {
            veil.hide(reading.place(reading.len() - cut_off..reading.len()));
        }
    }
    let (mut censored, mut at) = (String::new(), 0);
    for hidden in veil.stretches() {
        censored.push_str(&text[at..hidden.start]);
        censored.push_str(MARK);
        at = hidden.end;
    }
    censored.push_str(&text[at..]);
    (at > 0).then_some(censored)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.NjR7pbMz2vo9YkQ";

    fn without(text: &str) -> Option<String> {
        without_token(text, TOKEN)
    }

    #[test]
    fn a_token_is_taken_out_of_text_whole_or_cut_off() {
        assert_eq!(without("jwt expired"), None);
        assert_eq!(without(&TOKEN[..16]), Some(MARK.to_owned()), "as much as can be told");
        assert_eq!(without(&TOKEN[..15]), None, "less is not known for what it is");
        assert_eq!(without(&format!("\"{TOKEN}\" é")).as_deref(), Some("\"[redacted]\" é"));
        let twice = format!("{TOKEN}{TOKEN} and {}", &TOKEN[..30]);
        assert_eq!(without(&twice).as_deref(), Some("[redacted][redacted] and [redacted]"));
        assert_eq!(without_token("a short one", "short").as_deref(), Some("a [redacted] one"));
        assert_eq!(without_token("a shor one", "short"), None);
    }

    #[test]
    fn the_end_of_a_token_is_taken_out_too() {
        let end = |length| &TOKEN[TOKEN.len() - length..];
        assert_eq!(without(&format!("…{} expired", end(16))).as_deref(), Some("…[redacted] expired"));
        assert_eq!(without(&format!("…{} expired", end(15))), None);
        let token = "k3y-of-12chr";
        assert_eq!(without_token("ends in 2chr", token).as_deref(), Some("ends in [redacted]"));
        assert_eq!(without_token("begins with k3y-", token).as_deref(), Some("begins with [redacted]"));
        assert_eq!(without_token("k3y chr", token), None);
    }

    #[test]
    fn characters_that_are_not_printed_hide_no_token() {
        let split = format!("no {}\u{200b}{}", &TOKEN[..10], &TOKEN[10..]);
        assert_eq!(without(&split).as_deref(), Some("no [redacted]"));
    }

    #[test]
    fn what_a_cut_has_left_of_a_token_is_taken_out() {
        for (length, is_shown) in [(16, false), (15, true)] {
            let before = "x".repeat(CUT - length);
            let text = before.clone() + &TOKEN[20..20 + length];
            let censored = without(&text);
            assert_eq!(censored, (!is_shown).then(|| before + MARK), "{length}");
        }
        assert_eq!(without(&format!("x {}", &TOKEN[20..40])), None, "nothing was cut off");
    }

    #[test]
    fn a_long_token_of_one_letter_is_no_work() {
        let began = tokio::time::Instant::now();
        let token = "a".repeat(64 * 1024);
        assert_eq!(without_token(&"a".repeat(CUT), &token).as_deref(), Some(MARK));
        assert!(began.elapsed().as_secs() < 1);
    }
}
