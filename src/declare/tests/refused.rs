//! What is refused, and in which words.

use super::*;

/// Each is a file, and the whole of what is said of it.
#[test]
fn mistakes_are_refused_by_the_path_of_their_key() {
    const ACQUIRE: &str = "acquire.request = 'POST /t'\n";
    let request = |rest: &str| format!("[acquire]\nrequest = 'POST /t'\n{rest}");
    let refresh = |rest: &str| format!("{ACQUIRE}[refresh]\nrequest = 'POST /r'\n{rest}");
    let answer = |rest: &str| format!("{ACQUIRE}[answer]\n{rest}");
    let rule = |rest: &str| {
        format!(
            "{ACQUIRE}[[rules]]\nverdict = 'denied'\nstatus = 403\n[[rules]]\nverdict = 'expired'\n{rest}"
        )
    };
    let when = |condition: &str| rule(&format!("status = 401\nwhen = {condition}"));
    let placement = |keys: &str| format!("{ACQUIRE}placement = {{ {keys} }}");
    let brace = "has a brace that isn't that of {token}; write {{ and }} for braces";
    let literal = "secrets don't belong into this file; write env:NAME for a variable or file:PATH for a file that \
                   has the secret, and text:WORDS for what is none";
    let fraction = "a number with a fraction, or of so many digits, wouldn't be sent as it is written; write it as \
                    json:1.50";
    let constant = "json: takes null or a number, as in json:null and json:1.50";
    let empty_list = "the list is empty; write something into it, or leave the key out";
    let empty_table = "the table is empty; write something into it, or leave the key out";
    let line = "write a method in capitals, a space, and a path or a url: POST /token";
    let place = "that is no place in an answer; write a json pointer such as /data/token, header:NAME, cookie:NAME, body, or \
                 status";
    let about = "it has to send the token that it is about: token:access or token:refresh";
    let cases: Vec<(String, String)> = vec![
        // Where tokens come from.
        (String::new(), "one of acquire, key, basic and metadata has to say where tokens come from".into()),
        ("key = 'env:K'\nbasic.user = 'env:K'".into(), "basic: it can't be beside key".into()),
        (format!("{ACQUIRE}key = 'env:K'"), "key: it can't be beside acquire".into()),
        ("key = 'env:K'\n[refresh]".into(), "refresh: it doesn't go with key".into()),
        ("basic.user = 'env:K'\n[answer]".into(), "answer: it doesn't go with basic".into()),
        ("key = 'env:K'\nrenewal = 'keeps-previous'".into(), "renewal: it doesn't go with key".into()),
        ("key = 'env:K'\nrevoke.request = 'POST /r'".into(), "revoke: it doesn't go with key".into()),
        // Keys that aren't any.
        ("tokens = 1".into(), "tokens: there is no such key here; there are name, base_url, other_origins, inputs, acquire, key, basic, metadata, \
                               refresh, revoke, answer, renewal, placement, rules, rfc6750, reason, \
                               allow_plaintext_secrets".into()),
        (request("body = 1"), "acquire.body: there is no such key here; there are request, query, headers, basic, \
                               bearer, json, form, accepts".into()),
        (request("basic = { user = 'env:K', passwort = 'env:K' }"),
         "acquire.basic.passwort: there is no such key here; there are user, password, form_encoded".into()),
        (answer("tokn = '/t'"), "answer.tokn: there is no such key here; there are token, refresh_token, lifetime, \
            form, success, required, refusal, later, messages, retry_after, token_types, members, strict".into()),
        (rule("\"sta tus\" = 401"), "rules[1].\"sta tus\": there is no such key here; there are verdict, status, \
                                     when, read_success_bodies, head_requests_by_status, reason".into()),
        (when("{ jsn = '/a' }"), "rules[1].when.jsn: there is no such key here; there are json, header, trailer, challenge, \
                                  param, body, media_type, all, any, not, is, one_of, starts_with, contains, exists, \
                                  has, ignore_case".into()),
        (format!("{ACQUIRE}placement = {{ header = 'a', prefix = 'b' }}"),
         "placement.prefix: there is no such key here; there are header, scheme, template, cookie, query_visible_in_logs".into()),
        // Where else tokens go.
        (format!("{ACQUIRE}other_origins = []"), format!("other_origins: {empty_list}")),
        (format!("{ACQUIRE}other_origins = 1"), "other_origins: expected text, found a number".into()),
        (format!("{ACQUIRE}other_origins = ['https://a.example', 'content.example']"),
         "other_origins[1]: not an origin: it needs http or https, a host, no userinfo and a valid port".into()),
        (format!("{ACQUIRE}other_origins = 'https://a.example/x?y'"),
         "other_origins: not an origin: it has a query or a fragment; give scheme, host, port and path only".into()),
        (format!("{ACQUIRE}other_origins = 'https://*.acme.example'"),
         "other_origins: not an origin: its host has a wildcard, and there are none; name each host".into()),
        (format!("{ACQUIRE}other_origins = 'https://{{host}}.acme'"),
         "other_origins: the input host could make any host of this; list what it may be in inputs.host, or write \
          input:host for all of base_url".into()),
        // Requests.
        ("[acquire]".into(), "acquire.request: it is missing".into()),
        ("acquire = 'POST /t'".into(), "acquire: expected a table, found text".into()),
        ("acquire.request = '/t'".into(), format!("acquire.request: {line}")),
        ("acquire.request = 'post /t'".into(), format!("acquire.request: {line}")),
        ("acquire.request = 1".into(), "acquire.request: expected text, found a number".into()),
        ("acquire.request = 'POST t'".into(), "acquire: a token request's url needs http or https, a host, no \
            userinfo and a valid port, or is a path that begins with /".into()),
        ("acquire.request = 'POST http://a.example/t'".into(), "acquire: http://a.example:80 would be sent secrets in plain text; use https, or a \
         loopback host, or allow_plaintext_secrets if everybody on the way may read them".into()),
        (request("json.a = 1\nform.b = 2"), "acquire: a token request has both json and form fields; use one \
            kind".into()),
        (request("bearer = 'env:K'\nbasic = { user = 'env:K', password = 'env:K' }"), "acquire: a token request has \
            more than one authorization; use one of basic, bearer or a header".into()),
        (request("query = {}"), format!("acquire.query: {empty_table}")),
        (request("query = []"), "acquire.query: expected a table, found a list".into()),
        (request("query.a = []"), format!("acquire.query.a: {empty_list}")),
        (request("query.a = [['env:K']]"), "acquire.query.a[0]: expected text, found a list".into()),
        (request("form.a = ['env:K', 'foo:bar']"), format!("acquire.form.a[1]: {literal}")),
        (request("form.a = 'json:1.5'"), format!("acquire.form.a: {literal}")),
        (request("form.a = 1.5"), "acquire.form.a: expected text, found a number with a fraction".into()),
        (request("json.a = 1.5"), format!("acquire.json.a: {fraction}")),
        (request("json.a.b = [{ c = inf }]"), format!("acquire.json.a.b[0].c: {fraction}")),
        (request("json.a.b = [1, { 'c d' = ['foo:bar'] }]"), format!("acquire.json.a.b[1].\"c d\"[0]: {literal}")),
        (request("json = ['hunter2']"), format!("acquire.json[0]: {literal}")),
        (request("json = 'hunter2'"), format!("acquire.json: {literal}")),
        (request("json.a.b = 'token:new'"), "acquire.json.a.b: there are token:access and token:refresh".into()),
        (request("json.a = 'json:hunter2'"), format!("acquire.json.a: {constant}")),
        (request("json.a = 'json:01'"), format!("acquire.json.a: {constant}")),
        (request("json.a = 'json:{}'"), format!("acquire.json.a: {constant}")),
        (request("json.a = 2030-01-01"), "acquire.json.a: json has no dates; write text:2030-01-01 in quotes".into()),
        (request(&format!("json.a = {}1{}", "[".repeat(32), "]".repeat(32))), format!("acquire.json.a{}: it is nested \
            more than 32 deep", "[0]".repeat(31))),
        (request("json = []\nform.b = 2"), "acquire: a token request has both json and form fields; use one \
            kind".into()),
        (request("headers.'x key' = 'env:K'"), "acquire: \"x key\" is not a header name".into()),
        (request("headers.x = \"text:a\\nb\""), "acquire: a token request's header value has a character that no \
            header can carry".into()),
        (request("basic.user = 'env:K'"), "acquire.basic.password: it is missing".into()),
        (request("basic = { user = 'text:a:b', password = 'env:K' }"), "acquire: the user-id of http basic can't hold \
            a colon (RFC 7617), the server would split it there; check that key and secret aren't joined or \
            swapped".into()),
        (request("basic = { user = 'token:access', password = 'env:K' }"), "acquire.basic.user: a token has no place \
            here; write env:NAME, file:PATH or text:WORDS".into()),
        (request("json.t = 'token:access'"), "acquire: a request for the first token uses the previous one; only \
            refresh and revoke requests can".into()),
        (request("json.t = 'token:new'"), "acquire.json.t: there are token:access and token:refresh".into()),
        (request("json.t = 'env:'"), "acquire.json.t: env: needs the name of a variable after it".into()),
        (request("json.t = 'env:A=B'"), "acquire.json.t: env: needs the name of a variable after it".into()),
        (request("json.t = 'file:'"), "acquire.json.t: file: needs a path after it".into()),
        (request("accepts = []"), format!("acquire.accepts: {empty_list}")),
        (request("accepts = [200, 42]"), "acquire.accepts[1]: 42 is no http status; one is 401".into()),
        (refresh(""), format!("refresh: {about}")),
        (refresh("json.key = 'env:K'"), format!("refresh: {about}")),
        (format!("{ACQUIRE}[revoke]\nrequest = 'POST /r'"), format!("revoke: {about}")),
        // Secrets.
        ("key = 'hunter2'".into(), format!("key: {literal}")),
        ("key = 'text:hunter2'".into(), format!("key: {literal}")),
        ("key = 'token:access'".into(), format!("key: {literal}")),
        ("basic.user = 'hunter2'".into(), format!("basic.user: {literal}")),
        ("basic = { user = 'env:K', password = 'hunter2' }".into(), format!("basic.password: {literal}")),
        ("basic = 'hunter2'".into(), "basic: expected a table, found text".into()),
        (request("json.apiKey = 'hunter2'"), format!("acquire.json.apiKey: {literal}")),
        (request("query.'api key' = 'Env:hunter2'"), format!("acquire.query.\"api key\": {literal}")),
        (request("bearer = 'hunter2'"), format!("acquire.bearer: {literal}")),
        (request("bearer = ' env:hunter2'"), format!("acquire.bearer: {literal}")),
        (request("basic = { user = 'env:K', password = 'hunter:2' }"), format!("acquire.basic.password: {literal}")),
        (answer("token = 'hunter2'"), format!("answer.token: {place}")),
        // Answers.
        (answer("token = 'data/token'"), format!("answer.token: {place}")),
        (answer("token = ''"), format!("answer.token: {place}")),
        (answer("token = '/a~2'"), "answer.token: \"/a~2\" is not a json pointer; one looks like \"/data/token\" \
            (RFC 6901)".into()),
        (answer("token = 'header:a b'"), "answer.token: \"a b\" is not a header name".into()),
        (answer("lifetime = 0"), "answer.lifetime: a lifetime is at least 1 second".into()),
        (answer("lifetime = -5"), "answer.lifetime: a lifetime is at least 1 second".into()),
        (answer("token_types = 'dpop'"), "answer.token_types: tokens of the type \"dpop\" are bound to a key, and are \
            never sent as bearer tokens".into()),
        (answer("token_types = ['Main', 'PoP']"), "answer.token_types[1]: tokens of the type \"PoP\" are bound to a key, \
            and are never sent as bearer tokens".into()),
        (answer("members = { a = 'b' }"), format!("answer.members.a: {place}")),
        (answer("members = {}"), format!("answer.members: {empty_table}")),
        (answer("later = { '/a' = [] }"), format!("answer.later.\"/a\": {empty_list}")),
        (answer("form = 1"), "answer.form: expected true or false, found a number".into()),
        (answer("lifetime = '10m'"), format!("answer.lifetime: {place}")),
        (answer("lifetime = true"), "answer.lifetime: write a number of seconds, where in the answer it is, jwt, \
            or unknown".into()),
        (answer("success = { ok = true }"), format!("answer.success.ok: {place}")),
        (answer("required = { ok = true }"), format!("answer.required.ok: {place}")),
        (answer("required = {}"), format!("answer.required: {empty_table}")),
        (answer("success = { '/ok' = [true] }"), "answer.success.\"/ok\": expected text, a whole number, true or \
            false, found a list".into()),
        (answer("refusal = { '/c' = [] }"), format!("answer.refusal.\"/c\": {empty_list}")),
        (answer("refusal = {}"), format!("answer.refusal: {empty_table}")),
        (answer("messages = []"), format!("answer.messages: {empty_list}")),
        (answer("messages = ['/a', 5]"), "answer.messages[1]: expected text, found a number".into()),
        (answer("retry_after = 'a b'"), "answer.retry_after: \"a b\" is not a header name".into()),
        (answer("strict = 'yes'"), "answer.strict: expected true or false, found text".into()),
        // Placement and renewal.
        (format!("{ACQUIRE}placement.scheme = 'Bearer'"), "placement.header: it is missing".into()),
        (format!("{ACQUIRE}placement.header = 'a b'"), "placement: the placement's header name is not valid".into()),
        (placement("header = 'a', scheme = \"b\\r\\n\""), "placement: the placement's scheme is not a token".into()),
        (placement("header = 'a', template = 'b {key}'"), format!("placement: the placement's template {brace}")),
        (placement("header = 'a', template = '{token'"), format!("placement: the placement's template {brace}")),
        (placement("header = 'a', template = 'b'"), "placement: the placement's template has no {token}".into()),
        (placement("header = 'a', template = '{token}, {token}'"),
         "placement: the placement's template has {token} twice".into()),
        (placement("header = 'a', template = \"b\\n{token}\""),
         "placement: the placement's template has a character that is not printable ascii".into()),
        (placement("header = 'a', template = 'b=\"{token}'"),
         "placement: the placement's template has a quote that isn't closed".into()),
        (placement("header = 'a', template = '{token} '"),
         "placement: the placement's template begins or ends with a space, which no header's value does".into()),
        (placement("header = 'a', template = 5"), "placement.template: expected text, found a number".into()),
        (placement("header = 'a', scheme = 'b', template = '{token}'"),
         "placement.template: it can't be beside scheme".into()),
        (placement("cookie = 'a;b'"), "placement: the placement's cookie needs a name without spaces, commas, semicolons \
                                       and the like".into()),
        (placement("cookie = true"), "placement.cookie: expected text, found true or false".into()),
        (placement("header = 'a', cookie = 'b'"), "placement.cookie: it can't be beside header".into()),
        (placement("cookie = 'a', query_visible_in_logs = 'b'"),
         "placement.query_visible_in_logs: it can't be beside cookie".into()),
        (placement("cookie = 'a', scheme = 'b'"), "placement.scheme: it doesn't go with cookie".into()),
        (placement("cookie = 'a', template = 'b={token}'"), "placement.template: it doesn't go with cookie".into()),
        (placement("query_visible_in_logs = ''"),
         "placement: the placement's query parameter needs a name without control characters".into()),
        (placement("query_visible_in_logs = 'a', scheme = 'b'"),
         "placement.scheme: it doesn't go with query_visible_in_logs".into()),
        (placement(""), "placement.header: it is missing".into()),
        (format!("{ACQUIRE}placement = {{ header = 'a', scheme = 'b c' }}"), "placement: the placement's scheme is \
            not a token".into()),
        (format!("{ACQUIRE}renewal = 'kills'"), "renewal: there are keeps-previous and revokes-previous".into()),
        // Rules.
        (format!("{ACQUIRE}rules = []"), format!("rules: {empty_list}")),
        (format!("{ACQUIRE}rules = 1"), "rules: expected a list, found a number".into()),
        (format!("{ACQUIRE}reason = '/m'"), "reason: it doesn't go without rules".into()),
        (format!("{ACQUIRE}rfc6750 = 'no'"), "rfc6750: expected true or false, found text".into()),
        (format!("{ACQUIRE}rules = [{{ status = 401 }}]"), "rules[0].verdict: it is missing".into()),
        (format!("{ACQUIRE}rules = [{{ verdict = 'expird', status = 401 }}]"), "rules[0].verdict: \"expird\" is no \
            verdict; there are expired, invalid and denied".into()),
        (rule(""), "rules[1]: a rule needs a status, a when, or both".into()),
        (rule("status = 4011"), "rules[1].status: 4011 is no http status; one is 401".into()),
        (rule("status = [401, 99]"), "rules[1].status[1]: 99 is no http status; one is 401".into()),
        (rule("status = -401"), "rules[1].status: -401 is no http status; one is 401".into()),
        (rule("status = '401'"), "rules[1].status: expected a whole number, found text".into()),
        (rule("status = []"), format!("rules[1].status: {empty_list}")),
        (rule("when.body = true\nwhen.contains = 'a'\nhead_requests_by_status = true"),
            "rules[1].head_requests_by_status: it doesn't go without a status".into()),
        (rule("status = 401\nread_success_bodies = true"), "rules[1].read_success_bodies: the rule has no status of \
            success".into()),
        (rule("status = [200, 204]\nwhen = { json = '/a', is = 1 }"), "rules[1].when: it would never hold: bodies of \
            successes are looked at with read_success_bodies = true".into()),
        (rule("status = 401\nreason = 'message'"), "rules[1].reason: \"message\" is no json pointer; one looks like \
            \"/errors/*/code\" (RFC 6901)".into()),
        (rule("status = 401\nreason = {}"), "rules[1].reason: write a json pointer, or a table with json, header, \
            trailer, challenge or body".into()),
        (rule("status = 401\nreason.challenge = 'Bearer'"), "rules[1].reason.challenge: a reason is in a param of a \
            challenge; add param".into()),
        (rule("status = 401\nreason = { json = '/a', param = 'b' }"), "rules[1].reason.param: it doesn't go with \
            json".into()),
        // Conditions.
        (when("[]"), format!("rules[1].when: {empty_list}")),
        (when("{}"), "rules[1].when: a condition needs one of json, header, trailer, challenge, body, media_type, all, any, \
            not".into()),
        (when("'/code'"), "rules[1].when: expected a table, found text".into()),
        (when("{ json = 'code', is = 1 }"), "rules[1].when.json: \"code\" is no json pointer; one looks like \
            \"/errors/*/code\" (RFC 6901)".into()),
        (when("{ json = '/code' }"), "rules[1].when: the condition asks nothing; add one of is, one_of, starts_with, \
            contains, exists, has".into()),
        (when("{ json = '/code', is = 1, contains = 'a' }"), "rules[1].when.contains: it can't be beside is".into()),
        (when("{ json = '/code', header = 'a', is = 1 }"), "rules[1].when.header: it can't be beside json".into()),
        (when("{ json = '/code', is = 1.5 }"), "rules[1].when.is: expected text, a whole number, true, false or null, \
            found a number with a fraction".into()),
        (when("{ json = '/code', one_of = [] }"), format!("rules[1].when.one_of: {empty_list}")),
        (when("{ json = '/code', one_of = 1 }"), "rules[1].when.one_of: expected a list, found a number".into()),
        (when("{ json = '/code', contains = '' }"), "rules[1].when.contains: the text is empty, so it would be in \
            everything".into()),
        (when("{ json = '/code', is = 1, param = 'a' }"), "rules[1].when.param: it doesn't go with json".into()),
        (when("{ header = 'a b', is = 'c' }"), "rules[1].when.header: \"a b\" is no header name".into()),
        (when("{ header = 'a', is = 1 }"), "rules[1].when.is: expected text, found a number".into()),
        (when("{ header = 'a', has = { body = true, contains = 'b' } }"), "rules[1].when.has: that can't be asked of \
            this".into()),
        (when("{ challenge = 'Bea rer', exists = true }"), "rules[1].when.challenge: \"Bea rer\" is no name; one is \
            Bearer".into()),
        (when("{ challenge = 'Bearer', is = 'a' }"), "rules[1].when.is: that can't be asked of this".into()),
        (when("{ challenge = 'Bearer', param = '', is = 'a' }"), "rules[1].when.param: \"\" is no name; one is \
            Bearer".into()),
        (when("{ body = false, contains = 'a' }"), "rules[1].when.body: write true, or leave it out".into()),
        (when("{ body = true, is = 'a' }"), "rules[1].when.is: that can't be asked of this".into()),
        (when("{ media_type = '' }"), "rules[1].when.media_type: write a media type, such as json or \
            application/json".into()),
        (when("{ media_type = 'json', is = 'a' }"), "rules[1].when.is: it doesn't go with media_type".into()),
        (when("{ all = { json = '/a', is = 1 } }"), "rules[1].when.all: expected a list, found a table".into()),
        (when("{ any = [] }"), format!("rules[1].when.any: {empty_list}")),
        (when("{ any = [{ not = { json = '/a', is = 1 } }, { json = 'b', is = 1 }] }"), "rules[1].when.any[1].json: \
            \"b\" is no json pointer; one looks like \"/errors/*/code\" (RFC 6901)".into()),
        (when("{ json = '/a', has = [{ header = 'a' }] }"), "rules[1].when.has[0]: the condition asks nothing; add \
            one of is, one_of, starts_with, contains, exists, has".into()),
    ];
    for (rest, expected) in cases {
        let text = format!("{ACME}{rest}");
        let error = toml::from_str::<Declaration>(&text).expect_err(&text);
        assert_eq!(error.to_string().trim_end(), expected, "{text}");
        assert!(!printed(&error).contains("hunter"), "{error:?}");
    }
}

#[test]
fn name_and_origin_have_to_be_there_and_make_sense() {
    for (text, expected) in [
        ("", "name: it is missing"),
        ("name = ''", "name: it is empty"),
        ("name = 5", "name: expected text, found a number"),
        ("name = 'a'", "base_url: it is missing"),
        (
            "name = 'a'\nbase_url = 'api.acme.example'",
            "base_url: not an origin: it needs http or https, a host, no userinfo and a valid port",
        ),
        (
            "name = 'a'\nbase_url = 'https://api.acme.example/v1?x'",
            "base_url: not an origin: it has a query or a fragment; give scheme, host, port and path only",
        ),
        (
            "name = 'a'\nbase_url = 'https://api.acme.example/v1#x'",
            "base_url: not an origin: it has a query or a fragment; give scheme, host, port and path only",
        ),
        (
            "name = 'a'\nbase_url = 'https://api.acme.example/v1/../v2'",
            "base_url: not an origin: its path has a dot segment; write the path that it leads to",
        ),
        (
            "name = 'a'\nbase_url = 'https://api.acme.example/v1%2fv2'",
            "base_url: not an origin: its path has an encoded dot, slash or percent sign; write the path as the server \
             knows it",
        ),
        (
            "name = 'a'\nbase_url = 'https://api.acme.example//v1'",
            "base_url: not an origin: its path has an empty segment or a backslash; write the path as the server knows \
             it",
        ),
        (
            "name = 'a'\nbase_url = 'http://api.acme.example'",
            "base_url: http://api.acme.example:80 would be sent secrets in plain text; use https, or a loopback host, \
             or allow_plaintext_secrets if everybody on the way may read them",
        ),
        (
            "name = 'a'\nbase_url = 'http://api.acme.example'\nallow_plaintext_secrets = 'yes'",
            "allow_plaintext_secrets: expected true or false, found text",
        ),
        (
            "name = 'a'\nbase_url = 'http://api.acme.example'\nallow_plaintext_secrets = false",
            "base_url: http://api.acme.example:80 would be sent secrets in plain text; use https, or a loopback host, \
             or allow_plaintext_secrets if everybody on the way may read them",
        ),
        (
            "name = 'a'\nbase_url = 'http://0xa9fea9fe/v1'\nallow_plaintext_secrets = true",
            "base_url: 0xa9fea9fe is a metadata service, which hands out a machine's own credentials; no setting lets \
             tokens or secrets go there, and only a credential that is made for it may ask it; give the url of the \
             api, or of its token endpoint",
        ),
    ] {
        let error = toml::from_str::<Declaration>(text).expect_err(text);
        assert_eq!(error.to_string().trim_end(), expected);
    }
}

#[test]
fn other_formats_get_the_same_words() {
    for (text, expected) in [
        (r#"{"name": "a", "name": "b"}"#, "the key \"name\" is there twice at line 1 column 26"),
        (r#"{"name": null}"#, "name: expected text, found null"),
        (r#"{"name": 99999999999999999999}"#, "name: expected text, found a number with a fraction"),
        (r#"{"name": 9999999999999999999}"#, "name: expected text, found a number of more than 63 bits"),
        (
            r#"{"name": "a", "base_url": "https://a.example", "acquire": {"json": {"a": [{"b c": 1, "b c": 1}]}}}"#,
            "acquire.json.a[0]: the key \"b c\" is there twice at line 1 column 94",
        ),
        (
            r#"{"name": "a", "base_url": "https://a.example", "acquire": {"request": "POST /t",
                "json": {"a": 12345678901234567890123}}}"#,
            "acquire.json.a: a number with a fraction, or of so many digits, wouldn't be sent as it is written; write it \
             as json:1.50",
        ),
        ("[]", "expected a table, found a list"),
        ("\"hunter2\"", "expected a table, found text"),
        (
            r#"{"name": "a", "base_url": "https://a.example", "key": "env:K", "rules": [{"verdict": "expired",
                "status": 401, "when": [{"json": "/a", "is": 1}, {"json": "b", "is": 1}]}]}"#,
            "rules[0].when[1].json: \"b\" is no json pointer; one looks like \"/errors/*/code\" (RFC 6901)",
        ),
    ] {
        let error = serde_json::from_str::<Declaration>(text).expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}

/// A rule for successes may do without a look at the body.
#[test]
fn rules_for_successes_are_refused_only_if_they_can_never_hold() {
    for when in [
        "{ header = 'grpc-status', is = '16' }",
        "{ any = [{ header = 'a', exists = true }, { json = '/a', is = 1 }] }",
        "{ media_type = 'html' }",
        "{ not = { all = [{ header = 'a', exists = true }, { json = '/a', is = 1 }] } }",
    ] {
        let _ = acme(&format!("key = 'env:K'\n[[rules]]\nverdict = 'expired'\nstatus = 200\nwhen = {when}"));
    }
    for when in [
        "{ json = '/a', is = 1 }",
        "{ body = true, contains = 'a' }",
        "[{ header = 'a', exists = true }, { json = '/a', is = 1 }]",
        "{ not = { json = '/a', is = 1 } }",
        "{ not = { any = [{ header = 'a', exists = true }, { json = '/a', is = 1 }] } }",
    ] {
        let text =
            format!("{ACME}key = 'env:K'\n[[rules]]\nverdict = 'expired'\nstatus = 200\nwhen = {when}");
        let error = toml::from_str::<Declaration>(&text).expect_err(when).to_string();
        assert!(error.starts_with("rules[0].when: it would never hold"), "{error}");
    }
    let _ = acme(
        "key = 'env:K'\n[[rules]]\nverdict = 'expired'\nstatus = [200, 401]\nwhen = { json = '/a', is = 1 }",
    );
}
