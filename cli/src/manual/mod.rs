//! `reauth completions` and `reauth man`: what shells and man(1) are to know, made of what the program knows of itself.

mod completions;
mod man;

pub(crate) use self::{
    completions::{CompletionsArgs, completions},
    man::{ManArgs, man},
};
