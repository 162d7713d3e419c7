//! Suggests `services` and `processes` for `splitter.json`: from Docker's compose files, and from the packages that workspaces
//! depend on.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::services::{KINDS, Kind};
use crate::{
    managers::yaml::{self, Mapping, Node, Value},
    repo::{RepoPath, Tree, TreeError, read_text},
    split::{Split, Workspaces, manifest_path},
};

/// The names of Docker's compose files.
const COMPOSE_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Variables that name the database that an image makes.
const DATABASE_VARIABLES: [&str; 3] = ["POSTGRES_DB", "MYSQL_DATABASE", "MARIADB_DATABASE"];

/// What could be added to `splitter.json`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// Services, by name, each with the reason.
    pub services: BTreeMap<String, Suggestion>,
    /// Processes, by name, each with the reason.
    pub processes: BTreeMap<String, Suggestion>,
    /// Services of compose files that splitter does not know, each with what the file says.
    pub unknown: Vec<String>,
    /// Compose files that could not be read, with the reason.
    pub unread: Vec<(RepoPath, String)>,
}

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Its value in `splitter.json`.
    pub value: Json,
    /// Why it is suggested.
    pub reason: String,
}

/// Returns what a repository seems to need and `splitter.json` does not have.
pub fn suggest(tree: &dyn Tree, split: &Split) -> Result<Suggestions, TreeError> {
    let mut found = Suggestions::default();
    for name in COMPOSE_FILES {
        let path = RepoPath::root().child(name);
        let Some(text) = read_text(tree, &path)? else { continue };
        match yaml::read(path.as_str().into(), &text) {
            Ok(file) => add_composed(&mut found, &path, &file),
            Err(error) => found.unread.push((path, error.to_string())),
        }
    }
    add_depended(&mut found, &split.manifests);
    let is_known = |kind: &str| split.config.services.contains_key(kind);
    found.services.retain(|name, _| !is_known(name));
    if split.config.processes.is_empty() {
        add_processes(&mut found, split);
    }
    Ok(found)
}

/// Adds the services of a compose file that splitter knows.
fn add_composed(found: &mut Suggestions, path: &RepoPath, file: &Mapping) {
    let Some(Node { value: Value::Mapping(services), .. }) = file.get("services") else { return };
    for (name, node) in services {
        let Value::Mapping(service) = &node.value else { continue };
        let Some(image) = text(service, "image") else { continue };
        let Some(kind) = kind_of_image(image) else {
            found.unknown.push(format!("{path} has the service {name} with the image {image}"));
            continue;
        };
        let mut value = Map::new();
        if let Some(port) = host_port(service, kind.port).filter(|port| *port != kind.port) {
            value.insert("port".to_owned(), port.into());
        }
        let databases = databases(service);
        if kind.databases.is_some() && !databases.is_empty() {
            value.insert("databases".to_owned(), json!(databases));
        }
        let reason = format!("{path} has the service {name} with the image {image}");
        found.services.entry(kind.name.to_owned()).or_insert(Suggestion { value: Json::Object(value), reason });
    }
}

/// `registry.example/library/postgres:16-alpine` is `PostgreSQL`.
fn kind_of_image(image: &str) -> Option<&'static Kind> {
    let name = image.rsplit('/').next()?;
    let name = name.split([':', '@']).next()?;
    KINDS.iter().find(|kind| kind.images.contains(&name))
}

fn text<'a>(mapping: &'a Mapping, key: &str) -> Option<&'a str> {
    match &mapping.get(key)?.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The port of the host that leads to the service's own: `5433:5432`, `127.0.0.1:5433:5432` or the long form.
fn host_port(service: &Mapping, own: u16) -> Option<u16> {
    let Value::List(ports) = &service.get("ports")?.value else { return None };
    ports.iter().find_map(|port| match &port.value {
        Value::Text(text) => {
            let mut numbers = text.split('/').next()?.rsplit(':');
            let container: u16 = numbers.next()?.parse().ok()?;
            (container == own).then(|| numbers.next()?.parse().ok())?
        }
        Value::Mapping(fields) if text(fields, "target")?.parse() == Ok(own) => text(fields, "published")?.parse().ok(),
        _ => None,
    })
}

/// The databases that an image makes: `environment` as a mapping, or as a list of `NAME=value`.
fn databases(service: &Mapping) -> Vec<String> {
    let found = match service.get("environment").map(|node| &node.value) {
        Some(Value::Mapping(fields)) => {
            DATABASE_VARIABLES.iter().filter_map(|name| text(fields, name).map(str::to_owned)).collect()
        }
        Some(list @ Value::List(_)) => {
            let Value::List(lines) = list else { return Vec::new() };
            let pairs = lines.iter().flat_map(Node::texts).filter_map(|line| line.split_once('='));
            pairs.filter(|(name, _)| DATABASE_VARIABLES.contains(name)).map(|(_, value)| value.to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let is_plain = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    Vec::into_iter(found).filter(is_plain).collect()
}

/// Adds the services whose clients workspaces depend on.
fn add_depended(found: &mut Suggestions, manifests: &Workspaces) {
    for (path, manifest) in manifests {
        for kind in &KINDS {
            let Some(client) = kind.clients.iter().find(|client| manifest.depends_on(client)) else { continue };
            // MariaDB speaks the protocol of MySQL, and Valkey that of Redis.
            if found
                .services
                .keys()
                .any(|name| super::services::kind(name).is_some_and(|other| other.port == kind.port))
            {
                continue;
            }
            let reason = format!("{} depends on {client}", manifest_path(path));
            found.services.insert(kind.name.to_owned(), Suggestion { value: json!({}), reason });
        }
    }
}

/// The scripts with which an app is developed, by preference.
const SCRIPTS: [&str; 3] = ["dev", "start:dev", "develop"];

/// Adds the apps with such a script, and their ports as far as they are known.
fn add_processes(found: &mut Suggestions, split: &Split) {
    for (name, workspace) in split.graph.apps() {
        let Some(manifest) = split.manifests.get(&workspace.path) else { continue };
        let Some(script) = SCRIPTS.into_iter().find(|script| manifest.scripts.contains_key(*script)) else { continue };
        let mut value = Map::new();
        if script != SCRIPTS[0] {
            value.insert("script".to_owned(), script.into());
        }
        let reason = format!("{} has the script {script}", manifest_path(&workspace.path));
        found.processes.insert(name.to_owned(), Suggestion { value: Json::Object(value), reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn of_compose(text: &str) -> String {
        let mut found = Suggestions::default();
        let path: RepoPath = "compose.yml".parse().unwrap();
        add_composed(&mut found, &path, &yaml::read("compose.yml".into(), text).unwrap());
        let line = |(name, one): (&String, &Suggestion)| format!("{name} {} ({})", one.value, one.reason);
        let unknown = found.unknown.iter().map(|unknown| format!("unknown: {unknown}"));
        found.services.iter().map(line).chain(unknown).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn compose_files_name_services_ports_and_databases() {
        insta::assert_snapshot!(of_compose(
            "services:\n  db:\n    image: registry.example/library/postgres:16-alpine\n    ports: ['127.0.0.1:5433:5432']\n    \
             environment:\n      POSTGRES_DB: shop\n      POSTGRES_PASSWORD: x\n  cache:\n    image: redis@sha256:12\n    ports:\n      \
             - target: 6379\n        published: 6380\n  sql:\n    image: mariadb\n    environment: [MARIADB_DATABASE=a, B]\n  \
             app:\n    build: .\n  search:\n    image: opensearch:2\n"
        ), @r#"
        mariadb {"databases":["a"]} (compose.yml has the service sql with the image mariadb)
        postgres {"databases":["shop"],"port":5433} (compose.yml has the service db with the image registry.example/library/postgres:16-alpine)
        redis {"port":6380} (compose.yml has the service cache with the image redis@sha256:12)
        unknown: compose.yml has the service search with the image opensearch:2
        "#);
    }

    #[test]
    fn a_repository_without_any_of_it_gets_no_suggestion() {
        let tree = MemoryTree::new([
            ("package.json", r#"{ "name": "a", "workspaces": [] }"#),
            ("bun.lock", r#"{ "lockfileVersion": 1, "workspaces": { "": { "name": "a" } }, "packages": {} }"#),
        ]);
        let split = Split::read(&tree, &crate::split::Choices::default()).unwrap();
        assert_eq!(suggest(&tree, &split).unwrap(), Suggestions::default());
    }
}
