//! Answers that mean "later", or that the credentials are refused, by what is in them and not by their status.

use std::time::Duration;

use tower::Layer;
use tower_reauth::{
    AcquireErrorKind::{Rejected, Transient, Undeclared, Unintelligible},
    AnswerField,
    AuthErrorKind::{CredentialsRejected, EndpointUnusable, Unavailable},
    RefreshPolicy,
};

use super::{
    ways::{WAYS, said},
    world::{World, answer, json, token},
};
use crate::support::{auth_error, client, get, send, send_all};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[tokio::test]
async fn what_servers_call_being_busy_is_no_refusal_whatever_the_status() {
    for error in [
        "temporarily_unavailable",
        "internal_failure",
        "slow_down",
        "ratelimited",
        "rate_limited",
        "RateLimited",
        "RATE_LIMIT_EXCEEDED",
        "rate-limit-exceeded",
        "Too Many Requests",
        "server_error",
        "internal_error",
        "InternalServerError",
        "service_unavailable",
        "timeout",
        "request_timeout",
    ] {
        let body = format!(r#"{{"ok":false,"error":"{error}","error_description":"not now"}}"#);
        for status in [200, 400, 401, 403, 404, 500] {
            let words = [error, "not now"];
            said!("")
                .assert_refused(&WAYS, &answer(status, JSON, &body), (Unavailable, Transient), &words)
                .await;
        }
    }
}

#[tokio::test]
async fn after_that_calls_go_on_without_anybodys_help() {
    for (error, status) in [
        ("ratelimited", 200),
        ("slow_down", 400),
        ("temporarily_unavailable", 400),
        ("internal_failure", 400),
    ] {
        for way in WAYS {
            let busy = answer(status, JSON, format!(r#"{{"ok":false,"error":"{error}"}}"#));
            let world = World::answering([busy]).await;
            let moment = Duration::from_millis(50);
            let policy =
                RefreshPolicy::default().back_off(moment, 4 * moment).between_attempts(moment, moment);
            let service = said!("").layer(way, &world).policy(policy).layer(client());
            for failed in send_all(&service, 200, || get(&world.url("/"))).await {
                assert_eq!(auth_error(&failed.unwrap_err()).kind(), Unavailable, "{way:?} {error}");
            }
            let (asked, sent) = world.counts();
            assert!((1..=6).contains(&asked) && sent == 0, "{way:?} {error}: {asked} token requests");
            world.answer(token("abc"));
            let answered = recovered(&service, &world).await;
            assert_eq!((answered, world.counts().1), (200, 1), "{way:?} {error}");
        }
    }
}

/// Calls until one succeeds.
async fn recovered<S, R>(service: &S, world: &World) -> u16
where
    S: tower::Service<http::Request<crate::support::Body>, Response = http::Response<R>> + Clone,
    S::Error: Into<tower_reauth::BoxError>,
    R: http_body::Body,
    R::Error: Into<tower_reauth::BoxError>,
{
    let calls = async {
        loop {
            match send(service, get(&world.url("/"))).await {
                Ok(answered) => return answered.status().as_u16(),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(6), calls).await.expect("calls go on within seconds")
}

#[tokio::test]
async fn a_vendors_own_words_for_later_can_be_declared() {
    let declared = || {
        said!(
            "later = { '/code' = [99991400, 'busy'], '/retry' = true, 'header:X-State' = 'maintenance' }";
            .later("/code", 99991400)
            .later("/code", "busy")
            .later("/retry", true)
            .later(AnswerField::header("X-State"), "maintenance")
        )
    };
    for status in [200, 400, 401, 403, 302] {
        for body in
            [r#"{"code":99991400}"#, r#"{"code":"99991400"}"#, r#"{"code":" busy "}"#, r#"{"retry":true}"#]
        {
            let answer = answer(status, JSON, body);
            declared().assert_refused(&WAYS, &answer, (Unavailable, Transient), &["left alone"]).await;
        }
        let answer = answer(status, &[("x-state", "maintenance")], "<html>soon back</html>");
        declared().assert_refused(&WAYS, &answer, (Unavailable, Transient), &["left alone"]).await;
    }
    for body in [r#"{"code":9}"#, r#"{"retry":false}"#, r#"{"code":"BUSY"}"#] {
        let answer = answer(400, JSON, body);
        declared()
            .assert_refused(&WAYS, &answer, (EndpointUnusable, Undeclared), &["nobody has declared"])
            .await;
    }
    declared().assert_token(&WAYS, &json(r#"{"code":0,"retry":false,"access_token":"abc"}"#), "abc").await;
}

#[tokio::test]
async fn a_vendors_own_words_for_a_refusal_can_be_declared() {
    let declared = || {
        said!(
            "refusal = { '/code' = [10003, 'bad_key'], '/ok' = false }\nlater = { '/why' = 'load' }";
            .refusal("/code", 10003)
            .refusal("/code", "bad_key")
            .refusal("/ok", false)
            .later("/why", "load")
        )
    };
    for status in [200, 400, 403, 404, 422, 429, 500, 503] {
        for body in [
            r#"{"code":10003}"#,
            r#"{"code":"bad_key"}"#,
            r#"{"ok":false}"#,
            r#"{"ok":"false","why":"load"}"#,
        ] {
            let answer = answer(status, JSON, body);
            declared()
                .assert_refused(&WAYS, &answer, (CredentialsRejected, Rejected), &["refused POST"])
                .await;
        }
    }
    let later = answer(400, JSON, r#"{"why":"load","ok":true}"#);
    declared().assert_refused(&WAYS, &later, (Unavailable, Transient), &[]).await;
}

#[tokio::test]
async fn a_success_that_says_it_failed_is_none() {
    let declared =
        || said!("success = { '/code' = 0 }\nmessages = '/msg'"; .success("/code", 0).message("/msg"));
    for code in ["1", "\"1\"", "false", "-1", "0.5"] {
        let answer = json(format!(r#"{{"code":{code},"msg":"no such app","access_token":"abc"}}"#));
        let words = ["says that it failed", "no such app"];
        declared().assert_refused(&WAYS, &answer, (EndpointUnusable, Unintelligible), &words).await;
    }
    for code in ["0", "\"0\"", "null"] {
        declared()
            .assert_token(&WAYS, &json(format!(r#"{{"code":{code},"access_token":"abc"}}"#)), "abc")
            .await;
    }
    let busy = json(r#"{"code":7,"error":"ratelimited"}"#);
    declared().assert_refused(&WAYS, &busy, (Unavailable, Transient), &[]).await;
}
