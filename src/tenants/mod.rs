//! Many credentials behind one layer: one for each tenant, built when it is first asked for.
//!
//! A file imports only what stands below it: choice, tenants, builder, many, building, map, lately, held, ward, gates,
//! tenant, census, id.

mod builder;
mod building;
mod census;
mod choice;
mod gates;
mod held;
mod id;
mod lately;
mod many;
mod map;
mod tenant;
#[expect(clippy::module_inception, reason = "the room is named after what it is about")]
mod tenants;
mod ward;

pub use builder::TenantsBuilder;
pub use census::Census;
pub use id::TenantId;
pub use tenant::Tenant;
pub use tenants::Tenants;

#[cfg(test)]
mod tests;
