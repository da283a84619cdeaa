//! The layer among others, in each order that makes sense, and what that order means. The README's table says the same.

mod all;
mod arrival;
mod decompression;
mod headers;
mod limits;
mod redirects;
mod retry;
mod timeout;
mod trace;
