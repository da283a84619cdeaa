//! Reads a crate from its root on, which is `lib.rs` or `main.rs`, file by file, as the declarations of its modules lead. Each feature and each platform
//! counts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    attributes,
    finding::{Finding, Place, Rule},
    source::{File, FileId, Means, Name, ROOT, ScopeId, ScopeKind, Source},
    visit::{Declared, Visitor},
};

/// A crate, and what of it couldn't be read.
pub(crate) struct Reading {
    pub(crate) source: Source,
    pub(crate) unread: Vec<Finding>,
}

/// Reads the crate in a folder.
pub(crate) fn read(root: &Path) -> Reading {
    let mut reader = Reader { root, source: Source::default(), unread: Vec::new(), next: Vec::new() };
    let scope = reader.source.add_scope(ScopeKind::Module, None);
    debug_assert_eq!(scope, ROOT);
    let src = root.join("src");
    let [library, program] = ["lib.rs", "main.rs"].map(|name| src.join(name));
    let path = if !library.exists() && program.exists() { program } else { library };
    reader.next.push(Next { path, scope, children: src, for_tests: false });
    while let Some(next) = reader.next.pop() {
        reader.file(next);
    }
    Reading { source: reader.source, unread: reader.unread }
}

struct Reader<'a> {
    root: &'a Path,
    source: Source,
    unread: Vec<Finding>,
    next: Vec<Next>,
}

/// A file that is still to be read.
struct Next {
    path: PathBuf,
    scope: ScopeId,
    /// The folder with the modules that it declares.
    children: PathBuf,
    for_tests: bool,
}

impl Reader<'_> {
    fn file(&mut self, next: Next) {
        let name = self.name(&next.path);
        let text = match fs::read_to_string(&next.path) {
            Ok(text) => text,
            Err(error) => {
                let place = Place { file: name, line: None, text: String::new() };
                return self.unread(error.to_string(), place);
            }
        };
        let file = self.source.add_file(File { name, text, items: Vec::new(), for_tests: next.for_tests });
        let read = self.source.file_mut(file);
        let syntax = match syn::parse_file(&read.text) {
            Ok(syntax) => syntax,
            Err(error) => {
                let place = read.place(error.span().start().line);
                return self.unread(error.to_string(), place);
            }
        };
        read.for_tests |= attributes::are_for_tests(&syntax.attrs);
        for declared in Visitor::new(&mut self.source, file, next.scope).visit(&syntax) {
            self.module(&next, file, declared);
        }
        self.source.file_mut(file).items = syntax.items;
    }

    /// Finds the files of a module that was declared.
    fn module(&mut self, by: &Next, file: FileId, declared: Declared) {
        let Declared { name, line, parent, around, paths, for_tests, macro_use } = declared;
        let folder = around.iter().fold(by.children.clone(), |folder, module| folder.join(module));
        let beside = match by.path.parent() {
            Some(parent) if around.is_empty() => parent,
            _ => &folder,
        };
        let mut files: Vec<_> = paths.files.iter().map(|path| beside.join(path)).map(declared_at).collect();
        if paths.usual {
            let at = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            files.extend(at.into_iter().filter(|path| path.exists()).map(|path| (path, folder.join(&name))));
        }
        if files.is_empty() {
            let place = self.source.file(file).place(line);
            return self.unread(format!("can't find the file of `{name}`"), place);
        }
        for (path, children) in files {
            let scope = self.source.add_scope(ScopeKind::Module, Some(parent));
            let above = self.source.scope_mut(parent);
            let means = Name { means: Means::Module(scope), for_tests };
            above.names.entry(name.clone()).or_default().push(means);
            if macro_use {
                above.macro_use.push(scope);
            }
            self.next.push(Next { path, scope, children, for_tests });
        }
    }

    fn name(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.root).unwrap_or(path);
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }

    fn unread(&mut self, what: String, place: Place) {
        self.unread.push(Finding { rule: Rule::Understood, what, places: vec![place] });
    }
}

/// A file that an attribute names, and the folder of the modules in it.
fn declared_at(path: PathBuf) -> (PathBuf, PathBuf) {
    let children = path.parent().map(Path::to_path_buf).unwrap_or_default();
    (path, children)
}
