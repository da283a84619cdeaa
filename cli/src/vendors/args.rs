//! The command line of `reauth vendors`.

const AFTER: &str = "\
Examples:
  reauth vendors
  reauth vendors zoom
  reauth vendors --json | jq 'keys'

No entry has been tried on the live service. Each is written from the pages that are named with it, as they were on the day
beside them; what those don't say is seen elsewhere, or absent. `reauth check --vendor NAME` tries one out on answers that
you have.";

/// Lists the vendors of the catalogue, or says what is known of one
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// One of them
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Write JSON, with all that is known
    #[arg(long)]
    pub(crate) json: bool,
}
