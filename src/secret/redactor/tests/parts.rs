//! Whatever the secret and the text, no part that counts is left. Which ones do is said here once more.

use super::*;

/// The least beginning and the least end that count.
fn least(secret: &str) -> [&str; 2] {
    let chars = secret.chars().count();
    let least = match chars {
        ..8 => chars,
        8..46 => chars.div_ceil(3),
        _ => 16,
    };
    let at = |index| secret.char_indices().nth(index).map_or(secret.len(), |(at, _)| at);
    [&secret[..at(least)], &secret[at(chars - least)..]]
}

/// Each beginning and each end that counts.
fn parts(secret: &str) -> Vec<&str> {
    let [beginning, end] = least(secret);
    let borders = secret.char_indices().map(|(at, _)| at).chain([secret.len()]);
    let beginnings = borders.clone().filter(|&at| at >= beginning.len()).map(|at| &secret[..at]);
    let ends = borders.filter(|&at| secret.len() - at >= end.len()).map(|at| &secret[at..]);
    beginnings.chain(ends).collect()
}

/// Whether `text` has a part that counts, as it is, percent-encoded or escaped.
fn shows(text: &str, secret: &str) -> bool {
    least(secret).into_iter().any(|part| {
        let json = serde_json::Value::from(part).to_string();
        let percent = encode::percent(part).to_string();
        let forms = [
            part.to_owned(),
            json[1..json.len() - 1].to_owned(),
            percent.replace("%20", "+"),
            lower(&percent),
            percent,
        ];
        text.split(MARK).any(|shown| forms.iter().any(|form| shown.contains(form)))
    })
}

/// With the digits of its escapes in lower case.
fn lower(percent: &str) -> String {
    let mut digits = 0;
    let lower = |char: char| {
        digits = if char == '%' { 2 } else { usize::saturating_sub(digits, 1) };
        if digits > 0 { char.to_ascii_lowercase() } else { char }
    };
    percent.chars().map(lower).collect()
}

/// `text` in base64, without the characters at both ends that depend on what is around it.
fn inside_base64(before: usize, text: &str) -> String {
    let encoded = BASE64_STANDARD.encode([&vec![0; before], text.as_bytes()].concat());
    encoded[(before * 8).div_ceil(6)..(before + text.len()) * 8 / 6].to_owned()
}

fn secret() -> impl Strategy<Value = String> {
    // The second has many parts that are others, too; the third much to encode.
    prop_oneof!["[!-~]{8,80}", "[ab]{8,40}", "[ %+\\\\\"/é€a]{8,20}"]
        .prop_filter("nothing around it is trimmed", |secret| secret.trim() == secret)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~é]{0,40}", "[ab]{0,300}", "[%+\\\\\\[\\]red]{0,10}"]
}

proptest! {
    #[test]
    fn no_part_that_counts_is_left(
        secret in secret(),
        before in text(),
        behind in text(),
        which in any::<prop::sample::Index>(),
        way in 0..6,
    ) {
        // An escape that is cut off there would go on in the part.
        prop_assume!(!before.chars().rev().take(2).any(|char| matches!(char, '%' | '\\')));
        let parts = parts(&secret);
        let part = parts[which.index(parts.len())];
        let json = serde_json::Value::from(part).to_string();
        let percent = encode::percent(part).to_string();
        let written = match way {
            0 => part.to_owned(),
            1 => json[1..json.len() - 1].to_owned(),
            2 => percent,
            3 => lower(&percent),
            4 => percent.replace("%20", "+"),
            // All that is not printed is left out.
            _ => part.chars().flat_map(|char| [char, '\u{200b}', '\0']).collect(),
        };
        let text = format!("{before}{written}{behind}");
        let cleaned = Redactor::new([&*secret, "another s3cret"]).clean(&text);
        prop_assert!(!shows(&cleaned, &secret), "{cleaned}");
        if let Some(censored) = super::super::super::without_token(&text, &secret) {
            prop_assert!(least(&secret).iter().all(|part| !censored.split(MARK).any(|shown| shown.contains(part))));
        } else {
            prop_assert!(least(&secret).iter().all(|part| !text.contains(part)));
        }
    }

    #[test]
    fn no_part_that_counts_is_left_in_base64(
        secret in secret(),
        before in "[ -~]{0,40}",
        behind in "[ -~]{0,40}",
        which in any::<prop::sample::Index>(),
        is_for_urls in any::<bool>(),
    ) {
        let parts = parts(&secret);
        let part = parts[which.index(parts.len())];
        let around = format!("{before}{part}{behind}");
        let encoded = match is_for_urls {
            true => BASE64_URL_SAFE_NO_PAD.encode(around),
            false => BASE64_STANDARD.encode(around),
        };
        let cleaned = Redactor::new([&*secret]).clean(&encoded);
        for before in 0..3 {
            for part in least(&secret) {
                let inside = inside_base64(before, part);
                let cleaned = cleaned.replace('-', "+").replace('_', "/");
                prop_assert!(!cleaned.split(MARK).any(|shown| shown.contains(&inside)), "{inside} in {cleaned}");
            }
        }
    }

    #[test]
    fn what_has_no_letter_of_the_secret_is_left_as_it_is(secret in "[a-m]{1,40}", text in "[À-Ý]{0,256}") {
        prop_assert_eq!(Redactor::new([&*secret]).clean(&text), text);
    }
}

#[test]
fn a_third_or_sixteen_characters_count() {
    for (secret, least) in [
        ("k3y-4711", 3),
        ("k3y-4711x", 3),
        ("k3y-4711xy", 4),
        ("gänsefüßchen", 4),
        ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI", 15),
        ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 16),
    ] {
        let redactor = Redactor::new([secret]);
        let beginning = |length| secret.chars().take(length).collect::<String>();
        let end = |length| secret.chars().skip(secret.chars().count() - length).collect::<String>();
        for part in [beginning(least), end(least)] {
            assert_eq!(redactor.clean(&format!("<{part}>")), format!("<{MARK}>"));
        }
        for part in [beginning(least - 1), end(least - 1)] {
            assert_eq!(redactor.clean(&format!("<{part}>")), format!("<{part}>"));
        }
    }
}
