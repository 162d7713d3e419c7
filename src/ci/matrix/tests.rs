use proptest::prelude::*;

use super::*;

const LINUX: System = System::X8664Linux;

fn item(name: &str, system: System, needs: &[&str]) -> Item {
    let drv = |name: &str| format!("/nix/store/{name}-{system}.drv");
    Item {
        name: name.to_owned(),
        kind: "app".to_owned(),
        system,
        installable: Some(format!(".#packages.{system}.{name}")),
        is_job: name != "deps",
        derivation: drv(name),
        needs: needs.iter().map(|name| drv(name)).collect(),
        cache: None,
    }
}

fn cached(mut item: Item) -> Item {
    item.cache = Some("cachix:acme".to_owned());
    item
}

fn layout() -> Layout {
    let runners = System::ALL.into_iter().map(|system| (system, format!("runner-of-{system}"))).collect();
    Layout { runners, by_system: false }
}

/// A repository with two apps, one of which uses a library alone.
fn repository() -> Vec<Item> {
    vec![
        item("web", LINUX, &["nodeModules", "ui"]),
        item("api", LINUX, &["nodeModules"]),
        item("ui", LINUX, &["nodeModules"]),
        item("nodeModules", LINUX, &["deps"]),
        item("deps", LINUX, &[]),
    ]
}

fn shown(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| format!("{}: {}", job.name, job.names.join(" "))).collect()
}

#[test]
fn what_several_jobs_need_comes_first_and_the_rest_joins_its_job() {
    let plan = plan(&repository(), &layout());
    assert_eq!(shown(&plan.shared), ["x86_64-linux: deps nodeModules"]);
    assert_eq!(shown(&plan.matrix), ["api, x86_64-linux: api", "web, x86_64-linux: ui web"]);
    assert_eq!(plan.matrix[1].installables, [".#packages.x86_64-linux.ui", ".#packages.x86_64-linux.web"]);
    assert_eq!(plan.matrix[0].runner, "runner-of-x86_64-linux");
}

#[test]
fn a_single_app_is_a_single_job() {
    let items: Vec<Item> = repository().into_iter().filter(|item| item.name != "api").collect();
    let plan = plan(&items, &layout());
    assert_eq!(shown(&plan.shared), [""; 0]);
    assert_eq!(shown(&plan.matrix), ["web, x86_64-linux: deps nodeModules ui web"]);
}

#[test]
fn what_a_cache_has_is_no_reason_to_build() {
    let mut items = repository();
    items.push(item("site", LINUX, &["nodeModules"]));
    let items: Vec<Item> = items
        .into_iter()
        .map(|item| if matches!(item.name.as_str(), "nodeModules" | "api") { cached(item) } else { item })
        .collect();
    let plan = plan(&items, &layout());
    // `deps` is missing too, but nothing is installed from it.
    assert_eq!(shown(&plan.shared), [""; 0]);
    assert_eq!(shown(&plan.matrix), ["site, x86_64-linux: site", "web, x86_64-linux: ui web"]);
}

#[test]
fn what_has_no_name_is_in_no_job() {
    let mut items = repository();
    items[4].installable = None;
    let plan = plan(&items, &layout());
    assert_eq!(shown(&plan.shared), ["x86_64-linux: nodeModules"]);
    items[3] = cached(items[3].clone());
    assert_eq!(shown(&super::plan(&items, &layout()).shared), [""; 0]);
}

#[test]
fn nothing_to_do_is_no_job() {
    let items: Vec<Item> = repository().into_iter().map(cached).collect();
    let plan = plan(&items, &layout());
    assert_eq!(plan, Plan::default());
    let output = github_output(&plan).unwrap();
    assert_eq!(output, "any=false\nany-shared=false\nshared={\"include\":[]}\nmatrix={\"include\":[]}\n");
    assert!(gitlab(&plan, ".gitlab/splitter-jobs.yml")["Nothing to build"].is_object());
    assert_eq!(buildkite(&plan, "x.sh"), json_of(r#"{ "steps": [] }"#));
    assert!(summary(&items, &plan).starts_with("### What is built\n\nNothing: the caches have everything."));
}

#[test]
fn without_a_cache_each_system_has_one_job() {
    let mut items = repository();
    items.push(item("web", System::Aarch64Linux, &[]));
    let plan = plan(&items, &Layout { by_system: true, ..layout() });
    assert_eq!(shown(&plan.shared), [""; 0]);
    assert_eq!(shown(&plan.matrix), ["aarch64-linux: web", "x86_64-linux: deps nodeModules api ui web"]);
}

#[test]
fn a_derivation_with_two_names_is_built_once() {
    let mut alias = item("default", LINUX, &[]);
    let web = item("web", LINUX, &[]);
    alias.derivation.clone_from(&web.derivation);
    let plan = plan(&[web, alias], &layout());
    assert_eq!(shown(&plan.matrix), ["default, x86_64-linux: default"]);
}

#[test]
fn more_jobs_than_github_makes_are_groups_of_a_system() {
    let many = |count: usize, system| (0..count).map(move |number| item(&format!("app{number:03}"), system, &[]));
    let at_the_limit: Vec<Item> = many(MOST_JOBS, LINUX).collect();
    assert_eq!(plan(&at_the_limit, &layout()).matrix.len(), MOST_JOBS);
    let items: Vec<Item> = many(300, LINUX).chain(many(3, System::Aarch64Darwin)).collect();
    let plan = plan(&items, &layout());
    assert_eq!(plan.matrix.len(), 152);
    assert_eq!(plan.matrix[0].name, "aarch64-darwin, 1 of 2");
    assert_eq!(plan.matrix[0].names, ["app000", "app001"]);
    assert_eq!(plan.matrix[2].name, "x86_64-linux, 1 of 150");
    assert_eq!(plan.matrix.iter().map(|job| job.names.len()).sum::<usize>(), 303);
}

#[test]
fn a_plan_over_the_limit_of_bytes_is_refused_with_a_remedy() {
    let items: Vec<Item> = (0..200).map(|number| item(&format!("{number}-{}", "x".repeat(2000)), LINUX, &[])).collect();
    let error = github_output(&plan(&items, &layout())).unwrap_err();
    assert!(matches!(error, MatrixError::TooLarge { most: 1_000_000, .. }), "{error}");
    assert!(error.hints()[0].contains("--system"));
}

#[test]
fn each_ci_system_reads_the_plan() {
    let mut items = repository();
    items[0].installable = Some(".#packages.x86_64-linux.\"we$b\"".to_owned());
    let plan = plan(&items, &layout());
    insta::assert_snapshot!(github_output(&plan).unwrap());
    insta::assert_snapshot!(format!("{:#}", gitlab(&plan, ".gitlab/splitter-jobs.yml")));
    insta::assert_snapshot!(format!("{:#}", buildkite(&plan, ".buildkite/splitter.sh")));
    items[1] = cached(items[1].clone());
    let plan = super::plan(&items, &layout());
    insta::assert_snapshot!(summary(&items, &plan));
    insta::assert_snapshot!(format!("{:#}", json(&items, &plan)));
}

fn json_of(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Items whose needs come before them, as in a build graph.
fn graphs() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 0..4), any::<bool>(), 0..2usize), 1..20)
        .prop_map(|rows| {
            let mut items: Vec<Item> = Vec::new();
            for (number, (needs, is_cached, system)) in rows.into_iter().enumerate() {
                let mut new = item(&format!("n{number}"), System::ALL[system], &[]);
                let same: Vec<&Item> = items.iter().filter(|other| other.system == new.system).collect();
                if !same.is_empty() {
                    new.needs = needs.iter().map(|need| need.get(&same).derivation.clone()).collect();
                }
                items.push(if is_cached { cached(new) } else { new });
            }
            items
        })
}

proptest! {
    #[test]
    fn every_missing_item_is_in_one_job_and_no_job_builds_what_another_one_does(items in graphs(), by_system: bool) {
        let layout = Layout { by_system, ..layout() };
        let plan = plan(&items, &layout);
        let names = |jobs: &[Job]| -> Vec<(System, String)> {
            jobs.iter().flat_map(|job| job.names.iter().map(|name| (job.system, name.clone()))).collect()
        };
        let (first, then) = (names(&plan.shared), names(&plan.matrix));
        let mut all: Vec<_> = first.iter().chain(&then).cloned().collect();
        all.sort();
        let mut missing: Vec<_> =
            items.iter().filter(|item| item.cache.is_none()).map(|item| (item.system, item.name.clone())).collect();
        missing.sort();
        prop_assert_eq!(&all, &missing);
        // What an item of a job needs is in the same job, or in the stage before.
        let of = |derivation: &str| items.iter().find(|item| item.derivation == derivation).unwrap();
        for job in plan.shared.iter().chain(&plan.matrix) {
            for name in &job.names {
                let own = items.iter().find(|item| item.system == job.system && item.name == *name).unwrap();
                for needed in own.needs.iter().map(|needed| of(needed)).filter(|needed| needed.cache.is_none()) {
                    let is_before = first.contains(&(needed.system, needed.name.clone()));
                    prop_assert!(job.names.contains(&needed.name) || (is_before && !plan.shared.contains(job)));
                }
            }
        }
        // The order of the input does not matter.
        let mut other = items.clone();
        other.reverse();
        prop_assert_eq!(super::plan(&other, &layout), plan);
    }
}
