//! What every fake offers in public, written once.

/// Gives a struct with a field `engine: Engine<_>` its shared methods and its `Service`.
macro_rules! fake {
    ($fake:ident) => {
        impl $fake {
            /// Steers this fake, and says what it has seen.
            #[must_use]
            pub fn controls(&self) -> &crate::testing::Controls {
                self.engine.controls()
            }

            /// What was counted so far.
            #[must_use]
            pub fn counts(&self) -> crate::testing::Counts {
                self.controls().counts()
            }

            /// The requests received, oldest first; see
            /// [`Controls::requests`](crate::testing::Controls::requests).
            #[must_use]
            pub fn requests(&self) -> Vec<crate::testing::Recorded> {
                self.controls().requests()
            }

            /// The requests that broke the contract, oldest first.
            #[must_use]
            pub fn refusals(&self) -> Vec<crate::testing::Refusal> {
                self.controls().refusals()
            }

            /// Checks that no request broke the contract; for the end of a test.
            ///
            /// # Panics
            ///
            /// If one did, with the list.
            #[track_caller]
            pub fn assert_no_refusals(&self) {
                self.controls().assert_no_refusals();
            }

            /// Serves it on `127.0.0.1`, at a free port, until what is returned is dropped. Needs a Tokio runtime with
            /// I/O, whose clock isn't paused.
            ///
            /// # Errors
            ///
            /// If no port can be opened.
            pub async fn serve(&self) -> std::io::Result<crate::testing::Served> {
                crate::testing::serve::serve(self.clone()).await
            }
        }

        impl<B> tower_service::Service<http::Request<B>> for $fake
        where
            B: http_body::Body + Send + 'static,
            B::Data: Send,
            B::Error: Into<crate::error::BoxError>,
        {
            type Response = http::Response<http_body_util::Full<bytes::Bytes>>;
            type Error = std::io::Error;
            type Future = std::pin::Pin<
                Box<dyn std::future::Future<Output = std::io::Result<Self::Response>> + Send + 'static>,
            >;

            fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<B>) -> Self::Future {
                Box::pin(self.engine.clone().answer(request))
            }
        }
    };
}

pub(super) use fake;
