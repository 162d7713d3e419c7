//! The split itself: what depends on the lockfile alone, and what depends on source. Pure: values in, values out.

mod system;

pub use system::{System, SystemError};
