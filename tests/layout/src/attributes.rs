//! What attributes say of the code they are on: whether it is for tests alone, and in which files a module is.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, parse::Parser, punctuated::Punctuated};

const PROJECTIONS: [&str; 3] = ["project", "project_ref", "project_replace"];

/// Whether code is compiled for tests alone, those in the documentation included.
pub(crate) fn are_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => parts(&list.tokens).first().is_some_and(wants_tests),
        meta => meta.path().is_ident("test"),
    })
}

/// Whether code is compiled for tests in the documentation alone.
pub(crate) fn are_for_doctests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            parts(&list.tokens).iter().any(|part| part.path().is_ident("doctest"))
        }
        _ => false,
    })
}

/// The files that a module is said to be in.
pub(crate) struct Paths {
    pub(crate) files: Vec<String>,
    /// Whether there is a file at the usual place too, for when none of the conditions holds.
    pub(crate) usual: bool,
}

pub(crate) fn paths(attributes: &[Attribute]) -> Paths {
    let mut paths = Paths { files: Vec::new(), usual: true };
    for attribute in attributes {
        if let Some(file) = path(&attribute.meta) {
            paths.files.push(file);
            paths.usual = false;
        } else if let Meta::List(list) = &attribute.meta
            && list.path.is_ident("cfg_attr")
        {
            paths.files.extend(parts(&list.tokens).iter().skip(1).filter_map(path));
        }
    }
    paths
}

/// The paths that an attribute has in quotes, such as `#[serde(with = "crate::time")]`.
pub(crate) fn quoted_paths(tokens: TokenStream) -> Vec<(Path, usize)> {
    let mut found = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => found.extend(quoted_paths(group.stream())),
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                let quoted: Option<LitStr> = syn::parse2(TokenTree::Literal(literal).into()).ok();
                let path = quoted.and_then(|quoted| quoted.parse::<Path>().ok());
                // One word is no path, and could be any.
                found.extend(path.filter(|path| path.segments.len() > 1).map(|path| (path, line)));
            }
            _ => {}
        }
    }
    found
}

/// The types that `pin_project` makes of the one that these are on.
pub(crate) fn projections(attributes: &[Attribute]) -> impl Iterator<Item = &Ident> {
    attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if PROJECTIONS.iter().any(|name| pair.path.is_ident(name)) => match &pair.value
        {
            Expr::Path(name) => name.path.get_ident(),
            _ => None,
        },
        _ => None,
    })
}

/// Whether a condition holds in tests alone.
fn wants_tests(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test") || path.is_ident("doctest"),
        Meta::List(list) if list.path.is_ident("all") => parts(&list.tokens).iter().any(wants_tests),
        Meta::List(list) if list.path.is_ident("any") => {
            let parts = parts(&list.tokens);
            !parts.is_empty() && parts.iter().all(wants_tests)
        }
        _ => false,
    }
}

fn parts(tokens: &TokenStream) -> Vec<Meta> {
    let parts = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens.clone());
    parts.map_or_else(|_| Vec::new(), |parts| parts.into_iter().collect())
}

fn path(meta: &Meta) -> Option<String> {
    match meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(file), .. }) => Some(file.value()),
            _ => None,
        },
        _ => None,
    }
}
