//! Tests of the plan: what `services` and `processes` become, and what is refused.

use super::*;
use crate::{
    diagnostic::Diagnose as _,
    repo::MemoryTree,
    split::{Choices, Split},
};

const LOCKFILE: &str = r#"{ "lockfileVersion": 1, "workspaces": {
  "": { "name": "shop" }, "apps/api": { "name": "api" }, "apps/web": { "name": "web" } }, "packages": {} }"#;

fn split(settings: &str) -> Result<Split, SplitError> {
    let app = r#"{ "name": "NAME", "scripts": { "start": "bun main.ts", "dev": "bun --watch main.ts" } }"#;
    let (api, web) = (app.replace("NAME", "api"), app.replace("NAME", "web"));
    let tree = MemoryTree::new([
        ("package.json", r#"{ "name": "shop", "workspaces": ["apps/*"], "packageManager": "bun@1.4.4" }"#),
        ("bun.lock", LOCKFILE),
        ("apps/api/package.json", &api),
        ("apps/api/main.ts", ""),
        ("apps/web/package.json", &web),
        ("apps/web/main.ts", ""),
        ("db/seed.sql", "select 1"),
        ("splitter.json", settings),
    ]);
    Split::read(&tree, &Choices::default())
}

fn plan(settings: &str) -> Plan {
    split(settings).unwrap().development.unwrap()
}

/// A line for each process: what it waits for, how it is ready, and its variables.
fn shown(plan: &Plan) -> String {
    let mut lines = vec![format!("packages {:?}, ports {:?}", plan.packages, plan.ports)];
    for (name, process) in &plan.process_compose.processes {
        let waits: Vec<_> =
            process.depends_on.iter().map(|(name, dependency)| format!("{name} {:?}", dependency.condition)).collect();
        let probe = process.readiness_probe.as_ref().map_or("", |probe| match (&probe.exec, &probe.http_get) {
            (Some(_), _) => "command",
            (_, Some(_)) => "http",
            _ => "nothing",
        });
        let folder = process.working_dir.as_deref().unwrap_or(".");
        lines.push(format!("{name} in {folder}: {:?}, after {waits:?}, ready by {probe:?}", process.environment));
    }
    lines.join("\n")
}

fn refusal(settings: &str) -> String {
    let error = split(settings).expect_err("an error");
    let hints: Vec<_> = error.hints().into_iter().map(|hint| format!("\nhint: {hint}")).collect();
    format!("{error}{}", hints.concat())
}

#[test]
fn services_come_before_processes() {
    insta::assert_snapshot!(shown(&plan(
        r#"{
          "services": { "postgres": { "databases": { "shop": "db/seed.sql" } }, "mailpit": { "port": 2025 },
            "search": { "command": "exec search", "port": 7700, "ready": "/health", "packages": ["meilisearch"] } },
          "processes": {
            "api": { "port": 3000, "environment": { "DATABASE_URL": "postgres://postgres@127.0.0.1:{port:postgres}/shop" } },
            "web": { "dependsOn": ["api"] },
            "worker": { "command": "bun worker.ts", "dependsOn": [] } }
        }"#
    )), @r#"
    packages ["mailpit", "meilisearch", "postgresql"], ports {"api": 3000, "mailpit": 2025, "mailpit-web": 8025, "postgres": 5432, "search": 7700}
    api in apps/api: ["DATABASE_URL=postgres://postgres@127.0.0.1:{port:postgres}/shop", "PORT={port:api}"], after ["mailpit Healthy", "postgres-databases Completed", "search Healthy"], ready by "command"
    mailpit in .: ["DATA=.splitter/dev/mailpit", "PORT={port:mailpit}", "WEB_PORT={port:mailpit-web}"], after [], ready by "http"
    postgres in .: ["DATA=.splitter/dev/postgres", "PORT={port:postgres}"], after ["postgres-prepare Completed"], ready by "command"
    postgres-databases in .: ["DATA=.splitter/dev/postgres", "DATABASES=shop=db/seed.sql", "PORT={port:postgres}"], after ["postgres Healthy"], ready by ""
    postgres-prepare in .: ["DATA=.splitter/dev/postgres", "PORT={port:postgres}"], after [], ready by ""
    search in .: ["PORT={port:search}"], after [], ready by "http"
    web in apps/web: [], after ["api Healthy"], ready by ""
    worker in .: [], after [], ready by ""
    "#);
}

#[test]
fn without_processes_each_app_with_a_script_dev_starts() {
    insta::assert_snapshot!(shown(&plan(r#"{ "services": { "cache": { "kind": "redis", "port": 6380 } } }"#)), @r#"
    packages ["redis"], ports {"cache": 6380}
    api in apps/api: [], after ["cache Healthy"], ready by ""
    cache in .: ["DATA=.splitter/dev/cache", "PORT={port:cache}"], after [], ready by "command"
    web in apps/web: [], after ["cache Healthy"], ready by ""
    "#);
}

#[test]
fn without_both_there_is_no_plan() {
    assert_eq!(split("{}").unwrap().development, None);
}

#[test]
fn what_does_not_fit_is_refused() {
    let cases = [
        r#"{ "services": { "postgre": {} } }"#,
        r#"{ "services": { "Postgres": {} } }"#,
        r#"{ "services": { "redis": { "databases": ["a"] } } }"#,
        r#"{ "services": { "redis": { "port": 0 } } }"#,
        r#"{ "services": { "postgres": { "databases": ["a'; drop"] } } }"#,
        r#"{ "services": { "postgres": { "databases": { "a": "db/other.sql" } } } }"#,
        r#"{ "services": { "redis": {}, "valkey": {} } }"#,
        r#"{ "services": { "down": { "command": "x" } } }"#,
        r#"{ "processes": { "apis": {} } }"#,
        r#"{ "processes": { "api": { "script": "watch" } } }"#,
        r#"{ "processes": { "x": { "workspace": "apps/x" } } }"#,
        r#"{ "processes": { "api": { "dependsOn": ["we"] }, "web": {} } }"#,
        r#"{ "processes": { "api": { "dependsOn": ["web"] }, "web": { "dependsOn": ["api"] } } }"#,
        r#"{ "processes": { "api": { "environment": { "A": "{port:redis}" } } } }"#,
        r#"{ "services": { "api": { "command": "x" } }, "processes": { "api": {} } }"#,
    ];
    insta::assert_snapshot!(cases.map(refusal).join("\n"), @r#"
    expected a service (`postgres`, `mysql`, `mariadb`, `redis`, `valkey`, `mailpit`, `minio`), or a `command`, found "postgre"
    expected a name of small letters, digits and `-` that starts with a letter, found the key "Postgres"
    expected `databases` only for postgres, mysql and mariadb, found `databases`
    expected a port from 1 to 65535, found the number 0
    expected the name of a database: at most 63 letters, digits, `_` and `-`, found "a'; drop"
    `services.postgres.databases.a`: there is no file `db/other.sql`
    `redis` and `valkey` both have port 6379
    hint: give `valkey` another `port`
    `services`: `down` is a command of `nix run .#dev`; take another name
    `processes.apis` names no app; expected `api` or `web`, or `workspace` or `command` beside it
    hint: did you mean `api`?
    `processes.api`: `apps/api/package.json` has no script `watch`; it has `dev` or `start`
    hint: name the script: "processes": { "api": { "script": "dev" } }
    `processes.x.workspace`: `apps/x` is no workspace
    `processes.api.dependsOn` waits for `we`; expected `web`
    hint: did you mean `web`?
    `processes` wait for each other: api -> web -> api
    `api` has {port:redis}; ports: none
    `services` and `processes` both have `api`, which `splitter dev` uses for one process
    "#);
}

#[test]
fn ports_are_filled_in_everywhere() {
    let plan =
        plan(r#"{ "services": { "postgres": {} }, "processes": { "api": { "port": 3000, "ready": "/health" } } }"#);
    let text = serde_json::to_string(&plan.process_compose).unwrap();
    let ports = [("postgres".to_owned(), 15432), ("api".to_owned(), 13000)].into();
    let filled = process_compose::with_ports(&text, &ports);
    assert!(!filled.contains("{port:"), "{filled}");
    assert!(filled.contains("PORT=15432") && filled.contains("--port=15432") && filled.contains(r#""port":"13000""#));
}
