//! Tokens that come with the scheme in them already.

use tower::Layer;
use tower_reauth::{
    AcquireErrorKind::Unintelligible, AnswerField, AuthErrorKind::EndpointUnusable, Placement,
};

use super::{
    ways::{LENIENT, Said, WAYS, Way, said},
    world::{World, answer, json},
};
use crate::support::{client, get, send};

#[tokio::test]
async fn the_scheme_is_taken_off() {
    for written in [
        "Bearer eyJh.eyJz.c2ln",
        "bearer eyJh.eyJz.c2ln",
        "BEARER eyJh.eyJz.c2ln",
        "Bearer   eyJh.eyJz.c2ln",
        " Bearer eyJh.eyJz.c2ln ",
        r"Bearer\teyJh.eyJz.c2ln",
        "eyJh.eyJz.c2ln",
    ] {
        let body = format!(r#"{{"access_token":"{written}","token_type":"Bearer"}}"#);
        said!("").strictly().assert_token(&WAYS, &json(body), "eyJh.eyJz.c2ln").await;
    }
    for token in ["Bearer", "bearerabc", "Bearer.abc", "Bearer:abc"] {
        said!("").assert_token(&WAYS, &json(format!(r#"{{"access_token":"{token}"}}"#)), token).await;
    }
    for (token, text) in
        [("Bearer a b", "can't be a token"), ("Basic abc", "can't be a token"), ("DPoP abc", "can't")]
    {
        let body = json(format!(r#"{{"access_token":"{token}"}}"#));
        said!("").assert_refused(&WAYS, &body, (EndpointUnusable, Unintelligible), &[text]).await;
    }
}

#[tokio::test]
async fn it_is_taken_off_wherever_the_token_is() {
    let form = answer(
        200,
        &[("content-type", "application/x-www-form-urlencoded;charset=utf-8")],
        "access_token=Bearer+abc%2Bd&token_type=bearer",
    );
    said!("").assert_token(&WAYS, &form, "abc+d").await;
    let header = said!("token = 'header:Authorization'"; .token(AnswerField::header("Authorization")));
    header.assert_token(&WAYS, &answer(200, &[("authorization", "Bearer abc")], ""), "abc").await;
    header.assert_token(&WAYS, &answer(200, &[("Authorization", "bearer  abc")], "{}"), "abc").await;
    let body = said!("token = 'body'"; .token(AnswerField::body()));
    body.assert_token(&WAYS, &answer(200, &[], "Bearer abc\r\n"), "abc").await;
    body.assert_token(&WAYS, &answer(200, &[], "\"Bearer abc\""), "abc").await;
}

#[tokio::test]
async fn the_vendors_own_name_for_bearer_tokens_is_a_scheme_as_well() {
    let named = || said!("token_types = ['Token', 'JWT']"; .token_type("Token").token_type("JWT")).strictly();
    for (token_type, written) in
        [("Token", "Token abc"), ("jwt", "JWT abc"), ("bearer", "token abc"), ("Token", "Bearer abc")]
    {
        let body = json(format!(r#"{{"token_type":"{token_type}","access_token":"{written}"}}"#));
        named().assert_token(&WAYS, &body, "abc").await;
    }
}

#[tokio::test]
async fn the_scheme_of_the_placement_is_taken_off_and_put_back() {
    let placed = |header: &'static str, scheme: Option<&'static str>| {
        let placement = match scheme {
            Some(scheme) => Placement::with_scheme(header, scheme).unwrap(),
            None => Placement::bare(header).unwrap(),
        };
        let top = match scheme {
            Some(scheme) => format!("placement = {{ header = '{header}', scheme = '{scheme}' }}"),
            None => format!("placement = {{ header = '{header}' }}"),
        };
        Said { endpoint: Box::new(move |builder| builder.placement(placement.clone())), top, ..said!("") }
    };
    for (header, scheme, written, sent) in [
        ("authorization", Some("Token"), "Token abc", "Token abc"),
        ("authorization", Some("Token"), "token  abc", "Token abc"),
        ("authorization", Some("Token"), "Bearer abc", "Token abc"),
        ("authorization", Some("Zoho-oauthtoken"), "Zoho-oauthtoken abc", "Zoho-oauthtoken abc"),
        ("x-api-key", None, "Bearer abc", "abc"),
        ("x-api-token", Some("Key"), "abc", "Key abc"),
    ] {
        for way in LENIENT {
            let world = World::answering([json(format!(r#"{{"access_token":"{written}"}}"#))]).await;
            let service = placed(header, scheme).layer(way, &world).layer(client());
            send(&service, get(&world.url("/"))).await.unwrap();
            assert_eq!(world.api_headers(header), [sent], "{way:?} {written}");
            assert_eq!(world.counts(), (1, 1));
        }
        // The builders of OAuth 2.0 have `Bearer`; where the program has it otherwise, it says the name.
        let (name, bare) = (scheme.unwrap_or("Bearer"), scheme.is_none());
        let world = World::answering([json(format!(r#"{{"access_token":"{written}"}}"#))]).await;
        let placement = if bare { Placement::bare(header) } else { Placement::with_scheme(header, name) };
        let layer = said!(""; .token_type(name)).layer(Way::OAuth2, &world).placement(placement.unwrap());
        send(&layer.layer(client()), get(&world.url("/"))).await.unwrap();
        assert_eq!(world.api_headers(header), [sent], "{written}");
    }
}
