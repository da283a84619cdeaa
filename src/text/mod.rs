//! What others wrote, read as far as it can be read: whether a body is encoded, its bytes as text, and text as JSON or as
//! a form.
//!
//! Of a document only what is asked for has to be right. An odd byte, number or member elsewhere spoils nothing.

mod charset;
mod coding;
mod document;
mod form;
mod node;
mod pointer;
mod scan;
mod string;

pub(crate) use charset::decode;
pub(crate) use coding::is_encoded;
pub(crate) use document::Document;
pub(crate) use form::fields;
pub(crate) use node::{Node, Scalar};
pub(crate) use pointer::{Pointer, unescaped};

#[cfg(test)]
mod tests;
