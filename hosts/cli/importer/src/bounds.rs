//! The bounds of what a matcher of the input matches.

use countersign_regions::Shape;

/// The bounds of what an input's matcher matches: all of `inner`, and nothing
/// outside `outer`. `None` is the empty set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bounds<S> {
    pub(crate) inner: Option<S>,
    pub(crate) outer: Option<S>,
}

impl<S: Shape> Bounds<S> {
    pub(crate) fn exactly(shape: S) -> Self {
        Self {
            inner: Some(shape.clone()),
            outer: Some(shape),
        }
    }

    /// `inner` is empty.
    pub(crate) fn within(outer: S) -> Self {
        Self {
            inner: None,
            outer: Some(outer),
        }
    }

    pub(crate) fn nothing() -> Self {
        Self {
            inner: None,
            outer: None,
        }
    }
}
