use super::*;
use crate::{
    caches::{
        closure::{Asked, Known},
        narinfo::{Trust, parse},
        query::{Archive, Found},
        wanted::Kind,
    },
    system::System,
};

const DEPS: &str = "8z3wjas3v8r3l97274kb79bz2v91mya3-deps";
const MODULES: &str = "wsqbfqcawmmdnl972wa6rbsay10h5avm-node-modules";
const WEB: &str = "a101ry64prhq70jyl77q503pidv67jw7-web";
const BASH: &str = "zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-bash";

fn thing(name: &str, kind: Kind, path: &str, inputs: &[&str]) -> Thing {
    Thing {
        name: name.to_owned(),
        kind,
        system: Some(System::X8664Linux),
        attribute: None,
        derivation: Some(format!("/nix/store/{path}.drv")),
        paths: [path.parse().unwrap()].into(),
        needs: BTreeSet::new(),
        inputs: inputs.iter().map(|input| input.parse().unwrap()).collect(),
    }
}

fn wanted() -> Wanted {
    let things = vec![
        thing("deps", Kind::Deps, DEPS, &[BASH]),
        thing("nodeModules", Kind::NodeModules, MODULES, &[DEPS, BASH]),
        thing("web", Kind::Product, WEB, &[MODULES, BASH]),
    ];
    Wanted { store: "/nix/store".to_owned(), things, refused: Vec::new(), built_by: BTreeMap::new() }
}

fn found(name: &str, references: &[&str], trust: Trust) -> Found {
    let text = format!(
        "StorePath: /nix/store/{name}\nURL: nar/{name}.nar\nFileSize: 10\nNarSize: 100\nReferences: {}\n\
         NarHash: sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73\n",
        references.join(" ")
    );
    Found::Info { info: Box::new(parse(&text).unwrap()), trust, archive: Archive::There }
}

/// A named cache, and one of Nix's settings, which has only bash.
fn survey(has: &[(&str, &[&str], Trust)], away: Option<Trouble>) -> Survey {
    let mut paths: BTreeMap<Item, Known> = BTreeMap::new();
    for name in [DEPS, MODULES, WEB, BASH] {
        let known = paths.entry(name.parse().unwrap()).or_default();
        let entry = has.iter().find(|(path, ..)| *path == name);
        if away.is_none() {
            known.answers.insert(0, entry.map(|(path, references, trust)| found(path, references, trust.clone())));
        }
        known.answers.insert(1, (name == BASH).then(|| found(BASH, &[], Trust::Signed("nixos".to_owned()))));
    }
    let caches = vec![
        Asked { address: "cachix:acme".to_owned(), is_upstream: false, away },
        Asked { address: "https://cache.nixos.org".to_owned(), is_upstream: true, away: None },
    ];
    Survey { caches, paths }
}

fn states(survey: &Survey) -> Vec<State> {
    let wanted = wanted();
    Report::of(&wanted, survey).rows.iter().map(|row| row.states[0]).collect()
}

#[test]
fn each_thing_is_judged_with_its_references_and_what_a_rebuild_needs() {
    let signed = || Trust::Signed("k".to_owned());
    let deps: (&str, &[&str], Trust) = (DEPS, &[], Trust::ContentAddressed);
    let modules: (&str, &[&str], Trust) = (MODULES, &[BASH], signed());
    let web: (&str, &[&str], Trust) = (WEB, &[BASH], signed());
    let all = [deps.clone(), modules.clone(), web.clone()];
    assert_eq!(states(&survey(&all, None)), [State::Complete; 3]);
    assert_eq!(states(&survey(&all[..2], None)), [State::Complete, State::Complete, State::Missing]);
    // An edit of web would install again.
    let without_modules = [deps.clone(), web];
    assert_eq!(states(&survey(&without_modules, None)), [State::Complete, State::Missing, State::Inputs(1)]);
    let refers = [deps, modules, (WEB, &[MODULES, "1851yc5n27pwiwd4kmfs3r2kzmwbhm80-gone"], signed())];
    assert_eq!(states(&survey(&refers, None)), [State::Complete, State::Complete, State::Holes(1)]);
    let unsigned = [(WEB, &[] as &[&str], Trust::Unsigned)];
    assert_eq!(states(&survey(&unsigned, None)), [State::Missing, State::Missing, State::Refused]);
}

#[test]
fn what_is_built_and_fetched_is_counted() {
    let wanted = wanted();
    let has: [(&str, &[&str], Trust); 2] =
        [(DEPS, &[], Trust::ContentAddressed), (MODULES, &[BASH], Trust::Signed("k".to_owned()))];
    let survey = survey(&has, None);
    let report = Report::of(&wanted, &survey);
    assert!(!report.is_complete() && !report.is_complete_in(0) && !report.is_blind());
    assert_eq!(report.would_build().map(|thing| thing.name.as_str()).collect::<Vec<_>>(), ["web"]);
    assert_eq!(report.fetch, 30);
    // What the settings of Nix have is not missing.
    assert_eq!(report.caches[0].lacks.keys().map(Item::as_str).collect::<Vec<_>>(), [WEB]);
}

#[test]
fn a_cache_that_is_away_lacks_nothing_by_name() {
    let wanted = wanted();
    let survey = survey(&[], Some(Trouble::Stalled));
    let report = Report::of(&wanted, &survey);
    assert!(report.is_blind() && report.caches[0].lacks.is_empty());
    assert!(report.rows.iter().all(|row| row.states == [State::Away]));
    assert_eq!(report.would_build().count(), 3);
}
