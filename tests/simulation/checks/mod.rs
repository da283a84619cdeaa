//! The invariants, as what must hold at each event. Each check names in words what it insists on.

mod answers;
mod flights;
mod grants;
mod sends;
mod waits;
