//! What each kind of answer means.

use std::time::Duration;

use http::StatusCode;

use super::{super::AnswerField, *};
use crate::error::AcquireErrorKind::{
    self, Blocked, GrantRejected, Missing, Moved, NotAccepted, ProxyRefused, Rejected, Transient, Undeclared,
    Unintelligible,
};

#[tokio::test]
async fn every_status_has_its_class() {
    for (status, primary, refresh) in [
        (300, Moved, Moved),
        (301, Moved, Moved),
        (302, Moved, Moved),
        (304, Moved, Moved),
        (307, Moved, Moved),
        (308, Moved, Moved),
        (400, Undeclared, Undeclared),
        (401, Rejected, GrantRejected),
        (402, Undeclared, Undeclared),
        (403, Undeclared, Undeclared),
        (404, Missing, Missing),
        (405, NotAccepted, NotAccepted),
        (407, ProxyRefused, ProxyRefused),
        (408, Transient, Transient),
        (410, Missing, Missing),
        (411, NotAccepted, NotAccepted),
        (413, NotAccepted, NotAccepted),
        (415, NotAccepted, NotAccepted),
        (421, Missing, Missing),
        (422, Undeclared, Undeclared),
        (425, Transient, Transient),
        (429, Transient, Transient),
        (500, Transient, Transient),
        (501, Transient, Transient),
        (503, Transient, Transient),
        (599, Transient, Transient),
        (999, Transient, Transient),
    ] {
        let server = Scripted::answers(status, &[], r#"{"access_token":"t"}"#);
        for (error, kind) in [
            (cold(renewing(), &server).await, primary),
            (renew(renewing(), &server).await, refresh),
            // A credential without a refresh request asks with what it has, so that is what is refused.
            (renew(endpoint(plain()), &server).await, primary),
        ] {
            let error = error.unwrap_err();
            assert_eq!((error.kind(), error.status().map(u16::from)), (kind, Some(status)), "{error}");
        }
    }
}

#[tokio::test]
async fn a_page_is_no_form_where_answers_are_forms() {
    let page = r#"<html lang="en">no</html>"#;
    for (status, body, kind) in [
        (403, page, Blocked),
        (403, "", Blocked),
        (403, "error code: 1020", Blocked),
        (400, page, Unintelligible),
        (200, page, Unintelligible),
        (400, "error=who+are+you", Undeclared),
        (403, "error=who+are+you", Undeclared),
        (400, "error=invalid_client", Rejected),
    ] {
        let server = Scripted::answers(status, &[], body);
        let error = cold(endpoint(plain()).form_answers(), &server).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}");
    }
}

#[tokio::test]
async fn any_2xx_is_a_success_unless_others_are_named() {
    for status in [200, 201, 202, 203, 299] {
        let server = Scripted::answers(status, &[], r#"{"access_token":"t"}"#);
        assert!(cold(endpoint(plain()), &server).await.is_ok(), "{status}");
    }
    let named = || endpoint(plain().accepts([StatusCode::CREATED, StatusCode::FOUND]));
    for (status, kind) in [(201, None), (302, None), (200, Some(Transient)), (400, Some(Undeclared))] {
        let server = Scripted::answers(status, &[], r#"{"access_token":"t"}"#);
        assert_eq!(cold(named(), &server).await.err().map(|error| error.kind()), kind, "{status}");
    }
}

#[tokio::test]
async fn a_success_without_a_usable_token_makes_no_sense() {
    let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(64 * 1024 + 1));
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for body in [
        "",
        " \n",
        "{}",
        "[]",
        "null",
        "<html></html>",
        "not json",
        r#"{"access_token":"#,
        r#"{"access_token":null}"#,
        r#"{"access_token":""}"#,
        r#"{"access_token":"  "}"#,
        r#"{"access_token":{"a":"b"}}"#,
        r#"{"access_token":["t"]}"#,
        r#"{"access_token":"a b"}"#,
        r#"{"access_token":"a\r\nX-Admin: 1"}"#,
        r#"{"access_token":"tökén"}"#,
        r#"{"access_token":true}"#,
        r#"{"access_token":-5}"#,
        r#"{"access_token":1.5}"#,
        r#"{"access_token":1e5}"#,
        r#"{"access_token":"a\ud800b"}"#,
        "{\"access_token\":\"a\nb\"}",
        "\u{fffd}",
        &long,
        &deep,
    ] {
        let server = Scripted::answers(200, &[], body);
        let error = cold(endpoint(plain()), &server).await.unwrap_err();
        assert_eq!(error.kind(), Unintelligible, "{body:.80}");
        assert_eq!(error.status(), Some(StatusCode::OK));
    }
}

#[tokio::test]
async fn tokens_are_found_where_they_were_declared() {
    for (field, headers, body, token) in [
        ("/access_token".into(), vec![], r#"{"access_token":"t"}"#, Some("t")),
        ("/access_token".into(), vec![], "\u{feff} {\"access_token\":\" t \"}\n", Some("t")),
        ("/data/token".into(), vec![], r#"{"data":{"token":"t"}}"#, Some("t")),
        ("/data/1/a~1b".into(), vec![], r#"{"data":[0,{"a/b":"t"}]}"#, Some("t")),
        ("/id".into(), vec![], r#"{"id":12345}"#, Some("12345")),
        (AnswerField::body(), vec![], "\"t\"", Some("t")),
        (AnswerField::body(), vec![], " \"t\\u0041\" \n", Some("tA")),
        (AnswerField::body(), vec![], "\" t \"", Some("t")),
        (AnswerField::body(), vec![], "t", Some("t")),
        (AnswerField::body(), vec![], "\r\n t.t-t \r\n", Some("t.t-t")),
        (AnswerField::body(), vec![], "0123", Some("0123")),
        (
            AnswerField::body(),
            vec![],
            "123456789012345678901234567890",
            Some("123456789012345678901234567890"),
        ),
        (AnswerField::body(), vec![], "\"\"", None),
        (AnswerField::body(), vec![], "\"  \"", None),
        (AnswerField::body(), vec![], "\"t", None),
        (AnswerField::body(), vec![], "null", None),
        (AnswerField::body(), vec![], "true", None),
        (AnswerField::body(), vec![], r#"{"error":"x"}"#, None),
        (AnswerField::body(), vec![], r#"{"error":"#, None),
        (AnswerField::body(), vec![], "<html></html>", None),
        (AnswerField::body(), vec![], "Service is down", None),
        (AnswerField::header("X-Subject-Token"), vec![("x-subject-token", "t")], "", Some("t")),
        (AnswerField::header("X-Subject-Token"), vec![], "t", None),
        (AnswerField::cookie("sid"), vec![("set-cookie", "sid=t; Path=/; HttpOnly")], "{}", Some("t")),
        (AnswerField::cookie("sid"), vec![("set-cookie", "sid=\"t\"")], "text", Some("t")),
        (
            AnswerField::cookie("sid"),
            vec![("set-cookie", "other=x"), ("set-cookie", "sid=old"), ("set-cookie", " sid = t=1 ;Secure")],
            "",
            Some("t=1"),
        ),
        (
            AnswerField::cookie("sid"),
            vec![("set-cookie", "SID=t"), ("set-cookie", "sidx=t; sid=t")],
            "t",
            None,
        ),
        (AnswerField::cookie("sid"), vec![("set-cookie", "sid=; Max-Age=0")], "t", None),
    ] {
        let server = Scripted::answers(200, &headers, body);
        let found = cold(endpoint(plain()).token(field), &server).await;
        assert_eq!(found.as_ref().ok().map(AccessToken::expose_secret), token, "{body}");
        assert_eq!(found.err().map(|error| error.kind()), token.is_none().then_some(Unintelligible));
    }
}

#[tokio::test(start_paused = true)]
async fn the_lifetime_counts_from_before_the_request() {
    let before = tokio::time::Instant::now();
    let late = tower::service_fn(|_: http::Request<http_body_util::Full<bytes::Bytes>>| async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let body = r#"{"access_token":"t","expires_in":"60.5"}"#;
        Ok::<_, std::io::Error>(http::Response::new(http_body_util::Full::<bytes::Bytes>::from(body)))
    });
    let credential = endpoint(plain()).build(crate::transport::Transport::new(late)).unwrap();
    let token = ask(credential, Reason::Cold, None).await.unwrap();
    assert_eq!(token.requested_at(), Some(before));
    assert_eq!(token.lifetime(), Some(Duration::from_millis(60_500)));
}

#[tokio::test]
async fn lifetimes_are_read_fixed_or_unknown() {
    let answer = r#"{"access_token":"t","expires_in":3600,"ttl":{"s":"7"}}"#;
    for (endpoint, lifetime) in [
        (endpoint(plain()), Some(3600)),
        (endpoint(plain()).lifetime("/ttl/s"), Some(7)),
        (endpoint(plain()).lifetime("/none"), None),
        (endpoint(plain()).lifetime("/ttl"), None),
        (endpoint(plain()).lifetime(AnswerField::header("x-ttl")), Some(9)),
        (endpoint(plain()).fixed_lifetime(Duration::from_secs(11)), Some(11)),
        (endpoint(plain()).unknown_lifetime(), None),
    ] {
        let server = Scripted::answers(200, &[("x-ttl", "9")], answer);
        let token = cold(endpoint, &server).await.unwrap();
        assert_eq!(token.lifetime(), lifetime.map(Duration::from_secs));
    }
}

#[tokio::test]
async fn a_refresh_without_a_new_refresh_token_keeps_the_old_one() {
    for (body, kept) in [
        (r#"{"access_token":"t"}"#, "old-refresh"),
        (r#"{"access_token":"t","refresh_token":null}"#, "old-refresh"),
        (r#"{"access_token":"t","refresh_token":""}"#, "old-refresh"),
        (r#"{"access_token":"t","refresh_token":"new"}"#, "new"),
    ] {
        let server = Scripted::answers(200, &[], body);
        let token = renew(renewing(), &server).await.unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(token.refresh_token().unwrap()), kept, "{body}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_comes_without_a_usable_token_is_in_the_error() {
    let long = "a".repeat(64 * 1024 + 1);
    for token in [r#""tökén""#, r#""a b""#, "null", &format!("{long:?}")] {
        let body = format!(r#"{{"access_token":{token},"refresh_token":"n3w-refresh"}}"#);
        let server = Scripted::answers(200, &[], &body);
        for error in [renew(renewing(), &server).await, cold(renewing(), &server).await] {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), Unintelligible);
            let kept = error.refresh_token().map(secrecy::ExposeSecret::expose_secret);
            assert_eq!(kept, Some("n3w-refresh"));
            assert!(!super::super::super::scripted::printed(&error).contains("n3w"), "{error:?}");
        }
    }
    // A refusal's would be no answer to what was asked.
    let server = Scripted::answers(401, &[], r#"{"error":"x","refresh_token":"n3w-refresh"}"#);
    assert!(renew(renewing(), &server).await.unwrap_err().refresh_token().is_none());
}

#[tokio::test]
async fn a_new_grant_does_not_inherit_the_old_refresh_token() {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t"}"#);
    let credential = renewing().build(server.transport()).unwrap();
    let token = ask(credential, Reason::Rejected, Some(previous())).await.unwrap();
    assert!(token.refresh_token().is_none());
}

#[tokio::test]
async fn an_encoded_answer_makes_no_sense_and_says_what_to_do() {
    for (coding, fine) in [("gzip", false), ("identity, br", false), ("IDENTITY", true)] {
        let server = Scripted::answers(200, &[("content-encoding", coding)], r#"{"access_token":"t"}"#);
        let answer = cold(endpoint(plain()), &server).await;
        assert_eq!(answer.is_ok(), fine, "{coding}");
        if let Err(error) = answer {
            assert_eq!(error.kind(), Unintelligible);
            assert!(error.to_string().contains("DecompressionLayer"), "{error}");
        }
    }
    // A refusal needs no body.
    let server = Scripted::answers(401, &[("content-encoding", "gzip")], r#"{"error":"x"}"#);
    assert_eq!(cold(endpoint(plain()), &server).await.unwrap_err().kind(), Rejected);
}

#[tokio::test]
async fn conditions_beyond_the_status_decide() {
    let strict =
        || endpoint(plain()).success("/code", 0).refusal("/code", 10003).refusal("/error", "bad_secret");
    let kind = |status, body: &'static str| async move {
        let server = Scripted::answers(status, &[], body);
        cold(strict(), &server).await.err().map(|error| error.kind())
    };
    let cases: [(u16, &str, Option<AcquireErrorKind>); 8] = [
        (200, r#"{"code":0,"access_token":"t"}"#, None),
        (200, r#"{"code":"0","access_token":"t"}"#, None),
        (200, r#"{"access_token":"t"}"#, None),
        (200, r#"{"code":1,"access_token":"t"}"#, Some(Unintelligible)),
        (200, r#"{"code":10003}"#, Some(Rejected)),
        (200, r#"{"code":"10003"}"#, Some(Rejected)),
        (500, r#"{"error":"bad_secret"}"#, Some(Rejected)),
        (500, r#"{"error":"other"}"#, Some(Transient)),
    ];
    for (status, body, expected) in cases {
        assert_eq!(kind(status, body).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn the_time_to_stay_away_is_passed_on() {
    for (headers, seconds) in [
        (vec![], None),
        (vec![("retry-after", "7")], Some(7)),
        (vec![("retry-after", "7"), ("x-ratelimit-retry-after", "3")], Some(3)),
        (vec![("retry-after", "7"), ("x-ratelimit-retry-after", "-3")], Some(7)),
        (vec![("x-ratelimit-retry-after", "100000000000000000000")], Some(86400)),
        (vec![("retry-after", "soon")], None),
    ] {
        for status in [429, 503, 401, 200] {
            let server = Scripted::answers(status, &headers, "{}");
            let endpoint = endpoint(plain()).retry_after("X-RateLimit-Retry-After");
            let error = cold(endpoint, &server).await.unwrap_err();
            assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn the_servers_own_words_are_shown() {
    let body = r#"{"error":"invalid_client","error_description":"Who\r\nare you?","detail":"d","code":7}"#;
    let server = Scripted::answers(401, &[], body);
    assert_eq!(
        cold(endpoint(plain()), &server).await.unwrap_err().to_string(),
        "the token endpoint of Acme refused POST https://api.example.com/token: \"invalid_client: Who  are you?\"; \
         check client id and secret (status 401)"
    );
    let own = endpoint(plain()).message("/none").message("/detail").message("/code");
    assert_eq!(
        cold(own, &server).await.unwrap_err().to_string(),
        "the token endpoint of Acme refused POST https://api.example.com/token: \"d: 7\"; check client id and secret \
         (status 401)"
    );
    let by_jwt = plain().form("client_assertion", Param::secret("eyJ"));
    let error = cold(endpoint(by_jwt), &server).await.unwrap_err().to_string();
    let look_at = "; check client id, the key that signs the jwt, its key id and its audience (status 401)";
    assert!(error.ends_with(look_at), "{error}");
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(100_000));
    let error = cold(endpoint(plain()), &Scripted::answers(500, &[], &long)).await.unwrap_err();
    assert!(error.to_string().len() < 400);
}

#[tokio::test]
async fn a_failed_logout_is_classified_too() {
    for (status, kind) in [(400, Undeclared), (401, Rejected), (429, Transient), (503, Transient)] {
        let server = Scripted::answers(status, &[("retry-after", "5")], r#"{"error":"nope"}"#);
        let logout = TokenRequest::post("/logout").bearer(Param::access_token());
        let credential = endpoint(plain()).revoke(logout).build(server.transport()).unwrap();
        let error = Credential::revoke(&credential, &previous()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (kind, Some(Duration::from_secs(5))));
        assert!(error.to_string().contains("nope"), "{error}");
    }
}

#[tokio::test]
async fn what_is_required_has_to_be_there_in_answers_that_bring_a_token() {
    let cookie = [("set-cookie", "SID=s3ss10n; Path=/")];
    let lax = || renewing().token(AnswerField::cookie("SID"));
    let declared = || lax().required("/ok", true).required(AnswerField::header("x-login"), "done");
    let done = [cookie[0], ("x-login", "done")];
    for (headers, body, fulfils) in [
        (&done[..], r#"{"ok":true}"#, true),
        (&done, r#"{"ok":false}"#, false),
        (&done, "{}", false),
        (&done, "<html>try again</html>", false),
        (&done, "", false),
        (&cookie, r#"{"ok":true}"#, false),
    ] {
        let server = || Scripted::answers(200, headers, body);
        assert!(cold(lax(), &server()).await.is_ok(), "without the marker it is a token: {body}");
        for found in [cold(declared(), &server()).await, renew(declared(), &server()).await] {
            match found {
                Ok(token) => assert!(fulfils && token.expose_secret() == "s3ss10n", "{body}"),
                Err(error) => {
                    assert!(!fulfils && error.kind() == Unintelligible, "{body}: {error}");
                    assert!(error.to_string().contains("doesn't say that it succeeded"), "{error}");
                }
            }
        }
    }
    let busy = Scripted::answers(200, &cookie, r#"{"error":"temporarily_unavailable"}"#);
    assert_eq!(cold(declared(), &busy).await.unwrap_err().kind(), Transient);
    // A logout has nothing to say.
    let logout = TokenRequest::post("/logout").bearer(Param::access_token());
    let gone = Scripted::answers(204, &[], "");
    let credential = declared().revoke(logout).build(gone.transport()).unwrap();
    Credential::revoke(&credential, &previous()).await.unwrap();
}
