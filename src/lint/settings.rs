//! What is known about the settings of Nix.
//!
//! The installed Nix knows best which settings exist (`nix config show`). Here is what a file alone can tell: names that many people copied and
//! that no Nix has, and misspelt ones.

/// The settings of Nix 2.34, their aliases, and those of other versions, of Lix and of Determinate Nix.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "abort-on-warn", "accept-flake-config", "access-tokens", "allow-dirty", "allow-dirty-locks", "allow-import-from-derivation", "allow-new-privileges",
    "allow-symlinked-store", "allow-unsafe-native-code-during-evaluation", "allowed-impure-host-deps", "allowed-uris", "allowed-users",
    "always-allow-substitutes", "auto-allocate-uids", "auto-optimise-store", "bash-prompt", "bash-prompt-prefix", "bash-prompt-suffix",
    "binary-cache-public-keys", "binary-caches", "binary-caches-parallel-connections", "build-chroot-dirs", "build-compress-log",
    "build-cores", "build-dir", "build-fallback", "build-hook", "build-impersonate-linux-26",
    "build-keep-log", "build-max-jobs", "build-max-log-size", "build-max-silent-time", "build-poll-interval", "build-sandbox-paths",
    "build-timeout", "build-use-chroot", "build-use-sandbox", "build-use-substitutes", "build-users-group", "builders", "builders-use-substitutes",
    "commit-lock-file-summary", "commit-lockfile-summary", "compress-build-log", "connect-timeout", "cores", "darwin-log-sandbox-violations",
    "debugger-on-trace", "debugger-on-warn", "deprecated-features", "diff-hook", "download-attempts", "download-buffer-size", "download-speed",
    "enable-core-dumps", "env-keep-derivations", "eval-attrset-update-layer-rhs-threshold", "eval-cache", "eval-cores",
    "eval-profile-file", "eval-profiler", "eval-profiler-frequency", "eval-system", "experimental-features", "external-builders", "fallback",
    "filetransfer-retry-attempts", "filetransfer-retry-delay", "filetransfer-retry-max-delay", "filter-syscalls", "flake-registry", "fsync-metadata",
    "fsync-store-paths", "gc-check-reachability", "gc-keep-derivations", "gc-keep-outputs", "gc-reserved-space", "hashed-mirrors", "http-connections",
    "http2", "http3", "id-count", "ignore-try", "ignored-acls", "impersonate-linux-26", "impure-env", "json-log-path", "keep-build-log",
    "keep-derivations", "keep-env-derivations", "keep-failed", "keep-going", "keep-outputs", "lazy-locks", "lazy-trees", "lint-absolute-path-literals",
    "lint-short-path-literals", "lint-url-literals", "log-format", "log-lines", "max-build-log-size", "max-call-depth", "max-free", "max-jobs",
    "max-silent-time", "max-substitution-jobs", "min-free", "min-free-check-interval", "nar-buffer-size", "narinfo-cache-meta-ttl",
    "narinfo-cache-negative-ttl", "narinfo-cache-positive-ttl", "netrc-file", "nix-path", "nix-shell-always-looks-for-shell-nix",
    "nix-shell-shebang-arguments-relative-to-script", "parallel-eval", "pasta-path", "plugin-files", "post-build-hook", "pre-build-hook",
    "preallocate-contents", "print-missing", "pure-eval", "repl-overlays", "require-drop-supplementary-groups", "require-sigs",
    "restrict-eval", "run-diff-hook", "sandbox", "sandbox-build-dir", "sandbox-dev-shm-size", "sandbox-fallback", "sandbox-paths", "secret-key-files",
    "show-trace", "ssl-cert-file", "ssh-substituter-hosts", "stalled-download-timeout", "start-id", "store", "substitute",
    "substituters", "substitution-max-jobs", "sync-before-registering", "system", "system-features", "tarball-ttl", "temp-dir", "timeout",
    "trace-function-calls", "trace-import-from-derivation", "trace-verbose", "trust-tarballs-from-git-forges", "trusted-binary-caches",
    "trusted-public-keys", "trusted-substituters", "trusted-users", "upgrade-nix-store-path-url", "use-case-hack", "use-cgroups", "use-registries",
    "use-sqlite-wal", "use-xdg-base-directories", "user-agent-suffix", "warn-dirty", "warn-large-path-threshold",
    "warn-short-path-literals",
    // `extra-` is part of this name.
    "extra-platforms",
];

/// Old names that Nix still reads, and the names that it shows: the aliases in `nix config show --json` of Nix 2.34.
const RENAMED: &[(&str, &str)] = &[
    ("binary-cache-public-keys", "trusted-public-keys"),
    ("binary-caches", "substituters"),
    ("binary-caches-parallel-connections", "http-connections"),
    ("build-chroot-dirs", "sandbox-paths"),
    ("build-compress-log", "compress-build-log"),
    ("build-cores", "cores"),
    ("build-fallback", "fallback"),
    ("build-impersonate-linux-26", "impersonate-linux-26"),
    ("build-keep-log", "keep-build-log"),
    ("build-max-jobs", "max-jobs"),
    ("build-max-log-size", "max-build-log-size"),
    ("build-max-silent-time", "max-silent-time"),
    ("build-sandbox-paths", "sandbox-paths"),
    ("build-timeout", "timeout"),
    ("build-use-chroot", "sandbox"),
    ("build-use-sandbox", "sandbox"),
    ("build-use-substitutes", "substitute"),
    ("commit-lockfile-summary", "commit-lock-file-summary"),
    ("env-keep-derivations", "keep-env-derivations"),
    ("gc-keep-derivations", "keep-derivations"),
    ("gc-keep-outputs", "keep-outputs"),
    ("substitution-max-jobs", "max-substitution-jobs"),
    ("trusted-binary-caches", "trusted-substituters"),
];

/// Names that no supported Nix has, each with what people want of it. Some are made up, others are gone since Nix 2.13 or longer.
const INVENTED: &[(&str, &str)] = &[
    ("use-sandbox", "Write `sandbox`."),
    ("use-chroot", "Write `sandbox`."),
    ("use-substitutes", "Write `substitute`."),
    ("use-binary-caches", "Write `substitute`."),
    ("chroot-dirs", "Write `sandbox-paths`."),
    ("build-extra-chroot-dirs", "Write `extra-sandbox-paths`."),
    ("build-extra-sandbox-paths", "Write `extra-sandbox-paths`."),
    ("signed-binary-caches", "Remove it: `require-sigs` is true without it."),
    ("verify-https-binary-caches", "Remove it: certificates are always checked."),
    ("build-cache-failure", "Remove it: Nix does not remember failed builds."),
    ("repeat", "Remove it: `nix build --rebuild` compares a second build."),
    ("build-repeat", "Remove it: `nix build --rebuild` compares a second build."),
    ("enforce-determinism", "Remove it: `nix build --rebuild` compares a second build."),
    ("parallel-builds", "`max-jobs` sets how many builds run at once."),
    ("parallel-downloads", "`http-connections` sets how many downloads run at once."),
    ("max-parallel-downloads", "`http-connections` sets how many downloads run at once."),
    (
        "parallel-building",
        "`cores` sets how many cores a build uses; each derivation decides by `enableParallelBuilding`.",
    ),
    ("use-xz-binary-cache-substituter", "Remove it: the cache decides how its archives are compressed."),
    ("binary-cache-compression", "Remove it: the cache decides how its archives are compressed."),
    ("compress-store", "Remove it: no Nix compresses the store. The file system can."),
    ("build-max-cores", "`cores` sets how many cores a build uses."),
    ("gc-automatic", "NixOS has `nix.gc.automatic`; elsewhere set `min-free` and `max-free`."),
    ("auto-gc", "NixOS has `nix.gc.automatic`; elsewhere set `min-free` and `max-free`."),
    ("eval-cache-size", "Remove it: `eval-cache` turns the cache on, and its size has no limit."),
    ("max-memory", "Remove it: no Nix limits memory. systemd can: `MemoryMax` of `nix-daemon.service`."),
    ("build-memory-limit", "Remove it: no Nix limits memory. systemd can: `MemoryMax` of `nix-daemon.service`."),
    ("tmpdir", "`build-dir` sets where builds are."),
    ("enable-flakes", "`experimental-features` has `flakes`."),
    ("flakes", "`experimental-features` has `flakes`."),
];

/// What is wrong with the name of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unknown {
    /// People made it up. The text says what to do.
    Invented(&'static str),
    /// It is misspelt. This is what Nix knows, with `extra-` if it was written.
    Misspelt(String),
}

impl Unknown {
    /// Returns what to do.
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Invented(advice) => (*advice).to_owned(),
            Self::Misspelt(known) => format!("Write `{known}`."),
        }
    }
}

/// Returns what is wrong with the name of a setting, if no Nix knows it. A newer Nix may have settings that are not in the list, so other
/// names are not reported.
pub(super) fn unknown(name: &str) -> Option<Unknown> {
    let (extra, short) = name.strip_prefix("extra-").map_or(("", name), |short| ("extra-", short));
    if is_known(name) {
        return None;
    }
    if let Some((_, advice)) = INVENTED.iter().find(|(invented, _)| *invented == short) {
        return Some(Unknown::Invented(advice));
    }
    let known = KNOWN.iter().copied().find(|known| is_misspelt(short, known))?;
    Some(Unknown::Misspelt(format!("{extra}{known}")))
}

/// Whether a name differs from another one by a letter more, a letter less, another spelling of `-`, or another letter.
fn is_misspelt(name: &str, known: &str) -> bool {
    if name.len() < 6 || name == known {
        return false;
    }
    if name.replace('_', "-").eq_ignore_ascii_case(known) || name.replace('-', "") == known.replace('-', "") {
        return true;
    }
    let (a, b) = (name.as_bytes(), known.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (&a[same..], &b[same..]);
    let skip = |rest: &[u8]| rest.get(1..).unwrap_or_default().to_vec();
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => {
            let is_swapped =
                rest_a.len() > 1 && rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0] && rest_a[2..] == rest_b[2..];
            skip(rest_a) == skip(rest_b) || is_swapped
        }
        std::cmp::Ordering::Less => a.len() + 1 == b.len() && rest_a == skip(rest_b),
        std::cmp::Ordering::Greater => b.len() + 1 == a.len() && skip(rest_a) == rest_b,
    }
}

/// Whether a setting of this name exists.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name.strip_prefix("extra-").is_some_and(|short| KNOWN.contains(&short))
}

/// Returns the name that Nix shows for an old name of a setting, with `extra-` if it is written.
pub(super) fn renamed(name: &str) -> Option<String> {
    let (extra, short) = name.strip_prefix("extra-").map_or(("", name), |short| ("extra-", short));
    let (_, new) = RENAMED.iter().find(|(old, _)| *old == short)?;
    Some(format!("{extra}{new}"))
}

/// Returns why the value of a setting is dangerous, and what to do.
pub(super) fn danger(name: &str, value: &str) -> Option<(&'static str, &'static str)> {
    let has = |word: &str| value.split_whitespace().any(|other| other == word);
    let new = renamed(name);
    let name = new.as_deref().unwrap_or(name);
    match name.strip_prefix("extra-").unwrap_or(name) {
        "sandbox" if has("false") => Some((
            "builds see the network and the files of the machine",
            "Remove `sandbox = false`, and make what needs the network a fixed output.",
        )),
        "sandbox" if has("relaxed") => Some((
            "derivations with `__noChroot` leave the sandbox",
            "Remove `sandbox = relaxed`, and make what needs the network a fixed output.",
        )),
        "accept-flake-config" if has("true") => Some((
            "every flake may set caches, keys and hooks without a question",
            "Set the caches and keys that you trust by name instead.",
        )),
        "require-sigs" if has("false") => Some((
            "paths from every cache are accepted without a signature",
            "Add the public keys of the caches to `extra-trusted-public-keys`.",
        )),
        "trusted-users" if has("*") => {
            Some(("every user gets the rights of root", "Name single users, or add caches to `trusted-substituters`."))
        }
        "fsync-metadata" if has("false") => Some((
            "a power failure can destroy the database of the store",
            "Remove it, except on machines that are thrown away after a job.",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_invented_and_misspelt_names_are_unknown() {
        for name in [
            "cores",
            "extra-substituters",
            "extra-platforms",
            "lazy-trees",
            "a-setting-of-2030",
            "http2",
            "extra-sandbox-paths",
        ] {
            assert_eq!(unknown(name), None, "{name}");
        }
        for name in [
            "parallel-builds",
            "max_jobs",
            "experimental-feature",
            "trusted-publik-keys",
            "substitutors",
            "sandbox-path",
            "kepp-outputs",
        ] {
            assert!(unknown(name).is_some(), "{name}");
        }
    }

    #[test]
    fn old_names_are_known_and_have_known_ones() {
        for (old, new) in RENAMED {
            assert!(is_known(old) && is_known(new) && renamed(new).is_none(), "{old}");
            assert!(!INVENTED.iter().any(|(name, _)| name == old), "{old}");
        }
        assert_eq!(renamed("extra-binary-caches").as_deref(), Some("extra-substituters"));
        assert!(danger("build-use-chroot", "false").is_some());
    }

    #[test]
    fn known_names_are_not_misspelt_ones_of_each_other() {
        for name in KNOWN {
            assert_eq!(unknown(name), None);
        }
    }
}
