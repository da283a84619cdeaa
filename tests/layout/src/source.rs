//! What was read of a crate: its files, the scopes in them with what their names mean, and where code names something.

use std::collections::HashMap;

use crate::finding::Place;

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct FileId(usize);

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct ScopeId(usize);

/// The scope of the root.
pub(crate) const ROOT: ScopeId = ScopeId(0);

#[derive(Default)]
pub(crate) struct Source {
    files: Vec<File>,
    scopes: Vec<Scope>,
    pub(crate) mentions: Vec<Mention>,
}

pub(crate) struct File {
    /// From the crate's root, with `/` between the parts.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) items: Vec<syn::Item>,
    /// Whether it's compiled for tests alone.
    pub(crate) for_tests: bool,
}

/// A module, or a block with items in it.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) kind: ScopeKind,
    /// What is around it; for a module the module above it. The root has none.
    pub(crate) parent: Option<ScopeId>,
    /// One name can have several meanings: a type and a function, or a module that has one file for each platform.
    pub(crate) names: HashMap<String, Vec<Name>>,
    pub(crate) globs: Vec<Glob>,
    /// Its modules whose macros are in scope here.
    pub(crate) macro_use: Vec<ScopeId>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ScopeKind {
    Module,
    Block,
}

#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) means: Means,
    pub(crate) for_tests: bool,
}

#[derive(Debug)]
pub(crate) enum Means {
    Module(ScopeId),
    Item(FileId, ItemKind),
    /// What the path means from the scope in which the name is.
    Import(Path),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ItemKind {
    Type,
    Trait,
    Value,
    Macro,
}

#[derive(Debug)]
pub(crate) struct Glob {
    pub(crate) path: Path,
    pub(crate) for_tests: bool,
}

/// A path's names, `crate`, `self` and `super` among them. If the first is empty, the path begins with another crate.
pub(crate) type Path = Vec<String>;

/// A place in the code that names something.
#[derive(Debug)]
pub(crate) struct Mention {
    pub(crate) file: FileId,
    pub(crate) line: usize,
    pub(crate) scope: ScopeId,
    pub(crate) path: Path,
    pub(crate) kind: MentionKind,
    pub(crate) for_tests: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MentionKind {
    /// In a `use`.
    Import,
    /// In a `use`, for all that is in it.
    Glob,
    /// As a macro that is called.
    Call,
    /// Anywhere else.
    Code,
}

impl Source {
    pub(crate) fn add_file(&mut self, file: File) -> FileId {
        self.files.push(file);
        FileId(self.files.len() - 1)
    }

    pub(crate) fn add_scope(&mut self, kind: ScopeKind, parent: Option<ScopeId>) -> ScopeId {
        let (names, globs, macro_use) = (HashMap::new(), Vec::new(), Vec::new());
        self.scopes.push(Scope { kind, parent, names, globs, macro_use });
        ScopeId(self.scopes.len() - 1)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(index), file))
    }

    pub(crate) fn file(&self, id: FileId) -> &File {
        &self.files[id.0]
    }

    pub(crate) fn file_mut(&mut self, id: FileId) -> &mut File {
        &mut self.files[id.0]
    }

    pub(crate) fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0]
    }

    pub(crate) fn scope_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.scopes[id.0]
    }

    /// The module that a scope is, or is in.
    pub(crate) fn module(&self, id: ScopeId) -> ScopeId {
        match self.scope(id) {
            Scope { kind: ScopeKind::Block, parent: Some(parent), .. } => self.module(*parent),
            _ => id,
        }
    }
}

impl File {
    /// One of its lines, counted from 1, without what is blank around it.
    pub(crate) fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim()
    }

    pub(crate) fn place(&self, line: usize) -> Place {
        Place { file: self.name.clone(), line: Some(line), text: self.line(line).to_owned() }
    }
}
