//! Entries that aren't fit to be shipped are told with their line and key, and hosts that nobody decided on are told too.

use std::{fs, path::Path};

use entries::{entry::Entry, hosts, made, read};

/// As short as an entry can be.
const FIT: &str = r#"name = "Acme"
base_url = "https://{region}.acme.example"

[acquire]
request = "POST https://login.acme.example/token"
form = { grant_type = "text:client_credentials", client_secret = "input:client_secret" }

[[rules]]
verdict = "expired"
status = 401
when = { json = "/code", is = "expired" }

[about]
grant = "client credentials"
pages = ["https://acme.example/docs 2026-11-29"]
success = "documented"
refresh = "none"
expiry = "seen https://acme.example/issues/1"
refusal = "absent"
throttling = "absent"
"#;

/// `FIT` with `new` instead of `old`.
fn with(old: &str, new: &str) -> Result<Entry, String> {
    assert!(FIT.contains(old), "{old}");
    read::entry("acme", &FIT.replace(old, new), "")
}

#[test]
fn a_fit_entry_is_read() {
    let entry = with("acme", "acme").unwrap();
    assert!(!made::json(&[entry]).contains("about"));
}

#[test]
fn an_unfit_entry_is_told_with_its_line_and_key() {
    for (old, new, told) in [
        ("status = 401", "status = 401\nstatsu = 401", "11: rules[0].statsu: there is no such key here"),
        ("status = 401", "status = 9000", "10: rules[0].status: "),
        ("verdict = \"expired\"", "verdict = \"spent\"", "9: rules[0].verdict: "),
        ("is = \"expired\"", "is = \"expired\", one_of = [\"a\"]", "11: rules[0].when"),
        ("status = 401", "status = 200", "11: rules[0].when: it would never hold"),
        (
            "\"input:client_secret\"",
            "\"hunter2\"",
            "6: acquire.form.client_secret: secrets don't belong into this file",
        ),
        (
            "\"input:client_secret\"",
            "\"env:ACME\"",
            "6: acquire.form.client_secret: an entry reads no variables and no files",
        ),
        (
            "\"input:client_secret\"",
            "\"file:/acme\"",
            "6: acquire.form.client_secret: an entry reads no variables and no files",
        ),
        (
            "\"input:client_secret\"",
            "\"text:Bearer {client_secret}\"",
            "6: acquire.form.client_secret: {client_secret} would be sent as it is written",
        ),
        ("https://login", "http://login", "5: acquire.request: secrets and tokens go over https alone"),
        ("https://{region}", "http://{region}", "2: base_url: secrets and tokens go over https alone"),
        ("\n\n[acquire]", "\nallow_plaintext_secrets = true\n\n[acquire]", "3: allow_plaintext_secrets: "),
        ("https://{region}.acme.example", "https://api.{region}", "2: base_url: "),
        ("{region}", "{re gion}", "2: base_url: "),
        ("[about]", "[abuot]", " about: it is missing"),
        ("refusal = \"absent\"\n", "", "13: about.refusal: it is missing"),
        ("\"absent\"", "\"guessed\"", "19: about.refusal: write documented, absent, or seen"),
        (
            "refresh = \"none\"",
            "refresh = \"seen there\"",
            "17: about.refresh: write documented, absent, or seen",
        ),
        ("success = \"documented\"", "success = \"none\"", "16: about.success: write documented"),
        (" 2026-11-29", "", "15: about.pages[0]: write https://… and a day"),
        ("[about]", "[about]\nauthor = \"I\"", "14: about.author: there is no such key here"),
        ("name = \"Acme\"", "name = \"Acme", "1: "),
    ] {
        let error = with(old, new).unwrap_err();
        assert!(error.starts_with(told), "{new}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn braces_that_are_around_no_name_are_text() {
    for text in ["text:{}", "text:{\\\"a\\\":1}", "text:query { viewer { id } }", "text:}{", "text:{a"] {
        assert!(with("input:client_secret", text).is_ok(), "{text}");
    }
}

#[test]
fn an_entrys_name_is_fit_for_a_file_and_a_url() {
    for name in ["", "Acme", "acme corp", "acme/corp", "../acme", "acme_corp"] {
        let error = read::entry(name, FIT, "").unwrap_err();
        assert!(error.contains("small letters, digits and hyphens"), "{name}: {error}");
    }
}

#[test]
fn an_entrys_hosts_are_listed_with_what_goes_there() {
    let lines = |old, new| hosts::lines(&with(old, new).unwrap());
    assert_eq!(lines("acme", "acme"), ["acme login.acme.example secret", "acme {region}.acme.example token"]);
    let listed = "name = \"Acme\"\ninputs.region = [\"eu\", \"us\"]";
    assert_eq!(
        lines("name = \"Acme\"", listed),
        ["acme eu.acme.example token", "acme login.acme.example secret", "acme us.acme.example token",]
    );
    let own = lines("https://{region}.acme.example", "input:base_url");
    assert_eq!(own, ["acme (the program's own) token", "acme login.acme.example secret"]);
}

#[test]
fn a_host_that_nobody_decided_on_and_one_that_is_left_are_told() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("catalogue")).unwrap();
    let written = |lines: &str| {
        fs::write(root.path().join("catalogue/HOSTS"), lines).unwrap();
        hosts::differences(root.path(), &[with("acme", "acme").unwrap()])
    };
    let both = "# Why.\n\nacme login.acme.example secret\nacme {region}.acme.example token\n";
    assert!(written(both).is_empty());
    let told = written(&both.replace("acme login.acme.example secret\n", ""));
    assert!(
        told[0].starts_with("catalogue/HOSTS: \"acme login.acme.example secret\" isn't in it"),
        "{told:?}"
    );
    let told = written(&both.replace("login.acme.example secret", "login.acme.example secret token"));
    assert_eq!(told.len(), 2, "{told:?}");
    let told = written(&format!("{both}acme evil.example secret\n"));
    assert!(told[0].starts_with("catalogue/HOSTS: no entry has \"acme evil.example secret\""), "{told:?}");
}

#[test]
fn what_is_checked_in_is_what_the_entries_make() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (entries, problems) = read::all(&root);
    assert!(problems.is_empty(), "{problems:?}");
    assert!(hosts::differences(&root, &entries).is_empty());
    for (path, text) in made::files(&root, &entries) {
        assert!(fs::read_to_string(root.join(path)).unwrap() == text, "{path} is out of date");
    }
}
