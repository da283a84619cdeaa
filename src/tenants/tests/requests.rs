//! Which requests are sent, with whose token.

use super::*;

#[tokio::test(start_paused = true)]
async fn each_tenant_has_its_own_token() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    for id in ["acme", "umbrella", "acme"] {
        assert_eq!(world.call(&tenants, id).await, Ok(StatusCode::OK));
    }
    assert_eq!(world.sent(), ["acme-1", "umbrella-1", "acme-1"]);
    assert_eq!((of(&world.built, "acme"), of(&world.asked, "acme")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_no_tenants_is_not_sent() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    assert_eq!(world.send(&tenants, get("acme")).await, Err(AuthErrorKind::NoTenant));
    // Of another type than the ids.
    assert_eq!(world.send(&tenants, get("acme").extension("acme")).await, Err(AuthErrorKind::NoTenant));
    assert_eq!(world.call(&tenants, "unknown").await, Err(AuthErrorKind::TenantRefused));
    assert!(world.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_to_another_tenants_host_is_not_sent() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let request = || get("umbrella").extension("acme".to_owned());
    // Before it is built, and after that.
    for _ in 0..2 {
        assert_eq!(world.send(&tenants, request()).await, Err(AuthErrorKind::OtherTenant));
    }
    assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK));
    assert_eq!(world.send(&tenants, request()).await, Err(AuthErrorKind::OtherTenant));
    assert_eq!(world.sent(), ["acme-1"]);
}

#[tokio::test(start_paused = true)]
async fn who_brings_a_header_of_its_own_passes_if_the_tenant_is_known() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let own = |id: &str| get(id).header("authorization", "Bearer own").extension(id.to_owned());
    for _ in 0..2 {
        assert_eq!(world.send(&tenants, own("acme")).await, Ok(StatusCode::OK));
    }
    assert_eq!(world.send(&tenants, own("unknown")).await, Err(AuthErrorKind::TenantRefused));
    assert_eq!(
        world.send(&tenants, get("x").extension(Exempt::FromAuthentication)).await,
        Ok(StatusCode::OK)
    );
    assert_eq!(world.sent(), ["own", "own", ""]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_and_the_request_sent_once_more() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    assert_eq!(world.call(&tenants, "stale").await, Ok(StatusCode::OK));
    assert_eq!(world.sent(), ["stale-1", "stale-2"]);
}

#[tokio::test(start_paused = true)]
async fn layers_for_the_same_tenants_write_tokens_each_in_its_way() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    let client = service_fn(|request: Request<Full<Bytes>>| {
        let values = ["authorization", "x-key"].map(|name| request.headers().get(name).cloned());
        let [one, two] = values.map(|value| value.map(|value| value.to_str().unwrap().to_owned()));
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(one.or(two));
        std::future::ready(Ok::<_, BoxError>(response))
    });
    let bearer = AuthLayer::tenants(tenants.clone()).layer(client);
    let bare = AuthLayer::tenants(tenants).placement(Placement::bare("x-key").unwrap()).layer(client);
    for _ in 0..4 {
        for (service, expected) in [(&bearer, "Bearer acme-1"), (&bare, "acme-1")] {
            let request = get("acme").extension("acme".to_owned()).body(Full::default()).unwrap();
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.extensions().get::<Option<String>>().unwrap().as_deref(), Some(expected));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_tenants_faults_are_no_others() {
    for fault in ["hangs", "down", "dead", "sticks", "panics", "unknown"] {
        let world = World::default();
        let tenants = world.tenants(Grants::Reusable).build();
        let wrong = tokio::spawn({
            let (world, tenants) = (world.clone(), tenants.clone());
            async move { world.call(&tenants, fault).await }
        });
        sleep(Duration::from_millis(100)).await;
        let began = tokio::time::Instant::now();
        assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK), "{fault}");
        assert_eq!(began.elapsed(), Duration::from_millis(20), "{fault}");
        assert!(wrong.await.unwrap().is_err(), "{fault}");
        assert_eq!(world.sent(), ["acme-1"], "{fault}");
        let state = tenants.find(&"acme".to_owned()).unwrap().state();
        assert!(state.error().is_none() && state.paused_until().is_none(), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_each_tenants_own() {
    let world = World::default();
    let policy =
        crate::token::RefreshPolicy::default().budget(1, 3600 * SECOND).pause(Duration::ZERO, SECOND);
    let tenants = world.tenants(Grants::Reusable).policy(policy).build();
    for id in ["a", "b"] {
        assert_eq!(world.call(&tenants, id).await, Ok(StatusCode::OK));
        let tokens = tenants.get(&id.to_owned()).await.unwrap();
        let first = tokens.try_get().unwrap();
        let second = tokens.reject(&first).await.expect("its own budget has one");
        assert_eq!(tokens.reject(&second).await.unwrap_err().kind(), AuthErrorKind::Paused);
    }
    assert_eq!((of(&world.asked, "a"), of(&world.asked, "b")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn private_addresses_are_refused_unless_allowed() {
    for host in ["localhost", "127.0.0.1", "[::1]", "10.0.0.1", "[::ffff:192.168.0.1]", "2130706433"] {
        let build = || {
            Tenants::builder(move |_: u64| async move {
                let origin = Origin::parse_allowing_plaintext_tokens(&format!("http://{host}"))?;
                Ok(Tenant::new(crate::credential::StaticToken::new("key")?).origin(origin))
            })
        };
        let refused = build().build().get(&1).await.unwrap_err();
        assert_eq!(refused.kind(), AuthErrorKind::TenantRefused, "{host}");
        assert!(build().allow_private_addresses().build().get(&1).await.is_ok(), "{host}");
    }
    let no_origin = Tenants::new(async |_: u64| Ok(Tenant::new(crate::credential::StaticToken::new("key")?)));
    assert_eq!(no_origin.get(&1).await.unwrap_err().kind(), AuthErrorKind::TenantRefused);
}
