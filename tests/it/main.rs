//! All integration tests in one binary, which links and runs faster than several. `support` is the test harness.
#![expect(clippy::unwrap_used, reason = "a test whose setting cannot be made must stop there")]

mod sources;
mod support;

mod book;
mod check;
mod ci;
mod demo;
mod doctor;
mod end_to_end;
mod explain;
mod failures;
mod fetching;
mod frozen_bun;
mod frozen_yarn;
mod fuzz;
mod git;
mod git_places;
mod graph;
mod guard;
mod harness;
mod hostile;
mod hostile_files;
mod images;
mod init;
mod links;
mod lint;
mod nar;

mod reference;
mod refusals;
mod registries;
mod run_time_installs;
mod scan;
mod shipping;
mod signals;
mod stats;
mod strace;
mod streams;
mod support_table;
mod tune;
mod update_hash;
mod usage;
mod words;
mod workspace_patterns;
mod yarn;
mod yarn_locks;
