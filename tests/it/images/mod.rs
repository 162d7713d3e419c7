//! Container images: `splitter images`, its layouts and its pushes, to a stand-in registry with faults and to a real one.

mod auth;
mod faults;
mod layout;
mod real;
mod words;
