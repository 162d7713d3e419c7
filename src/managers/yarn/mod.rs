//! Parts that Yarn 1 and later Yarns share.

pub mod lockfile;
pub(super) mod pin;
pub mod rc;
