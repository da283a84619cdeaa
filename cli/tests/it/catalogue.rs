//! `--vendor` with the name of a catalogue's entry, and `--set`: its inputs, and those of a file.

use crate::support::{
    process::{Program, assert_none_shown},
    server::Raw,
    temporary::Temporary,
};

const SECRET: &str = "a-secret-that-nobody-may-see";

#[tokio::test]
async fn an_entry_of_the_catalogue_is_called_by_its_name() {
    let json = r#"{"auth":{"client_token":"hvs.made","lease_duration":1200}}"#;
    let login = format!(
        "HTTP/1.1 200 \r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
        json.len()
    );
    for base_url in ["--set base_url=text:", "--base-url "] {
        let server = Raw::start(&[&login, "HTTP/1.1 204 \r\n\r\n"]).await;
        let program =
            Program::call().args("--vendor vault --set role_id=text:a-role --set secret_id=env:SECRET");
        let program = program.args(&format!("{base_url}{}", server.origin)).secret("SECRET", SECRET);
        program.args("GET /v1/secret/data/x").run().await.assert_status(0);
        let seen = server.seen();
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen[0].starts_with("POST /v1/auth/approle/login "), "{seen:?}");
        assert!(
            seen[0].contains(&format!("{{\"role_id\":\"a-role\",\"secret_id\":\"{SECRET}\"}}")),
            "{seen:?}"
        );
        assert!(seen[1].contains("\r\nx-vault-token: hvs.made\r\n"), "{seen:?}");
    }
}

#[tokio::test]
async fn what_a_file_leaves_open_is_filled_too() {
    let server = Raw::start(&["HTTP/1.1 204 \r\n\r\n"]).await;
    let content = "name = \"A\"\nbase_url = \"input:base_url\"\nkey = \"input:key\"\n";
    let file = Temporary::new("open.toml", content);
    let program = Program::call().arg("--config").arg(file.path()).args("--set key=env:SECRET");
    let program = program.args(&format!("--set base_url=text:{}", server.origin)).secret("SECRET", SECRET);
    program.args("GET /x").run().await.assert_status(0);
    assert!(server.seen()[0].contains(&format!("\r\nauthorization: Bearer {SECRET}\r\n")));
}

#[tokio::test]
async fn a_name_or_an_input_that_makes_no_sense_is_refused_without_showing_secrets() {
    let zoom = "--vendor zoom --set account_id=text:a --set client_id=text:b --set client_secret=env:SECRET";
    for (args, says) in [
        ("--vendor zooom", "the catalogue has no vendor \"zooom\"; do you mean \"zoom\"?"),
        ("--vendor acme", "possible values: api-video, videsk, vidizmo, vervoe, oauth2"),
        ("--vendor zoom", "the inputs account_id, client_id, client_secret of Zoom are not filled"),
        ("--vendor zoom", "--set NAME=env:VARIABLE"),
        (&format!("{zoom} --set acount=text:a"), "Zoom has no input \"acount\""),
        (&format!("{zoom} --set account_id=text:a"), "--set account_id is given twice"),
        (&format!("{zoom} --key env:SECRET"), "--key means nothing to zoom"),
        (&format!("--vendor zoom --set client_secret={SECRET}"), "write NAME=env:VARIABLE, NAME=file:PATH"),
        ("--vendor zoom --set client_secret=env:NOT_SET", "NOT_SET can't be read: it is not set"),
        ("--vendor zoom --set =text:a", "write NAME=env:VARIABLE"),
        ("--vendor zoom --set client_id=- --set client_secret=-", "can't both read standard input"),
        ("--vendor videsk --key env:SECRET --set a=text:b", "--set means nothing to Videsk"),
        (
            "--vendor qualys --set platform=text:a/b --set username=text:a --set password=env:SECRET",
            "platform of Qualys",
        ),
    ] {
        let ended = Program::call().args(args).args("GET /x").secret("SECRET", SECRET).run().await;
        ended.assert_status(2).assert_says(says);
        assert_none_shown([SECRET], &ended.stderr);
    }
}
