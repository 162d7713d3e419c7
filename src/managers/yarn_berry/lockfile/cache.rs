//! The names of the zips in a committed `.yarn/cache`.
//!
//! Source: `slugifyLocator` of Yarn's `structUtils` and `getChecksumFilename` of its `Cache`. A zip without a checksum
//! (a package for some platforms) has the cache's version in its name, which differs between machines.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha512};

use super::reference::Reference;
use crate::lockfile::names::{is_local_name, split_name};

/// Returns the name of a package's zip in a committed cache. Returns `None` if Yarn would not write such a locator or
/// checksum.
pub fn cache_file(locator: &str, checksum: &str) -> Option<String> {
    let (ident, text) = split_name(locator).filter(|(ident, _)| is_local_name(ident))?;
    let reference = Reference::parse(text)?;
    let protocol = reference.protocol.map_or("exotic", |protocol| protocol.trim_end_matches(':'));
    if protocol.contains(['/', '\\']) {
        return None;
    }
    let checksum = checksum.rsplit('/').next()?.get(..10)?;
    if !checksum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let name = ident.replacen('/', "-", 1);
    let version = semantic_version(&reference.selector).map_or(String::new(), |version| format!("-{version}"));
    let hash = locator_hash(ident, text);
    Some(format!("{name}-{protocol}{version}-{}-{checksum}.zip", &hash[..10]))
}

/// Returns the hash of a locator: over the hash of its ident, and its reference.
fn locator_hash(ident: &str, reference: &str) -> String {
    let ident = ident.trim_start_matches('@').replacen('/', "", 1);
    sha512(&[&sha512(&[&ident]), reference])
}

pub(super) fn sha512(texts: &[&str]) -> String {
    HEXLOWER.encode(&texts.iter().fold(Sha512::new(), Sha512::chain_update).finalize())
}

/// Returns the version without its build metadata, if the text is a version: the result of `valid` of the `semver`
/// package.
fn semantic_version(text: &str) -> Option<&str> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (release, build) = text.split_once('+').map_or((text, None), |(release, build)| (release, Some(build)));
    let (core, prerelease) = release.split_once('-').map_or((release, None), |(core, pre)| (core, Some(pre)));
    let is_number = |part: &str| {
        let is_canonical = part == "0" || !part.starts_with('0');
        is_canonical
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u64>().is_ok_and(|number| number < 1 << 53)
    };
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_canonical =
        |part: &str| part == "0" || !part.starts_with('0') || !part.bytes().all(|byte| byte.is_ascii_digit());
    let is_core = core.split('.').count() == 3 && core.split('.').all(is_number);
    let is_prerelease = |text: &str| text.split('.').all(|part| is_word(part) && is_canonical(part));
    let is_build = |text: &str| text.split('.').all(is_word);
    (is_core && prerelease.is_none_or(is_prerelease) && build.is_none_or(is_build)).then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locators, the start of their checksums, and the file names in the caches of Yarn 4.18.1 and 3.8.7.
    const GIVEN_BY_YARN: [(&str, &str, &str); 17] = [
        (
            "@mono/one@http://127.0.0.1:8765/acme/mono.git#workspace=%40mono%2Fone&commit=02e81baba77a0eb9ca92bfe2d6cf35c742c5b129",
            "10c0/d2e7d0106f66dc87",
            "@mono-one-http-503f97e547-d2e7d0106f.zip",
        ),
        (
            "npmprepare@git@github.com:acme/npmprepare.git#commit=fa38c7b3a59b3880bf04cf058737c9c8eefc1b6c",
            "10c0/857fb6b38465e3f7",
            "npmprepare-git@github.com-a6046cb25d-857fb6b384.zip",
        ),
        (
            "ssh@git+ssh://git@git.example/acme/plain.git#commit=b1f5af35440dcfae04b9d73a3a9e44820cf6573b",
            "10c0/9b6ca26a54b14847",
            "ssh-git+ssh-04b00e6581-9b6ca26a54.zip",
        ),
        (
            "@babel/code-frame@npm:7.29.7",
            "10c0/169fc2080169a40c",
            "@babel-code-frame-npm-7.29.7-cc910f9962-169fc20801.zip",
        ),
        (
            "f2@file:../../lib/f#../../lib/f::hash=7b9074&locator=%40acme%2Fa%40workspace%3Apackages%2Fa",
            "10c0/e808f1139d0baaf2",
            "f2-file-7829409237-e808f1139d.zip",
        ),
        ("is-odd@npm:3.0.1", "10c0/89ee2e353c5a3f3b", "is-odd-npm-3.0.1-93c3c3f41b-89ee2e353c.zip"),
        ("lodash@npm:4.18.1", "10c0/757228fc68805c59", "lodash-npm-4.18.1-a64c3070ac-757228fc68.zip"),
        (
            "t2@file:./vendor/t.tgz#./vendor/t.tgz::hash=71d43d&locator=%40acme%2Fa%40workspace%3Apackages%2Fa",
            "10c0/954f94fd7b36a170",
            "t2-file-2914e3117a-954f94fd7b.zip",
        ),
        ("typescript@npm:5.4.5", "10c0/2954022ada340fd3", "typescript-npm-5.4.5-8568a42232-2954022ada.zip"),
        (
            "typescript@patch:typescript@npm%3A5.4.5#optional!builtin<compat/typescript>::version=5.4.5&hash=5adc0c",
            "10c0/db2ad2a16ca829f5",
            "typescript-patch-6e159bfddb-db2ad2a16c.zip",
        ),
        ("@babel/code-frame@npm:7.29.7", "21b12fe2356e36f6", "@babel-code-frame-npm-7.29.7-cc910f9962-21b12fe235.zip"),
        (
            "f2@file:../../lib/f#../../lib/f::hash=268ef9&locator=%40acme%2Fa%40workspace%3Apackages%2Fa",
            "0d4294c35c24bdd7",
            "f2-file-b1e371dce6-0d4294c35c.zip",
        ),
        ("is-odd@npm:3.0.1", "4e2b20764dd2296b", "is-odd-npm-3.0.1-93c3c3f41b-4e2b20764d.zip"),
        ("lodash@npm:4.18.1", "bb5f5b49aad29614", "lodash-npm-4.18.1-a64c3070ac-bb5f5b49aa.zip"),
        (
            "t2@file:./vendor/t.tgz::locator=%40acme%2Fa%40workspace%3Apackages%2Fa",
            "954f94fd7b36a170",
            "t2-file-5913d8ef99-954f94fd7b.zip",
        ),
        ("typescript@npm:5.4.5", "53c879c6fa1e3bcb", "typescript-npm-5.4.5-8568a42232-53c879c6fa.zip"),
        (
            "typescript@patch:typescript@npm%3A5.4.5#~builtin<compat/typescript>::version=5.4.5&hash=5adc0c",
            "d59e26e74f6b4445",
            "typescript-patch-cef5f9d32b-d59e26e74f.zip",
        ),
    ];

    #[test]
    fn names_are_those_that_yarn_gives() {
        for (locator, checksum, file) in GIVEN_BY_YARN {
            assert_eq!(cache_file(locator, checksum).as_deref(), Some(file));
        }
    }

    #[test]
    fn what_yarn_would_not_write_has_no_name() {
        for (locator, checksum) in [
            ("react", "10c0/0123456789ab"),
            ("react@npm:%", "10c0/0123456789ab"),
            ("react@npm:1.0.0", "10c0/012"),
            ("react@npm:1.0.0", "10c0/../../../../x"),
            ("react@../x:1.0.0", "10c0/0123456789ab"),
            ("../react@npm:1.0.0", "10c0/0123456789ab"),
        ] {
            assert_eq!(cache_file(locator, checksum), None, "{locator} {checksum}");
        }
    }

    #[test]
    fn only_whole_versions_are_versions() {
        assert_eq!(semantic_version("1.0.0-rc.1+build.007"), Some("1.0.0-rc.1"));
        assert_eq!(semantic_version("v1.0.0"), Some("1.0.0"));
        assert_eq!(semantic_version("1.0.0-x-y.0a"), Some("1.0.0-x-y.0a"));
        for text in [
            "",
            "1.0",
            "1.0.0.0",
            "01.0.0",
            "1.0.0-",
            "1.0.0-a..b",
            "1.0.0-01",
            "1.0.x",
            "1.0.0+",
            "1..0",
            "9007199254740992.0.0",
        ] {
            assert_eq!(semantic_version(text), None, "{text}");
        }
    }
}
