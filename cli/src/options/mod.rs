//! The options that both subcommands have, and what their values are made of.

mod seconds;
mod secret;
mod stdin;
mod trust;
mod vendor;

pub(crate) use self::{
    seconds::seconds,
    secret::Secret,
    stdin::one_reader,
    trust::TrustOptions,
    vendor::{Kind, VendorOptions},
};
