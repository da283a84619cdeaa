//! [`LoginOptions`]: how somebody logs in. The command line has none of it, but the configuration file may.

use clap::ValueEnum;

/// How somebody logs in, and where.
#[derive(Clone, Debug)]
pub(crate) struct LoginOptions {
    /// What the credential is called.
    pub(crate) name: String,
    /// The command that has somebody log in.
    pub(crate) command: String,
    pub(crate) by: Way,
    pub(crate) issuer: Option<String>,
    pub(crate) authorization_url: Option<String>,
    pub(crate) device_url: Option<String>,
    pub(crate) revocation_url: Option<String>,
    /// Where the answer comes to on this machine; 0 is a free port.
    pub(crate) port: u16,
    /// What else the request has that begins the login.
    pub(crate) params: Vec<(String, String)>,
}

/// How somebody logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// In a browser on this machine
    #[default]
    Browser,
    /// On another device, by a code that is entered there
    Device,
}
