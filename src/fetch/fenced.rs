//! The last look before a request leaves.
//!
//! Between the moment a request is handed to the client and the moment its head is written lie a name to resolve, a
//! connection to make and a hop to the task that writes. A process that stands still there and goes on later would
//! send it all the same. hyper asks the body of a request whether it has ended right before it writes the head over
//! HTTP/1, in the same step: a GET has none, so the question can be put to the fence, and a body that fails then takes
//! the head with it, unwritten. Over HTTP/2 the head may be on its way by then, and the stream is reset.

use super::Fence;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The empty body of a GET that a fence may hold back.
pub(super) struct Fenced(pub(super) Arc<dyn Fence>);

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("the fence of its lease had passed")]
pub(super) struct Withheld;

impl Body for Fenced {
    type Data = Bytes;
    type Error = Withheld;

    fn is_end_stream(&self) -> bool {
        self.0.lets_through()
    }

    /// An octet that is never sent: a GET whose body has no known length goes out without asking for it.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::from(!self.0.lets_through()))
    }

    /// Only a body that has not ended is asked for more.
    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(Some(Err(Withheld)))
    }
}
