//! Token requests with nested bodies, as they go over the wire, in Rust and in a file.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tower::Layer;
use tower_reauth::{
    AnswerField, AuthLayer, Declaration, JsonValue, Param, Placement, SecretSource, TokenEndpoint,
    TokenRequest,
};

use super::world::{World, answer, expired};
use crate::support::{SecretFile, Secrets, auth_error, client, get, send};

/// What Keystone wants of a user and its project (OpenStack Identity API v3, "Password authentication with scoped
/// authorization").
fn login(password: &str) -> Value {
    json!({ "auth": {
        "identity": {
            "methods": ["password"],
            "password": { "user": { "name": "robot", "domain": { "id": "default" }, "password": password } },
        },
        "scope": { "project": { "name": "videos", "domain": { "id": "default" } } },
    } })
}

fn in_rust(origin: &str, file: &SecretFile) -> AuthLayer {
    let domain = || JsonValue::object().field("id", "default");
    let password = SecretSource::file(&file.0);
    let user = JsonValue::object().field("name", Param::text(String::from("robot")));
    let user = user.field("domain", domain()).field("password", password);
    let password = JsonValue::object().field("user", user);
    let identity = JsonValue::object().field("methods", ["password"]).field("password", password);
    let project = JsonValue::object().field("name", "videos").field("domain", domain());
    let auth = JsonValue::object()
        .field("identity", identity)
        .field("scope", JsonValue::object().field("project", project));
    TokenEndpoint::new("Nova", origin.to_owned(), TokenRequest::post("/token").json("auth", auth))
        .token(AnswerField::header("X-Subject-Token"))
        .lifetime("/token/expires_at")
        .placement(Placement::bare("X-Auth-Token").unwrap())
        .layer(client())
        .unwrap()
}

fn in_a_file(origin: &str, file: &SecretFile) -> AuthLayer {
    let text = format!(
        "name = 'Nova'\nbase_url = '{origin}'\nplacement.header = 'X-Auth-Token'\n\
         [acquire]\nrequest = 'POST /token'\n\
         [acquire.json.auth]\nidentity.methods = ['text:password']\n\
         [acquire.json.auth.identity.password.user]\n\
         name = 'text:robot'\ndomain.id = 'text:default'\npassword = 'file:{}'\n\
         [acquire.json.auth.scope.project]\nname = 'text:videos'\ndomain.id = 'text:default'\n\
         [answer]\ntoken = 'header:X-Subject-Token'\nlifetime = '/token/expires_at'\n",
        file.0.display()
    );
    toml::from_str::<Declaration>(&text).unwrap().layer(client()).unwrap()
}

#[tokio::test]
async fn keystone_gets_its_login_and_a_new_password_with_the_next_one() {
    for layer in [in_rust, in_a_file] {
        let moment = SystemTime::now() + Duration::from_secs(3600);
        let body = format!(r#"{{"token":{{"expires_at":"{}"}}}}"#, humantime::format_rfc3339_micros(moment));
        let answers = ["gAAAA-1", "gAAAA-2"].map(|token| answer(201, &[("X-Subject-Token", token)], &body));
        let world = World::answering(answers).await;
        world.api_answers([answer(200, &[], ""), expired()]);
        let passwords = ["pa\"ss\\wörd\u{2028}", "n€xt"];
        let file = SecretFile::new(&format!("\u{feff}{}\r\n", passwords[0]));
        let layer = layer(world.origin(), &file);
        let (service, tokens) = (layer.layer(client()), layer.tokens());
        assert_eq!(send(&service, get(&world.url("/servers"))).await.unwrap().status(), 200);
        let left = tokens.try_get().unwrap().remaining().unwrap();
        assert!(left > Duration::from_secs(3500) && left <= Duration::from_secs(3600), "{left:?}");
        file.write(passwords[1]);
        assert_eq!(send(&service, get(&world.url("/servers"))).await.unwrap().status(), 200);
        let sent: Vec<Value> =
            world.token_requests().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        assert_eq!(sent, passwords.map(login));
        assert_eq!(world.api_headers("x-auth-token"), ["gAAAA-1", "gAAAA-1", "gAAAA-2"]);
        let shown = format!("{layer:#?} {tokens:#?}");
        assert!(!shown.contains("ss\\") && !shown.contains("n€xt"), "{shown}");
    }
}

#[tokio::test]
async fn a_secret_in_a_nested_body_is_taken_out_of_what_the_server_says_of_it() {
    let file = SecretFile::new("pa\"ss\\word-4711");
    for layer in [in_rust, in_a_file] {
        let echo = answer(
            401,
            &[],
            json!({ "error": format!("no such user in {}", login("pa\"ss\\word-4711")) }).to_string(),
        );
        let world = World::answering([echo]).await;
        let service = layer(world.origin(), &file).layer(client());
        let error = send(&service, get(&world.url("/servers"))).await.unwrap_err();
        let secrets = Secrets::new(["pa\"ss\\word-4711", "pa\\\"ss\\\\word-4711", "word-4711"]);
        secrets.assert_not_in(&*error);
        let cause = auth_error(&error).acquire_error().unwrap().to_string();
        assert!(cause.contains("no such user"), "{cause}");
    }
}

#[tokio::test]
async fn names_that_repeat_are_sent_as_often_in_the_order_of_the_list() {
    let world = World::answering([answer(200, &[], r#"{"access_token":"t"}"#)]).await;
    let text = format!(
        "name = 'Acme'\nbase_url = '{}'\n[acquire]\nrequest = 'POST /token'\n\
         form = {{ resource = ['text:https://b.example', 'text:https://a.example'], zz = 1 }}\n",
        world.origin()
    );
    let layer = toml::from_str::<Declaration>(&text).unwrap().layer(client()).unwrap();
    assert_eq!(send(&layer.layer(client()), get(&world.url("/"))).await.unwrap().status(), 200);
    let sent = "resource=https%3A%2F%2Fb.example&resource=https%3A%2F%2Fa.example&zz=1";
    assert_eq!(world.token_requests(), [sent]);
}
