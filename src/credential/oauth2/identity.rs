//! Whose token a credential's is, and for what it was asked: what processes have to agree on that share it.

use super::{
    grant::{Exchange, Grant},
    rotation::Rotation,
    setup::Setup,
    text::Text,
};
use crate::{secret::encode::percent, token::Description};

/// Says it of a credential with this setup and grant.
///
/// A refresh token goes on with whatever is asked for next, so that is no part of whose token it is. Where there is another
/// grant it is: another scope is another login, since a refresh can't ask for more than was granted (RFC 6749 §6).
pub(super) fn identify(
    description: Description,
    setup: &Setup,
    grant: &Grant,
    rotation: Option<&Rotation>,
) -> Description {
    let (client, (which, server)) = (setup.client.id(), setup.server.identity());
    let description = description
        .identity(which, server.to_owned())
        .identity("client", client.unwrap_or_default().to_owned())
        .identity("grant", grant.grant_type().unwrap_or_default());
    let (asked_for, has_secrets) = asked_for(setup);
    let (description, is_told) = match grant {
        Grant::RefreshToken(_) => {
            let description = description.asks_for(asked_for);
            return match rotation.and_then(Rotation::login) {
                Some(login) => description.subject(login),
                None => description.needs_subject(),
            };
        }
        Grant::ClientCredentials => (description, client.is_some()),
        Grant::Password { username, .. } => (description.identity("user", username.or_stand_in()), true),
        Grant::JwtBearer { .. } | Grant::Extension { .. } | Grant::DeviceAuthorization => {
            (description, false)
        }
        Grant::TokenExchange(exchange) => {
            let Exchange { subject, actor, requested } = &**exchange;
            let actor = actor.as_ref().map(|actor| &actor.token_type);
            let types = [Some(&subject.token_type), actor, requested.as_ref()];
            let types = types.map(|name| name.map_or("", |name| name));
            (description.identity("types", types.join(" ")), false)
        }
    };
    let description = description.identity("asks for", asked_for);
    if is_told && !has_secrets { description } else { description.needs_subject() }
}

/// For what the token is asked, in the same order whoever says it. And whether secrets say more.
fn asked_for(setup: &Setup) -> (String, bool) {
    let words = |name, scope: &Option<Text>| {
        let words = scope.iter().filter_map(Text::known).flat_map(|scope| scope.split(' '));
        words.map(|word| pair(name, word)).collect::<Vec<_>>()
    };
    let resources = setup.resources.iter().filter_map(Text::known).map(|uri| pair("resource", uri));
    let audiences = setup.audiences.iter().filter_map(Text::known).map(|audience| pair("audience", audience));
    let params = || setup.params.iter().chain(&setup.acquire_params);
    let told = params().filter_map(|(name, value)| Some(pair(name, &value.literal()?)));
    let mut pairs = words("scope", &setup.scope);
    pairs.extend(words("refresh_scope", &setup.refresh_scope));
    pairs.extend(resources.chain(audiences).chain(told));
    pairs.push(pair("token", &setup.shape.token.declared()));
    pairs.sort_unstable();
    pairs.dedup();
    (pairs.join("&"), params().any(|(_, value)| value.literal().is_none()))
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", percent(name), percent(value))
}
