//! [`TenantId`]: by what requests say whose they are.

use std::{hash::Hash, sync::Arc};

/// By what a request says which tenant it is for: an extension of this type. Two tenants that are equal are one.
///
/// # Examples
///
/// ```
/// use tower_reauth::TenantId;
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Customer(String);
///
/// impl TenantId for Customer {
///     fn heap_bytes(&self) -> usize {
///         self.0.len()
///     }
/// }
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Customer("acme".to_owned()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tenant's id",
    label = "expected something that requests can be told apart by",
    note = "implement `TenantId` for a type of your own, which is `Clone`, `Eq` and `Hash`, or use `String` or a number"
)]
pub trait TenantId: Clone + Eq + Hash + Send + Sync + 'static {
    /// How many bytes it has beside its own size: the length of its text. They are counted, and with more than 1,024 of them
    /// the tenant is refused.
    fn heap_bytes(&self) -> usize;
}

/// The most that an id may have on the heap.
pub(super) const MOST: usize = 1024;

impl TenantId for String {
    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

impl TenantId for Arc<str> {
    fn heap_bytes(&self) -> usize {
        self.len() + 2 * size_of::<usize>()
    }
}

impl TenantId for u32 {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl TenantId for u64 {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl TenantId for u128 {
    fn heap_bytes(&self) -> usize {
        0
    }
}
