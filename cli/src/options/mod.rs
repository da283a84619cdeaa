//! The options that several subcommands have, and what their values are made of.

mod client_auth;
mod input;
mod login;
mod quiet;
mod seconds;
mod secret;
mod stdin;
mod store;
mod trust;
mod vendor;
mod vendor_name;
mod whom;

pub(crate) use self::{
    client_auth::{ClientAuth, ClientAuthOptions},
    input::{HOW, Input},
    login::{LoginOptions, Way},
    seconds::{ATTEMPT, seconds},
    secret::Secret,
    stdin::one_reader,
    store::StoreOptions,
    trust::{TrustOptions, TrustedRoots},
    vendor::VendorOptions,
    vendor_name::Kind,
    whom::WhomOptions,
};
