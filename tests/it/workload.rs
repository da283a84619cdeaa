//! Programs that hold no secret: what a machine's metadata service hands out, and what a platform's token is exchanged for.
//! The services are written from their documentation, which is named beside each. None of these tests asks the live ones.

mod fake;
mod metadata;
mod recipes;
