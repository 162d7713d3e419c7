//! Two things at once. Reading a large lockfile is most of what `check` does, and what does not wait for it can be
//! done meanwhile: a thread costs a tenth of a millisecond, which is little beside the parsing of a megabyte.

use std::{panic, thread};

/// Runs `a` on a thread of its own and `b` on this one, and gives what both gave. A panic goes on here.
pub(crate) fn both<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().unwrap_or_else(|reason| panic::resume_unwind(reason)), b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_values_come_back() {
        assert_eq!(both(|| 1, || "b"), (1, "b"));
    }
}
