//! Names the packages that come from another host than most.

use std::collections::BTreeMap;

use url::Position;

use crate::{cli::text::count, split::Split};

/// Number of packages shown for each host.
pub(super) const SHOWN: usize = 4;

/// Describes the hosts of packages, if there is more than one. Names the packages of all but the largest.
pub(super) fn found(split: &Split, limit: usize) -> Option<String> {
    let mut hosts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for dependency in &split.dependencies {
        let url = dependency.download_url(&split.registries);
        let host = &url[Position::BeforeHost..Position::AfterPort];
        match hosts.get_mut(host) {
            Some(labels) => labels.push(&dependency.label),
            None => drop(hosts.insert(host.to_owned(), vec![&dependency.label])),
        }
    }
    let mut hosts: Vec<(String, Vec<&str>)> = hosts.into_iter().collect();
    hosts.sort_by_key(|(_, labels)| std::cmp::Reverse(labels.len()));
    let ((first, most), others) = hosts.split_first()?;
    let named = |(host, labels): &(String, Vec<&str>)| {
        let shown = labels.iter().take(limit).copied().collect::<Vec<_>>().join(", ");
        let more = match labels.len().saturating_sub(limit) {
            0 => String::new(),
            more => format!(" and {} more", count(more)),
        };
        format!("{host} {} ({shown}{more})", count(labels.len()))
    };
    let others: Vec<String> = others.iter().map(named).collect();
    (!others.is_empty()).then(|| format!("{first} {}, {}", count(most.len()), others.join(", ")))
}
