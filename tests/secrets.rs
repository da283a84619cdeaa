//! No secret leaks: every scenario runs under a global subscriber that takes everything that any crate logs, at TRACE,
//! and every error, outcome and handle is printed. A binary of its own, since there is one global subscriber.

use std::{
    error::Error,
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower::{Layer, ServiceExt};
use tower_reauth::{
    ApiVideo, Auth, AuthLayer, AuthOutcome, BoxError, Client, Declaration, Vervoe, Videsk, Vidizmo,
    testing::{
        Controls, Endpoint, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Fault, On, Revoked, Times,
    },
};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// Everything that was logged or printed.
#[derive(Clone, Default)]
struct Transcript(Arc<Mutex<Vec<u8>>>);

impl Transcript {
    fn print(&self, what: &dyn std::fmt::Debug) {
        let mut text = self.0.lock().expect("no panic");
        text.extend_from_slice(format!("{what:?}\n{what:#?}\n").as_bytes());
    }

    fn print_error(&self, error: &(dyn Error + 'static)) {
        self.print(&error);
        let mut chain = String::new();
        let mut next = Some(error);
        while let Some(error) = next {
            writeln!(chain, "{error}").expect("a string takes everything");
            next = error.source();
        }
        self.0.lock().expect("no panic").extend_from_slice(chain.as_bytes());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned()
    }
}

impl io::Write for Transcript {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Transcript {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What differs between the vendors.
struct Vendor {
    name: &'static str,
    layer: AuthLayer,
    controls: Controls,
    origin: String,
    secrets: Vec<&'static str>,
}

#[tokio::test]
async fn no_secret_is_logged_or_printed_whatever_happens() {
    let transcript = Transcript::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(transcript.clone());
    subscriber.init();

    let client = Client::new().expect("a client");
    let api_video = FakeApiVideo::new("api video key: ü+%41/=");
    let videsk = FakeVidesk::new();
    let vidizmo = FakeVidizmo::password("john.doe@example.com", "p@ss:wörd +%41");
    let vervoe = FakeVervoe::new("vervoe-key", "s3cret:ü+%41");
    // What the file's references lead to.
    let declared = FakeVervoe::new("vervoe-api-key", "s3cret:Kéy+%41ü");
    let served = [
        api_video.serve().await.expect("served"),
        videsk.serve().await.expect("served"),
        vidizmo.serve().await.expect("served"),
        vervoe.serve().await.expect("served"),
        declared.serve().await.expect("served"),
    ];
    let origins = served.each_ref().map(|served| served.origin().to_owned());
    let videsk_key: &'static str = videsk.key().leak();
    let vendors = [
        Vendor {
            name: "api.video",
            layer: ApiVideo::sandbox("api video key: ü+%41/=")
                .base_url(&*origins[0])
                .layer(client.clone())
                .expect("valid"),
            controls: api_video.controls().clone(),
            origin: origins[0].clone(),
            secrets: vec!["api video key: ü+%41/="],
        },
        Vendor {
            name: "Videsk",
            layer: Videsk::new(videsk_key).base_url(&*origins[1]).layer().expect("valid"),
            controls: videsk.controls().clone(),
            origin: origins[1].clone(),
            secrets: vec![videsk_key],
        },
        Vendor {
            name: "VIDIZMO",
            layer: Vidizmo::password("unused.example", "john.doe@example.com", "p@ss:wörd +%41")
                .base_url(&*origins[2])
                .layer(client.clone())
                .expect("valid"),
            controls: vidizmo.controls().clone(),
            origin: origins[2].clone(),
            secrets: vec!["p@ss:wörd +%41"],
        },
        Vendor {
            name: "Vervoe",
            layer: Vervoe::new("vervoe-key", "s3cret:ü+%41")
                .base_url(&*origins[3])
                .layer(client.clone())
                .expect("valid"),
            controls: vervoe.controls().clone(),
            origin: origins[3].clone(),
            secrets: vec!["s3cret:ü+%41", "vervoe-key:s3cret:ü+%41"],
        },
        Vendor {
            name: "a declared vendor",
            layer: {
                let declaration: Declaration =
                    toml::from_str(include_str!("declared/vervoe.toml")).expect("valid");
                transcript.print(&declaration);
                declaration.base_url(&*origins[4]).layer(client.clone()).expect("valid")
            },
            controls: declared.controls().clone(),
            origin: origins[4].clone(),
            secrets: vec!["s3cret:Kéy+%41ü", "vervoe-api-key:s3cret:Kéy+%41ü"],
        },
    ];
    for vendor in vendors {
        let mut secrets: Vec<String> = vendor.secrets.iter().map(|&secret| secret.to_owned()).collect();
        let calls = run(&vendor, &client, &transcript).await;
        assert!(calls >= 20, "{}: the scenarios ran", vendor.name);
        secrets.extend(vendor.controls.tokens());
        secrets.extend(vendor.controls.refresh_tokens());
        let text = transcript.text();
        assert!(
            text.contains("hyper") && text.lines().count() > 100,
            "{}: others' logs are here",
            vendor.name
        );
        for secret in &secrets {
            for (form, written) in forms(secret) {
                if let Some(at) = text.find(&written) {
                    let around: String = text[..at].chars().rev().take(300).collect();
                    panic!(
                        "{}: a secret, {form}, after: {}",
                        vendor.name,
                        around.chars().rev().collect::<String>()
                    );
                }
            }
        }
    }
    // The search itself must be able to find something.
    transcript.print(&BASE64_STANDARD_NO_PAD.encode("vervoe-key:s3cret:ü+%41"));
    let found =
        forms("vervoe-key:s3cret:ü+%41").into_iter().any(|(_, written)| transcript.text().contains(&written));
    assert!(found);
}

/// The ways in which a secret may be written.
fn forms(secret: &str) -> [(&'static str, String); 5] {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    [
        ("as it is", secret.to_owned()),
        ("escaped", secret.escape_debug().to_string()),
        ("in base64", BASE64_STANDARD_NO_PAD.encode(secret)),
        ("in base64url", BASE64_URL_SAFE_NO_PAD.encode(secret)),
        ("percent-encoded", percent),
    ]
}

/// Everything that can go well or wrong. Returns the number of requests that the vendor saw.
async fn run(vendor: &Vendor, client: &Client, transcript: &Transcript) -> usize {
    let service = vendor.layer.layer(client.clone());
    let (tokens, controls) = (service.tokens(), &vendor.controls);
    let faults = [
        Fault::status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::status(StatusCode::UNAUTHORIZED),
        Fault::status(StatusCode::FOUND),
        Fault::Malformed,
        Fault::RequestLost,
        Fault::AnswerLost,
        Fault::SameToken,
    ];
    transcript.print(&(&vendor.layer, &service, client, &tokens));
    for revoked in [Revoked::Expired, Revoked::Invalid] {
        for fault in &faults {
            call(&service, vendor, transcript).await;
            controls.revoke(revoked);
            controls.fail(On::Tokens, Times::Next(1), fault.clone());
            call(&service, vendor, transcript).await;
            tokens.invalidate();
            controls.fail(On::Tokens, Times::Next(3), fault.clone());
            call(&service, vendor, transcript).await;
            transcript.print(&tokens.state());
            tokens.invalidate();
            controls.clear();
        }
    }
    match tokens.get(Duration::ZERO).await {
        Ok(lease) => transcript.print(&(&lease, lease.token())),
        Err(error) => transcript.print_error(&error),
    }
    if let Err(error) = tokens.revoke().await {
        transcript.print_error(&error);
    }
    controls.revoke(Revoked::Removed);
    call(&service, vendor, transcript).await;
    tokens.invalidate();
    call(&service, vendor, transcript).await;
    controls.requests().iter().filter(|request| request.endpoint() == Endpoint::Api).count()
}

async fn call(service: &Auth<Client>, vendor: &Vendor, transcript: &Transcript) {
    let request = Request::get(format!("{}/things", vendor.origin))
        .header("content-type", "application/json")
        .body(Full::<Bytes>::default())
        .expect("valid");
    match service.clone().oneshot(request).await {
        Ok(response) => transcript.print(&response.extensions().get::<AuthOutcome>()),
        Err(error) => print_boxed(&error, transcript),
    }
}

fn print_boxed(error: &BoxError, transcript: &Transcript) {
    transcript.print_error(&**error);
}
