//! The four vendors, with each fault that a token endpoint can have.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_reauth::{
    ApiVideo, Auth, AuthLayer, AuthOutcome, Client, Declaration, Vervoe, Videsk, Vidizmo,
    testing::{
        Controls, Endpoint, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Fault, On, Revoked, Times,
    },
};

use crate::transcript::Transcript;

/// What differs between the vendors.
struct Vendor {
    name: &'static str,
    layer: AuthLayer,
    controls: Controls,
    origin: String,
    secrets: Vec<&'static str>,
}

pub(crate) async fn check(transcript: &Transcript) {
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
                    toml::from_str(include_str!("../declared/vervoe.toml")).expect("valid");
                transcript.print(&declaration);
                declaration.base_url(&*origins[4]).layer(client.clone()).expect("valid")
            },
            controls: declared.controls().clone(),
            origin: origins[4].clone(),
            secrets: vec!["s3cret:Kéy+%41ü", "vervoe-api-key:s3cret:Kéy+%41ü"],
        },
    ];
    let checked = vendors.map(async |vendor| {
        let mut secrets: Vec<String> = vendor.secrets.iter().map(|&secret| secret.to_owned()).collect();
        let calls = run(&vendor, &client, transcript).await;
        assert!(calls >= 20, "{}: the scenarios ran", vendor.name);
        secrets.extend(vendor.controls.tokens());
        secrets.extend(vendor.controls.refresh_tokens());
        transcript.assert_free_of(&secrets, vendor.name);
    });
    join_all(checked).await;
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
        Err(error) => transcript.print_error(&*error),
    }
}
