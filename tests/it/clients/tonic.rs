//! tonic's `Channel`, against gRPC methods whose tokens expire.

mod server;

use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use http::Request as HttpRequest;
use tonic::{Code, Request, Status, body::Body, client::Grpc, transport::Channel};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};
use tower_reauth::{
    AuthLayer, AuthOutcome, BoxError, NotReplayed, Origin, PeekBody, RecordBodies, Signatures,
    TrailersOutcome, Verdict,
};

use self::server::{COLLECT, COUNT, Codec, DRAIN, GREET, LATE, Server};
use crate::support::{soon, until};

type Api = BoxCloneService<HttpRequest<Body>, http::Response<PeekBody<Body>>, BoxError>;

/// A client for the server's methods, and what the layer has said of the responses.
struct Greeter {
    api: Api,
    said: Arc<Mutex<Vec<Option<AuthOutcome>>>>,
}

impl Greeter {
    /// As programs make it: tonic's URIs have no authority.
    fn of(server: &Server) -> Self {
        Self::with_origin(server, Origin::parse(&server.url).unwrap().implied())
    }

    fn with_origin(server: &Server, origin: Origin) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let says = said.clone();
        let auth = AuthLayer::new(origin, server.credential())
            .signatures(Signatures::grpc())
            .record_bodies(RecordBodies::DEFAULT_LIMIT);
        let api = ServiceBuilder::new()
            .map_response(move |response: http::Response<_>| {
                says.lock().unwrap().push(response.extensions().get().cloned());
                response
            })
            .layer(auth)
            .map_request(|request: HttpRequest<_>| request.map(Body::new))
            .service(Channel::from_shared(server.url.clone()).unwrap().connect_lazy());
        Self { api: api.boxed_clone(), said }
    }

    async fn grpc(&self) -> Grpc<Api> {
        let mut grpc = Grpc::new(self.api.clone());
        grpc.ready().await.unwrap();
        grpc
    }

    async fn greet(&self, name: &str) -> Result<tonic::Response<String>, Status> {
        let mut grpc = self.grpc().await;
        soon(grpc.unary(Request::new(name.to_owned()), GREET, Codec::default())).await
    }

    /// What the layer has said of the last response.
    fn last(&self) -> Option<AuthOutcome> {
        self.said.lock().unwrap().last().cloned().flatten()
    }
}

fn replayed(outcome: Option<&AuthOutcome>) -> bool {
    outcome.is_some_and(AuthOutcome::replayed)
}

#[tokio::test]
async fn status_16_in_the_headers_refreshes_once_and_replays_the_same_message() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    for round in 1..=3 {
        server.reset();
        let calls = (0..20).map(async |number| {
            let answer = greeter.greet(&number.to_string()).await.unwrap();
            assert_eq!(answer.get_ref(), &format!("Hello, {number}"));
            usize::from(replayed(answer.extensions().get()))
        });
        let replays: usize = join_all(calls).await.into_iter().sum();
        assert_eq!((server.issued(), server.calls()), (1, 20 + replays));
        assert_eq!(replays > 0, round > 1);
        server.expire();
    }
    server.reset();
    let answer = greeter.greet("Esther").await.unwrap();
    assert!(replayed(answer.extensions().get()));
    assert_eq!((server.issued(), server.calls()), (1, 2));
}

#[tokio::test]
async fn a_second_rejection_and_other_statuses_are_the_callers() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    let denied = greeter.greet("Permission Denied").await.unwrap_err();
    assert_eq!((denied.code(), server.issued(), server.calls()), (Code::PermissionDenied, 1, 1));
    assert!(greeter.last().is_none());

    server.reset();
    let rejected = greeter.greet("Unauthenticated").await.unwrap_err();
    assert_eq!((rejected.code(), rejected.message()), (Code::Unauthenticated, "whoever you are"));
    assert_eq!((server.issued(), server.calls()), (1, 2));
    let outcome = greeter.last().unwrap();
    assert_eq!((outcome.verdict(), outcome.replayed()), (Verdict::Expired, true));
    assert_eq!(outcome.reason(), Some("whoever you are"));
}

#[tokio::test]
async fn a_stream_of_messages_is_replayed_once_it_is_whole() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    greeter.greet("first").await.unwrap();
    server.expire();
    server.reset();
    let mut grpc = greeter.grpc().await;
    let messages = stream::iter(["a", "b", "c"].map(str::to_owned));
    let answer = soon(grpc.client_streaming(Request::new(messages), COLLECT, Codec::default())).await;
    assert_eq!(answer.unwrap().into_inner(), "a b c");
    assert!(greeter.last().unwrap().replayed());
    assert_eq!((server.issued(), server.calls()), (1, 2));
}

/// A server that has rejected a call may read on. Then what it reads is lost for a replay.
#[tokio::test]
async fn a_stream_that_goes_on_when_it_is_rejected_is_not_replayed_and_the_next_call_has_a_new_token() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    greeter.greet("first").await.unwrap();
    server.expire();
    server.reset();
    let endless = stream::once(async { "a".to_owned() }).chain(stream::pending());
    let mut grpc = greeter.grpc().await;
    let rejected = soon(grpc.client_streaming(Request::new(endless), DRAIN, Codec::default())).await;
    assert_eq!(rejected.unwrap_err().code(), Code::Unauthenticated);
    let outcome = greeter.last().unwrap();
    assert_eq!(outcome.not_replayed(), Some(NotReplayed::BodyUnfinished));
    assert!(outcome.refreshed());
    until(|| server.issued() == 1).await;
    let answer = greeter.greet("next").await.unwrap();
    assert!(!replayed(answer.extensions().get()));
    assert_eq!((server.issued(), server.calls()), (1, 2));
}

/// One that has hung up leaves the rest to the replay, if the client has noticed by then.
#[tokio::test]
async fn a_stream_that_the_server_reads_no_further_is_replayed_whole_or_not_at_all() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    greeter.greet("first").await.unwrap();
    server.expire();
    server.reset();
    let (go_on, more) = tokio::sync::oneshot::channel();
    let rest = async { more.await.unwrap_or_else(|_| "never".to_owned()) };
    let messages = stream::once(async { "a".to_owned() }).chain(stream::once(rest));
    let mut grpc = greeter.grpc().await;
    let call = soon(grpc.client_streaming(Request::new(messages), COLLECT, Codec::default()));
    let replay = async {
        until(|| server.calls() == 2 || greeter.last().is_some()).await;
        // Nobody is there to take it if the call is over.
        let _ = go_on.send("b".to_owned());
    };
    let (answer, ()) = tokio::join!(call, replay);
    let outcome = greeter.last().unwrap();
    match answer {
        Ok(answer) => {
            assert_eq!((answer.get_ref().as_str(), outcome.replayed()), ("a b", true));
            assert_eq!((server.issued(), server.calls()), (1, 2));
        }
        Err(status) => {
            let why = outcome.not_replayed();
            assert_eq!((status.code(), why), (Code::Unauthenticated, Some(NotReplayed::BodyUnfinished)));
            assert_eq!(server.calls(), 1);
        }
    }
}

#[tokio::test]
async fn status_16_after_messages_is_marked_and_the_next_call_has_a_new_token() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    let mut grpc = greeter.grpc().await;
    let answer =
        soon(grpc.server_streaming(Request::new(String::new()), COUNT, Codec::default())).await.unwrap();
    let late = answer.extensions().get::<TrailersOutcome>().cloned().unwrap();
    let mut messages = answer.into_inner();
    // Nothing is held up: the messages arrive while the server waits for more.
    for number in ["1", "2", "3"] {
        let message = soon(messages.try_next()).await.unwrap();
        assert_eq!(message.as_deref(), Some(number));
    }
    assert!(late.outcome().is_none());
    server.expire();
    let end = soon(async {
        loop {
            if let Err(status) = messages.try_next().await {
                break status;
            }
        }
    });
    assert_eq!(end.await.code(), Code::Unauthenticated);
    let outcome = late.outcome().unwrap();
    assert_eq!((outcome.verdict(), outcome.not_replayed()), (Verdict::Expired, Some(NotReplayed::Trailers)));
    assert!(outcome.refreshed() && !outcome.replayed());

    let answer = greeter.greet("next").await.unwrap();
    assert!(!replayed(answer.extensions().get()));
    assert_eq!((server.issued(), server.calls()), (2, 2));
}

#[tokio::test]
async fn status_16_in_trailers_without_a_message_costs_one_call_and_not_the_next() {
    let server = Server::start().await;
    let greeter = Greeter::of(&server);
    let call = async || {
        let mut grpc = greeter.grpc().await;
        soon(grpc.unary(Request::new("Esther".to_owned()), LATE, Codec::default())).await
    };
    assert_eq!(call().await.unwrap().into_inner(), "Hello, Esther");
    server.expire();
    assert_eq!(call().await.unwrap_err().code(), Code::Unauthenticated);
    assert!(greeter.last().is_none(), "nothing was known then");
    assert_eq!(call().await.unwrap().into_inner(), "Hello, Esther");
    assert_eq!((server.issued(), server.calls()), (2, 3));
}

#[tokio::test]
async fn the_token_needs_an_implied_origin_or_one_in_the_uris() {
    let server = Server::start().await;
    let origin = Origin::parse(&server.url).unwrap();
    let nowhere = Greeter::with_origin(&server, origin.clone());
    let status = nowhere.greet("Esther").await.unwrap_err();
    assert_eq!((status.code(), server.issued(), server.calls()), (Code::Unauthenticated, 0, 1));

    server.reset();
    let api = Greeter::with_origin(&server, origin).api;
    let mut grpc = Grpc::with_origin(api, server.url.parse().unwrap());
    grpc.ready().await.unwrap();
    let answer = soon(grpc.unary(Request::new("Esther".to_owned()), GREET, Codec::default())).await;
    assert_eq!(answer.unwrap().into_inner(), "Hello, Esther");
    assert_eq!((server.issued(), server.calls()), (1, 1));
}
