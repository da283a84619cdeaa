//! [`Urls`]: where one of many asks that have the same requests.

use super::{base_url::BaseUrl, contract::Contract};

/// URLs that are one's own, in place of those that were declared.
#[derive(Clone, Debug)]
pub(super) struct Urls {
    pub(super) base: Option<BaseUrl>,
    /// On their own, as most have a host of theirs at most.
    requests: Option<Box<RequestUrls>>,
}

/// Those of requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestUrls {
    pub(crate) acquire: Option<Box<str>>,
    pub(crate) refresh: Option<Box<str>>,
    pub(crate) revoke: Option<Box<str>>,
}

impl Urls {
    /// Them, if there are any.
    #[cfg(feature = "serde")]
    pub(super) fn some(base: Option<BaseUrl>, requests: RequestUrls) -> Option<Box<Self>> {
        let is_any = requests.each().next().is_some();
        let requests = is_any.then(|| Box::new(requests));
        (base.is_some() || requests.is_some()).then(|| Box::new(Self { base, requests }))
    }

    /// Puts them in their places.
    pub(super) fn put_into(&self, contract: &mut Contract) {
        let Some(requests) = &self.requests else { return };
        let Contract { acquire, refresh, revoke, .. } = contract;
        let places = [
            (Some(acquire), &requests.acquire),
            (refresh.as_mut(), &requests.refresh),
            (revoke.as_mut(), &requests.revoke),
        ];
        for (request, url) in places {
            if let (Some(request), Some(url)) = (request, url) {
                *request = request.clone().at(url.to_string());
            }
        }
    }

    /// What they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let requests = self.requests.as_deref().map_or(0, |requests| {
            size_of_val(requests) + requests.each().map(|url| url.len()).sum::<usize>()
        });
        size_of::<Self>() + self.base.as_ref().map_or(0, BaseUrl::heap_bytes) + requests
    }
}

impl RequestUrls {
    fn each(&self) -> impl Iterator<Item = &str> {
        [&self.acquire, &self.refresh, &self.revoke].into_iter().flatten().map(|url| &**url)
    }
}
