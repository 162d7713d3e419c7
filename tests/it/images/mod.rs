//! Container images: `splitter images`, its layouts and its pushes, to a stand-in registry with faults and to a real one.

mod auth;
mod builds;
mod faults;
mod labels;
mod layout;
mod real;
mod views;
mod words;
