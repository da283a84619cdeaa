//! [`WhomOptions`]: whose token it is, for the subcommands that get one.

use clap::Args;

use super::{store::StoreOptions, trust::TrustOptions, vendor::VendorOptions};

/// Whom to call and as whom, where tokens are remembered, and how servers are reached.
#[derive(Args, Clone, Debug)]
pub(crate) struct WhomOptions {
    #[command(flatten)]
    pub(crate) vendor: VendorOptions,

    #[command(flatten)]
    pub(crate) store: StoreOptions,

    #[command(flatten)]
    pub(crate) trust: TrustOptions,
}
