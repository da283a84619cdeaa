//! More than a token in an answer: members that were declared are at the lease, and shown by nothing.

use std::time::Duration;

use tower::Layer;
use tower_reauth::AnswerField;

use super::{
    ways::{WAYS, said},
    world::{World, answer, expired},
};
use crate::support::{client, get, send};

#[tokio::test]
async fn declared_members_are_read_from_the_lease_and_redacted() {
    let said = said!(
        "[answer.members]\n\
         instance = '/instance_url'\naccount = '/data/accounts/0/id'\nplan = '/plan'\nregion = 'header:X-Region'\n\
         flag = '/flag'\nnone = '/none'\nobject = '/data'";
        .member("instance", "/instance_url")
        .member("account", "/data/accounts/0/id")
        .member("plan", "/plan")
        .member("region", AnswerField::header("X-Region"))
        .member("flag", "/flag")
        .member("none", "/none")
        .member("object", "/data")
    );
    let body = |host: &str| {
        format!(
            r#"{{"access_token":"t-{host}","instance_url":"https://{host}.elsewhere.example","plan":"Zo\u00e9 1",
                "data":{{"accounts":[{{"id":12345678901234567890123}}]}},"flag":true}}"#
        )
    };
    for way in WAYS {
        let answers = ["first", "second"].map(|host| answer(200, &[("x-region", "eu-secret-1")], body(host)));
        let world = World::answering(answers).await;
        world.api_answers([answer(200, &[], ""), expired()]);
        let layer = said.layer(way, &world);
        let (service, tokens) = (layer.layer(client()), layer.tokens());
        for host in ["first", "second"] {
            assert_eq!(send(&service, get(&world.url("/"))).await.unwrap().status(), 200);
            let lease = tokens.get(Duration::ZERO).await.unwrap();
            let member = |name: &str| lease.token().member(name);
            assert_eq!(member("instance"), Some(&*format!("https://{host}.elsewhere.example")), "{way:?}");
            assert_eq!(member("account"), Some("12345678901234567890123"));
            assert_eq!((member("plan"), member("region")), (Some("Zoé 1"), Some("eu-secret-1")));
            assert_eq!((member("flag"), member("none"), member("object")), (Some("true"), None, None));
            assert_eq!((member("access_token"), member("instance_url")), (None, None), "only by its name");
            let shown = format!("{:#?}\n{lease:#?}\n{tokens:#?}\n{layer:#?}\n{service:?}", lease.token());
            for secret in ["elsewhere", "12345678901234567890123", "Zo", "eu-secret-1", host] {
                assert!(!shown.contains(secret), "{way:?} {secret}: {shown}");
            }
        }
        // They change nothing of where the token goes.
        let other = World::answering([]).await;
        assert_eq!(send(&service, get(&other.url("/"))).await.unwrap().status(), 200);
        assert_eq!(other.api_headers("authorization"), [""; 0], "{way:?}");
        assert_eq!(world.counts(), (2, 3), "{way:?}");
    }
}

#[tokio::test]
async fn members_are_taken_out_of_errors() {
    let said = said!("members = { id = '/account' }\nsuccess = { '/ok' = true }"; .member("id", "/account").success("/ok", true));
    let body =
        r#"{"ok":false,"account":"acc-4711","access_token":"t0ken-9","error":"no acc-4711, with t0ken-9"}"#;
    let words = ["no [redacted], with [redacted]"];
    let kinds =
        (tower_reauth::AuthErrorKind::EndpointUnusable, tower_reauth::AcquireErrorKind::Unintelligible);
    said.assert_refused(&WAYS, &answer(200, &[], body), kinds, &words).await;
    let bearer = body.replace("\"t0ken-9\"", "\"Bearer t0ken-9\"");
    said.assert_refused(&WAYS, &answer(200, &[], bearer), kinds, &words).await;
}
