//! (measure)
