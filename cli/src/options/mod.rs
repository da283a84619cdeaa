//! The options that both subcommands have, and what their values are made of.

mod quiet;
mod seconds;
mod secret;
mod stdin;
mod store;
mod trust;
mod vendor;

pub(crate) use self::{
    seconds::seconds,
    secret::Secret,
    stdin::one_reader,
    store::StoreOptions,
    trust::TrustOptions,
    vendor::{Kind, VendorOptions},
};
