//! [`Inputs`]: what a credential leaves open.

use std::sync::Arc;

use super::{grant::Grant, place::Place, setup::Setup};

/// The names of what is to be filled in, each once, with the strictest of what it is.
#[derive(Debug)]
pub(super) struct Inputs {
    places: Box<[(Arc<str>, Role)]>,
    /// That which is the refresh token of a login.
    login: Option<Arc<str>>,
}

/// What an input is, the later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Secret,
    /// No secret, and it can't be another one later.
    Text,
    /// As that, and it says which server is asked.
    Server,
}

impl Inputs {
    pub(super) fn of(setup: &Setup, grant: &Grant) -> Self {
        let mut places: Vec<(Arc<str>, Role)> = Vec::new();
        let mut note = |names: Vec<Arc<str>>, role: Role| {
            for name in names {
                match places.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = role.max(*known),
                    None => places.push((name, role)),
                }
            }
        };
        let mut see = |place: Place<'_>| match place {
            Place::Secret(supply) => note(supply.inputs(), Role::Secret),
            Place::Text(_, text) => note(text.inputs(), Role::Text),
            Place::Server(_, text) => note(text.inputs(), Role::Server),
        };
        let (mut setup, mut grant) = (setup.clone(), grant.clone());
        setup.places(&mut see);
        grant.places(&mut see);
        let login = grant.login().and_then(|login| login.initial.inputs().into_iter().next());
        Self { places: places.into(), login }
    }

    /// How many there are, but for the refresh token of a login.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Which of them `name` is, and what it is.
    pub(super) fn find(&self, name: &str) -> Option<(usize, Role)> {
        let place = self.places.iter().position(|(known, _)| **known == *name)?;
        Some((place, self.places[place].1))
    }

    /// Each of them, but for the refresh token of a login.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &str)> {
        self.places.iter().enumerate().map(|(place, (name, _))| (place, &**name))
    }

    /// That which is the refresh token of a login.
    pub(super) fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    /// Whether one of them says which server is asked.
    pub(super) fn say_server(&self) -> bool {
        self.places.iter().any(|(_, role)| *role == Role::Server)
    }

    /// All names.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let login = self.login.iter().filter(|login| self.find(login).is_none());
        self.places.iter().map(|(name, _)| name).chain(login).cloned().collect()
    }
}
