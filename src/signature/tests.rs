//! What rules make of responses: the tests by what they are about, and what they have in common.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::*;

/// A response in parts, as the layer sees it.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

fn answered(status: u16, headers: &[(&'static str, &str)], body: impl AsRef<[u8]>) -> Answered {
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).expect("a header value"))
    });
    Answered {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: headers.collect(),
        body: body.as_ref().to_vec(),
    }
}

impl Answered {
    fn head(&self) -> Head<'_> {
        Head { status: self.status, headers: &self.headers }
    }

    fn screened(&self, signatures: &Signatures) -> Screening {
        signatures.screen(self.head())
    }

    /// As the layer does it: the body is read only where screening asks for it.
    fn judged(&self, signatures: &Signatures) -> Finding {
        match signatures.screen(self.head()) {
            Screening::Done(finding) => finding,
            Screening::NeedsBody => signatures.judge(self.head(), Some(&self.body)),
        }
    }

    fn verdict(&self, signatures: &Signatures) -> Verdict {
        self.judged(signatures).verdict
    }
}

fn found(verdict: Verdict, reason: &str) -> Finding {
    Finding { verdict, reason: Some(reason.into()) }
}

fn plain(verdict: Verdict) -> Finding {
    Finding { verdict, reason: None }
}

fn only(condition: Condition) -> Signatures {
    Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED).when(condition))
}

/// Whether `condition` holds for a 401 with `body`.
fn holds(condition: Condition, body: impl AsRef<[u8]>) -> bool {
    answered(401, &[], body).verdict(&only(condition)) == Verdict::Expired
}

/// Whether `condition` holds for a 401 with `headers`, without a look at the body.
fn holds_for(condition: Condition, headers: &[(&'static str, &str)]) -> bool {
    match answered(401, headers, "").screened(&only(condition)) {
        Screening::Done(finding) => finding.verdict == Verdict::Expired,
        Screening::NeedsBody => panic!("the head decides"),
    }
}

mod anything;
mod conditions;
mod head;
mod laziness;
mod oauth2;
mod trailers;
mod vendors;
