//! [`ManagedIdentity`]: which of several identities that a machine has on Azure.

use std::borrow::Cow;

use crate::credential::{Param, TokenRequest};

/// A user-assigned managed identity, by one of its names. Where none is named, it is the system-assigned one.
///
/// # Examples
///
/// ```
/// use tower_reauth::metadata::ManagedIdentity;
///
/// let by_client_id = ManagedIdentity::client_id("5e29463d-71da-4fe0-8e69-999b57db23b0");
/// let by_object_id = ManagedIdentity::object_id("1a2b3c4d-0000-4fe0-8e69-999b57db23b0");
/// let by_resource = ManagedIdentity::resource_id(
///     "/subscriptions/SUBSCRIPTION/resourcegroups/GROUP/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct ManagedIdentity {
    by: Name,
    value: Cow<'static, str>,
}

/// Which of its names it is.
#[derive(Clone, Copy, Debug)]
enum Name {
    Client,
    Object,
    Resource,
}

impl ManagedIdentity {
    /// By its client id.
    pub fn client_id(id: impl Into<Cow<'static, str>>) -> Self {
        Self { by: Name::Client, value: id.into() }
    }

    /// By its object id, which is its principal's.
    pub fn object_id(id: impl Into<Cow<'static, str>>) -> Self {
        Self { by: Name::Object, value: id.into() }
    }

    /// By its resource id on Azure.
    pub fn resource_id(id: impl Into<Cow<'static, str>>) -> Self {
        Self { by: Name::Resource, value: id.into() }
    }

    /// Adds it to a request, in which a resource id is called `resource_id`.
    pub(super) fn name_in(self, request: TokenRequest, resource_id: &'static str) -> TokenRequest {
        let parameter = match self.by {
            Name::Client => "client_id",
            Name::Object => "object_id",
            Name::Resource => resource_id,
        };
        request.query(parameter, Param::text(self.value))
    }
}
