//! As the helper of Docker and of kubectl.

use serde_json::{Value, json};

use super::{TOKEN, World};
use crate::support::process::{Ended, Program};

async fn docker(world: &World, args: &str, asked: &str) -> Ended {
    world.program("work --for docker").args(args).input(asked).run().await
}

#[tokio::test]
async fn docker_gets_it_for_the_credentials_own_registry() {
    let world = World::new("docker-own.toml", "https://registry.example.invalid").await;
    for (index, server) in
        ["registry.example.invalid", "https://registry.example.invalid/v1/", "registry.example.invalid:443\n"]
            .iter()
            .enumerate()
    {
        let ended = docker(&world, "get --username 00000000", server).await;
        ended.assert_status(0);
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(json, json!({ "ServerURL": server.trim_end(), "Username": "00000000", "Secret": TOKEN }));
        assert_eq!(world.asked(), index + 1);
    }
    for server in [
        "other.example.invalid",
        "http://registry.example.invalid",
        "registry.example.invalid:5000",
        "other.example@registry.example.invalid",
        "HTTP://registry.example.invalid",
        "",
    ] {
        let ended = docker(&world, "get", server).await;
        ended.assert_status(1);
        // Docker knows these words, and goes on without a password.
        assert_eq!(ended.stdout, "credentials not found in native keychain\n", "{server}");
    }
    for (operation, answer) in [("store", ""), ("erase", ""), ("list", "{}\n"), ("version", "")] {
        let ended = docker(&world, operation, "registry.example.invalid").await;
        ended.assert_status(0);
        assert_eq!((&*ended.stdout, &*ended.stderr), (answer, ""));
    }
    let ended = world.program("--for docker work").input("registry.example.invalid").run().await;
    ended.assert_status(2).assert_says("\"work\" is the operation, so that no name is there");
    for server in ["registry.example.invalid\nx", "registry.example.invalid\0", "a\rb"] {
        let ended = docker(&world, "get", server).await;
        ended.assert_status(1);
        assert!(ended.stdout.starts_with("reauth: the server's URL has a line break"), "{ended:?}");
    }
    assert_eq!(world.asked(), 3);
}

#[tokio::test]
async fn docker_reads_why_there_is_none_on_standard_output() {
    let refused = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{\"error\":\"invalid_client\"}";
    let world = World::answering("docker-refused.toml", "https://registry.example.invalid", refused).await;
    let ended = docker(&world, "get", "registry.example.invalid").await;
    ended.assert_status(3);
    assert!(ended.stdout.starts_with("reauth: no token: "), "{ended:?}");
}

fn kubectl(world: &World, info: &Value) -> Program {
    world.program("work --for kubectl").variable("KUBERNETES_EXEC_INFO", info.to_string())
}

fn info(version: &str, server: &str) -> Value {
    json!({
        "apiVersion": version,
        "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": { "server": server, "config": null } },
    })
}

#[tokio::test]
async fn kubectl_gets_it_in_the_version_that_it_speaks() {
    let world = World::new("kubectl-own.toml", "https://kube.example.invalid:6443").await;
    for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
        let ended = kubectl(&world, &info(version, "https://kube.example.invalid:6443")).run().await;
        ended.assert_status(0);
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((&json["apiVersion"], &json["kind"]), (&version.into(), &"ExecCredential".into()));
        assert_eq!(json["status"]["token"], TOKEN);
        let until = json["status"]["expirationTimestamp"].as_str().unwrap();
        assert!(until.len() == 20 && until.ends_with('Z') && until.as_bytes()[10] == b'T', "{until}");
    }
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn kubectl_gets_nothing_for_another_cluster_or_in_another_version() {
    let world = World::new("kubectl-other.toml", "https://kube.example.invalid:6443").await;
    let own = "https://kube.example.invalid:6443";
    let v1 = "client.authentication.k8s.io/v1";
    let mut other_kind = info(v1, own);
    other_kind["kind"] = "TokenReview".into();
    let mut no_cluster = info(v1, own);
    no_cluster["spec"] = json!({ "interactive": true });
    for (info, says) in [
        (info("client.authentication.k8s.io/v1alpha1", own), "another apiVersion"),
        (info("", own), "another apiVersion"),
        (json!([]), "another apiVersion"),
        (other_kind, "another kind than ExecCredential"),
        (no_cluster, "set provideClusterInfo: true"),
        (info(v1, "https://kube.example.invalid"), "isn't at the credential's own host"),
        (info(v1, "http://kube.example.invalid:6443"), "isn't at the credential's own host"),
        (info(v1, "kube.example.invalid:6443"), "isn't at the credential's own host"),
        (info(v1, "https://kube.example.invalid:6443\n"), "isn't at the credential's own host"),
    ] {
        let ended = kubectl(&world, &info).run().await;
        ended.assert_status(1).assert_says(says);
        assert_eq!(ended.stdout, "");
    }
    let ended = world.program("work --for kubectl").run().await;
    ended.assert_status(1).assert_says("KUBERNETES_EXEC_INFO has nothing");
    assert_eq!(world.asked(), 0);
}
