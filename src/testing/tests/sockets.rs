//! Fakes on loopback sockets.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{net::TcpStream, time::timeout};

use super::{Body, get, post_json};
use crate::testing::{FakeApiVideo, Fault, On, Served, Times};

const SOON: Duration = Duration::from_secs(10);

fn http1() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn http2() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

fn ask(served: &Served) -> Request<Body> {
    post_json(&served.url("/auth/api-key"), r#"{"apiKey":"key"}"#)
}

async fn exchange(
    client: &Client<HttpConnector, Body>,
    request: Request<Body>,
) -> Result<Response<Bytes>, Error> {
    let (parts, body) =
        timeout(SOON, client.request(request)).await.expect("an answer in time")?.into_parts();
    Ok(Response::from_parts(parts, body.collect().await.unwrap().to_bytes()))
}

#[tokio::test]
async fn it_is_served_with_either_version_and_connections_are_reused() {
    for (client, version) in [(http1(), Version::HTTP_11), (http2(), Version::HTTP_2)] {
        let fake = FakeApiVideo::new("key");
        let served = fake.serve().await.unwrap();
        assert_eq!(exchange(&client, ask(&served)).await.unwrap().status(), 200);
        let token = fake.controls().tokens().pop().unwrap();
        let answer = exchange(&client, get(&served.url("/videos/%41?a=b%20"), &token)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
        let seen: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(seen["target"], "/videos/%41?a=b%20");
        let received = fake.requests().pop().unwrap();
        assert_eq!((received.version(), received.target()), (version, "/videos/%41?a=b%20"));
        assert_eq!((served.connections(), served.open_connections()), (1, 1));
        fake.assert_no_refusals();
    }
}

#[tokio::test]
async fn a_lost_answer_ends_the_connection_after_it_took_effect() {
    for client in [http1(), http2()] {
        let fake = FakeApiVideo::new("key");
        let served = fake.serve().await.unwrap();
        fake.controls().fail(On::Acquire, Times::Next(1), Fault::AnswerLost);
        exchange(&client, ask(&served)).await.unwrap_err();
        assert_eq!((fake.counts().acquires, fake.controls().tokens().len()), (1, 1));
        assert_eq!(exchange(&client, ask(&served)).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_drop_ends_the_server_and_what_hangs_in_it() {
    for client in [http1(), http2()] {
        let fake = FakeApiVideo::new("key");
        let served = fake.serve().await.unwrap();
        fake.controls().fail(On::Acquire, Times::UntilCleared, Fault::Hang);
        let (address, request) = (served.address(), ask(&served));
        let hanging = tokio::spawn(async move { exchange(&client, request).await });
        while fake.counts().acquires == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(served);
        hanging.await.unwrap().unwrap_err();
        TcpStream::connect(address).await.unwrap_err();
        fake.controls().reset_counts();
        for _ in 0..1000 {
            if fake.counts().most_token_calls_at_once == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            fake.controls().reset_counts();
        }
        assert_eq!(fake.counts().most_token_calls_at_once, 0, "the call is no longer in flight");
    }
}

#[tokio::test]
async fn when_stop_returns_nothing_is_open() {
    let fake = FakeApiVideo::new("key");
    let (one, two) = (fake.serve().await.unwrap(), fake.serve().await.unwrap());
    let client = http1();
    exchange(&client, ask(&one)).await.unwrap();
    exchange(&client, ask(&two)).await.unwrap();
    let address = one.address();
    timeout(SOON, one.stop()).await.unwrap();
    TcpStream::connect(address).await.unwrap_err();
    exchange(&client, ask(&two)).await.unwrap();
    assert_eq!(fake.counts().acquires, 3);
}
