//! A credential that can't go to the task which asks it for tokens.
//~ Rc<

use std::rc::Rc;

use tower_reauth::{AccessToken, Acquire, AcquireError, Credential};

struct Vault(Rc<str>);

impl Credential for Vault {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Ok(AccessToken::new(&*self.0)?)
    }
}

fn main() {}
