//! What the store holds, and what a garbage collection would free.

use crate::{
    closure::path_info::{self, Items},
    history::StoreUse,
    nix::command::{Nix, NixError},
};

pub(super) fn measure(nix: &Nix) -> Result<StoreUse, NixError> {
    let all = path_info::parse(&nix.all_paths()?).unwrap_or_default();
    let dead = nix.dead_paths()?;
    Ok(sums(&all, dead.iter().map(|path| path.rsplit('/').next().unwrap_or(path))))
}

fn sums<'a>(all: &Items, dead: impl Iterator<Item = &'a str>) -> StoreUse {
    let mut sums = StoreUse { paths: all.len() as u64, ..StoreUse::default() };
    sums.size = all.values().map(|item| item.size).sum();
    for name in dead {
        sums.dead_paths += 1;
        sums.dead_size += all.get(name).map_or(0, |item| item.size);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::path_info::Item;

    #[test]
    fn dead_paths_are_a_part_of_all() {
        let item = |size| Item { size, ..Item::default() };
        let all = Items::from([("a".to_owned(), item(5)), ("b".to_owned(), item(7))]);
        let sums = sums(&all, ["b", "unknown"].into_iter());
        assert_eq!(sums, StoreUse { paths: 2, size: 12, dead_paths: 2, dead_size: 7 });
    }
}
