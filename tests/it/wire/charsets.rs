//! Answers in other charsets, and with bytes that are none: what can be read is read, of token endpoints and of APIs.

use http::StatusCode;
use tower::Layer;
use tower_reauth::{
    AcquireErrorKind::Rejected, AuthErrorKind::CredentialsRejected, AuthLayer, Rule, Signatures, signature,
};

use super::{
    ways::{Said, WAYS, Way, said},
    world::{World, answer, token},
};
use crate::support::{client, get, send};

/// `text` in each charset that is read whole, with the media type that comes with it.
fn written(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf_16 = |mark: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(unit).collect()
    };
    let latin: Vec<u8> = text.chars().map(|char| u8::try_from(char).unwrap()).collect();
    vec![
        ("application/json", text.into()),
        ("application/json; charset=ISO-8859-1", text.into()),
        ("application/json; charset=utf-8", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("application/json; charset=ISO-8859-1", latin.clone()),
        ("text/plain;charset=\"latin1\"", latin.clone()),
        ("application/json; q=1; CHARSET=windows-1252", latin.clone()),
        ("text/html; charset=us-ascii", latin),
        ("application/json", utf_16("", u16::to_le_bytes)),
        ("application/json", utf_16("", u16::to_be_bytes)),
        ("application/json; charset=utf-16", utf_16("\u{feff}", u16::to_le_bytes)),
        ("application/json; charset=utf-16be", utf_16("\u{feff}", u16::to_be_bytes)),
        ("application/json; charset=utf-8", utf_16("\u{feff}", u16::to_le_bytes)),
        ("application/json; charset=x-unknown", text.into()),
        ("application/json", [text.as_bytes(), b"\0"].concat()),
        ("application/json", [text.as_bytes(), b"\r\n\0\0\0"].concat()),
        ("", text.into()),
    ]
}

#[tokio::test]
async fn a_token_is_read_in_any_charset() {
    for (media_type, body) in written(r#"{"owner":"Zoé Müller","access_token":"abc","token_type":"Bearer"}"#)
    {
        let answer = answer(200, &[("content-type", media_type)], body);
        said!("").strictly().assert_token(&WAYS, &answer, "abc").await;
    }
}

#[tokio::test]
async fn a_bad_byte_spoils_its_own_member_alone() {
    for media_type in
        ["application/json", "application/json; charset=utf-8", "application/json; charset=shift_jis", ""]
    {
        for bytes in
            [&b"\xe9"[..], b"\xff\xfe", b"\xed\xa0\x80", b"\x82\xa0\x82\xa2", b"\xf0\x9f", b"\0", b"\xc0\x80"]
        {
            let body = [b"{\"owner\":\"Zo", bytes, b"\",\"access_token\":\"abc\",\"n\":[\"", bytes, b"\"]}"]
                .concat();
            let answer = answer(200, &[("content-type", media_type)], body);
            said!("").assert_token(&WAYS, &answer, "abc").await;
        }
    }
}

#[tokio::test]
async fn a_bad_byte_in_a_token_makes_it_none() {
    use tower_reauth::{AcquireErrorKind::Unintelligible, AuthErrorKind::EndpointUnusable};
    for media_type in ["application/json", "application/json; charset=iso-8859-1"] {
        for bytes in [&b"\xe9"[..], b"\xff", b"\0", b"\xc3\xa9"] {
            let body = [b"{\"access_token\":\"ab", bytes, b"c\"}"].concat();
            let answer = answer(200, &[("content-type", media_type)], body);
            said!("").assert_refused(&WAYS, &answer, (EndpointUnusable, Unintelligible), &[]).await;
        }
    }
}

#[tokio::test]
async fn a_refusal_is_read_in_any_charset() {
    for (media_type, body) in
        written(r#"{"error":"invalid_client","error_description":"Schlüssel ungültig"}"#)
    {
        let answer = answer(400, &[("content-type", media_type)], body);
        let words = ["invalid_client: Schl", "ssel ung", "ltig"];
        said!("").assert_refused(&WAYS, &answer, (CredentialsRejected, Rejected), &words).await;
    }
}

/// A vendor whose 401 says in words that the token has expired, said in each way.
fn layer(way: Way, world: &World, words: &'static str) -> AuthLayer {
    let signatures = move || {
        let is_expired = signature::json("/message").is(words);
        Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED).when(is_expired))
    };
    let said = Said {
        endpoint: Box::new(move |builder| builder.signatures(signatures())),
        top: format!(
            "rules = [{{ verdict = 'expired', status = 401, when = {{ json = '/message', is = '{words}' }} }}]"
        ),
        ..said!("")
    };
    match way {
        Way::OAuth2 => said.layer(way, world).signatures(signatures()),
        Way::Endpoint | Way::File => said.layer(way, world),
    }
}

async fn assert_replayed(way: Way, words: &'static str, media_type: &str, body: Vec<u8>) {
    let world = World::answering([token("a1"), token("a2")]).await;
    let note = format!("{way:?} {media_type}: {}", String::from_utf8_lossy(&body));
    world.api_answers([answer(401, &[("content-type", media_type)], body)]);
    let answered = send(&layer(way, &world, words).layer(client()), get(&world.url("/"))).await.unwrap();
    assert!(
        answered.status() == 200 && answered.outcome().is_some_and(|outcome| outcome.replayed()),
        "{note}"
    );
    assert_eq!(world.api_headers("authorization"), ["Bearer a1", "Bearer a2"], "{note}");
    assert_eq!(world.counts(), (2, 2), "{note}");
}

#[tokio::test]
async fn a_signature_matches_in_any_charset() {
    for (media_type, body) in written(r#"{"message":"jeton expiré","owner":"Müller"}"#) {
        // Without its charset a byte that is no UTF-8 is lost.
        if media_type.ends_with("us-ascii") {
            continue;
        }
        for way in WAYS {
            assert_replayed(way, "jeton expiré", media_type, body.clone()).await;
        }
    }
    for way in WAYS {
        let body = b"{\"message\":\"it\x92s expired \x80\"}".to_vec();
        assert_replayed(way, "it’s expired €", "application/json; charset=windows-1252", body).await;
    }
}

#[tokio::test]
async fn a_signature_matches_beside_a_bad_byte() {
    for way in WAYS {
        for bytes in [&b"\xe9"[..], b"\xff", b"\0", b"\xed\xa0\x80"] {
            let body =
                [b"{\"owner\":\"", bytes, b"\",\"message\":\"expired\",\"x\":\"", bytes, b"\"}\0"].concat();
            assert_replayed(way, "expired", "application/json; charset=utf-8", body).await;
        }
    }
}
