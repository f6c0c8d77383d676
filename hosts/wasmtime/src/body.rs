//! The body of a request that passed, without trailers that the gate removes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::headers::remove;

pin_project! {
    /// A request's body. What a grant removes from the headers it removes from
    /// the trailers too (RFC 9110 §6.5): some servers merge the two.
    #[derive(Debug, Default)]
    pub struct GatedBody<B> {
        #[pin]
        body: B,
        // None: all of them.
        removed: Option<Arc<[String]>>,
    }
}

impl<B> GatedBody<B> {
    pub(crate) fn new(body: B, removed: Option<Arc<[String]>>) -> Self {
        Self { body, removed }
    }

    /// The body as it came, trailers included.
    pub fn into_inner(self) -> B {
        self.body
    }
}

impl<B: Body> Body for GatedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let removed = this.removed;
        this.body.poll_frame(cx).map_ok(|frame| {
            frame.into_trailers().map_or_else(
                |data| data,
                |mut trailers| {
                    match removed {
                        Some(names) => remove(names, &mut trailers),
                        None => trailers.clear(),
                    }
                    Frame::trailers(trailers)
                },
            )
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
