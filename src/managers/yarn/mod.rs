//! What Yarn 1 and later Yarns share. Neither is more like the other than this.

pub mod lockfile;
pub(super) mod pin;
pub mod rc;
