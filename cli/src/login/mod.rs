//! `reauth login`, `logout` and `status`: somebody logs in, and the tokens that come of it are in the store.
//!
//! [`browser`] has them log in on this machine, [`device`] on another one. Nothing else in the program begins a login.

mod args;
mod browser;
mod device;
mod failure;
mod listener;
mod logout;
mod opener;
mod page;
mod pkce;
mod redeem;
mod run;
mod status;
mod url;

pub(crate) use self::{
    args::{LoginArgs, LogoutArgs, StatusArgs},
    logout::logout,
    run::login,
    status::status,
};
