//! A closure for a credential whose future holds what can't go to another thread.
//~ Rc<

use std::rc::Rc;

use tower_reauth::{AccessToken, from_fn};

fn main() {
    let _ = from_fn(|_, _| async {
        let key = Rc::new(String::from("key"));
        std::future::ready(()).await;
        Ok(AccessToken::new(key.as_str())?)
    });
}
