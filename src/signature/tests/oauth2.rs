//! RFC 6750 and RFC 9470.

use super::*;

const AUTHENTICATE: &str = "www-authenticate";

fn verdict(signatures: &Signatures, status: u16, challenges: &[&str], body: &str) -> Verdict {
    let headers: Vec<_> = challenges.iter().map(|line| (AUTHENTICATE, *line)).collect();
    answered(status, &headers, body).verdict(signatures)
}

#[test]
fn an_invalid_token_has_expired_and_says_why_without_its_body() {
    let line =
        r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#;
    let response = answered(401, &[(AUTHENTICATE, line)], "");
    assert_eq!(
        response.screened(&Signatures::oauth2()),
        Screening::Done(found(Verdict::Expired, "The access token expired"))
    );
}

#[test]
fn only_a_401_means_that_a_token_has_expired() {
    for lenient in [Signatures::oauth2(), Signatures::oauth2().bare_401()] {
        for status in [200, 204, 302, 400, 403, 404, 407, 500, 503] {
            let line = r#"Bearer error="invalid_token""#;
            let found = verdict(&lenient, status, &[line], r#"{"error":"invalid_token"}"#);
            assert_eq!(found, Verdict::Accepted, "{status}");
        }
    }
}

#[test]
fn what_a_new_token_would_not_cure_is_never_refreshed() {
    for error in ["insufficient_scope", "invalid_request", "insufficient_user_authentication"] {
        for signatures in [Signatures::oauth2(), Signatures::oauth2().bare_401()] {
            let line = format!("Bearer error=\"{error}\", scope=\"a b\"");
            let misled = r#"{"error":"invalid_token"}"#;
            for status in [400, 401, 403] {
                assert_eq!(
                    verdict(&signatures, status, &[&line], misled),
                    Verdict::Denied,
                    "{error} {status}"
                );
            }
            assert_eq!(verdict(&signatures, 500, &[&line], misled), Verdict::Accepted);
            let beside = &[r#"Bearer error="invalid_token""#, &line][..];
            assert_eq!(verdict(&signatures, 401, beside, ""), Verdict::Denied, "{error}");
            let in_body = format!(r#"{{"error":"{error}"}}"#);
            assert_eq!(
                verdict(&signatures, 401, &["Bearer realm=\"x\""], &in_body),
                Verdict::Denied,
                "{error}"
            );
        }
    }
}

#[test]
fn a_challenge_with_an_error_outranks_the_body() {
    let signatures = Signatures::oauth2().bare_401();
    let response =
        answered(401, &[(AUTHENTICATE, r#"Bearer error="other""#)], r#"{"error":"invalid_token"}"#);
    assert_eq!(response.screened(&signatures), Screening::Done(plain(Verdict::Denied)));
}

#[test]
fn without_such_a_challenge_the_body_counts() {
    let body = r#"{"error":"invalid_token","error_description":"expired"}"#;
    for challenges in [&[][..], &["Bearer"], &[r#"Bearer realm="x""#], &[r#"DPoP error="use_dpop_nonce""#]] {
        assert_eq!(verdict(&Signatures::oauth2(), 401, challenges, body), Verdict::Expired, "{challenges:?}");
        for other in
            ["", "{}", "invalid_token", r#"{"error":"Invalid_Token"}"#, r#"{"error":{"x":"invalid_token"}}"#]
        {
            assert_eq!(verdict(&Signatures::oauth2(), 401, challenges, other), Verdict::Accepted, "{other}");
        }
    }
    assert_eq!(answered(401, &[], body).judged(&Signatures::oauth2()), found(Verdict::Expired, "expired"));
}

#[test]
fn a_bare_401_counts_only_if_asked_for() {
    for challenges in [&[][..], &["Bearer"], &["Basic realm=\"x\""]] {
        assert_eq!(verdict(&Signatures::oauth2(), 401, challenges, "<html>"), Verdict::Accepted);
        assert_eq!(verdict(&Signatures::oauth2().bare_401(), 401, challenges, "<html>"), Verdict::Expired);
    }
    let unread = answered(401, &[], "");
    assert_eq!(Signatures::oauth2().bare_401().judge(unread.head(), None), plain(Verdict::Expired));
}

#[test]
fn other_schemes_around_it_do_not_matter() {
    for line in [
        r#"DPoP algs="ES256 PS256", error="use_dpop_nonce", Bearer error="invalid_token""#,
        r#"Bearer error="invalid_token", Basic realm="a, Bearer error=\"invalid_request\"""#,
        r#"Negotiate YWJj==,bEaReR realm=x,error=invalid_token,NTLM"#,
    ] {
        assert_eq!(verdict(&Signatures::oauth2(), 401, &[line], ""), Verdict::Expired, "{line}");
    }
    let line = r#"DPoP error="invalid_token", Bearer realm="x""#;
    assert_eq!(verdict(&Signatures::oauth2(), 401, &[line], ""), Verdict::Accepted);
    assert_eq!(verdict(&Signatures::oauth2_with_scheme("dpop"), 401, &[line], ""), Verdict::Expired);
}

#[test]
fn proxies_are_not_ours() {
    let line = r#"Bearer error="invalid_token""#;
    for status in [401, 407] {
        let response = answered(status, &[("proxy-authenticate", line)], "");
        assert_eq!(response.verdict(&Signatures::oauth2()), Verdict::Accepted);
    }
    assert_eq!(verdict(&Signatures::oauth2().bare_401(), 407, &[line], ""), Verdict::Accepted);
}
