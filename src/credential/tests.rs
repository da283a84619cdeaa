//! The vendors: their requests to the byte, the answers that are known of them, and their fakes.

mod fakes;
mod signatures;
mod vendors;

use std::sync::Arc;

use super::*;
use crate::{Reason, Transport, testing::Recorded};

const API_VIDEO_TOKEN: &str =
    r#"{"token_type":"Bearer","expires_in":3600,"access_token":"eyJ0.eyJh.jWHC-_","refresh_token":"def502"}"#;
const VERVOE_TOKEN: &str = r#"{"success":true,"data":{"token":"7He9-_"}}"#;

async fn acquire(
    credential: &impl Credential,
    reason: Reason,
    previous: Option<&AccessToken>,
) -> Result<AccessToken, AcquireError> {
    Credential::acquire(credential, Acquire::new(reason, previous)).await
}

#[tokio::test]
async fn a_shared_credential_is_one() {
    let credential = Arc::new(StaticToken::new("key").unwrap());
    assert_eq!(acquire(&credential, Reason::Cold, None).await.unwrap().expose_secret(), "key");
    assert_eq!(Credential::describe(&credential).name(), "a fixed key");
}
