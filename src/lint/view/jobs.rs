//! The jobs of a CI system: what each step runs or uses, on which machine.

use std::ops::Range;

use super::{
    shell::Command,
    yaml::{Key, Node, YamlFile},
};
use crate::lint::Kind;

/// The labels of machines that GitHub starts anew for each job.
const HOSTED: [&str; 3] = ["ubuntu-", "macos-", "windows-"];

/// Values of `shell` whose scripts are in another language.
const OTHER_SHELLS: [&str; 6] = ["python", "pwsh", "powershell", "cmd", "node", "nu"];

/// The keys of GitLab's configuration that have a script.
const SCRIPTS: [&str; 3] = ["before_script", "script", "after_script"];

/// A job, or the steps of a composite action.
#[derive(Debug)]
pub struct Job<'f> {
    /// The key of the job, if it has one.
    pub key: Option<&'f Key>,
    /// The job.
    pub node: &'f Node,
    /// What it does, in order.
    pub steps: Vec<Step<'f>>,
}

/// A step of a job.
#[derive(Debug)]
pub struct Step<'f> {
    /// The step, or the script.
    pub node: &'f Node,
    /// The action.
    pub uses: Option<Uses<'f>>,
    /// The commands, with their bytes in the file.
    pub commands: Vec<Command<'f>>,
}

/// An action with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uses<'f> {
    /// The owner and the name, such as `actions/checkout`, or a path that starts with `./`.
    pub action: &'f str,
    /// The folder in the action's repository, if there is one.
    pub folder: &'f str,
    /// The tag, the branch or the commit.
    pub reference: &'f str,
    /// The version in a comment behind a commit.
    pub comment: Option<&'f str>,
    /// The bytes of `action@reference`, without quotes, and the comment if it names the version.
    pub range: Range<usize>,
    /// The bytes of the reference.
    pub reference_range: Range<usize>,
    /// The bytes where the version can be a comment, those of a comment that only has a version included. A line that goes on
    /// has none, and neither has one whose comment says more about a version.
    pub comment_range: Option<Range<usize>>,
}

impl Uses<'_> {
    /// Whether the reference is a commit.
    pub fn is_commit(&self) -> bool {
        self.reference.len() == 40 && self.reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Returns the version: the tag, or the one in the comment behind a commit.
    pub fn version(&self) -> Option<&str> {
        let is_version = |text: &&str| text.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
        if self.is_commit() { self.comment } else { Some(self.reference) }.filter(is_version)
    }

    /// Returns the first number of the version.
    pub fn major(&self) -> Option<u64> {
        self.version()?.trim_start_matches('v').split(['.', '-']).next()?.parse().ok()
    }
}

impl<'f> Step<'f> {
    /// Returns an input of the action.
    pub fn input(&self, name: &str) -> Option<&'f Node> {
        self.node.at(&["with", name])
    }

    /// Whether the step uses this action, or a folder of it.
    pub fn uses(&self, action: &str) -> bool {
        self.uses.as_ref().is_some_and(|uses| uses.action.eq_ignore_ascii_case(action))
    }
}

impl<'f> Job<'f> {
    /// Returns the commands of all steps.
    pub fn commands(&self) -> impl Iterator<Item = &Command<'f>> {
        self.steps.iter().flat_map(|step| &step.commands)
    }

    /// Whether every machine that the job runs on is one of GitHub's, as far as the file tells. Other systems use the same labels for machines of
    /// their own.
    pub fn is_hosted(&self, file: &YamlFile<'_>) -> bool {
        let labels = self.labels();
        file.file.path.contains(".github/")
            && !labels.is_empty()
            && labels.iter().all(|label| HOSTED.iter().any(|prefix| label.starts_with(prefix)))
    }

    /// Returns the labels of the machines that the job runs on. Those of a matrix are looked up.
    pub fn labels(&self) -> Vec<&'f str> {
        let Some(node) = self.node.get("runs-on") else { return Vec::new() };
        let mut labels = Vec::new();
        for text in node.get("labels").unwrap_or(node).one_or_more().iter().filter_map(Node::text) {
            let expression = text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).map(str::trim);
            match expression.and_then(|expression| expression.strip_prefix("matrix.")) {
                Some(name) => labels.extend(self.of_matrix(name)),
                None => labels.push(text),
            }
        }
        labels
    }

    /// Returns the values of a key of the matrix, such as `os` or `target.os`.
    fn of_matrix(&self, name: &str) -> Vec<&'f str> {
        let Some(matrix) = self.node.at(&["strategy", "matrix"]) else { return vec!["${{ matrix }}"] };
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let direct = matrix.get(first).map_or(&[][..], Node::one_or_more);
        let included = matrix.get("include").map_or(&[][..], Node::items).iter().filter_map(|item| item.get(first));
        let of_item =
            |item: &'f Node| rest.split('.').filter(|key| !key.is_empty()).try_fold(item, |node, key| node.get(key));
        direct.iter().chain(included).filter_map(of_item).filter_map(Node::text).collect()
    }
}

/// Returns the events that start a workflow.
pub fn triggers<'f>(file: &'f YamlFile<'_>) -> Vec<(&'f str, Option<&'f Node>)> {
    let Some(on) = file.root().and_then(|root| root.get("on").or_else(|| root.get("true"))) else { return Vec::new() };
    let named = on.entries().iter().map(|(key, node)| (key.text.as_str(), Some(node)));
    let listed = on.one_or_more().iter().filter_map(Node::text).map(|text| (text, None));
    named.chain(listed).collect()
}

/// Whether a workflow runs only by hand, on a timer, or for a release.
pub fn is_rare(file: &YamlFile<'_>) -> bool {
    let is_usual = |(name, node): &(&str, Option<&Node>)| match *name {
        "pull_request" | "pull_request_target" | "merge_group" | "workflow_call" => true,
        "push" => node.is_none_or(|node| node.get("tags").is_none() || node.get("branches").is_some()),
        _ => false,
    };
    file.file.kind == Kind::Workflow && !triggers(file).iter().any(is_usual)
}

/// Whether a pull request waits for the workflow: it runs for pull requests, or for pushes to all branches.
pub fn is_waited_for(file: &YamlFile<'_>) -> bool {
    triggers(file).iter().any(|(name, node)| match *name {
        "pull_request" | "pull_request_target" | "merge_group" | "workflow_call" => true,
        "push" => node.is_none_or(|node| node.get("branches").is_none() && node.get("tags").is_none()),
        _ => false,
    })
}

/// Returns the jobs of a file.
pub fn jobs<'f>(file: &'f YamlFile<'f>) -> Vec<Job<'f>> {
    let Some(root) = file.root() else { return Vec::new() };
    match file.file.kind {
        Kind::Action => root.get("runs").map(|node| job(file, None, node)).into_iter().collect(),
        Kind::Gitlab => gitlab(file, root),
        Kind::Buildkite => buildkite(file, root),
        _ => {
            let jobs = root.get("jobs").map_or(&[][..], Node::entries);
            jobs.iter().map(|(key, node)| job(file, Some(key), node)).collect()
        }
    }
}

fn job<'f>(file: &'f YamlFile<'f>, key: Option<&'f Key>, node: &'f Node) -> Job<'f> {
    let steps = node.get("steps").map_or(&[][..], Node::items);
    Job { key, node, steps: steps.iter().map(|node| step(file, node)).collect() }
}

fn step<'f>(file: &'f YamlFile<'f>, node: &'f Node) -> Step<'f> {
    let uses = node.get("uses").and_then(|node| uses(file, node));
    let is_shell = node
        .get("shell")
        .and_then(Node::text)
        .is_none_or(|shell| !OTHER_SHELLS.iter().any(|other| shell.contains(other)));
    let commands = node.get("run").filter(|_| is_shell).map_or_else(Vec::new, |run| file.commands(run));
    Step { node, uses, commands }
}

fn gitlab<'f>(file: &'f YamlFile<'f>, root: &'f Node) -> Vec<Job<'f>> {
    let top = SCRIPTS.iter().any(|name| root.get(name).is_some()).then_some((None, root));
    let named = root.entries().iter().map(|(key, node)| (Some(key), node));
    let all = top.into_iter().chain(named).filter(|(_, node)| SCRIPTS.iter().any(|name| node.get(name).is_some()));
    all.map(|(key, node)| Job { key, node, steps: scripts(file, node, &SCRIPTS) }).collect()
}

fn buildkite<'f>(file: &'f YamlFile<'f>, root: &'f Node) -> Vec<Job<'f>> {
    let steps = root.get("steps").map_or(&[][..], Node::items);
    let grouped = steps.iter().flat_map(|step| step.get("steps").map_or(std::slice::from_ref(step), Node::items));
    grouped.map(|node| Job { key: None, node, steps: scripts(file, node, &["command", "commands"]) }).collect()
}

fn scripts<'f>(file: &'f YamlFile<'f>, node: &'f Node, names: &[&str]) -> Vec<Step<'f>> {
    let scripts = names.iter().filter_map(|name| node.get(name)).flat_map(Node::one_or_more);
    scripts.map(|node| Step { node, uses: None, commands: file.commands(node) }).collect()
}

/// Reads `owner/name/folder@reference # version`. Forgejo writes a URL before it.
fn uses<'f>(file: &'f YamlFile<'f>, node: &'f Node) -> Option<Uses<'f>> {
    let whole = node.text()?;
    let text = file.file.text;
    let start = node.range.start + text.get(node.range.clone())?.find(whole)?;
    let range = start..start + whole.len();
    if whole.starts_with("./") {
        let reference_range = range.end..range.end;
        return Some(Uses {
            action: whole,
            folder: "",
            reference: "",
            comment: None,
            range,
            reference_range,
            comment_range: None,
        });
    }
    let (name, reference) = whole.split_once('@')?;
    let name = name.rsplit_once("://").map_or(name, |(_, path)| path.split_once('/').map_or(path, |(_, name)| name));
    let slash = name.find('/')?;
    let end = name[slash + 1..].find('/').map_or(name.len(), |at| slash + 1 + at);
    let (action, folder) = (&name[..end], name[end..].trim_start_matches('/'));
    let reference_range = range.end - reference.len()..range.end;
    let (comment, comment_range) = comment(text, node.range.end.max(range.end));
    Some(Uses { action, folder, reference, comment, range, reference_range, comment_range })
}

/// Returns the version in the comment behind an action, and where a version can be written. A comment that is a version and nothing else is
/// replaced. One that says something of a version must stay as it is, and so must the action.
fn comment(text: &str, start: usize) -> (Option<&str>, Option<Range<usize>>) {
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    if line.trim().is_empty() {
        return (None, Some(start..start + line.len()));
    }
    let Some(comment) = line.trim().strip_prefix('#').map(str::trim) else { return (None, None) };
    let version = comment.split_whitespace().next().and_then(version_in);
    let is_alone = comment.split_whitespace().count() == 1;
    let range = match version {
        Some(_) if is_alone => Some(start..start + line.len()),
        None if !comment.split_whitespace().any(|word| version_in(word).is_some()) => Some(start..start),
        _ => None,
    };
    (version, range)
}

/// Returns the version in a word such as `v4.1.1` or `pin@v4`.
fn version_in(word: &str) -> Option<&str> {
    let word = word.rsplit(['@', '=', '/', ':']).next().unwrap_or(word);
    word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit()).then_some(word)
}
