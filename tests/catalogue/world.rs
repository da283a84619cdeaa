//! [`World`]: an entry, as a program would use it, whose hosts are all the fake.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};
use tower_reauth::{
    AuthError, BoxError, Declaration, RefreshPolicy, Transport,
    client::{Client, Roots},
};

use crate::{
    fake::Fake,
    recording::Recording,
    request::{ASKED, filled},
};

type Api = BoxCloneSyncService<Request<Full<Bytes>>, Response<Bytes>, BoxError>;

pub(crate) struct World {
    pub(crate) fake: Fake,
    recording: Recording,
    pub(crate) tokens: tower_reauth::TokenCache,
    service: Api,
}

impl World {
    pub(crate) async fn of(recording: &Recording) -> Self {
        Self::with(recording, false).await
    }

    /// With secrets that the fake refuses.
    pub(crate) async fn with_wrong_secrets(recording: &Recording) -> Self {
        Self::with(recording, true).await
    }

    async fn with(recording: &Recording, is_wrong: bool) -> Self {
        let fake = Fake::start(recording).await;
        let led = led_to(&fake);
        let mut inputs = recording.inputs.clone();
        if is_wrong {
            inputs.extend(recording.wrong.clone());
        }
        let vendor = Declaration::named(&recording.name).unwrap();
        let vendor = inputs.into_iter().fold(vendor, |vendor, (name, value)| vendor.input(name, value));
        let layer = vendor.layer(Transport::new::<_, Full<Bytes>, _>(led.clone())).unwrap();
        // A failure is told at once.
        let layer = layer.policy(RefreshPolicy::default().attempts(1));
        let tokens = layer.tokens();
        let service = layer.layer(led);
        let service = tower::service_fn(move |request: Request<Full<Bytes>>| whole(service.clone(), request));
        Self { fake, recording: recording.clone(), tokens, service: BoxCloneSyncService::new(service) }
    }

    /// One call of the API, as documented but for the token.
    pub(crate) async fn call(&self) -> Result<Response<Bytes>, BoxError> {
        self.call_at(&self.recording.api.request).await
    }

    /// The same with another method and URL.
    pub(crate) async fn call_at(&self, line: &str) -> Result<Response<Bytes>, BoxError> {
        let line = filled(line, &self.recording.inputs);
        let (method, url) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(url).body(Full::default()).unwrap();
        let answered = tokio::time::timeout(Duration::from_secs(20), self.service.clone().oneshot(request));
        answered.await.expect("an answer or an error")
    }

    /// A call that goes well.
    pub(crate) async fn succeed(&self) -> Response<Bytes> {
        let answer = match self.call().await {
            Ok(answer) => answer,
            Err(error) => panic!("{}{}", chain(&error), self.complaints()),
        };
        assert_eq!(answer.status(), 200, "{:?}{}", answer.body(), self.complaints());
        assert_eq!(*answer.body(), self.recording.api.body, "the caller has what the API says");
        answer
    }

    /// A call without a token.
    pub(crate) async fn fail(&self) -> BoxError {
        match self.call().await {
            Ok(answer) => panic!("{:?}{}", answer, self.complaints()),
            Err(error) => {
                assert!(AuthError::find(&*error).is_some(), "{}", chain(&error));
                error
            }
        }
    }

    pub(crate) fn assert_as_documented(&self) {
        assert_eq!(self.fake.state().complaints, [""; 0]);
    }

    fn complaints(&self) -> String {
        self.fake.state().complaints.iter().map(|complaint| format!("; {complaint}")).collect()
    }
}

/// An answer with its whole body.
async fn whole<S, B>(service: S, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, BoxError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (head, body) = service.oneshot(request).await?.into_parts();
    let body = body.collect().await.map_err(Into::into)?.to_bytes();
    Ok(Response::from_parts(head, body))
}

pub(crate) fn chain(error: &BoxError) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words += &format!(": {error}");
        source = error.source();
    }
    words
}

type Led = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;

/// A client that asks the fake, whatever the URL, and says which one it was.
fn led_to(fake: &Fake) -> Led {
    let client = Client::builder().roots(Roots::Bundled).no_proxy().build().unwrap();
    let address = fake.address();
    BoxCloneSyncService::new(tower::service_fn(move |mut request: Request<Full<Bytes>>| {
        let mut client = client.clone();
        let asked = request.uri().to_string();
        assert!(asked.starts_with("https://"), "secrets and tokens go to {asked}");
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("http://{address}{path}").parse::<Uri>().unwrap();
        request.headers_mut().insert(ASKED, HeaderValue::try_from(asked).unwrap());
        async move {
            let ready = Service::<Request<Full<Bytes>>>::call(&mut client, request);
            let (head, body) = ready.await.map_err(Into::<BoxError>::into)?.into_parts();
            let body = body.collect().await.map_err(Into::<BoxError>::into)?.to_bytes();
            Ok::<_, BoxError>(Response::from_parts(head, Full::from(body)))
        }
    }))
}
