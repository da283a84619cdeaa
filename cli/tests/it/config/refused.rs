//! What is wrong in the file is said with its line, its key, and what is allowed.

use super::{KEY, call};
use crate::support::process::{Program, assert_none_shown};

/// A client of OAuth 2.0 with these URLs.
fn oauth2(base_url: &str, token_url: &str) -> String {
    format!(
        "[credentials.us]\nvendor = \"oauth2\"\nbase-url = \"{base_url}\"\ntoken-url = \"{token_url}\"\n\
         client-id = \"x\"\nclient-auth = \"none\"\n"
    )
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_line_and_its_key() {
    let us = "[credentials.us]\nvendor = \"api-video\"\n";
    let cases = [
        (format!("{us}key = \"{KEY}\"\n"), "line 3: credentials.us.key: write \"env:NAME\""),
        (format!("{us}key = \"-\"\n"), "line 3: credentials.us.key: write \"env:NAME\""),
        (format!("{us}key = {{ comand = [\"x\"] }}\n"), "line 3: credentials.us.key: write \"env:NAME\""),
        (
            format!("{us}key = {{ command = [\"x\"], time = 1 }}\n"),
            "line 3: credentials.us.key.time: there is no such key. There are: command, timeout",
        ),
        (format!("{us}key = {{ command = [] }}\n"), "line 3: credentials.us.key.command: it is empty"),
        (
            format!("{us}key = {{ command = \"x\" }}\n"),
            "line 3: credentials.us.key.command: write a list in brackets",
        ),
        (
            format!("{us}key = {{ command = [\"x\", 1] }}\n"),
            "line 3: credentials.us.key.command.1: write text in quotes",
        ),
        (
            format!("{us}key = {{ command = [\"x\"], timeout = 0 }}\n"),
            "credentials.us.key.timeout: give seconds",
        ),
        (
            format!("{us}key = {{ command = [\"x\"], timeout = 301 }}\n"),
            "credentials.us.key.timeout: at most 300 seconds",
        ),
        (
            format!("{us}key = 5\n"),
            "line 3: credentials.us.key: write text in quotes, and not a value of the type integer",
        ),
        (
            format!("{us}\nkye = \"env:KEY\"\n"),
            "line 4: credentials.us.kye: there is no such key; did you mean key? There are: ",
        ),
        (
            format!("{us}key = \"env:KEY\"\nsandbox = \"yes\"\n"),
            "line 4: credentials.us.sandbox: write true or false",
        ),
        (format!("{us}key = \"env:KEY\"\nbase-url = \"\"\n"), "line 4: credentials.us.base-url: it is empty"),
        (us.to_owned(), "credentials.us: api.video needs key"),
        (
            format!("{us}key = \"env:KEY\"\nscope = \"x\"\n"),
            "credentials.us: scope means nothing to api.video",
        ),
        (
            format!("{us}key = \"env:KEY\"\ndeclaration = \"x\"\n"),
            "credentials.us: it needs either vendor or declaration",
        ),
        ("[credentials.us]\n".to_owned(), "credentials.us: it needs either vendor or declaration"),
        ("[credentials.us]\nvendor = \"api-vidoe\"\n".to_owned(), "line 2: credentials.us.vendor: "),
        (
            "[credentials.us]\nvendor = \"oauth2\"\nclient-auth = \"non\"\n".to_owned(),
            "line 3: credentials.us.client-auth: there is no such value; did you mean none? There are: basic, ",
        ),
        (
            "[credentials.us]\nvendor = \"oauth2\"\njwt-algorithm = \"ES\"\n".to_owned(),
            "line 3: credentials.us.jwt-algorithm: ",
        ),
        (
            "[credentials.us]\nvendor = \"oauth2\"\nbase-url = \"https://a.invalid\"\nclient-id = \"x\"\n"
                .to_owned(),
            "credentials.us: OAuth 2.0 client credentials needs token-url",
        ),
        (
            oauth2("https://a.invalid/?x=1", "https://b.invalid/t"),
            "line 1: credentials.us: base-url: not an origin: it has a query",
        ),
        (
            oauth2("http://a.invalid", "https://b.invalid/t"),
            "base-url: http://a.invalid:80 would be sent tokens in plain text; use https, or a loopback host, or \
             allow-plaintext-secrets if",
        ),
        (
            oauth2("https://a.invalid", "ftp://b.invalid/t"),
            "credentials.us: token-url: a token request's url needs",
        ),
        (
            oauth2("https://a.invalid", "http://b.invalid/t"),
            "or a loopback host, or allow-plaintext-secrets if",
        ),
        (format!("{us}key = \"env:KEY\"\nstore = {{ place = \"file:/x\" }}\n"), "; see store.subject"),
        (format!("{us}key = \"env:KEY\"\nstore = {{}}\n"), "credentials.us.store: it needs place"),
        (
            format!("[store]\nplace = \"file:/x\"\n{us}key = \"env:KEY\"\nstore = {{ key = \"env:KEY\" }}\n"),
            "credentials.us.store.key: it goes with place",
        ),
        (
            format!("[store]\nplace = \"file:/x\"\n{us}key = \"env:KEY\"\nstore = {{ sub = \"us\" }}\n"),
            "credentials.us.store.sub: ",
        ),
        (
            format!("{us}key = \"env:KEY\"\nstore = {{ place = \"x\" }}\n"),
            "credentials.us.store.place: write file:DIR",
        ),
        (
            format!("{us}key = \"env:KEY\"\nstore = {{ place = \"file:\" }}\n"),
            "credentials.us.store.place: write file:DIR",
        ),
        (
            format!("{us}key = \"env:KEY\"\nstore = {{ place = \"redis://h\" }}\n"),
            "credentials.us: store: what is in Redis has to be sealed; give store.key",
        ),
        (
            format!("{us}key = \"env:KEY\"\nstore = {{ place = \"file:/x\", old-keys = [\"env:KEY\"] }}\n"),
            "credentials.us.store: old-keys are for",
        ),
        (
            format!(
                "{us}key = \"env:KEY\"\nstore = {{ place = \"file:/x\", key = {{ command = [\"x\"] }} }}\n"
            ),
            "credentials.us.store.key: write \"env:NAME\" for an environment variable, or \"file:PATH\" for a file\n",
        ),
        (
            format!(
                "{us}key = \"env:KEY\"\nstore = {{ place = \"file:/x\", key = \"env:KEY\", old-keys = [\"-\"] }}\n"
            ),
            "credentials.us.store.old-keys.0: write \"env:NAME\" for an environment variable, or \"file:PATH\" for a file\n",
        ),
        (
            format!("{us}key = \"env:KEY\"\nconnections = {{ client-cert = \"x\" }}\n"),
            "credentials.us.connections: client-cert and client-key need each other",
        ),
        (
            format!("{us}key = \"env:KEY\"\nconnections = {{ proxy = \"http://h\", no-proxy = true }}\n"),
            "credentials.us.connections: leave out either proxy or no-proxy",
        ),
        (
            format!("{us}key = \"env:KEY\"\nconnections = {{ roots = \"bundle\" }}\n"),
            "credentials.us.connections.roots: there is no such value; did you mean bundled? There are: system, bundled",
        ),
        (
            "[credential.us]\n".to_owned(),
            "line 1: credential: there is no such key; did you mean credentials? ",
        ),
        ("[credentials]\nus = 1\n".to_owned(), "line 2: credentials.us: write a table"),
        ("x = \n".to_owned(), ", line 1: "),
        (format!("{us}key = \"env:KEY\"\nkey = \"{KEY}\"\n"), ", line 4: duplicate key"),
        ("[credentials.them]\nvendor = \"videsk\"\n".to_owned(), "has no credential \"us\". It has: them"),
        (
            "[credentials.uss]\nvendor = \"videsk\"\n".to_owned(),
            "has no credential \"us\"; did you mean uss? It has: uss",
        ),
        (String::new(), "has no credential; write a table [credentials.us]"),
        // Those that aren't asked for are looked at too.
        (
            format!("{us}key = \"env:KEY\"\n[credentials.them]\nvendor = 1\n"),
            "line 5: credentials.them.vendor: write text",
        ),
    ];
    for (index, (content, words)) in cases.iter().enumerate() {
        let name = format!("config-wrong-{index}.toml");
        let ended = call(&name, content, "").await;
        ended.assert_status(2).assert_says(words).assert_says(&name);
        assert_none_shown([KEY], &ended.stderr);
    }
}

#[tokio::test]
async fn what_the_file_has_is_not_for_options_to_say() {
    let content = "[credentials.us]\nvendor = \"api-video\"\nkey = \"env:KEY\"\n";
    let ended = call("config-mixed-1.toml", content, "--base-url https://elsewhere.invalid").await;
    ended
        .assert_status(2)
        .assert_says("--base-url means nothing to --as us, which has all of it in the file");
    let ended = call("config-mixed-2.toml", content, "--vendor api-video").await;
    ended.assert_status(2).assert_says("--vendor");
    let ended = Program::call().args("--vendor api-video --file /x GET /").run().await;
    ended.assert_status(2).assert_says("--as");
    let ended = Program::call().args("GET /").run().await;
    ended.assert_status(2).assert_says("--vendor");
}
