//! `splitter lint`: prints what makes Nix builds slow or wrong.

mod error;
mod gather;
mod show;

use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};

use camino::Utf8Path;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use self::{
    error::LintError,
    gather::{Gathered, gather},
};
use super::{
    arguments::{Global, LintFormat, LintOptions},
    failure::{Failure, Outcome},
    interrupt,
    printer::Printer,
};
use crate::{
    lint::{self, Choice, Choices, Context, File, Finding, Level, Report, Unread, rules},
    names::SETTINGS,
    repo::{RepoPath, WorkTree},
    scaffold::files::Files,
    split::config::{self, LintConfig},
};

pub(super) fn run(global: &Global, options: &LintOptions, printer: Printer) -> Result<Outcome, Failure> {
    if let Some(name) = &options.explain {
        show::explain(name, printer)?;
        return Ok(Outcome::Done);
    }
    let (tree, settings) = gather::root(global.repo.as_deref().unwrap_or(Utf8Path::new(".")))?;
    let config = config::read(&WorkTree::at(settings.on_disk(tree.root())))?.lint;
    let choices = choices(&config, &settings, options.pedantic)?;
    let wanted = wanted(&tree, options)?;
    let mut gathered = gather(tree)?;
    let mut report = report(&gathered, &choices, &wanted);
    if options.fix {
        let mended = mend(&gathered, &report.findings)?;
        show::mended(&report.findings, &mended, printer);
        if !mended.is_empty() {
            gathered = gather(gathered.tree)?;
            report = self::report(&gathered, &choices, &wanted);
        }
    }
    warn_of_comments(&gathered, printer);
    warn_of_globs(&gathered, &config, &settings, printer)?;
    let Report { findings, unread } = report;
    for Unread { path, why } in &unread {
        printer.warning(format_args!("{path}: not checked, because it {why}"));
    }
    let is_read = |path: &str| is_within(path, &wanted) && !unread.iter().any(|file| file.path == path);
    let files = gathered.files.iter().filter(|file| is_read(&file.path)).count();
    show::print(options, files, &findings, &unread, printer);
    let is_clean = findings.iter().all(|finding| finding.level == Level::Info);
    Ok(Outcome::verdict(is_clean, matches!(options.format, LintFormat::Json | LintFormat::Sarif)))
}

/// Returns what the files that the user wants have. Rules see the whole repository.
fn report(gathered: &Gathered, choices: &Choices, wanted: &[RepoPath]) -> Report {
    let Report { mut findings, mut unread } = in_context(gathered, |context| lint::lint(context, choices));
    if !wanted.is_empty() {
        let is_wanted: BTreeSet<&str> =
            gathered.files.iter().map(|read| read.path.as_str()).filter(|path| is_within(path, wanted)).collect();
        findings.retain(|finding| is_wanted.contains(finding.path.as_str()));
    }
    unread.extend(gathered.unread.iter().cloned());
    unread.retain(|file| is_within(&file.path, wanted));
    let is_known = |path: &str| gathered.files.iter().any(|file| is_within(&file.path, &wanted_path(path)));
    for path in wanted.iter().map(RepoPath::as_str) {
        if !is_known(path) && !unread.iter().any(|file| file.path == path) {
            unread.push(Unread { path: path.to_owned(), why: "has nothing that a rule reads, or git ignores it" });
        }
    }
    unread.sort_by(|a, b| a.path.cmp(&b.path));
    Report { findings, unread }
}

fn wanted_path(path: &str) -> Vec<RepoPath> {
    path.parse().into_iter().collect()
}

fn is_within(path: &str, wanted: &[RepoPath]) -> bool {
    wanted.is_empty() || path.parse::<RepoPath>().is_ok_and(|path| wanted.iter().any(|folder| path.is_within(folder)))
}

/// Passes what rules see: the whole repository.
fn in_context<T>(gathered: &Gathered, use_it: impl FnOnce(&Context<'_>) -> T) -> T {
    let files: Vec<File<'_>> =
        gathered.files.iter().map(|read| File { path: &read.path, kind: read.kind, text: &read.text }).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    use_it(&Context { paths: &gathered.paths, ignored_locks: &gathered.ignored_locks, files: &files, now })
}

/// Returns the paths that the user named, relative to the repository.
fn wanted(tree: &WorkTree, options: &LintOptions) -> Result<Vec<RepoPath>, LintError> {
    let one = |path: &camino::Utf8PathBuf| {
        let real = path.canonicalize_utf8().map_err(|_| LintError::NoSuchPath(path.clone()))?;
        let outside = || LintError::Outside { path: path.clone(), root: tree.root().to_owned() };
        let below = real.strip_prefix(tree.root()).map_err(|_| outside())?;
        below.as_str().parse().map_err(|_| outside())
    };
    options.paths.iter().map(one).collect()
}

/// Reads `lint` of splitter.json.
fn choices(config: &LintConfig, folder: &RepoPath, is_pedantic: bool) -> Result<Choices, LintError> {
    let mut choices = Choices { is_pedantic, ignore: globs(folder, &config.ignore)?, ..Choices::default() };
    for (name, rule) in &config.rules {
        let short = name.strip_prefix("splitter/").unwrap_or(name);
        if rules::named(short).is_none() {
            return Err(LintError::UnknownRule { name: name.clone(), position: rule.position });
        }
        let level = rule.level.as_deref();
        let choice = Choice {
            level: level.and_then(Level::of_name),
            is_off: level == Some("off"),
            allow: globs(folder, &rule.allow)?,
        };
        choices.rules.insert(short.to_owned(), choice);
    }
    Ok(choices)
}

/// Reads globs that are relative to a folder. One that matches a folder matches everything in it.
fn globs(folder: &RepoPath, texts: &[String]) -> Result<GlobSet, LintError> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let text = if folder.is_root() { text.clone() } else { format!("{}/{text}", globset::escape(folder.as_str())) };
        let glob =
            |text: &str| -> Result<Glob, globset::Error> { GlobBuilder::new(text).literal_separator(true).build() };
        set.add(glob(&text)?);
        set.add(glob(&format!("{}/**", text.trim_end_matches('/')))?);
    }
    Ok(set.build()?)
}

/// Writes the files that fixes change, and returns their paths.
fn mend(gathered: &Gathered, findings: &[Finding]) -> Result<BTreeSet<String>, Failure> {
    let mut files = Files::default();
    let mut changed = BTreeSet::new();
    for read in &gathered.files {
        let own = findings.iter().filter(|finding| finding.path == read.path);
        if let (Some(fixed), Ok(path)) = (lint::apply(&read.text, own), read.path.parse::<RepoPath>()) {
            files.put(path, fixed);
            changed.insert(read.path.clone());
        }
    }
    interrupt::uninterrupted(|| files.write(gathered.tree.root()))?;
    Ok(changed)
}

/// Warns about comments that allow nothing, or a rule that does not exist.
fn warn_of_comments(gathered: &Gathered, printer: Printer) {
    for read in &gathered.files {
        for (line, fault) in lint::odd_comments(&read.text) {
            printer.warning(format_args!("{}:{line}: {fault}", read.path));
        }
    }
}

/// Warns about globs of `splitter.json` that match no file of the repository: what they were for is gone or misspelt.
fn warn_of_globs(
    gathered: &Gathered,
    config: &LintConfig,
    folder: &RepoPath,
    printer: Printer,
) -> Result<(), LintError> {
    let ignored = config.ignore.iter().map(|glob| ("lint.ignore".to_owned(), glob));
    let allowed = config
        .rules
        .iter()
        .flat_map(|(name, rule)| rule.allow.iter().map(move |glob| (format!("lint.rules.{name}.allow"), glob)));
    for (place, glob) in ignored.chain(allowed) {
        let set = globs(folder, std::slice::from_ref(glob))?;
        if !gathered.paths.iter().any(|path| set.is_match(path)) {
            printer.warning(format_args!("{SETTINGS}: `{glob}` in `{place}` matches no file"));
        }
    }
    Ok(())
}
