//! What is taken out, whatever is around it, and what is left alone.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use proptest::prelude::*;
use tokio::time::{Duration, Instant};

use super::*;

mod parts;

/// What servers say when they refuse something, one a line.
const REFUSALS: &str = include_str!("refusals.txt");

#[test]
fn a_secret_is_taken_out_in_every_form() {
    let secret = "p@ss wörd+\"%41/?";
    let redactor = Redactor::new([secret]);
    let percent = encode::percent(secret).to_string();
    for form in [
        secret.to_owned(),
        percent.to_ascii_lowercase(),
        percent.replace("%20", "+"),
        "p%40ss%20w%c3%b6rd+%22%2541/%3F".to_owned(),
        BASE64_STANDARD.encode(&percent),
        percent,
        BASE64_STANDARD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        "p@ss wörd+\\\"%41/?".to_owned(),
        "p@ss w\\u00f6rd+\\\"%41\\/?".to_owned(),
        "p@ss \u{200b}wö\0rd+\"%41/?".to_owned(),
    ] {
        let cleaned = redactor.clean(&format!("no user has {form} here"));
        let marked = format!("no user has {MARK} here");
        let padded = format!("no user has {MARK}= here");
        assert!(cleaned == marked || cleaned == padded, "{form}: {cleaned}");
    }
}

#[test]
fn a_secret_that_begins_another_does_not_hide_it() {
    let redactor = Redactor::new(["abc", "abcdef", "e", ""]);
    assert_eq!(redactor.clean("abcdef abc e"), format!("{MARK} {MARK} {MARK}"));
    let redactor = Redactor::new(["key-of-acme", "my-key-of-acme-2"]);
    assert_eq!(redactor.clean("my-key-of-acme-2 key-of-acme!"), format!("{MARK} {MARK}!"));
}

#[test]
fn a_short_secret_counts_only_whole() {
    let redactor = Redactor::new(["s3cret!"]);
    for part in ["s3cret", "3cret!", "czNjcmV0"] {
        assert_eq!(redactor.clean(part), part);
    }
    assert_eq!(redactor.clean("s3cret! czNjcmV0IQ== %733cret!"), format!("{MARK} {MARK}== {MARK}"));
}

#[test]
fn text_is_kept_to_one_short_line() {
    let redactor = Redactor::new([]);
    assert_eq!(redactor.clean(" a\r\nb\u{1b}[31m\u{202e}c\0\n"), "a  b[31mc");
    assert_eq!(redactor.clean(&"ü".repeat(1000)).chars().count(), MAX_CHARS + 1);
    let whole = "ü".repeat(MAX_CHARS);
    assert_eq!(redactor.clean(&format!("\n{whole}\n")), whole);
}

#[test]
fn a_secret_across_the_cut_is_not_half_shown() {
    for secret in ["s3cret", "s3cr3t-0f-m0re-than-a-few-ch4racters", &"s3cr3t".repeat(500)] {
        let redactor = Redactor::new([secret]);
        for written in [secret.to_owned(), BASE64_STANDARD.encode(secret), secret.replace('s', "%73")] {
            for behind in ["", " and so on", &"x".repeat(10_000)] {
                for shown in 0..20 {
                    let before = "x".repeat(MAX_CHARS - shown);
                    let cleaned = redactor.clean(&format!("{before}{written}{behind}"));
                    let rest = cleaned.strip_prefix(&before).unwrap();
                    let rest = rest.strip_prefix(MARK).unwrap_or(rest);
                    assert!(rest.trim_start_matches(['x', '=']).len() <= "… and so on".len(), "{rest}");
                    assert!(!rest.contains("s3") && !rest.contains("czN"), "{rest}");
                }
            }
        }
    }
}

#[test]
fn what_follows_a_long_secret_is_shown() {
    let secret = "k".repeat(3000);
    let cleaned = Redactor::new([&*secret]).clean(&format!("{secret} has expired; {}", "x".repeat(100_000)));
    assert!(cleaned.starts_with("[redacted] has expired; x"), "{cleaned}");
    assert_eq!(cleaned.chars().count(), MAX_CHARS + 1);
}

#[test]
fn secrets_in_the_chain_of_an_error_are_found() {
    let redactor = Redactor::new(["s3cret key"]);
    let shows = |text: &str| {
        let error = crate::error::AcquireError::transient("failed").with_source(text.to_owned());
        redactor.is_shown_by(&error)
    };
    for shown in ["s3cret%20key", "s3cret+key", "s3cret%20k", "t+key", "s3cr%65t", "czNjcmV0"] {
        assert!(shows(&format!("GET https://host/?key={shown} failed")), "{shown}");
    }
    assert!(!shows("GET https://host/ failed"));
}

#[test]
fn refusals_that_hold_no_secret_are_left_as_they_are() {
    let jwt =
        "eyJraWQiOiIxYiIsImFsZyI6IlJTMjU2In0.eyJzdWIiOiJyb2JvdCIsImF1ZCI6ImFwaSJ9.c2lnbmF0dXJlLW9mLXJvYm90";
    let long = "Zk9QbXh3".repeat(25);
    let secrets = [
        "x7Qp",
        "h4x0r",
        "acme42",
        "S3cr3t!",
        "hunter2",
        "zeppelin",
        "kumquats",
        "Tr0ub4dor&3",
        "P@ssw0rd",
        "correct horse battery staple",
        "mauve-walrus-92",
        "Gänsefüßchen",
        "日本語のパスワード",
        "7Fjfp0ZBr1KtDRbnfVdmIw",
        "gX1fBat3bV",
        "s6BhdRkqt3",
        "A3ddj3w",
        "3d6f0a92-5be1-4c48-9d27-e8b1f3c40a6d",
        "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "jane.doe@contoso.test",
        "robot@big-project-4711.iam.gserviceaccount.test",
        "bob@foo.io",
        "Q8~7Q~rT2mVwXyZk0bN4pLs6dFgHjK1cA9eRtUvB",
        "ghp_k3J9sLq0Z7xV2bN5mT8wY1rC4uE6iO0pA3dF",
        "xoxb-263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1",
        "sk_live_51Hq8ZkJ2eV0bR7nXpT4",
        "00D5g000009AbCd!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL",
        "GOCSPX-4kT7nVw2QzX9rB0mLpYc8sHd",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzKEY",
        "robot:gX1fBat3bV",
        "s6BhdRkqt3:gX1fBat3bV",
        jwt,
        &long,
    ];
    assert!(REFUSALS.lines().count() >= 50);
    let all = Redactor::new(secrets);
    for refusal in REFUSALS.lines() {
        for secret in secrets {
            assert_eq!(Redactor::new([secret]).clean(refusal), refusal, "{secret}");
            let censored = super::super::without_token(refusal, secret);
            assert_eq!(censored, None, "{secret} in {refusal}");
        }
        assert_eq!(all.clean(refusal), refusal);
        assert!(!all.is_in(refusal));
    }
}

#[test]
fn the_name_in_a_pair_is_no_secret_and_the_rest_is() {
    let redactor = Redactor::new(["gX1fBat3bV", "my-application:gX1fBat3bV"]);
    let refusal = "unknown client my-application, see authorization";
    assert_eq!(redactor.clean(refusal), refusal);
    let pair = BASE64_STANDARD.encode("my-application:gX1fBat3bV");
    assert_eq!(redactor.clean(&pair), format!("{MARK}=="));
    assert_eq!(redactor.clean("my-application:gX1fBat3b"), format!("my-application:{MARK}"));
    for cut in 3..8 {
        let cleaned = redactor.clean(&format!("Basic {}", &pair[..pair.len() - cut]));
        assert!(
            cleaned.starts_with("Basic bXktYXBwbGljYXRpb24") && cleaned.ends_with(MARK),
            "{cut}: {cleaned}"
        );
    }
    // The secret may be changed before the pair is made (RFC 6749 §2.3.1).
    let redactor = Redactor::new(["k3y+k3y k3y/", "my-application:k3y%2Bk3y%20k3y%2F"]);
    assert_eq!(redactor.clean(refusal), refusal);
    let pair = BASE64_STANDARD.encode("my-application:k3y%2Bk3y%20k3");
    assert!(redactor.clean(&pair).contains(MARK));
}

#[test]
fn an_answer_of_a_mebibyte_is_no_work() {
    const MIB: usize = 1024 * 1024;
    let secrets: Vec<String> = (0..50).map(|number| format!("{}{number}", "a".repeat(200))).collect();
    let redactor = Redactor::new(secrets.iter().map(String::as_str));
    let long = Redactor::new([&*"a".repeat(8 * 1024)]);
    for unit in ["a", "a%61", "%61", "\\u0061", "+a\\\\%", "YWFh", "\u{200b}", "[redacted]", " ", "é"] {
        let text = unit.repeat(MIB / unit.len());
        for redactor in [&redactor, &long] {
            let began = Instant::now();
            assert!(redactor.clean(&text).chars().count() <= MAX_CHARS + 1 + MARK.len(), "{unit}");
            assert!(began.elapsed() < Duration::from_secs(5), "{unit}: {:?}", began.elapsed());
        }
    }
}
