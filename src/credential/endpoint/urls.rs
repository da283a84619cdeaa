//! [`Urls`]: where one of many asks that have the same requests.

use super::{base_url::BaseUrl, contract::Contract};

/// URLs that are one's own, in place of those that were declared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Urls {
    pub(crate) base: Option<BaseUrl>,
    pub(crate) acquire: Option<Box<str>>,
    pub(crate) refresh: Option<Box<str>>,
    pub(crate) revoke: Option<Box<str>>,
}

impl Urls {
    #[cfg(feature = "serde")]
    pub(super) fn is_empty(&self) -> bool {
        let Self { base, acquire, refresh, revoke } = self;
        base.is_none() && [acquire, refresh, revoke].iter().all(|url| url.is_none())
    }

    /// Puts them in their places.
    pub(super) fn put_into(&self, contract: &mut Contract) {
        let Contract { acquire, refresh, revoke, .. } = contract;
        let places = [
            (Some(acquire), &self.acquire),
            (refresh.as_mut(), &self.refresh),
            (revoke.as_mut(), &self.revoke),
        ];
        for (request, url) in places {
            if let (Some(request), Some(url)) = (request, url) {
                *request = request.clone().at(url.to_string());
            }
        }
    }

    /// What they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.acquire, &self.refresh, &self.revoke].into_iter().flatten().map(|url| url.len());
        size_of::<Self>() + self.base.as_ref().map_or(0, BaseUrl::heap_bytes) + texts.sum::<usize>()
    }
}
