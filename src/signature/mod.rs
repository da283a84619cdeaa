//! What an answer means: rules that turn a response into a verdict. Pure, no I/O.

mod challenge;
mod condition;
mod list;
mod matcher;
mod media_type;
mod oauth2;
mod pointer;
mod rule;
mod statuses;
mod subject;
mod verdict;
mod view;

pub use condition::Condition;
pub use list::Signatures;
pub use matcher::Literal;
pub use rule::{Answer, Rule};
pub use subject::{
    Body, Challenge, ChallengeParam, Header, Json, Subject, body, challenge, header, json, media_type,
};
pub use verdict::Verdict;
pub(crate) use verdict::{Finding, Head, Screening};
