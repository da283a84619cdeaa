//! [`Exempt`]: a request that is not to be authenticated, or not to be kept.

/// A request extension that exempts a request from what the layer does.
///
/// # Examples
///
/// ```
/// use tower_reauth::Exempt;
///
/// let login = http::Request::post("https://api.example.com/login").extension(Exempt::FromAuthentication).body(());
/// let order = http::Request::post("https://api.example.com/orders").extension(Exempt::FromReplay).body(());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exempt {
    /// The request passes through without a token, and its answer without inspection.
    FromAuthentication,
    /// The request carries a token, but is sent once only.
    FromReplay,
}
