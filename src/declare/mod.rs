//! Vendors declared in a file: what [`TokenEndpoint`](crate::TokenEndpoint) says, in TOML, JSON, or any other format that
//! serde reads and that names its fields. A file needs no Rust, and holds no secret.
//!
//! # Examples
//!
//! Zoom, for an app of the kind "server-to-server OAuth". Its tokens are asked for with HTTP Basic and last for as long
//! as the answer says. One code has two meanings, so the rule looks at the message too:
//!
//! ```
//! # use tower_reauth::{AuthLayer, BoxError, Declaration, Transport};
//! fn layer(transport: Transport) -> Result<AuthLayer, BoxError> {
//!     let zoom: Declaration = toml::from_str(ZOOM)?;
//!     Ok(zoom.layer(transport)?)
//! }
//!
//! const ZOOM: &str = r#"
//!     name = "Zoom"
//!     base_url = "https://api.zoom.us"
//!     reason = "/message"
//!
//!     [acquire]
//!     request = "POST https://zoom.us/oauth/token"
//!     query = { grant_type = "text:account_credentials", account_id = "env:ZOOM_ACCOUNT_ID" }
//!     basic = { user = "env:ZOOM_CLIENT_ID", password = "env:ZOOM_CLIENT_SECRET" }
//!
//!     [[rules]]
//!     verdict = "expired"
//!     status = 401
//!     when = [{ json = "/code", is = 124 }, { json = "/message", is = "Access token is expired." }]
//! "#;
//! # let zoom: Declaration = toml::from_str(ZOOM).expect("valid");
//! # assert_eq!(zoom.name(), "Zoom");
//! # let _ = layer;
//! ```
//!
//! Feishu, with the token of a tenant (for Lark the host is `open.larksuite.com`). Token and lifetime have names of
//! their own, and failures come with a 200 and a code:
//!
//! ```
//! # use tower_reauth::Declaration;
//! let feishu = r#"
//!     name = "Feishu"
//!     base_url = "https://open.feishu.cn"
//!     reason = "/msg"
//!
//!     [acquire]
//!     request = "POST /open-apis/auth/v3/tenant_access_token/internal"
//!     json = { app_id = "env:FEISHU_APP_ID", app_secret = "env:FEISHU_APP_SECRET" }
//!
//!     [answer]
//!     token = "/tenant_access_token"
//!     lifetime = "/expire"
//!     success = { "/code" = 0 }
//!     messages = "/msg"
//!
//!     [[rules]]
//!     verdict = "expired"
//!     status = 400
//!     when = { json = "/code", is = 99991663 }
//! "#;
//! let feishu: Declaration = toml::from_str(feishu)?;
//! # Ok::<(), toml::de::Error>(())
//! ```
//!
//! Marketo, whose host is each customer's own. An expired token is reported with a 200, so its bodies are looked at, if
//! they are JSON; the codes are strings:
//!
//! ```
//! # use tower_reauth::Declaration;
//! let marketo = r#"
//!     name = "Marketo"
//!     base_url = "https://your-instance.mktorest.com"
//!     reason = "/errors/0/message"
//!
//!     [acquire]
//!     request = "GET /identity/oauth/token"
//!     [acquire.query]
//!     grant_type = "text:client_credentials"
//!     client_id = "env:MARKETO_CLIENT_ID"
//!     client_secret = "file:/run/secrets/marketo"
//!
//!     [[rules]]
//!     verdict = "expired"
//!     status = 200
//!     read_success_bodies = true
//!     when = [{ media_type = "json" }, { json = "/errors/*/code", is = "602" }]
//!
//!     [[rules]]
//!     verdict = "invalid"
//!     status = 200
//!     read_success_bodies = true
//!     when = [{ media_type = "json" }, { json = "/errors/*/code", is = "601" }]
//! "#;
//! let marketo: Declaration = toml::from_str(marketo)?;
//! # Ok::<(), toml::de::Error>(())
//! ```
//!
//! OpenStack's Nova, whose tokens come from Keystone: the login is nested, the token is in a header, and the answer has the
//! moment at which it expires:
//!
//! ```
//! # use tower_reauth::Declaration;
//! let nova = r#"
//!     name = "Nova"
//!     base_url = "https://compute.example.com"
//!     placement.header = "X-Auth-Token"
//!
//!     [acquire]
//!     request = "POST https://identity.example.com/v3/auth/tokens"
//!
//!     [acquire.json.auth.identity]
//!     methods = ["text:password"]
//!     password.user = { name = "env:OS_USERNAME", domain.id = "text:default", password = "file:/run/secrets/keystone" }
//!
//!     [acquire.json.auth.scope]
//!     project = { name = "text:videos", domain.id = "text:default" }
//!
//!     [answer]
//!     token = "header:X-Subject-Token"
//!     lifetime = "/token/expires_at"
//! "#;
//! let nova: Declaration = toml::from_str(nova)?;
//! # Ok::<(), toml::de::Error>(())
//! ```
//!
//! A key that is its own token, in JSON:
//!
//! ```
//! # use tower_reauth::Declaration;
//! let acme = r#"{
//!     "name": "Acme",
//!     "base_url": "https://api.acme.example",
//!     "key": "env:ACME_KEY",
//!     "placement": { "header": "X-Api-Key" }
//! }"#;
//! let acme: Declaration = serde_json::from_str(acme)?;
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # The file
//!
//! A key that isn't listed here is refused, and so are an empty list and an empty table, but in `json`. TOML wants keys of
//! the file itself before the first `[table]`.
//!
//! | key | what it says | default |
//! |---|---|---|
//! | `name` | the vendor's name, for logs and errors | it has to be there |
//! | `inputs` | what [inputs](#inputs) may be: a table of names, each with a list | whatever is fit for where they are |
//! | `base_url` | the origin of the API, such as `https://api.example.com`, and the path of a gateway if there is one, which comes before every path of the vendor; tokens go nowhere else | it has to be there |
//! | `other_origins` | an origin or a list of them where tokens go as well, such as an upload host; token requests don't | none |
//! | `acquire` | the [request](#requests) that gets a token from secrets | one of these four has to be there |
//! | `key` | a [secret](#values) that is the token itself | |
//! | `basic` | `user` and `password`, [values](#values), for HTTP Basic on every call; no `password` is an empty one | |
//! | `metadata` | [the machine's own identity](#metadata), of the metadata service that it has | |
//! | `refresh` | with `acquire`: the [request](#requests) that renews a token | a new one is acquired |
//! | `revoke` | with `acquire`: the [request](#requests) that makes the vendor forget a token, a logout | there is none |
//! | `answer` | with `acquire`: [where answers have what](#answers) | as RFC 6749 has it |
//! | `renewal` | with `acquire`: `keeps-previous`, or `revokes-previous` where a new token kills the one before it | `keeps-previous` |
//! | `placement` | where the token goes: [a table](#placement) | `header = "Authorization"`, `scheme = "Bearer"`; with `basic` the scheme is `Basic` |
//! | `rules` | a list of [rules](#rules) | none |
//! | `rfc6750` | whether the rules of RFC 6750 apply, after those given: a 401 with `invalid_token` means expired | `true` without `rules`, else `false` |
//! | `reason` | with `rules`: [where](#rules) responses have the vendor's own words, for rules that don't say it themselves | nowhere |
//! | `allow_plaintext_secrets` | `true` lets secrets and tokens travel over `http` to any host, where everybody on the way can read them; metadata services are refused even so | `false`: `https`, or `http` to loopback |
//!
//! # Placement
//!
//! One of `header`, `cookie` and `query_visible_in_logs` has to be there, in `placement = { header = "X-Api-Key" }`. See
//! [`Placement`](crate::Placement).
//!
//! | key in `placement` | what it says | default |
//! |---|---|---|
//! | `header` | the name of the header that carries the token | |
//! | `scheme` | with `header`: the word before the token | no word |
//! | `template` | with `header`, not beside `scheme`: the header's value, with `{token}` where the token goes, such as `Token token="{token}"`; other braces are doubled | the token alone |
//! | `cookie` | the name of the cookie that carries the token, behind the caller's cookies | |
//! | `query_visible_in_logs` | the name of the query parameter that carries the token, which [shows it to many](crate::Placement::query_visible_in_logs) | |
//!
//! # Values
//!
//! Text that is sent says what it is:
//!
//! | text | what is sent |
//! |---|---|
//! | `env:NAME` | a secret: what the environment variable has |
//! | `file:PATH` | a secret: what the file has, at most 64 KiB of UTF-8, without a byte order mark and line ends around it; a relative path is the process's |
//! | `text:WORDS` | these words, which are no secret and may be shown |
//! | `token:access` | in `refresh` and `revoke`: the access token |
//! | `token:refresh` | in `refresh` and `revoke`: the newest refresh token; without one, `refresh` is left out |
//! | `json:null`, `json:1.50` | in `json` only: `null`, which TOML lacks, and a number that is sent digit for digit as it is written here |
//! | `input:NAME` | an [input](#inputs): what the program fills in, a secret or not |
//!
//! Any other text is refused, and not shown, since it may be a secret. Whole numbers, `true` and `false` are sent as they are.
//! In `form`, `query`, `headers` and `bearer` a value may also be [a JWT](#jwts) that is signed for the request.
//! Secrets are read when the layer is built, and again for each request, so that a file may be replaced at any time: see
//! [`SecretSource`](crate::SecretSource).
//!
//! # Inputs
//!
//! A file may leave open what differs from one user to the next, or is a secret whose place isn't the file's business.
//! [`Declaration::input`](crate::Declaration::input) fills it in, with whatever a [`SecretSource`](crate::SecretSource) is.
//!
//! - `input:NAME` is a [value](#values).
//! - `{NAME}` is a piece of a URL, in `base_url`, in `other_origins` and in each `request`: `https://{shop}.example.com/{tenant}/token`. Within a host
//!   it is one label, with at least two after it, or a piece of one. Within a path or a query it has letters, digits and `-._~`
//!   alone. So it never leads elsewhere than the file says.
//! - `base_url = "input:base_url"` is a base URL that is the program's own, for what people run themselves. It is checked as any
//!   other, and [`Declaration::base_url`](crate::Declaration::base_url) fills it as well.
//! - `request = "GET input:request_url"` is a URL that is the program's own, for what a platform says in a variable of its own. It
//!   is checked as any other.
//! - `inputs.region = ["eu", "us.west"]` lists what an input may be. One that is at the end of a host needs such a list.
//!
//! Names have small letters, digits and underscores. An input that isn't filled, or that the file doesn't have, is an error when
//! the layer is built, which lists them all. Those that differ from one customer to the next are left to be filled for each, by
//! [`Declaration::pattern`](crate::Declaration::pattern).
//!
//! # Requests
//!
//! | key in `acquire`, `refresh`, `revoke` | what it says | default |
//! |---|---|---|
//! | `request` | method and URL: `POST /token`, at `base_url`, or `POST https://login.example.com/token` | it has to be there |
//! | `query` | a table of parameters and their [values](#values); with a list of values, the name is sent as often | none |
//! | `headers` | the same, of headers | `Accept: application/json` |
//! | `json` | a table that is sent as a JSON object, or a list or a [value](#values) that is the body: see [below](#json) | no body |
//! | `form` | a table as `query`, sent as a form (`application/x-www-form-urlencoded`); not beside `json` | no body |
//! | `basic` | `user` and `password`, for HTTP Basic; `form_encoded = true` encodes both first, as RFC 6749 §2.3.1 says | none |
//! | `bearer` | a value, or [a JWT](#jwts), sent as `Authorization: Bearer`; not beside `basic` | none |
//! | `accepts` | a status or a list of them that mean success | any 2xx |
//!
//! ## JSON
//!
//! Tables and lists in `json` are sent as they are, nested up to 32 deep, empty ones too. Their texts are [values](#values),
//! each of which says what it is. A number with a fraction is refused, since no reader says how it was written: write
//! `json:1.50`. Fields are sent in the order in which the file's reader gives them. That is the file's order in JSON, and
//! their names' in TOML, unless its crate has the feature `preserve_order`.
//!
//! ## JWTs
//!
//! In place of a value in `form`, `query`, `headers` and `bearer` there may be a table with the key `jwt`: a JWT that is signed
//! anew for each request, with an id that is used once. That needs the feature `jwt`, whose `oauth2::JwtAssertion` and
//! `oauth2::JwtKey` have the same settings. In `json` a table is sent as it is, so there is none there.
//!
//! A GitHub App, whose JWT is exchanged for a token of an installation:
//!
//! ```
//! # #[cfg(feature = "jwt")] {
//! # use tower_reauth::Declaration;
//! let github = r#"
//!     name = "GitHub"
//!     base_url = "https://api.github.com"
//!
//!     [acquire]
//!     request = "POST /app/installations/4242/access_tokens"
//!     accepts = 201
//!
//!     [acquire.headers]
//!     Accept = "text:application/vnd.github+json"
//!     User-Agent = "text:acme"
//!
//!     [acquire.bearer.jwt]
//!     algorithm = "RS256"
//!     key = "file:/run/secrets/github-app.pem"
//!     issuer = "env:GITHUB_CLIENT_ID"
//!     lifetime = 600
//!
//!     [answer]
//!     token = "/token"
//!     lifetime = "/expires_at"
//!
//!     [[rules]]
//!     verdict = "expired"
//!     status = 401
//! "#;
//! let github: Declaration = toml::from_str(github).expect("valid");
//! # }
//! ```
//!
//! A client of OAuth 2.0 that authenticates by one (`private_key_jwt`, RFC 7523 §2.2):
//!
//! ```
//! # #[cfg(feature = "jwt")] {
//! # use tower_reauth::Declaration;
//! let acme = r#"
//!     name = "Acme"
//!     base_url = "https://api.acme.example"
//!
//!     [acquire]
//!     request = "POST https://login.acme.example/token"
//!
//!     [acquire.form]
//!     grant_type = "text:client_credentials"
//!     client_assertion_type = "text:urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
//!
//!     [acquire.form.client_assertion.jwt]
//!     algorithm = "ES256"
//!     key = "env:ACME_KEY"
//!     key_id = "text:2026-01"
//!     issuer = "text:my-client"
//!     audience = "text:https://login.acme.example/token"
//! "#;
//! let acme: Declaration = toml::from_str(acme).expect("valid");
//! # }
//! ```
//!
//! | key in `jwt` | what it says | default |
//! |---|---|---|
//! | `algorithm` | `RS256`, `RS384`, `RS512`, `PS256`, `ES256`, `ES384`, `EdDSA`, or, with a secret that the server has as well, `HS256`, `HS384` or `HS512` | it has to be there |
//! | `key` | the private key in PEM, or that secret: `file:PATH` or `env:NAME` | it has to be there |
//! | `issuer` | `iss`, a [text](#values) | it has to be there |
//! | `subject` | `sub`, a text | the issuer |
//! | `audience` | `aud`, a text | none |
//! | `lifetime` | seconds from `iat` to `exp` | 180 |
//! | `back_dated` | seconds that `iat` and `nbf` are in the past, fewer than `lifetime` | 60, but no more than half of `lifetime` |
//! | `key_id` | `kid` in the header, a text | none |
//! | `x5t`, `x5t_s256` | the key's certificate in PEM, a text such as `file:PATH`: its thumbprint is in the header, by SHA-1 or SHA-256 | none |
//! | `typ` | `typ` in the header, a text | `JWT` |
//! | `claims` | a table of claims of the server's own | none |
//! | `without_claims` | the name of a claim that the JWT has by itself and that is left out, or a list of them: `sub`, `aud`, `iat`, `nbf`, `jti` | none |
//! | `headers` | a table of headers of the server's own | none |
//!
//! Texts are `text:WORDS`, `env:NAME` or `file:PATH`. `claims` and `headers` are tables as those in `json`: nested, with numbers,
//! `true` and `false`, and texts that say what they are. A claim that the JWT has by itself is refused there, unless
//! `without_claims` has it: `without_claims = "aud"` with `claims.aud = ["text:a", "text:b"]` is for a server that wants a list.
//! Whoever gets the JWT can read what is in it, so no secret belongs there. What it refers to is read for each request, and
//! tried when the layer is built: a key that isn't of the algorithm is an error then.
//!
//! # Metadata
//!
//! A program that runs in Google Cloud or Azure has an identity there. The file names the service and what to ask for, and never
//! where that is: see [`metadata`](crate::metadata), which is what asks it. That needs the feature `client`.
//!
//! ```
//! # #[cfg(feature = "client")] {
//! # use tower_reauth::Declaration;
//! let vault = r#"
//!     name = "Key Vault"
//!     base_url = "https://{vault}.vault.azure.net"
//!     metadata = { service = "azure-vm", resource = "text:https://vault.azure.net", client_id = "input:client_id" }
//! "#;
//! let vault: Declaration = toml::from_str(vault).expect("valid");
//! # }
//! ```
//!
//! | key in `metadata` | what it says | default |
//! |---|---|---|
//! | `service` | `google`, `azure-vm` or `azure-app-service`, which is Functions' and Container Apps' as well | it has to be there |
//! | `resource` | with Azure: the App ID URI of what the token is for, a [text](#values) | it has to be there |
//! | `client_id`, `object_id`, `resource_id` | with Azure: one of them names a user-assigned identity | the system-assigned one |
//! | `audience` | with `google`: asks for an ID token for that | an access token |
//! | `scopes` | with `google`, not beside `audience`: a scope or a list of them | those that the machine has |
//! | `account` | with `google`: the address of one of the machine's service accounts | `default` |
//!
//! They are texts that are known when the layer is built. Google's server is where the variable `GCE_METADATA_HOST` says, if it is
//! set, as long as that is on this machine or a link of it.
//!
//! # Answers
//!
//! A place in an answer is a JSON Pointer (RFC 6901) such as `/data/token`, `header:NAME`, `cookie:NAME` for a cookie that
//! the answer sets, `status`, or `body`, which is the whole body as text or a JSON string.
//!
//! | key in `answer` | what it says | default |
//! |---|---|---|
//! | `token` | the place of the token | `/access_token` |
//! | `refresh_token` | the place of the refresh token | `/refresh_token` |
//! | `lifetime` | seconds that every token lives, the place where answers say so (as seconds, or as the moment at which it expires), `jwt` if the token says it itself by its `exp`, or `unknown` | `/expires_in` |
//! | `form` | `true`: answers are forms, whatever their media type; `/access_token` then names a field | by the media type |
//! | `success` | a table of places and what is there in a success; with anything else there it is no token: the endpoint's failure, unless `refusal` or `later` knows it | the status alone |
//! | `required` | the same, where nothing there is a failure as well: for logins that set a cookie whoever asks | none |
//! | `refusal` | a table of places and the value, or list of values, that mean that the secrets are refused, whatever the status | 401, and the codes of RFC 6749 §5.2 at `/error` |
//! | `later` | the same for values that mean that it may work later | 408, 425, 429, 5xx, and `slow_down`, `ratelimited`, `temporarily_unavailable` and the like at `/error` |
//! | `messages` | a place or a list of them where failures have the vendor's words | `/error`, `/error_description` |
//! | `retry_after` | a header or a list of them that say how long to stay away, beside `Retry-After`: as seconds, or as a moment | none |
//! | `token_types` | a name or a list of them by which the vendor calls bearer tokens in `token_type`, where that is looked at | `Bearer` |
//! | `members` | a table of names and places: what else is kept of an answer, for [`AccessToken::member`](crate::AccessToken::member) | none |
//! | `strict` | `true` keeps to the letter of RFC 6749 §5: see [`TokenEndpoint::strict`](crate::TokenEndpoint::strict) | `false` |
//!
//! # Rules
//!
//! The first rule that fits a response says what it means; where none does, the token is accepted. So exceptions stand
//! before broad rules. A rule needs a `status` or a `when`.
//!
//! | key in a rule | what it says | default |
//! |---|---|---|
//! | `verdict` | `expired`: refresh, and send the request once more; `invalid`: the same, without the refresh; `denied`: no new token would help | it has to be there |
//! | `status` | a status or a list of them | every status |
//! | `when` | a [condition](#conditions), or a list of which all have to hold | none |
//! | `read_success_bodies` | `true` looks at the bodies of 2xx responses too, which are held up for it | `false` |
//! | `head_requests_by_status` | `true` lets the rule judge answers to HEAD, which have no body, by status and headers alone: see [`Rule::head_requests_by_status`](crate::Rule::head_requests_by_status) | `false` |
//! | `reason` | where the vendor's own words are: a JSON Pointer, or a table with `json`, `header`, `trailer`, `body = true`, or `challenge` and `param` | the file's `reason` |
//!
//! # Conditions
//!
//! A condition is about one thing:
//!
//! | key | what it is about | what can be asked |
//! |---|---|---|
//! | `json` | a JSON Pointer into the body, with `*` for any element of a list: `/errors/*/code` | everything below |
//! | `header` | a header's name | `is`, `one_of`, `starts_with`, `contains`, `exists` |
//! | `trailer` | the name of a field that comes after the body: the request is not replayed, but the next one has a new token | the same |
//! | `challenge` | a scheme in `WWW-Authenticate`, such as `Bearer` | `exists` |
//! | `challenge`, `param` | a parameter of it, such as `error` | `is`, `one_of`, `starts_with`, `contains`, `exists` |
//! | `body` | `true`: the body as text | `starts_with`, `contains` |
//! | `media_type` | `json` and `xml` stand for all types of that format, `text/plain` for that type alone | nothing: it holds if that is the response's |
//! | `all`, `any` | a list of conditions | nothing |
//! | `not` | a condition | nothing |
//!
//! and asks one thing of it:
//!
//! | key | it holds if what is there |
//! |---|---|
//! | `is` | is exactly that: in JSON also a whole number, `true`, `false` or `null`, and 602 isn't `"602"` |
//! | `one_of` | is one of a list |
//! | `starts_with`, `contains` | is text that does |
//! | `exists` | `true`: is there at all; `false`: is not |
//! | `has` | fulfils a condition of its own, whose pointers start there: several things about one element |
//!
//! `ignore_case = true` beside them takes upper and lower case for the same.

mod answer;
#[cfg(feature = "jwt")]
mod claim;
mod condition;
mod declaration;
mod inputs;
#[cfg_attr(not(feature = "jwt"), path = "no_jwt.rs")]
mod jwt;
#[cfg_attr(not(feature = "client"), path = "no_metadata.rs")]
mod metadata;
#[cfg(all(test, feature = "jwt"))]
mod no_jwt;
#[cfg(all(test, feature = "client"))]
mod no_metadata;
mod node;
mod outline;
mod pattern;
mod places;
mod request;
mod rules;
mod template;
mod trial;
mod value;
mod word;

pub use declaration::Declaration;
pub use pattern::Pattern;
pub use trial::Trial;

#[cfg(test)]
mod tests;
