//! The services that splitter can start, as data. Each has shell scripts, which read their values from the environment:
//! nothing of a repository becomes part of a script.
//!
//! - `DATA`: the folder of the data, from the root of the repository.
//! - `PORT`, `WEB_PORT`: the ports.
//! - `DATABASES`: a line `name=seed` for each database. The seed is a file, or nothing.

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name in `splitter.json`.
    pub name: &'static str,
    /// The attribute of nixpkgs with its programs.
    pub package: &'static str,
    /// The port where it listens.
    pub port: u16,
    /// The port of its web page.
    pub web_port: Option<u16>,
    /// Makes its data folder, once.
    pub prepare: Option<&'static str>,
    /// Runs it.
    pub run: &'static str,
    /// How to find out whether it answers.
    pub ready: Ready,
    /// Makes databases.
    pub databases: Option<&'static str>,
    /// The signal that ends it in order, by number.
    pub signal: i32,
    /// Whether it refuses to run as root.
    pub refuses_root: bool,
    /// Packages of npm whose use suggests this service.
    pub clients: &'static [&'static str],
    /// Names of images of containers that are this service.
    pub images: &'static [&'static str],
}

/// How to find out whether a service answers. `{port}` means its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// A command that succeeds.
    Command(&'static str),
    /// A path that answers with 200 at its port.
    Http(&'static str),
    /// A path that answers with 200 at the port of its web page.
    WebPage(&'static str),
}

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A service without data folder to prepare, web page and databases.
const PLAIN: Kind = Kind {
    name: "",
    package: "",
    port: 0,
    web_port: None,
    prepare: None,
    run: "",
    ready: Ready::Http("/"),
    databases: None,
    signal: SIGTERM,
    refuses_root: false,
    clients: &[],
    images: &[],
};

const MYSQL: Kind = Kind {
    name: "mysql",
    package: "mariadb",
    port: 3306,
    prepare: Some(include_str!("services/mysql-prepare.sh")),
    run: include_str!("services/mysql-run.sh"),
    ready: Ready::Command(
        "mariadb-admin --no-defaults --host=127.0.0.1 --port={port} --user=root --connect-timeout=1 --silent ping",
    ),
    databases: Some(include_str!("services/mysql-databases.sh")),
    clients: &["mysql", "mysql2", "mariadb"],
    images: &["mysql"],
    ..PLAIN
};

/// All kinds.
pub static KINDS: [Kind; 7] = [
    Kind {
        name: "postgres",
        package: "postgresql",
        port: 5432,
        prepare: Some(include_str!("services/postgres-prepare.sh")),
        run: include_str!("services/postgres-run.sh"),
        ready: Ready::Command("pg_isready --quiet --host=127.0.0.1 --port={port} --username=postgres --timeout=1"),
        databases: Some(include_str!("services/postgres-databases.sh")),
        // Ends without waiting for clients, and keeps the data in order.
        signal: SIGINT,
        refuses_root: true,
        clients: &["pg", "postgres", "pg-promise", "slonik"],
        images: &["postgres", "postgis", "pgvector"],
        ..PLAIN
    },
    MYSQL,
    Kind { name: "mariadb", clients: &[], images: &["mariadb"], ..MYSQL },
    Kind {
        name: "redis",
        package: "redis",
        port: 6379,
        run: include_str!("services/redis-run.sh"),
        ready: Ready::Command("redis-cli -h 127.0.0.1 -p {port} ping | grep -q PONG"),
        clients: &["ioredis", "redis", "bullmq", "bull", "connect-redis"],
        images: &["redis", "redis-stack-server"],
        ..PLAIN
    },
    Kind {
        name: "valkey",
        package: "valkey",
        port: 6379,
        run: include_str!("services/valkey-run.sh"),
        ready: Ready::Command("valkey-cli -h 127.0.0.1 -p {port} ping | grep -q PONG"),
        clients: &["iovalkey"],
        images: &["valkey"],
        ..PLAIN
    },
    Kind {
        name: "mailpit",
        package: "mailpit",
        port: 1025,
        web_port: Some(8025),
        run: include_str!("services/mailpit-run.sh"),
        ready: Ready::WebPage("/readyz"),
        images: &["mailpit", "mailhog", "maildev"],
        ..PLAIN
    },
    Kind {
        name: "minio",
        package: "minio",
        port: 9000,
        web_port: Some(9001),
        run: include_str!("services/minio-run.sh"),
        ready: Ready::Http("/minio/health/live"),
        clients: &["minio"],
        images: &["minio"],
        ..PLAIN
    },
];

/// Returns the kind with this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
