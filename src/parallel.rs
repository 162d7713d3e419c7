//! Runs work on several threads.
//!
//! `check` spends most of its time on a large lockfile, so independent work runs beside it. A thread costs about 0.1 ms, which is
//! little compared with parsing a megabyte.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Runs `a` on a new thread and `b` on this one, and returns both results. A panic continues here.
pub(crate) fn both<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().unwrap_or_else(|reason| panic::resume_unwind(reason)), b)
    })
}

/// Applies a function to all items, with one thread for each core. The results keep the order of the items.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], function: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, function(item)));
        }
    };
    let mut done = thread::scope(|scope| {
        let others = thread::available_parallelism().map_or(0, |cores| cores.get() - 1).min(items.len());
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|reason| panic::resume_unwind(reason)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The stack in bytes of the threads of [`map_deep`]. Only the part that is used takes memory.
const DEEP: usize = 64 << 20;

/// Does the same on threads whose stacks are large, for functions that recurse as deeply as a file nests. If the system starts no thread, it
/// works on this one.
pub(crate) fn map_deep<T: Sync, R: Send>(items: &[T], function: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, function(item)));
        }
    };
    let mut done = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(items.len());
        let start = |_| thread::Builder::new().stack_size(DEEP).spawn_scoped(scope, work).ok();
        let started: Vec<_> = (0..threads).filter_map(start).collect();
        let mut done = if started.is_empty() { work() } else { Vec::new() };
        for thread in started {
            done.extend(thread.join().unwrap_or_else(|reason| panic::resume_unwind(reason)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_values_come_back() {
        assert_eq!(both(|| 1, || "b"), (1, "b"));
    }

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(map::<u32, u32>(&[], |item| *item).is_empty());
        assert_eq!(map_deep(&items, |item| item * 2), map(&items, |item| item * 2));
    }
}
