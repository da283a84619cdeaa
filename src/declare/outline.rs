//! What a file says, in words.

use std::iter;

use super::{
    node::Node,
    places::{SECTIONS, names},
};

/// What is said of the rules that are no file's own.
pub(super) const RFC6750: &str = "a token has expired if a 401 says invalid_token, as RFC 6750 has it";

/// A line for each thing that the file says. Only of a file that can be read they make sense.
pub(super) fn outline(file: &Node) -> Vec<String> {
    let mut lines = vec![format!("tokens go to {} alone, {}", origins(file), placement(file))];
    match (at(file, "acquire"), at(file, "key"), at(file, "basic")) {
        (Some(acquire), ..) => {
            lines.push(format!("a token comes from {}", request(file, acquire)));
            lines.push(lifetime(at(file, "answer").and_then(|answer| at(answer, "lifetime"))));
            lines.push(renewal(file));
            if let Some(revoke) = at(file, "revoke") {
                lines.push(format!("it is given back by {}", request(file, revoke)));
            }
        }
        (_, Some(_), _) => lines.push("a key is its own token, and can't be renewed".into()),
        _ if at(file, "metadata").is_some() => {
            let service =
                at(file, "metadata").and_then(|metadata| text(metadata, "service")).unwrap_or_default();
            lines.push(format!("a token comes from the metadata service that the machine has, {service}"));
        }
        _ => lines.push("a user and a password are the token, by HTTP Basic, and can't be renewed".into()),
    }
    lines.extend(rules(file));
    lines.extend(open(file));
    lines.extend(secrets(file));
    lines
}

fn at<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Node::Table(entries) = node else { return None };
    entries.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match at(node, key)? {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

fn url(file: &Node, key: &str) -> String {
    match text(file, key) {
        Some("input:base_url") => "the base url that is filled in".into(),
        Some(url) => url.strip_prefix("input:").map_or(url.to_owned(), |name| format!("what {name} is")),
        None => String::new(),
    }
}

/// Where tokens go.
fn origins(file: &Node) -> String {
    let others = match at(file, "other_origins") {
        Some(Node::List(others)) => &others[..],
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    let others = others.iter().filter_map(|other| match other {
        Node::Text(text) => Some(text.clone()),
        _ => None,
    });
    iter::once(url(file, "base_url")).chain(others).collect::<Vec<_>>().join(" and ")
}

fn placement(file: &Node) -> String {
    let scheme = if at(file, "basic").is_some() { "Basic" } else { "Bearer" };
    let Some(table) = at(file, "placement") else { return format!("as Authorization: {scheme} TOKEN") };
    match (text(table, "header"), text(table, "cookie"), text(table, "query_visible_in_logs")) {
        (Some(header), ..) => match (text(table, "scheme"), text(table, "template")) {
            (Some(scheme), _) => format!("as {header}: {scheme} TOKEN"),
            (_, Some(template)) => format!("as {header}: {}", template.replace("{token}", "TOKEN")),
            _ => format!("as {header}: TOKEN"),
        },
        (_, Some(cookie), _) => format!("in the cookie {cookie}"),
        (.., Some(name)) => format!("in the query as {name}, where logs show it"),
        _ => String::new(),
    }
}

/// Method and URL, and what says which grant it is.
fn request(file: &Node, table: &Node) -> String {
    let line = text(table, "request").unwrap_or_default();
    let line = match line.split_once(' ') {
        Some((method, path)) if path.starts_with('/') => {
            let base = url(file, "base_url");
            let joint = if base.contains("://") { "" } else { ", at " };
            match joint {
                "" => format!("{method} {}{path}", base.trim_end_matches('/')),
                _ => format!("{method} {path}{joint}{base}"),
            }
        }
        _ => line.to_owned(),
    };
    let grant = ["form", "query", "json"].iter().find_map(|key| text(at(table, key)?, "grant_type"));
    let grant = grant.and_then(|grant| grant.strip_prefix("text:"));
    match grant {
        Some(grant) => format!("{line} (grant_type {grant})"),
        None => line,
    }
}

fn lifetime(stated: Option<&Node>) -> String {
    match stated {
        Some(Node::Integer(seconds)) => format!("it lives for {seconds} s"),
        Some(Node::Text(text)) if text == "unknown" => "it is used until it is rejected".into(),
        Some(Node::Text(text)) if text == "jwt" => "it is a JWT that lives until its own exp".into(),
        Some(Node::Text(place)) => format!("it lives for as long as its answer says at {place}"),
        _ => "it lives for as long as its answer says at /expires_in".into(),
    }
}

fn renewal(file: &Node) -> String {
    let previous = match text(file, "renewal") {
        Some("revokes-previous") => "which kills the one before it",
        _ => "which leaves the one before it valid",
    };
    match at(file, "refresh") {
        Some(refresh) => format!("it is renewed by {}, {previous}", request(file, refresh)),
        None => format!("it isn't renewed: a new one is acquired, {previous}"),
    }
}

fn rules(file: &Node) -> Vec<String> {
    let declared = match at(file, "rules") {
        Some(Node::List(rules)) => &rules[..],
        _ => &[],
    };
    let mut lines: Vec<String> = declared
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            let means = match text(rule, "verdict") {
                Some("expired") => "a token has expired",
                Some("invalid") => "a token is dead, and is acquired anew",
                _ => "no new token would help",
            };
            let status = at(rule, "status").map(|status| format!("the status is {}", literal(status)));
            let when = at(rule, "when").map(condition);
            let all = status.into_iter().chain(when).collect::<Vec<_>>().join(" and ");
            format!("rules[{index}]: {means} if {all}")
        })
        .collect();
    let is_rfc6750 = match at(file, "rfc6750") {
        Some(Node::Flag(flag)) => *flag,
        _ => declared.is_empty(),
    };
    if is_rfc6750 {
        lines.push(RFC6750.into());
    }
    lines
}

fn condition(when: &Node) -> String {
    let joined = |node: &Node, word: &str| match node {
        Node::List(nodes) => nodes.iter().map(condition).collect::<Vec<_>>().join(word),
        _ => condition(node),
    };
    if matches!(when, Node::List(_)) {
        return joined(when, " and ");
    }
    match (at(when, "all"), at(when, "any"), at(when, "not")) {
        (Some(all), ..) => return format!("({})", joined(all, " and ")),
        (_, Some(any), _) => return format!("({})", joined(any, " or ")),
        (.., Some(not)) => return format!("not ({})", condition(not)),
        _ => {}
    }
    if let Some(media_type) = text(when, "media_type") {
        return format!("the body is {media_type}");
    }
    let named =
        ["json", "header", "trailer", "challenge"].iter().find_map(|key| Some((*key, text(when, key)?)));
    let place = match (named, text(when, "param")) {
        (Some((kind, name)), Some(param)) => format!("{param} of the {kind} {name}"),
        (Some(("json", pointer)), None) => pointer.to_owned(),
        (Some((kind, name)), None) => format!("the {kind} {name}"),
        (None, _) => "the body".into(),
    };
    match (at(when, "exists"), at(when, "has")) {
        (Some(Node::Flag(true)), _) => return format!("{place} is there"),
        (Some(_), _) => return format!("{place} isn't there"),
        (_, Some(has)) => return format!("{place} has {}", condition(has)),
        _ => {}
    }
    let asks =
        [("is", "is"), ("one_of", "is one of"), ("starts_with", "starts with"), ("contains", "contains")];
    let asked = asks.iter().find_map(|(key, words)| Some(format!("{words} {}", literal(at(when, key)?))));
    format!("{place} {}", asked.unwrap_or_default())
}

fn literal(node: &Node) -> String {
    match node {
        Node::Text(text) => format!("{text:?}"),
        Node::Integer(number) => number.to_string(),
        Node::BigInteger(digits) => digits.clone(),
        Node::Flag(flag) => flag.to_string(),
        Node::List(nodes) => nodes.iter().map(literal).collect::<Vec<_>>().join(", "),
        _ => "null".into(),
    }
}

/// The inputs, with what they may be.
fn open(file: &Node) -> Option<String> {
    let listed = |name: &String| match at(file, "inputs").and_then(|lists| at(lists, name)) {
        Some(list) => format!("{name} (one of {})", literal(list)),
        None => name.clone(),
    };
    let all = names(file).iter().map(listed).collect::<Vec<_>>().join(", ");
    (!all.is_empty()).then(|| format!("inputs to fill: {all}"))
}

fn secrets(file: &Node) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    each_text(file, &mut |_, text| {
        let is_secret = text.starts_with("env:") || text.starts_with("file:");
        if is_secret && !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    });
    (!found.is_empty()).then(|| format!("secrets are read from {}", found.join(", ")))
}

/// Shows each text of where values are, with its key.
fn each_text<'n>(file: &'n Node, see: &mut dyn FnMut(&str, &'n str)) {
    fn within<'n>(node: &'n Node, key: &str, see: &mut dyn FnMut(&str, &'n str)) {
        match node {
            Node::Text(text) => see(key, text),
            Node::Table(entries) => entries.iter().for_each(|(key, node)| within(node, key, see)),
            Node::List(nodes) => nodes.iter().for_each(|node| within(node, key, see)),
            _ => {}
        }
    }
    for key in SECTIONS {
        if let Some(node) = at(file, key) {
            within(node, key, see);
        }
    }
}
