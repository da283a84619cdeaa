//! The paths in tokens that nobody parses: what a macro is given, and what it is made of.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;

use crate::source::{MentionKind, Path};

/// A path in tokens.
pub(crate) struct Found {
    pub(crate) path: Path,
    pub(crate) line: usize,
    pub(crate) kind: MentionKind,
}

/// All of them, those in groups included. `$crate` is found as `crate`.
pub(crate) fn paths(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    scan(tokens, &mut found);
    found
}

fn scan(tokens: TokenStream, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at = match token {
            TokenTree::Ident(name) if begins_a_path(&tokens, at, name) => {
                follow(&tokens, at, &Path::new(), found)
            }
            TokenTree::Group(group) => {
                scan(group.stream(), found);
                at + 1
            }
            _ => at + 1,
        };
    }
}

/// Follows the path that begins there, after `before`. Returns where it has ended.
fn follow(tokens: &[TokenTree], mut at: usize, before: &Path, found: &mut Vec<Found>) -> usize {
    let mut path = before.clone();
    let mut line = None;
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        // Of a path that branches, each branch counts where it begins.
        line = line.or(Some(name.span().start().line));
        // `{self}` is what the group belongs to.
        if path.is_empty() || name != "self" {
            path.push(name.unraw().to_string());
        }
        at += 1;
        if !are_colons(tokens, at) {
            break;
        }
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(_)) => at += 2,
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                branches(group.stream(), &path, found);
                return at + 3;
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                let line = star.span().start().line;
                found.push(Found { path, line, kind: MentionKind::Glob });
                return at + 3;
            }
            // Generics, whose own paths are found by themselves, as are those in other groups.
            _ => break,
        }
    }
    if let Some(line) = line {
        found.push(Found { path, line, kind: MentionKind::Code });
    }
    at
}

/// The paths in a group of a `use`.
fn branches(tokens: TokenStream, before: &Path, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
        if let Some(TokenTree::Punct(star)) = branch.first()
            && star.as_char() == '*'
        {
            let line = star.span().start().line;
            found.push(Found { path: before.clone(), line, kind: MentionKind::Glob });
        } else {
            follow(branch, 0, before, found);
        }
    }
}

fn begins_a_path(tokens: &[TokenTree], at: usize, name: &Ident) -> bool {
    let back = |steps: usize| at.checked_sub(steps).and_then(|at| tokens.get(at));
    let goes_on = is_punct(back(1), ':') && is_punct(back(2), ':');
    let is_field = is_punct(back(1), '.') && !is_punct(back(2), '.');
    let is_variable = is_punct(back(1), '$') && name != "crate";
    let is_lifetime = is_punct(back(1), '\'');
    !(goes_on || is_field || is_variable || is_lifetime)
}

fn are_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}
