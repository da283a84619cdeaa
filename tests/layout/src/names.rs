//! What a path means: the files in which it is defined, through imports and re-exports at any depth.

use crate::source::{FileId, ItemKind, Means, Mention, MentionKind, ROOT, Scope, ScopeId, ScopeKind, Source};

/// What a path was found to mean.
#[derive(Debug, Default)]
pub(crate) struct Meaning {
    /// The files in which that is defined. None for a module, whose own names count where they are used.
    pub(crate) files: Vec<FileId>,
    /// Whether it is in this crate and wasn't found.
    pub(crate) is_missing: bool,
    /// The name that was looked up in the root, if it is neither a module there nor defined there.
    pub(crate) through_root: Option<String>,
}

/// What a mention means.
pub(crate) fn meaning(source: &Source, mention: &Mention) -> Meaning {
    let mut search = Search { source, for_tests: mention.for_tests, open: Vec::new(), through_root: None };
    let mut found = search.follow(mention.scope, &mention.path);
    if mention.kind == MentionKind::Call && found.targets.is_empty() && mention.path.len() == 1 {
        found.targets = search.textual(mention.scope, &mention.path[0]);
    }
    let is_local = found.is_local && !found.perhaps_foreign;
    let is_missing = is_local && found.targets.is_empty();
    if mention.kind == MentionKind::Glob {
        if found.targets.contains(&Target::Module(ROOT)) {
            search.through_root = Some("*".into());
        }
        found.targets = found.targets.into_iter().flat_map(|target| search.brought(target)).collect();
    }
    let at_home = source.module(mention.scope) == ROOT;
    let files = found.targets.into_iter().filter_map(|target| match target {
        Target::Item(file, _) => Some(file),
        Target::Module(_) => None,
    });
    Meaning {
        files: files.collect(),
        is_missing,
        through_root: search.through_root.filter(|_| !at_home && !is_missing),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    Module(ScopeId),
    Item(FileId, ItemKind),
}

#[derive(Debug, Default)]
struct Found {
    targets: Vec<Target>,
    /// Whether the path leads into this crate.
    is_local: bool,
    /// Whether it leads, or could lead, into another one.
    perhaps_foreign: bool,
}

struct Search<'a> {
    source: &'a Source,
    /// Names that are there for tests alone are seen by tests alone.
    for_tests: bool,
    /// What is being looked up: imports can be circular.
    open: Vec<(ScopeId, &'a str)>,
    through_root: Option<String>,
}

impl<'a> Search<'a> {
    fn follow(&mut self, from: ScopeId, path: &'a [String]) -> Found {
        let (mut found, rest) = self.begin(from, path);
        for name in rest {
            let mut next = Found { is_local: found.is_local, ..Found::default() };
            next.perhaps_foreign = found.perhaps_foreign;
            for target in found.targets {
                match target {
                    Target::Module(module) => {
                        self.watch_the_root(module, name);
                        next.add(self.look_up(module, name));
                    }
                    // A variant, or something associated.
                    Target::Item(_, ItemKind::Type | ItemKind::Trait) => next.targets.push(target),
                    Target::Item(..) => {}
                }
            }
            found = next;
        }
        found
    }

    /// Where a path begins, and what is left of it.
    fn begin(&mut self, from: ScopeId, path: &'a [String]) -> (Found, &'a [String]) {
        let Some((head, mut rest)) = path.split_first() else {
            return (Found::default(), path);
        };
        let mut module = Some(self.source.module(from));
        match head.as_str() {
            "" | "Self" => return (Found { perhaps_foreign: true, ..Found::default() }, &[]),
            "crate" => module = Some(ROOT),
            "self" => {}
            "super" => module = module.and_then(|module| self.above(module)),
            name => return (self.look_around(from, name, rest), rest),
        }
        while let Some((name, others)) = rest.split_first()
            && name == "super"
        {
            module = module.and_then(|module| self.above(module));
            rest = others;
        }
        let targets = module.map(Target::Module).into_iter().collect();
        (Found { targets, is_local: true, perhaps_foreign: false }, rest)
    }

    fn above(&self, module: ScopeId) -> Option<ScopeId> {
        let parent = self.source.scope(module).parent?;
        Some(self.source.module(parent))
    }

    /// Looks a name up that isn't said to be anywhere: in the blocks around it and their module, and then it's another
    /// crate's, or the language's.
    fn look_around(&mut self, from: ScopeId, name: &'a str, rest: &[String]) -> Found {
        let mut perhaps_foreign = false;
        let mut at = Some(from);
        while let Some(scope) = at {
            let mut found = self.look_up(scope, name);
            if !rest.is_empty() {
                found
                    .targets
                    .retain(|target| !matches!(target, Target::Item(_, ItemKind::Value | ItemKind::Macro)));
            }
            perhaps_foreign |= found.perhaps_foreign;
            if !found.targets.is_empty() {
                return Found { is_local: true, perhaps_foreign, ..found };
            }
            let Scope { kind, parent, .. } = self.source.scope(scope);
            at = parent.filter(|_| *kind == ScopeKind::Block);
        }
        Found { perhaps_foreign: true, ..Found::default() }
    }

    fn look_up(&mut self, scope: ScopeId, name: &'a str) -> Found {
        let mut found = Found::default();
        if self.open.contains(&(scope, name)) {
            return found;
        }
        self.open.push((scope, name));
        let Self { source, for_tests, .. } = *self;
        let Scope { names, globs, .. } = source.scope(scope);
        for meaning in names.get(name).into_iter().flatten().filter(|name| for_tests || !name.for_tests) {
            match &meaning.means {
                Means::Module(module) => found.targets.push(Target::Module(*module)),
                Means::Item(file, kind) => found.targets.push(Target::Item(*file, *kind)),
                Means::Import(path) => found.add(self.follow(scope, path)),
            }
        }
        if found.targets.is_empty() && !found.perhaps_foreign {
            for glob in globs.iter().filter(|glob| for_tests || !glob.for_tests) {
                let of = self.follow(scope, &glob.path);
                found.perhaps_foreign |= of.perhaps_foreign;
                for target in of.targets {
                    if let Target::Module(module) = target {
                        found.add(self.look_up(module, name));
                    }
                }
            }
        }
        self.open.pop();
        found
    }

    /// Macros are in scope in all modules beneath, and with `#[macro_use]` around their own.
    fn textual(&self, from: ScopeId, name: &str) -> Vec<Target> {
        let mut at = Some(from);
        while let Some(scope) = at {
            let found = self.macros(scope, name);
            if !found.is_empty() {
                return found;
            }
            at = self.source.scope(scope).parent;
        }
        Vec::new()
    }

    fn macros(&self, scope: ScopeId, name: &str) -> Vec<Target> {
        let Scope { names, macro_use, .. } = self.source.scope(scope);
        let own = names.get(name).into_iter().flatten().filter_map(|name| match name.means {
            Means::Item(file, ItemKind::Macro) => Some(Target::Item(file, ItemKind::Macro)),
            _ => None,
        });
        own.chain(macro_use.iter().flat_map(|module| self.macros(*module, name))).collect()
    }

    /// What a glob brings without being named: what a module defines, and the traits that it re-exports, whose methods
    /// may be called.
    fn brought(&mut self, by: Target) -> Vec<Target> {
        let Target::Module(module) = by else {
            return vec![by];
        };
        let Self { source, for_tests, .. } = *self;
        let mut brought = Vec::new();
        for (name, meanings) in &source.scope(module).names {
            for meaning in meanings.iter().filter(|name| for_tests || !name.for_tests) {
                match &meaning.means {
                    Means::Item(file, kind) => brought.push(Target::Item(*file, *kind)),
                    Means::Import(_) => {
                        let found = self.look_up(module, name).targets;
                        brought.extend(
                            found
                                .into_iter()
                                .filter(|target| matches!(target, Target::Item(_, ItemKind::Trait))),
                        );
                    }
                    Means::Module(_) => {}
                }
            }
        }
        brought
    }

    /// Notes a name that is looked up in the root and isn't there itself. What imports on the way look up counts where
    /// they are.
    fn watch_the_root(&mut self, module: ScopeId, name: &str) {
        if module == ROOT && self.open.is_empty() {
            let names = &self.source.scope(ROOT).names;
            let mut meanings = names.get(name).into_iter().flatten();
            if !meanings.any(|meaning| !matches!(meaning.means, Means::Import(_))) {
                self.through_root = Some(name.to_owned());
            }
        }
    }
}

impl Found {
    fn add(&mut self, other: Self) {
        for target in other.targets {
            if !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
        self.perhaps_foreign |= other.perhaps_foreign;
    }
}
