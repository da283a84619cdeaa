//! The helper of kubectl and other clients of Kubernetes: an ExecCredential.

use std::env;

use serde_json::{Value, json};

use super::{
    helper::{Reply, Senseless},
    issued::Issued,
    own::{Bare, is_own_url},
    timestamp::timestamp,
};
use crate::vendor::Vendor;

/// What the client says of itself is in there.
const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// The version that the client speaks.
pub(super) fn asked(vendor: &Vendor) -> Result<Reply<&'static str>, Senseless> {
    let text = env::var(VARIABLE).map_err(|_| {
        Senseless("KUBERNETES_EXEC_INFO has nothing; --for kubectl is for the exec of a kubeconfig")
    })?;
    read(&text, vendor)
}

fn read(text: &str, vendor: &Vendor) -> Result<Reply<&'static str>, Senseless> {
    let info: Value = serde_json::from_str(text).map_err(|_| Senseless("KUBERNETES_EXEC_INFO is no JSON"))?;
    let version = info.get("apiVersion").and_then(Value::as_str);
    let version = VERSIONS.into_iter().find(|known| version == Some(known)).ok_or(Senseless(
        "KUBERNETES_EXEC_INFO has another apiVersion than client.authentication.k8s.io/v1 or v1beta1; set it in the \
         kubeconfig",
    ))?;
    if info.get("kind").and_then(Value::as_str) != Some("ExecCredential") {
        return Err(Senseless("KUBERNETES_EXEC_INFO is of another kind than ExecCredential"));
    }
    let server = info.pointer("/spec/cluster/server").and_then(Value::as_str).ok_or(Senseless(
        "KUBERNETES_EXEC_INFO doesn't say which cluster it is for; set provideClusterInfo: true in the kubeconfig",
    ))?;
    Ok(if is_own_url(vendor, server, Bare::IsNone) { Reply::Asked(version) } else { Reply::Nothing })
}

/// What the client reads.
pub(super) fn answer(version: &str, issued: &Issued) -> String {
    let mut status = json!({ "token": issued.token() });
    if let Some(at) = issued.expires_at() {
        status["expirationTimestamp"] = timestamp(at).into();
    }
    format!("{}\n", json!({ "apiVersion": version, "kind": "ExecCredential", "status": status }))
}
