//! [`Place`]: where in a grant, and what belongs to it, an input may be.

use super::text::Text;
use crate::{
    credential::Param,
    error::ConfigError,
    secret::{Fill, Supply},
};

/// Something that an input may stand for.
pub(super) enum Place<'p> {
    /// No secret, by its name in errors.
    Text(&'static str, &'p mut Text),
    /// As that, and it says which server is asked.
    Server(&'static str, &'p mut Text),
    Secret(&'p mut Supply),
}

/// Is shown each place.
pub(super) type See<'s> = dyn FnMut(Place<'_>) + 's;

/// Shows what a parameter's value has.
pub(super) fn see_param(param: &mut Param, see: &mut See<'_>) {
    if let Some(source) = param.secret_mut() {
        see(Place::Secret(&mut source.0));
    }
}

/// Puts what `fill` has in the places that `each` shows.
pub(super) fn fill(each: impl FnOnce(&mut See<'_>), fill: &Fill<'_>) {
    each(&mut |place| match place {
        Place::Text(_, text) | Place::Server(_, text) => text.fill(fill),
        Place::Secret(supply) => supply.fill(fill),
    });
}

/// Reads the texts among the places that `each` shows.
pub(super) fn settle(each: impl FnOnce(&mut See<'_>)) -> Result<(), ConfigError> {
    let mut settled = Ok(());
    each(&mut |place| {
        if let Place::Text(what, text) | Place::Server(what, text) = place
            && settled.is_ok()
        {
            settled = text.settle(what);
        }
    });
    settled
}
