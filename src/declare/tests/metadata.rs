//! The table `metadata`: what it is in Rust, and what is refused of it.

use super::{
    super::{metadata::metadata, no_metadata, node::Node, value::Value},
    *,
};
use crate::{
    credential::metadata::{AzureAppService, AzureVm, GoogleMetadata, ManagedIdentity},
    error::{ConfigError, ConfigErrorKind},
};

fn table(text: &str) -> Value {
    Value::at("metadata", toml::from_str::<Node>(text).unwrap())
}

fn refused(text: &str) -> ConfigError {
    metadata(table(text)).err().unwrap_or_else(|| panic!("not refused: {text}"))
}

#[test]
fn it_is_what_the_builders_make_of_the_same() {
    let google = || GoogleMetadata::access_token().host_from_env().name("Acme").build();
    let id = "text:/subscriptions/s/x";
    for (text, expected) in [
        ("service = 'google'".to_owned(), google()),
        (
            "service = 'google'\nscopes = ['text:a', 'text:b']\naccount = 'text:robot@acme'".to_owned(),
            GoogleMetadata::access_token()
                .host_from_env()
                .scope("a")
                .scope("b")
                .service_account("robot@acme")
                .name("Acme")
                .build(),
        ),
        (
            "service = 'google'\naudience = 'text:https://me'".to_owned(),
            GoogleMetadata::id_token("https://me").host_from_env().name("Acme").build(),
        ),
        ("service = 'azure-vm'\nresource = 'text:r'".to_owned(), AzureVm::new("r").name("Acme").build()),
        (
            format!("service = 'azure-vm'\nresource = 'text:r'\nresource_id = '{id}'"),
            AzureVm::new("r").identity(ManagedIdentity::resource_id(&id[5..])).name("Acme").build(),
        ),
        (
            "service = 'azure-vm'\nresource = 'text:r'\nobject_id = 'text:o'".to_owned(),
            AzureVm::new("r").identity(ManagedIdentity::object_id("o")).name("Acme").build(),
        ),
    ] {
        let declared = metadata(table(&text)).unwrap().build("Acme".to_owned()).unwrap();
        assert_eq!(format!("{declared:?}"), format!("{:?}", expected.unwrap()), "{text}");
        assert_eq!(declared.describe().name(), "Acme");
    }
    // Where that is, the environment says.
    let app =
        metadata(table("service = 'azure-app-service'\nresource = 'text:r'\nclient_id = 'text:c'")).unwrap();
    let (declared, built) = (app.build("Acme".to_owned()), AzureAppService::new("r").build());
    assert_eq!(declared.unwrap_err().to_string(), built.unwrap_err().to_string());
}

#[test]
fn mistakes_are_refused_by_the_path_of_their_key() {
    for (text, words) in [
        ("", "metadata.service: it is missing"),
        ("service = 'aws'", "metadata.service: there are google, azure-vm and azure-app-service"),
        ("service = 'azure-vm'", "metadata.resource: it is missing"),
        ("service = 'azure-app-service'", "metadata.resource: it is missing"),
        (
            "service = 'azure-vm'\nresource = 'text:r'\nclient_id = 'text:c'\nobject_id = 'text:o'",
            "metadata.object_id: it can't be beside client_id",
        ),
        (
            "service = 'google'\naudience = 'text:a'\nscopes = 'text:s'",
            "metadata.scopes: it can't be beside audience",
        ),
        ("service = 'google'\nresource = 'text:r'", "metadata.resource: it doesn't go with google"),
        (
            "service = 'azure-vm'\nresource = 'text:r'\naudience = 'text:a'",
            "metadata.audience: it doesn't go with azure-vm",
        ),
        (
            "service = 'google'\nscopes = []",
            "metadata.scopes: the list is empty; write something into it, or leave the key out",
        ),
        (
            "service = 'azure-vm'\nresource = 'https://vault.azure.net'",
            "metadata.resource: secrets don't belong into this file; write env:NAME for a variable or file:PATH for a file \
             that has the secret, and text:WORDS for what is none",
        ),
        // No file says where such a service is.
        (
            "service = 'google'\nhost = 'text:evil.example'",
            "metadata.host: there is no such key here; there are service, audience, scopes, account, resource, client_id, \
             object_id, resource_id",
        ),
    ] {
        assert_eq!(refused(text).to_string(), words, "{text}");
    }
}

#[test]
fn it_is_in_a_file_instead_of_a_request_and_the_api_is_no_metadata_service() {
    let layer = |text: &str| toml(text).layer(Scripted::answers(500, &[], "").transport());
    let file = "metadata = { service = 'google', scopes = 'input:scope' }\nplacement.header = 'X-Token'";
    let declared = acme(file);
    assert_eq!(declared.inputs().collect::<Vec<_>>(), ["scope"]);
    let filled = declared.clone().input("scope", "https://www.googleapis.com/auth/pubsub");
    let parts = filled.parts(Scripted::answers(500, &[], "").transport()).unwrap();
    assert!(format!("{:?}", parts.placement).contains("x-token"), "{:?}", parts.placement);
    assert_eq!(parts.credential.describe().name(), "Acme");
    // Who has to wait for it can't say it now.
    let asked = SecretSource::from_fn(|| async { Ok("s".into()) });
    let transport = Scripted::answers(500, &[], "").transport();
    let error = declared.input("scope", asked).layer(transport).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Input);
    assert!(error.to_string().contains("its scopes has to be known when the layer is built"), "{error}");

    for (text, words) in [
        ("metadata.service = 'google'\nkey = 'env:K'", "metadata: it can't be beside key"),
        ("metadata.service = 'google'\nrenewal = 'keeps-previous'", "renewal: it doesn't go with metadata"),
        ("metadata.service = 'google'\n[answer]", "answer: it doesn't go with metadata"),
    ] {
        let error = toml::from_str::<Declaration>(&format!("{ACME}{text}")).unwrap_err();
        assert!(error.to_string().starts_with(words), "{error}");
    }
    let inward = "name = 'M'\nbase_url = 'http://169.254.169.254'\nallow_plaintext_secrets = true\nmetadata.service = 'google'";
    let error = toml::from_str::<Declaration>(inward).unwrap_err();
    assert!(error.to_string().contains("is a metadata service"), "{error}");
    assert!(
        layer("name = 'G'\nbase_url = 'https://storage.googleapis.com'\nmetadata.service = 'google'").is_ok()
    );
}

#[test]
fn without_the_feature_it_is_refused_by_its_name() {
    let error = no_metadata::metadata(table("service = 'google'")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "metadata: nothing here can ask a metadata service: this program was built without the feature client of \
         tower-reauth"
    );
}
