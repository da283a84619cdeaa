//! What is said of a file, and of answers that were recorded.

use http::Response;

use super::*;
use crate::{error::AcquireErrorKind, token::AccessToken};

fn trial(text: &str) -> Trial {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn lines(text: &str) -> Vec<String> {
    trial(text).outline().map(ToOwned::to_owned).collect()
}

#[test]
fn everything_that_a_file_says_is_said_in_words() {
    let all = r#"
        name = "Acme"
        base_url = "https://{tenant}.acme.example/v1"
        placement = { header = "X-Token", scheme = "Token" }
        renewal = "revokes-previous"
        inputs.region = ["eu", "us"]

        [acquire]
        request = "POST https://login.{region}.acme.example/token"
        form = { grant_type = "text:client_credentials", client_id = "input:id", client_secret = "env:ACME_SECRET" }

        [refresh]
        request = "POST /refresh"
        json = { t = "token:refresh" }

        [revoke]
        request = "DELETE /session"
        bearer = "token:access"

        [answer]
        lifetime = "/ttl"

        [[rules]]
        verdict = "expired"
        status = [401, 403]
        when = [{ json = "/code", one_of = [1, "2"] }, { any = [{ header = "x", exists = false }, { not = { body = true, contains = "no" } }] }]

        [[rules]]
        verdict = "denied"
        when = { challenge = "Bearer", param = "error", is = "insufficient_scope" }
    "#;
    assert_eq!(
        lines(all),
        [
            "tokens go to https://{tenant}.acme.example/v1 alone, as X-Token: Token TOKEN",
            "a token comes from POST https://login.{region}.acme.example/token (grant_type client_credentials)",
            "it lives for as long as its answer says at /ttl",
            "it is renewed by POST https://{tenant}.acme.example/v1/refresh, which kills the one before it",
            "it is given back by DELETE https://{tenant}.acme.example/v1/session",
            r#"rules[0]: a token has expired if the status is 401, 403 and /code is one of 1, "2" and (the header x isn't there or not (the body contains "no"))"#,
            r#"rules[1]: no new token would help if error of the challenge Bearer is "insufficient_scope""#,
            r#"inputs to fill: id, region (one of "eu", "us"), tenant"#,
            "secrets are read from env:ACME_SECRET",
        ]
    );
}

#[test]
fn what_a_file_leaves_out_is_said_as_well() {
    assert_eq!(
        lines("name = 'A'\nbase_url = 'input:base_url'\n[acquire]\nrequest = 'GET /token'\n"),
        [
            "tokens go to the base url that is filled in alone, as Authorization: Bearer TOKEN",
            "a token comes from GET /token, at the base url that is filled in",
            "it lives for as long as its answer says at /expires_in",
            "it isn't renewed: a new one is acquired, which leaves the one before it valid",
            "a token has expired if a 401 says invalid_token, as RFC 6750 has it",
            "inputs to fill: base_url",
        ]
    );
    for (rest, line) in [
        ("key = 'file:/run/key'", "a key is its own token, and can't be renewed"),
        ("key = 'file:/run/key'", "secrets are read from file:/run/key"),
        (
            "basic = { user = 'env:U' }",
            "tokens go to https://api.acme.example alone, as Authorization: Basic TOKEN",
        ),
        (
            "placement.cookie = 'sid'\nkey = 'env:K'",
            "tokens go to https://api.acme.example alone, in the cookie sid",
        ),
        (
            "placement.query_visible_in_logs = 't'\nkey = 'env:K'",
            "tokens go to https://api.acme.example alone, in the query as t, where logs show it",
        ),
        (
            "other_origins = 'https://up.acme.example'\nkey = 'env:K'",
            "tokens go to https://api.acme.example and https://up.acme.example alone, as Authorization: Bearer TOKEN",
        ),
        ("[acquire]\nrequest = 'GET /t'\n[answer]\nlifetime = 600", "it lives for 600 s"),
        (
            "[acquire]\nrequest = 'GET /t'\n[answer]\nlifetime = 'jwt'",
            "it is a JWT that lives until its own exp",
        ),
        ("[acquire]\nrequest = 'GET /t'\n[answer]\nlifetime = 'unknown'", "it is used until it is rejected"),
    ] {
        let lines = lines(&format!("{ACME}{rest}"));
        assert!(lines.iter().any(|known| known == line), "{line}: {lines:#?}");
    }
}

#[test]
fn a_file_that_is_refused_is_refused_here_too() {
    for (rest, words) in [
        ("key = 'hunter2'", "key: secrets don't belong into this file"),
        ("[acquire]\nrequest = 'GET /t'\n[answer]\nsuccess = 1", "answer.success: expected a table"),
    ] {
        let error = toml::from_str::<Trial>(&format!("{ACME}{rest}")).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn answers_are_judged_as_the_declaration_says_without_any_secret() {
    let acme = trial(&format!(
        "{ACME}[acquire]\nrequest = 'POST /t'\njson = {{ key = 'env:TOWER_REAUTH_NOBODY_SETS_THIS' }}\n[refresh]\nrequest = \
         'POST /r'\njson = {{ t = 'token:refresh' }}\n[answer]\nrefusal = {{ '/code' = 17 }}\n"
    ));
    assert!(acme.acquires() && acme.refreshes());
    assert_eq!(
        (acme.name(), acme.origin().unwrap().to_string().as_str()),
        ("Acme", "https://api.acme.example:443")
    );
    let token = acme.read_answer(&Response::new(r#"{"access_token":"t","expires_in":9}"#)).unwrap();
    assert_eq!(token.lifetime(), Some(std::time::Duration::from_secs(9)));
    let refused = Response::new(r#"{"code":17}"#);
    assert_eq!(acme.read_answer(&refused).unwrap_err().kind(), AcquireErrorKind::Rejected);
    let previous = AccessToken::new("old").unwrap();
    let error = acme.read_refresh_answer(&previous, &refused).unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::GrantRejected);

    let key = trial(&format!("{ACME}key = 'env:TOWER_REAUTH_NOBODY_SETS_THIS'"));
    assert!(!key.acquires() && !key.refreshes());
    assert_eq!(key.read_answer(&refused).unwrap_err().kind(), AcquireErrorKind::Unsupported);
    let _ = key.layer(crate::credential::StaticToken::new("stand-in").unwrap()).unwrap();
}

#[test]
fn the_rule_that_an_answer_fits_is_the_one_that_counts() {
    let key = "key = 'env:TOWER_REAUTH_NOBODY_SETS_THIS'\nrfc6750 = true\n";
    let rules = "[[rules]]\nverdict = 'denied'\nstatus = 401\nwhen = { json = '/code', is = 1 }\n\
                 [[rules]]\nverdict = 'expired'\nstatus = 401\nwhen = { json = '/code', exists = true }\nhead_requests_by_status = true\n";
    let trial = trial(&format!("{ACME}{key}{rules}"));
    let answer = |status: u16, code: &str| {
        let challenge = "Bearer error=\"invalid_token\"";
        let answer = Response::builder().status(status).header("www-authenticate", challenge);
        answer.body(format!("{{{code}}}")).unwrap()
    };
    for (answer, expected) in [
        (answer(401, "\"code\":1"), Some("rules[0]: ")),
        (answer(401, "\"code\":2"), Some("rules[1]: ")),
        (answer(401, ""), Some("a token has expired if a 401 says invalid_token, as RFC 6750 has it")),
        (answer(403, "\"code\":1"), None),
    ] {
        let found = trial.rule_for(&answer);
        assert_eq!(found.is_some(), expected.is_some(), "{answer:?}: {found:?}");
        assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{answer:?}: {found:?}");
    }
    let head = trial.rule_for_head(&answer(401, "\"code\":1"));
    assert!(
        head.is_some_and(|rule| rule.starts_with("rules[1]: ")),
        "no body, so the first can't be known: {head:?}"
    );
}

#[cfg(feature = "client")]
#[test]
fn of_a_metadata_service_nothing_can_be_tried_out_but_the_apis_answers() {
    let file = "name = 'Acme'\nbase_url = 'https://api.acme.example'\n\
                metadata = { service = 'azure-vm', resource = 'input:resource' }";
    assert_eq!(
        lines(file)[1..],
        [
            "a token comes from the metadata service that the machine has, azure-vm",
            "a token has expired if a 401 says invalid_token, as RFC 6750 has it",
            "inputs to fill: resource",
        ]
    );
    let trial = trial(file);
    let error = trial.read_answer(&Response::new("{}")).unwrap_err();
    assert_eq!((trial.acquires(), error.kind()), (false, AcquireErrorKind::Unsupported));
    assert!(error.to_string().contains("Acme asks a metadata service"), "{error}");
}
