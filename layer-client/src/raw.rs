//! [`Raw`]: values of the schema inside types that users hold.
//!
//! How a value is dropped is compiled again in every crate that may drop it, and how a message is
//! dropped takes half the schema with it. Behind `dyn` it is compiled once, here: that is seconds
//! in every build of a user's program.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value as the raw API has it, to be read through `*`. Cheap to clone.
pub struct Raw<T: 'static>(Arc<dyn Holds<T>>);

trait Holds<T>: Send + Sync {
    fn value(&self) -> &T;
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: fmt::Debug + Send + Sync> Holds<T> for T {
    fn value(&self) -> &T {
        self
    }

    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<T: fmt::Debug + Send + Sync> Raw<T> {
    /// To be called in functions that are not generic, so that it is this crate that knows how the
    /// value is dropped.
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Raw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.value()
    }
}

impl<T> Clone for Raw<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Raw<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_and_prints_as_the_value_that_it_holds() {
        let raw = Raw::new(vec![1, 2]);
        assert_eq!(
            (raw.len(), format!("{:?}", raw.clone())),
            (2, "[1, 2]".to_owned())
        );
    }
}
