//! Where Bun puts each package: its hoisting, over a graph.
//!
//! `bun install --frozen-lockfile` refuses if the places that it works out differ from those that it read. Over real lockfiles this
//! gives the keys of `packages` (`tests/it/frozen_bun.rs`).

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{
    graph::{Edge, Graph, Kind, Node},
    resolve::satisfies,
};
use crate::lockfile::Resolution;

/// The node at each place.
pub(super) type Places = BTreeMap<String, Node>;

/// A `node_modules` folder.
struct Folder<'g> {
    outer: Option<usize>,
    /// The place of its package. Empty for the root.
    place: String,
    entries: HashMap<&'g str, Entry>,
}

struct Entry {
    node: Node,
    /// Whether the root itself asks for it.
    is_of_root: bool,
}

enum Outcome {
    /// The name is taken, by this package or by one that Bun takes instead.
    Present,
    Place(usize),
}

struct Hoisting<'g> {
    graph: &'g Graph<'g>,
    folders: Vec<Folder<'g>>,
    places: Places,
    queue: VecDeque<(Node, usize, String)>,
}

/// More places than any real lockfile has. A hostile one could have so many that they fill the memory.
const MOST: usize = 500_000;

/// Returns the places of all packages that the root reaches, or none if there are too many. `holds_optional_peers` says whether optional peer dependencies keep
/// a package that nothing else needs.
pub(super) fn places(graph: &Graph<'_>, holds_optional_peers: bool) -> Option<Places> {
    let mut hoisting = Hoisting { graph, folders: Vec::new(), places: Places::new(), queue: VecDeque::new() };
    hoisting.open(0, None, String::new(), holds_optional_peers);
    while let Some((node, outer, place)) = hoisting.queue.pop_front() {
        if hoisting.places.len() > MOST {
            return None;
        }
        hoisting.open(node, Some(outer), place, holds_optional_peers);
    }
    Some(hoisting.places)
}

impl Hoisting<'_> {
    /// Places the dependencies of a package that lies in the folder `outer`.
    fn open(&mut self, node: Node, outer: Option<usize>, place: String, holds_optional_peers: bool) {
        let graph = self.graph;
        let mut edges: Vec<&Edge<'_>> = graph.edges[node].iter().collect();
        if edges.is_empty() {
            return;
        }
        edges.sort_by(|a, b| (a.kind, a.name).cmp(&(b.kind, b.name)));
        let folder = self.folders.len();
        self.folders.push(Folder { outer, place, entries: HashMap::new() });
        for edge in edges {
            let Some(target) = edge.target.filter(|_| holds_optional_peers || !edge.is_optional_peer) else { continue };
            let stays = self.stays(folder, edge, target);
            let outcome = if stays { Outcome::Place(folder) } else { self.hoist(folder, edge, target) };
            let Outcome::Place(folder) = outcome else { continue };
            let own = self.place_in(folder, edge.name);
            self.folders[folder].entries.insert(edge.name, Entry { node: target, is_of_root: node == 0 });
            self.places.insert(own.clone(), target);
            let inner = match graph.workspaces.get(target) {
                Some((_, workspace)) => workspace.name.clone(),
                None => own,
            };
            self.queue.push_back((target, folder, inner));
        }
    }

    fn place_in(&self, folder: usize, name: &str) -> String {
        match self.folders[folder].place.as_str() {
            "" => name.to_owned(),
            place => [place, "/", name].concat(),
        }
    }

    /// Whether Bun leaves a package where it is asked for: folders, and what ships inside its parent.
    fn stays(&self, folder: usize, edge: &Edge<'_>, target: Node) -> bool {
        self.graph.packages[target].is_some_and(|package| matches!(package.resolution, Resolution::Folder(_)))
            || (!self.graph.bundled.is_empty()
                && self.graph.bundled.contains(self.place_in(folder, edge.name).as_str()))
    }

    /// Goes outwards. If no folder has the name, the package goes to the root; if one has another package, it stays here.
    fn hoist(&self, own: usize, edge: &Edge<'_>, target: Node) -> Outcome {
        let mut folder = own;
        loop {
            let here = &self.folders[folder];
            if let Some(entry) = here.entries.get(edge.name) {
                let is_met = entry.node == target || (edge.kind == Kind::Peer && self.is_met(entry, edge));
                return if is_met || folder == own { Outcome::Present } else { Outcome::Place(own) };
            }
            match here.outer {
                Some(outer) => folder = outer,
                None => return Outcome::Place(folder),
            }
        }
    }

    /// Whether a peer dependency takes what is there. What the root asks for meets every peer.
    fn is_met(&self, entry: &Entry, edge: &Edge<'_>) -> bool {
        entry.is_of_root || self.graph.version(entry.node).is_some_and(|version| satisfies(version, edge.specifier))
    }
}
