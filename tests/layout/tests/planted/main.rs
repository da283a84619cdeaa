//! Small crates, and the real one, in which something is planted: the check must find that, at its line, and nothing
//! else.

mod circles;
mod clean;
mod krate;
mod program;
mod real;
mod rules;
