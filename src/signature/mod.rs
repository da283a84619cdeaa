//! What an answer means: rules that turn a response into a [`Verdict`]. Pure, no I/O.
//!
//! Most APIs don't report an expired token as RFC 6750 says. [`Signatures`] are an ordered list of [`Rule`]s, each
//! with statuses and [`Condition`]s. The first rule that matches wins, so exceptions stand before broad rules.
//! [`Signatures::verdict`] tries them out on recorded answers. For the servers that do follow the RFC there is
//! [`Signatures::oauth2`].
//!
//! A condition holds, doesn't, or can't be told: the last where it is about a body that can't be had or isn't
//! JSON. A rule matches only if its conditions surely hold, and never makes a response fail.
//!
//! The body is read only where a rule's statuses and headers fit and leave the decision to the body.
//!
//! The answer to a HEAD has no body, so where only the body tells an expired token from anything else, such an answer
//! isn't judged: the caller gets it, and the token is replaced when another request meets the same. A rule may say that
//! status and headers are enough: [`Rule::head_requests_by_status`].
//!
//! # Examples
//!
//! An exception before a broad rule. Salesforce answers with an array, and uses one code for two things:
//!
//! ```
//! use http::{Response, StatusCode};
//! use tower_reauth::signature::{Rule, Signatures, Verdict, json};
//!
//! let session = |rule: Rule| {
//!     rule.status(StatusCode::UNAUTHORIZED).when(json("/*/errorCode").is("INVALID_SESSION_ID"))
//! };
//! let salesforce = Signatures::new()
//!     .rule(session(Rule::denied()).when(json("/*/message").contains("not valid for use with the REST API")))
//!     .rule(session(Rule::expired()))
//!     .reason("/0/message");
//!
//! let recorded = Response::builder()
//!     .status(401)
//!     .body(r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#)?;
//! assert_eq!(salesforce.verdict(&recorded), Verdict::Expired);
//! # Ok::<(), http::Error>(())
//! ```
//!
//! Numbers and strings are different things. The Graph API of Meta has codes and subcodes, Feishu codes alone, Zoom
//! two messages for one code:
//!
//! ```
//! # use http::StatusCode;
//! # use tower_reauth::signature::{Rule, Signatures, json};
//! let dead = json("/error/error_subcode").one_of([458, 460]);
//! let meta = Signatures::new()
//!     .rule(Rule::denied().status(StatusCode::BAD_REQUEST).when(json("/error/code").is(190)).when(dead))
//!     .rule(
//!         Rule::expired()
//!             .status(StatusCode::BAD_REQUEST)
//!             .when(json("/error/code").is(190).and(json("/error/error_subcode").is(463))),
//!     );
//!
//! let feishu = Signatures::new()
//!     .rule(Rule::expired().status(StatusCode::BAD_REQUEST).when(json("/code").is(99991663)));
//!
//! let zoom = Signatures::new().rule(
//!     Rule::expired()
//!         .status(StatusCode::UNAUTHORIZED)
//!         .when(json("/code").is(124))
//!         .when(json("/message").is("Access token is expired.")),
//! );
//! ```
//!
//! A 200 that isn't one. Slack, Marketo (whose codes are strings), WeChat (where a newer token may have replaced this
//! one) and the older API of DingTalk:
//!
//! ```
//! # use http::{Response, StatusCode};
//! # use tower_reauth::signature::{Rule, Signatures, Verdict, json, media_type};
//! let in_200 = |rule: Rule| rule.status(StatusCode::OK).read_success_bodies().when(media_type("json"));
//!
//! let slack = Signatures::new()
//!     .rule(in_200(Rule::expired()).when(json("/error").is("token_expired")))
//!     .rule(in_200(Rule::denied()).when(json("/error").one_of(["token_revoked", "invalid_auth"])));
//!
//! let marketo = Signatures::new()
//!     .rule(in_200(Rule::expired()).when(json("/errors/*/code").is("602")))
//!     .rule(in_200(Rule::invalid()).when(json("/errors/*/code").is("601")));
//!
//! let wechat = Signatures::new()
//!     .rule(in_200(Rule::expired()).when(json("/errcode").is(42001)))
//!     .rule(in_200(Rule::invalid()).when(json("/errcode").is(40001)));
//!
//! let dingtalk = Signatures::new()
//!     .rule(Rule::expired().status(StatusCode::BAD_REQUEST).when(json("/code").is("InvalidAuthentication")))
//!     .rule(in_200(Rule::expired()).when(json("/errcode").is(40014)));
//!
//! let recorded = Response::builder()
//!     .header("content-type", "application/json")
//!     .body(r#"{"success":false,"errors":[{"code":"602","message":"Access token expired"}]}"#)?;
//! assert_eq!(marketo.verdict(&recorded), Verdict::Expired);
//! # Ok::<(), http::Error>(())
//! ```
//!
//! Two things about the same element: Amazon's Selling Partner API, and QuickBooks, which may also answer in XML:
//!
//! ```
//! # use http::StatusCode;
//! # use tower_reauth::signature::{Rule, Signatures, body, json, media_type};
//! let amazon = Signatures::new().rule(Rule::expired().status(StatusCode::FORBIDDEN).when(
//!     json("/errors/*").has(
//!         json("/code").is("Unauthorized")
//!             .and(json("/details").is("The access token you provided has expired.")),
//!     ),
//! ));
//!
//! let in_json = json("/fault/error/*")
//!     .has(json("/code").is("3200").and(json("/detail").starts_with("Token expired:")));
//! let in_xml = media_type("xml").and(body().contains("Token expired:"));
//! let quickbooks = Signatures::new()
//!     .rule(Rule::expired().status(StatusCode::UNAUTHORIZED).when(in_json.or(in_xml)));
//! ```
//!
//! Keys with spaces at HubSpot, a prefix at Xero, XML at S3:
//!
//! ```
//! # use http::StatusCode;
//! # use tower_reauth::signature::{Rule, Signatures, body, json, media_type};
//! let hubspot = Signatures::new().rule(
//!     Rule::expired()
//!         .status(StatusCode::UNAUTHORIZED)
//!         .when(json("/category").is("EXPIRED_AUTHENTICATION"))
//!         .reason("/context/expire time/0"),
//! );
//!
//! let xero = Signatures::new()
//!     .rule(Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/Detail").starts_with("TokenExpired:")));
//!
//! let s3 = Signatures::new().rule(
//!     Rule::expired()
//!         .status(StatusCode::BAD_REQUEST)
//!         .when(media_type("xml"))
//!         .when(body().contains("<Code>ExpiredToken</Code>")),
//! );
//! ```
//!
//! Headers alone: OAuth 2.0, and gRPC where the status comes without a message. After a message it comes in the trailers,
//! too late for a replay:
//!
//! ```
//! # use http::{Response, StatusCode};
//! # use tower_reauth::signature::{Rule, Signatures, Verdict, header, trailer};
//! let oauth2 = Signatures::oauth2();
//! let grpc = Signatures::grpc(); // the same as:
//! let in_200 = |rule: Rule| rule.status(StatusCode::OK);
//! let grpc_too = Signatures::new()
//!     .rule(
//!         in_200(Rule::expired())
//!             .when(header("grpc-status").is("16"))
//!             .reason_from(header("grpc-message")),
//!     )
//!     .rule(
//!         in_200(Rule::expired())
//!             .when(header("content-type").starts_with("application/grpc").ignore_case())
//!             .when(trailer("grpc-status").is("16"))
//!             .reason_from(trailer("grpc-message")),
//!     );
//!
//! let recorded = Response::builder().header("grpc-status", "16").body("")?;
//! assert_eq!(grpc.verdict(&recorded), Verdict::Expired);
//! # Ok::<(), http::Error>(())
//! ```

mod ask;
mod challenge;
mod condition;
mod grpc;
mod list;
mod matcher;
mod media_type;
mod oauth2;
mod reason;
mod rule;
mod statuses;
mod subject;
mod truth;
mod verdict;
mod view;

pub use condition::{Condition, media_type};
pub use list::Signatures;
pub use matcher::Literal;
pub use rule::{Answer, Rule};
pub use subject::{
    Body, Challenge, ChallengeParam, Header, Json, Subject, Trailer, body, challenge, header, json, trailer,
};
pub use verdict::Verdict;
pub(crate) use verdict::{Finding, Head, Screening};

#[cfg(test)]
mod tests;
