//! No secret leaks: every scenario runs under a global subscriber that takes everything that any crate logs, at TRACE,
//! and every error, outcome and handle is printed. A binary of its own, with one test, since there is one global
//! subscriber.

mod oauth2;
mod placements;
mod transcript;
mod vendors;

use transcript::Transcript;

#[tokio::test]
async fn no_secret_is_logged_or_printed_whatever_happens() {
    let transcript = Transcript::begin();
    // Side by side, as they wait most of the time.
    tokio::join!(vendors::check(&transcript), oauth2::check(&transcript), placements::check(&transcript));
    let text = transcript.text();
    assert!(text.contains("hyper") && text.lines().count() > 100, "others' logs are here");
    // The search itself must be able to find something.
    transcript.print(&"vervoe-key:s3cret");
    let found =
        std::panic::catch_unwind(|| transcript.assert_free_of(&["vervoe-key:s3cret".to_owned()], "test"));
    assert!(found.is_err());
}
