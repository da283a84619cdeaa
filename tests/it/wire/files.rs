//! Secrets in files as editors, shells and other programs leave them: what goes over the wire is the secret alone, wherever
//! it goes, and what can't be one is refused by the file's name.

use tower::Layer;
use tower_reauth::{ConfigErrorKind, Declaration};

use super::world::{World, token};
use crate::support::{SecretFile, Secrets, client, get, send};

const SECRET: &str = " pä ss:W0rd ";

/// Where a secret goes, what says so in a file, and what is sent then: to the token endpoint, or to the API.
fn places(file: &str) -> [(String, &'static str, &'static str, &'static str); 4] {
    [
        (
            format!("[acquire]\nrequest = 'POST /token'\njson.deep = [{{ key = {file} }}]"),
            r#"{"deep":[{"key":" pä ss:W0rd "}]}"#,
            "authorization",
            "Bearer t",
        ),
        (
            format!("[acquire]\nrequest = 'POST /token'\nform.key = {file}"),
            "key=%20p%C3%A4%20ss%3AW0rd%20",
            "authorization",
            "Bearer t",
        ),
        (
            format!("basic = {{ user = 'text:me', password = {file} }}"),
            "",
            "authorization",
            "Basic bWU6IHDDpCBzczpXMHJkIA==",
        ),
        (format!("[acquire]\nrequest = 'POST /token'\nquery.key = {file}"), "", "authorization", "Bearer t"),
    ]
}

#[tokio::test]
async fn a_mark_and_line_ends_are_not_sent_wherever_the_secret_goes() {
    let file = SecretFile::new("");
    let reference = format!("'file:{}'", file.0.display());
    for (before, after) in
        [("", ""), ("", "\n"), ("", "\r\n"), ("\u{feff}", "\r\n"), ("\u{feff}", ""), ("", "\n\n\n")]
    {
        file.write_bytes(format!("{before}{SECRET}{after}").as_bytes());
        for (rest, body, header, value) in places(&reference) {
            let world = World::answering([token("t")]).await;
            let text = format!("name = 'Acme'\nbase_url = '{}'\n{rest}", world.origin());
            let layer = toml::from_str::<Declaration>(&text).unwrap().layer(client()).unwrap();
            assert_eq!(send(&layer.layer(client()), get(&world.url("/"))).await.unwrap().status(), 200);
            assert_eq!(world.token_requests().concat(), body, "{text}");
            assert_eq!(world.api_headers(header), [value], "{text}");
        }
        // A key that is its own token has no spaces.
        file.write_bytes(format!("{before}s3cret-4711{after}").as_bytes());
        let world = World::answering([]).await;
        let text = format!(
            "name = 'Acme'\nbase_url = '{}'\nkey = {reference}\nplacement.header = 'X-Key'",
            world.origin()
        );
        let layer = toml::from_str::<Declaration>(&text).unwrap().layer(client()).unwrap();
        assert_eq!(send(&layer.layer(client()), get(&world.url("/"))).await.unwrap().status(), 200);
        assert_eq!(world.api_headers("x-key"), ["s3cret-4711"]);
    }
}

#[tokio::test]
async fn what_can_be_no_secret_is_refused_by_the_name_of_its_file_and_the_place_in_it() {
    let file = SecretFile::new("");
    let reference = format!("'file:{}'", file.0.display());
    let key = format!("key = {reference}");
    let secrets = Secrets::new(["s3cret-4711", "4711"]);
    for (bytes, place) in [
        (&b"s3cret-4711\0"[..], "it has a zero byte, in line 1, column 12 (after 11 bytes)"),
        (b"s3cret-\x1b4711\n", "U+001B, in line 1, column 8 (after 7 bytes)"),
        (b"s3cret-4711\n# since May\n", "it goes on after a line break, in line 1, column 12"),
        (b"\xff\xfes\x003\x00c\x00", "it is utf-16"),
        (b"s3cret-\xe4-4711", "it is not utf-8, in line 1, column 8"),
        (b"\xef\xbb\xbf\r\n", "is empty; check the file"),
        (b" \t\n", "U+0009, in line 1, column 2"),
        (b"  \n", "it has nothing but white space"),
    ] {
        file.write_bytes(bytes);
        for rest in places(&reference).map(|(rest, ..)| rest).iter().chain([&key]) {
            let text = format!("name = 'Acme'\nbase_url = 'https://api.acme.example'\n{rest}");
            let error = toml::from_str::<Declaration>(&text).unwrap().layer(client()).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            let said = error.to_string();
            assert!(
                said.contains(&format!("in file:{}", file.0.display())) && said.contains(place),
                "{said}"
            );
            secrets.assert_not_in(&error);
        }
    }
}
