//! `reauth vendors`: the catalogue's list, and what is known of one entry.

use crate::support::process::Program;

#[tokio::test]
async fn the_list_has_each_entry_with_what_it_needs() {
    let ended = Program::bare().args("vendors").run().await;
    ended.assert_status(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("NAME ") && lines[0].ends_with("  INPUTS"), "{}", lines[0]);
    let named = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../catalogue")).unwrap();
    let named =
        named.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "toml"));
    assert_eq!(lines.len(), named.count() + 1, "one for each file");
    let zoom = lines.iter().find(|line| line.starts_with("zoom ")).unwrap();
    let columns: Vec<&str> = zoom.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect();
    assert_eq!(
        columns,
        ["zoom", "account credentials", "1 h, says the answer", "account_id client_id client_secret"]
    );
    let columns = |line: &&str| (line.find("  ").is_some(), line.trim_end() == *line);
    assert!(lines.iter().all(|line| columns(line) == (true, true)), "{}", ended.stdout);
}

#[tokio::test]
async fn one_entry_is_said_with_hosts_pages_and_what_is_absent() {
    let ended = Program::bare().args("vendors docusign").run().await;
    ended.assert_status(0);
    for line in [
        "docusign: DocuSign, by ",
        "  tokens go to https://{server}.docusign.net alone, as Authorization: Bearer TOKEN\n",
        "  inputs to fill: account (one of \"account-d.docusign.com\", \"account.docusign.com\"), integration_key, ",
        "  account-d.docusign.com secret\n",
        "  {server}.docusign.net token\n",
        "documented at:\n  https://",
        "not documented, but seen:\n  expiry: https://",
        "absent, so that nothing is said of it: refusal, throttling\n",
        "a call:\n  reauth call --vendor docusign ",
        " --set server=text:SERVER",
        " --set account=text:account-d.docusign.com",
        " --set private_key=env:PRIVATE_KEY",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    let ended = Program::bare().args("vendors vault").run().await;
    assert!(ended.stdout.contains(" --set base_url=text:https://YOUR.HOST "), "{}", ended.stdout);
}

#[tokio::test]
async fn the_call_that_is_said_has_all_that_it_needs() {
    for name in ["api-video", "videsk", "vidizmo", "vervoe", "github-actions"] {
        let ended = Program::bare().args("vendors").arg(name).run().await;
        let call = ended.stdout.lines().last().unwrap().trim().strip_prefix("reauth ").unwrap();
        let mut program = Program::bare().args(call).args("--roots bundled --proxy http://127.0.0.1:1");
        for variable in ["API_KEY", "SECRET_KEY", "PASSWORD", "AUDIENCE", "REQUEST_TOKEN"] {
            program = program.variable(variable, "a-value");
        }
        let ended = program.run().await;
        // Nobody is there, and until then nothing was wrong.
        assert!(matches!(ended.status, Some(3 | 6)), "{call}: {ended:?}");
    }
}

#[tokio::test]
async fn programs_read_it_as_json() {
    let ended = Program::bare().args("vendors --json").run().await;
    ended.assert_status(0);
    let all: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(all["zoom"]["inputs"][0]["name"], "account_id");
    let ended = Program::bare().args("vendors zoom --json").run().await;
    let one: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((one.as_object().unwrap().len(), &one["zoom"]), (1, &all["zoom"]));
}

#[tokio::test]
async fn a_name_that_is_misspelt_suggests_the_nearest() {
    for (name, says) in [
        ("zooom", "the catalogue has no vendor \"zooom\"; do you mean \"zoom\"?"),
        ("netsuite", "the catalogue has no vendor \"netsuite\"; reauth vendors lists all of them"),
    ] {
        let ended = Program::bare().args("vendors").arg(name).run().await;
        ended.assert_status(2).assert_says(says);
        assert_eq!(ended.stdout, "");
    }
}
