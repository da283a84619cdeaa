//! What requests say of themselves by their extensions: that they are exempt, or a credential's own. Such requests pass,
//! wherever they go.

use http::{Extensions, Uri};

use crate::{
    keep::Exempt,
    observe::{Passages, Passed},
    transport::TokenRequest,
};

/// Whether a request says that it is to pass.
#[inline(always)]
pub(crate) fn is_to_pass(extensions: &Extensions) -> bool {
    is_token_request(extensions) || is_exempt(extensions)
}

/// Tells of a request that is not admitted, by what is against it if nobody has exempted it. Nothing is told of a
/// credential's own, whose business it is alone. Out of the way of those that are admitted.
#[inline(never)]
pub(crate) fn tell_passed(
    passages: &Passages,
    why: Passed,
    uri: &Uri,
    extensions: &Extensions,
) -> Option<Passed> {
    if is_token_request(extensions) {
        return None;
    }
    // Wherever it goes, it was its sender's wish.
    let why = if is_exempt(extensions) { Passed::Exempt } else { why };
    passages.tell(why, uri);
    Some(why)
}

#[inline]
fn is_token_request(extensions: &Extensions) -> bool {
    extensions.get::<TokenRequest>().is_some()
}

#[inline]
fn is_exempt(extensions: &Extensions) -> bool {
    extensions.get() == Some(&Exempt::FromAuthentication)
}
