//! What is asked of items, whatever their kind.

use proc_macro2::Span;
use syn::{Attribute, Item};

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// What kind of item it is, in words.
pub(crate) fn kind(item: &Item) -> &'static str {
    match item {
        Item::Const(_) => "a constant",
        Item::Enum(_) => "an enum",
        Item::ExternCrate(_) => "an extern crate",
        Item::Fn(_) => "a function",
        Item::ForeignMod(_) => "foreign items",
        Item::Impl(_) => "an impl",
        Item::Macro(_) => "a macro",
        Item::Mod(_) => "a module with code",
        Item::Static(_) => "a static",
        Item::Struct(_) => "a struct",
        Item::Trait(_) => "a trait",
        Item::TraitAlias(_) => "a trait alias",
        Item::Type(_) => "a type",
        Item::Union(_) => "a union",
        Item::Use(_) => "an import",
        _ => "an item",
    }
}

/// The line with its name or keyword, beneath its attributes.
pub(crate) fn line(item: &Item) -> usize {
    let span = match item {
        Item::Const(item) => item.ident.span(),
        Item::Enum(item) => item.ident.span(),
        Item::ExternCrate(item) => item.ident.span(),
        Item::Fn(item) => item.sig.ident.span(),
        Item::ForeignMod(item) => item.abi.extern_token.span,
        Item::Impl(item) => item.impl_token.span,
        Item::Macro(item) => item.mac.bang_token.spans[0],
        Item::Mod(item) => item.ident.span(),
        Item::Static(item) => item.ident.span(),
        Item::Struct(item) => item.ident.span(),
        Item::Trait(item) => item.ident.span(),
        Item::TraitAlias(item) => item.ident.span(),
        Item::Type(item) => item.ident.span(),
        Item::Union(item) => item.ident.span(),
        Item::Use(item) => item.use_token.span,
        Item::Verbatim(tokens) => {
            tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
        }
        _ => Span::call_site(),
    };
    span.start().line
}
