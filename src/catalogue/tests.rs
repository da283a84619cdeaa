//! What holds of every entry, as it is compiled in. What each does is in `tests/catalogue`.

use serde_json::Value;

use super::names;
use crate::{
    declare::{Declaration, Trial},
    error::ConfigErrorKind,
    transport::Transport,
};

fn nowhere() -> Transport {
    Transport::new(tower::service_fn(|_: http::Request<http_body_util::Full<bytes::Bytes>>| async {
        Err::<http::Response<http_body_util::Full<bytes::Bytes>>, _>(std::io::Error::other("not sent"))
    }))
}

fn entries() -> serde_json::Map<String, Value> {
    serde_json::from_str(include_str!("catalogue.json")).unwrap()
}

#[test]
fn every_entry_is_read_and_asks_for_its_inputs() {
    assert!(names().count() >= 20);
    for name in names() {
        let vendor = Declaration::named(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let inputs: Vec<_> = vendor.inputs().map(ToOwned::to_owned).collect();
        assert!(!inputs.is_empty(), "{name} knows its secrets");
        let error = vendor.layer(nowhere()).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Input, "{name}");
        for input in inputs {
            assert!(error.to_string().contains(&input), "{name}: {error}");
        }
    }
}

#[test]
fn every_entry_can_be_tried_out_and_says_what_it_does() {
    for name in names() {
        let (vendor, trial) = (Declaration::named(name).unwrap(), Trial::named(name).unwrap());
        let lines: Vec<&str> = trial.outline().collect();
        let inputs = lines.iter().find_map(|line| line.strip_prefix("inputs to fill: ")).unwrap();
        for input in vendor.inputs() {
            assert!(inputs.contains(input), "{name}: {inputs}");
        }
        assert!(
            lines[0].starts_with("tokens go to https://") || lines[0].contains("base url"),
            "{name}: {}",
            lines[0]
        );
        for line in lines {
            assert!(!line.ends_with(' ') && !line.contains("null"), "{name}: {line}");
        }
    }
    assert!(Trial::named("zooom").unwrap_err().to_string().contains("do you mean \"zoom\"?"));
}

#[test]
fn no_entry_reads_the_environment_or_files_or_allows_plain_text() {
    fn texts(value: &Value, see: &mut dyn FnMut(&str)) {
        match value {
            Value::String(text) => see(text),
            Value::Array(values) => values.iter().for_each(|value| texts(value, see)),
            Value::Object(fields) => fields.values().for_each(|value| texts(value, see)),
            _ => {}
        }
    }
    for (name, entry) in entries() {
        assert_eq!(entry.get("allow_plaintext_secrets"), None, "{name}");
        texts(&entry, &mut |text| {
            assert!(!text.starts_with("env:") && !text.starts_with("file:"), "{name} has {text}");
            assert!(!text.contains("http://"), "{name} has {text}");
        });
    }
}

#[test]
fn a_name_that_is_not_there_suggests_the_nearest() {
    let error = Declaration::named("zom").unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Declaration);
    assert_eq!(error.to_string(), r#"the catalogue has no vendor "zom"; do you mean "zoom"?"#);
    let error = Declaration::named("no such thing").unwrap_err();
    assert!(error.to_string().ends_with("; its documentation lists all of them"), "{error}");
}
