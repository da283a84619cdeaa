//! Goes through the syntax of one file: the scopes in it, what their names mean, and each place that names something.
//! Doc comments are no code. Items, fields and `let` may be for tests alone; any other expression counts.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Attribute, Block, Field, ImplItem, Item, ItemMacro, ItemMod, ItemUse, Local, Macro, Meta, Path, Stmt,
    StmtMacro, TraitItem, UseTree, Variant, Visibility,
    ext::IdentExt,
    visit::{self, Visit},
};

use crate::{
    attributes::{self, Paths},
    items,
    source::{
        self, FileId, Glob, ItemKind, Means, Mention, MentionKind, Name, ROOT, ScopeId, ScopeKind, Source,
    },
    tokens,
};

/// A module that is in files of its own.
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// The scope with the declaration.
    pub(crate) parent: ScopeId,
    /// The modules in the same file that are around the declaration.
    pub(crate) around: Vec<String>,
    pub(crate) paths: Paths,
    pub(crate) for_tests: bool,
    /// Whether its macros are in scope around it.
    pub(crate) macro_use: bool,
}

pub(crate) struct Visitor<'a> {
    source: &'a mut Source,
    file: FileId,
    scope: ScopeId,
    for_tests: bool,
    around: Vec<String>,
    declared: Vec<Declared>,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(source: &'a mut Source, file: FileId, scope: ScopeId) -> Self {
        let for_tests = source.file(file).for_tests;
        Self { source, file, scope, for_tests, around: Vec::new(), declared: Vec::new() }
    }

    /// Goes through the file, and returns the modules that it declares.
    pub(crate) fn visit(mut self, syntax: &syn::File) -> Vec<Declared> {
        for attribute in &syntax.attrs {
            self.visit_attribute(attribute);
        }
        self.items(&syntax.items);
        self.declared
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.visit_item(item);
        }
    }

    /// Visits what is under attributes, which may say that it is for tests.
    fn under(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let outside = self.for_tests;
        self.for_tests |= attributes::are_for_tests(attributes);
        visit(self);
        self.for_tests = outside;
    }

    /// Visits what is in a scope.
    fn inside(&mut self, scope: ScopeId, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.scope, scope);
        visit(self);
        self.scope = outside;
    }

    fn define(&mut self, name: &Ident, kind: ItemKind) {
        self.name(name.unraw().to_string(), Means::Item(self.file, kind));
    }

    fn name(&mut self, name: String, means: Means) {
        let meaning = Name { means, for_tests: self.for_tests };
        self.source.scope_mut(self.scope).names.entry(name).or_default().push(meaning);
    }

    fn mention(&mut self, path: source::Path, line: usize, kind: MentionKind) {
        let Self { file, scope, for_tests, .. } = *self;
        self.source.mentions.push(Mention { file, line, scope, path, kind, for_tests });
    }

    fn path(&mut self, path: &Path, line: usize, kind: MentionKind) {
        // From the root of all crates.
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
            self.mention(names, line, kind);
        }
    }

    fn module(&mut self, module: &ItemMod) {
        let name = module.ident.unraw().to_string();
        let macro_use = module.attrs.iter().any(|attribute| attribute.path().is_ident("macro_use"));
        let Some((_, items)) = &module.content else {
            self.declared.push(Declared {
                name,
                line: module.ident.span().start().line,
                parent: self.scope,
                around: self.around.clone(),
                paths: attributes::paths(&module.attrs),
                for_tests: self.for_tests,
                macro_use,
            });
            return;
        };
        let scope = self.source.add_scope(ScopeKind::Module, Some(self.scope));
        self.name(name.clone(), Means::Module(scope));
        if macro_use {
            self.source.scope_mut(self.scope).macro_use.push(scope);
        }
        self.around.push(name);
        self.inside(scope, |this| this.items(items));
        self.around.pop();
    }

    fn import(&mut self, import: &ItemUse) {
        let foreign = import.leading_colon.as_ref().map(|_| String::new());
        self.branch(&import.tree, &foreign.into_iter().collect());
    }

    fn branch(&mut self, tree: &UseTree, before: &source::Path) {
        let with = |name: &Ident| {
            let mut path = before.clone();
            // `{self}` is what the group belongs to.
            if path.is_empty() || name != "self" {
                path.push(name.unraw().to_string());
            }
            path
        };
        match tree {
            UseTree::Path(tree) => self.branch(&tree.tree, &with(&tree.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.branch(tree, before)),
            UseTree::Glob(glob) => {
                let path = before.clone();
                let for_tests = self.for_tests;
                self.source.scope_mut(self.scope).globs.push(Glob { path: path.clone(), for_tests });
                self.mention(path, glob.star_token.spans[0].start().line, MentionKind::Glob);
            }
            UseTree::Name(leaf) => {
                let path = with(&leaf.ident);
                let name = path.last().cloned().unwrap_or_default();
                self.name(name, Means::Import(path.clone()));
                self.mention(path, leaf.ident.span().start().line, MentionKind::Import);
            }
            UseTree::Rename(leaf) => {
                let path = with(&leaf.ident);
                self.name(leaf.rename.unraw().to_string(), Means::Import(path.clone()));
                self.mention(path, leaf.ident.span().start().line, MentionKind::Import);
            }
        }
    }

    fn macro_item(&mut self, item: &ItemMacro) {
        if let Some(name) = &item.ident {
            self.define(name, ItemKind::Macro);
            if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
                self.inside(ROOT, |this| this.define(name, ItemKind::Macro));
            }
            self.visit_token_stream(&item.mac.tokens);
            return;
        }
        // Some macros only take items and hand them on, such as `pin_project`.
        match syn::parse2::<syn::File>(item.mac.tokens.clone()) {
            Ok(syntax) => {
                self.call(&item.mac);
                self.items(&syntax.items);
            }
            Err(_) => self.visit_macro(&item.mac),
        }
    }

    fn call(&mut self, call: &Macro) {
        self.path(&call.path, line(&call.path), MentionKind::Call);
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.under(items::attributes(item), |this| {
            let (name, kind) = match item {
                Item::Mod(module) => {
                    module.attrs.iter().for_each(|attribute| this.visit_attribute(attribute));
                    return this.module(module);
                }
                Item::Use(import) => return this.import(import),
                Item::Macro(item) => return this.macro_item(item),
                Item::ExternCrate(item) => {
                    let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                    // The crate itself, or one that is found from the root of all crates.
                    let path = if item.ident == "self" {
                        vec!["crate".to_owned()]
                    } else {
                        vec![String::new(), item.ident.to_string()]
                    };
                    return this.name(name.to_string(), Means::Import(path));
                }
                Item::Struct(item) => (&item.ident, ItemKind::Type),
                Item::Enum(item) => (&item.ident, ItemKind::Type),
                Item::Union(item) => (&item.ident, ItemKind::Type),
                Item::Type(item) => (&item.ident, ItemKind::Type),
                Item::Trait(item) => (&item.ident, ItemKind::Trait),
                Item::TraitAlias(item) => (&item.ident, ItemKind::Trait),
                Item::Fn(item) => (&item.sig.ident, ItemKind::Value),
                Item::Const(item) => (&item.ident, ItemKind::Value),
                Item::Static(item) => (&item.ident, ItemKind::Value),
                _ => return visit::visit_item(this, item),
            };
            this.define(name, kind);
            for name in attributes::projections(items::attributes(item)) {
                this.define(name, ItemKind::Type);
            }
            visit::visit_item(this, item);
        });
    }

    fn visit_block(&mut self, block: &'ast Block) {
        if block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(_))) {
            let scope = self.source.add_scope(ScopeKind::Block, Some(self.scope));
            self.inside(scope, |this| visit::visit_block(this, block));
        } else {
            visit::visit_block(self, block);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.path(path, line(path), MentionKind::Code);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.call(call);
        self.visit_token_stream(&call.tokens);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        for found in tokens::paths(tokens.clone()) {
            self.mention(found.path, found.line, found.kind);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if let Meta::List(list) = &attribute.meta {
            for (path, line) in attributes::quoted_paths(list.tokens.clone()) {
                self.path(&path, line, MentionKind::Code);
            }
        }
        visit::visit_attribute(self, attribute);
    }

    /// Where something may be seen imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs[..],
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        self.under(attributes, |this| visit::visit_impl_item(this, item));
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Const(item) => &item.attrs[..],
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        self.under(attributes, |this| visit::visit_trait_item(this, item));
    }

    fn visit_field(&mut self, field: &'ast Field) {
        self.under(&field.attrs, |this| visit::visit_field(this, field));
    }

    fn visit_variant(&mut self, variant: &'ast Variant) {
        self.under(&variant.attrs, |this| visit::visit_variant(this, variant));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        self.under(&local.attrs, |this| visit::visit_local(this, local));
    }

    fn visit_stmt_macro(&mut self, statement: &'ast StmtMacro) {
        self.under(&statement.attrs, |this| visit::visit_stmt_macro(this, statement));
    }
}

fn line(path: &Path) -> usize {
    path.segments.first().map_or(1, |segment| segment.ident.span().start().line)
}
