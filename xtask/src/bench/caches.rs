//! A binary cache of many paths, and asking it as `splitter cache status` does.

use std::fmt::Write as _;

use camino::Utf8Path;
use fs_err as fs;
use splitter::{
    caches::{
        CacheChoice,
        closure::survey,
        item::Item,
        machine::Machine,
        query::{Asking, Cache, Depth},
    },
    fetch,
    nix::{base32, command::Nix},
};

use crate::Result;

/// The number of paths.
pub(super) const PATHS: u32 = 2_000;
/// A key that signed none of them. Checking a signature takes as long if it is wrong.
const KEY: &str = "bench-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";

fn item(number: u32) -> String {
    let mut bytes = [7; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    format!("{}-package-{number}", base32::encode(&bytes))
}

/// Writes a cache: each path refers to the one with half its number, so closures are eleven paths deep.
pub(super) fn make(folder: &Utf8Path) -> Result<()> {
    fs::create_dir_all(folder.join("nar"))?;
    fs::write(folder.join("nix-cache-info"), "StoreDir: /nix/store\n")?;
    let hash = base32::encode(&[3; 32]);
    let signature = "A".repeat(86);
    for number in 0..PATHS {
        let (own, other) = (item(number), item(number / 2));
        let text = format!(
            "StorePath: /nix/store/{own}\nURL: nar/{number}.nar.zst\nCompression: zstd\nFileHash: sha256:{hash}\n\
             FileSize: 1\nNarHash: sha256:{hash}\nNarSize: 120\nReferences: {other}\nSig: bench-1:{signature}==\n"
        );
        fs::write(folder.join(format!("{}.narinfo", &own[..32])), text)?;
        fs::write(folder.join(format!("nar/{number}.nar.zst")), "x")?;
    }
    Ok(())
}

/// Returns a configuration for curl with the same requests.
pub(super) fn curl_config(url: &str, downloads: &Utf8Path) -> String {
    let mut config = String::new();
    for number in 0..PATHS {
        let narinfo = format!("{}.narinfo", &item(number)[..32]);
        for file in [narinfo, format!("nar/{number}.nar.zst")] {
            let _ = writeln!(config, "url = \"{url}{file}\"\noutput = \"{downloads}/{file}\"");
        }
    }
    config
}

/// Asks a cache for all paths, their references and their archives, and prints how many it has.
pub(crate) fn print_survey(url: &str) -> Result<()> {
    let (machine, nix) = (Machine::default(), Nix::at("nix"));
    let asking = Asking::new(&machine, &nix, "/nix/store");
    let choice = CacheChoice { public_keys: vec![KEY.parse()?], ..CacheChoice::of(url.parse()?) };
    let roots = (0..PATHS).map(|number| item(number).parse()).collect::<std::result::Result<_, _>>();
    let roots: std::collections::BTreeSet<Item> = roots?;
    let cache = [Cache::new(&choice, &asking)?];
    let survey = fetch::run(survey(&cache, &[], &roots, Depth::Archives))?;
    println!("{}", survey.paths.values().filter(|known| known.info(0).is_some()).count());
    Ok(())
}
