//! The methods that all builders have which say how a token endpoint's answers are read.

/// Gives `$builder`, whose shape of answers is at `$shape`, the methods that say how answers are read.
macro_rules! answer_methods {
    ($builder:ident, $($shape:ident).+) => {
        impl $builder {
            /// Sets where the token is. By default at `/access_token`.
            pub fn token(mut self, field: impl Into<$crate::credential::AnswerField>) -> Self {
                self.$($shape).+.token = field.into();
                self
            }

            /// Sets where the refresh token is. By default at `/refresh_token`. An answer to a refresh that has none
            /// leaves the previous one in force (RFC 6749 §6).
            pub fn refresh_token(mut self, field: impl Into<$crate::credential::AnswerField>) -> Self {
                self.$($shape).+.refresh_token = field.into();
                self
            }

            /// Sets where the token's lifetime is. By default at `/expires_in`. Where it isn't, or isn't usable, the token is
            /// used until the server rejects it.
            ///
            /// It is a number of seconds, or the moment at which the token expires: in seconds, milliseconds or less since 1970
            /// (a number that as a lifetime would be more than ten years), as an HTTP date, or as one of RFC 3339. A moment
            /// counts from the answer's own `Date`, if it has one. Zero and less are no lifetime: servers say "never" by it.
            pub fn lifetime(mut self, field: impl Into<$crate::credential::AnswerField>) -> Self {
                self.$($shape).+.lifetime = $crate::credential::endpoint::shape::Lifetime::Stated(field.into());
                self
            }

            /// Sets the lifetime of every token, whatever the answer says.
            pub fn fixed_lifetime(mut self, lifetime: std::time::Duration) -> Self {
                self.$($shape).+.lifetime = $crate::credential::endpoint::shape::Lifetime::Fixed(lifetime);
                self
            }

            /// Says that the token is a JWT, which lives until its `exp` (RFC 7519 §4.1.4). One that isn't, or has none, is used
            /// until the server rejects it.
            pub fn jwt_lifetime(mut self) -> Self {
                self.$($shape).+.lifetime = $crate::credential::endpoint::shape::Lifetime::Jwt;
                self
            }

            /// Says that no lifetime is known: tokens are used until the server rejects them.
            pub fn unknown_lifetime(mut self) -> Self {
                self.$($shape).+.lifetime = $crate::credential::endpoint::shape::Lifetime::Unknown;
                self
            }

            /// Adds a condition beyond the status: an answer that has another value at `field` is malformed, and may be
            /// better later. One that has nothing there is judged by its token; where that isn't enough, see
            /// [`required`](Self::required).
            pub fn success(mut self, field: impl Into<$crate::credential::AnswerField>, value: impl ToString) -> Self {
                let presence = $crate::credential::endpoint::shape::Presence::Optional;
                self.$($shape).+.success.push((field.into(), value.to_string(), presence));
                self
            }

            /// Adds a condition beyond the status that an answer has to fulfil: one that has another value at `field`, or nothing
            /// there, is malformed, and may be better later. For vendors whose failures look like a success but for that, such as a
            /// login that sets a cookie whoever asks. An answer to a logout needn't fulfil it.
            pub fn required(mut self, field: impl Into<$crate::credential::AnswerField>, value: impl ToString) -> Self {
                let presence = $crate::credential::endpoint::shape::Presence::Required;
                self.$($shape).+.success.push((field.into(), value.to_string(), presence));
                self
            }

            /// Adds a value that means that the credentials are refused, whatever the status: for vendors that say so with a 200,
            /// a 500, or a 400 without a code of RFC 6749 §5.2. Calls then fail fast, and longer each time, so that no account is
            /// locked.
            pub fn refusal(mut self, field: impl Into<$crate::credential::AnswerField>, value: impl ToString) -> Self {
                self.$($shape).+.refusals.push((field.into(), value.to_string()));
                self
            }

            /// Adds a value that means that it may work later, whatever the status: the vendor is busy, or asked too often. The
            /// endpoint is left alone for a while, as after a 429. `slow_down`, `ratelimited` and the like at `/error` mean that
            /// by themselves, and `temporarily_unavailable`, `server_error` and the like what a 500 means.
            pub fn later(mut self, field: impl Into<$crate::credential::AnswerField>, value: impl ToString) -> Self {
                self.$($shape).+.later.push((field.into(), value.to_string()));
                self
            }

            /// Adds a name by which the vendor calls its bearer tokens in `token_type`, in whatever case. Tokens of other types
            /// than `Bearer` are not used, where that is looked at: with OAuth 2.0, and with
            /// [`TokenEndpoint::strict`](crate::TokenEndpoint::strict).
            ///
            /// Those bound to a key (`DPoP`, `mac`, `pop`) are never sent as bearer tokens, and can't be named.
            pub fn token_type(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.$($shape).+.token_types.push(name.into());
                self
            }

            /// Reads answers as forms (`access_token=…&expires_in=3600`), whatever their media type. Those of the type
            /// `application/x-www-form-urlencoded` are read so by themselves. `/access_token` then names the field.
            pub fn form_answers(mut self) -> Self {
                self.$($shape).+.is_form = true;
                self
            }

            /// Keeps something else of the answer, such as the URL of the account's instance:
            /// [`AccessToken::member`](crate::AccessToken::member) has it by this name. It changes nothing of where the token
            /// goes.
            pub fn member(
                mut self,
                name: impl Into<std::borrow::Cow<'static, str>>,
                field: impl Into<$crate::credential::AnswerField>,
            ) -> Self {
                self.$($shape).+.members.push((name.into(), field.into()));
                self
            }

            /// Adds a place where failures have the vendor's own words, which errors then show, without secrets and cut
            /// off after 256 characters. Those given replace the default, `/error` and `/error_description`.
            pub fn message(mut self, field: impl Into<$crate::credential::AnswerField>) -> Self {
                self.$($shape).+.messages.push(field.into());
                self
            }

            /// Adds a header that says how long to stay away, at most a day: in seconds, or as a moment (in seconds or less since
            /// 1970, an HTTP date, or one of RFC 3339). It is looked at before `Retry-After`.
            pub fn retry_after(mut self, header: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.$($shape).+.retry_after.push(header.into());
                self
            }
        }
    };
}
pub(in crate::credential) use answer_methods;
