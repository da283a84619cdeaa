//! Which vendor a request is for: one by the options, or several by the configuration file, each by host or path.
//!
//! [`Plan`] is what the file says, [`Credentials`] makes vendors of it, [`Table`] finds the one for a request.

mod credentials;
mod entries;
mod plan;
mod route;

pub(crate) use self::{
    credentials::Credentials,
    entries::{Entry, Table},
    plan::{Plan, Planned},
    route::Route,
};
