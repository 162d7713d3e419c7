//! The marker of a block: what is done with its commands. CONTRIBUTING.md explains it to writers.

use super::{page::Block, scene};

/// Why the commands of a block are not run.
pub(super) const REASONS: [(&str, &str); 9] = [
    ("needs the first release", "the program is not published yet"),
    ("needs the network", "it downloads from public servers, such as nixpkgs"),
    ("needs an account", "of a service"),
    ("needs Docker", "or Podman, or Kubernetes"),
    ("needs macOS", "or NixOS"),
    ("changes the machine", "as an administrator"),
    ("takes minutes", "or needs a machine that does nothing else"),
    ("is a file", "an example of a file's content, not commands"),
    ("a test does it", "a test of the suite does the same in other words"),
];

/// What is done with a block.
#[derive(Debug, PartialEq)]
pub(super) enum Marker {
    /// Runs the commands of the block in a scene.
    Run(Steps),
    /// Compares the block with what the last command printed. With steps, that is the last hidden command.
    Output(Option<Steps>),
    /// Nothing, for the reason with this index. If a test covers it: its path.
    NotRun(usize, Option<String>),
}

#[derive(Debug, PartialEq)]
pub(super) struct Steps {
    pub(super) scene: String,
    /// Commands before the block that readers do not see.
    pub(super) hidden: Vec<String>,
    /// Exit codes of the commands of the block; 0 for the remaining.
    pub(super) codes: Vec<i32>,
    /// Whether the lines of the output may have any order.
    pub(super) is_unordered: bool,
}

/// Returns the marker of a block. An error says what to write.
pub(super) fn marker(block: &Block) -> Result<Marker, String> {
    let comment = block.comment.as_deref().unwrap_or_default();
    let (first, rest) = comment.split_once('\n').unwrap_or((comment, ""));
    let hidden = hidden(rest)?;
    let (verb, rest) = first.split_once(':').unwrap_or((first, ""));
    match (verb.trim(), rest.trim()) {
        ("run", rest) if !rest.is_empty() => Ok(Marker::Run(steps(rest, hidden)?)),
        ("output", "") if hidden.is_empty() => Ok(Marker::Output(None)),
        ("output", rest) if !hidden.is_empty() => Ok(Marker::Output(Some(steps(rest, hidden)?))),
        ("not run", rest) => not_run(rest),
        _ => Err("expected a line before it: `<!-- run: SCENE -->`, `<!-- output -->` or `<!-- not run: REASON -->` \
                  (see CONTRIBUTING.md)"
            .to_owned()),
    }
}

fn steps(text: &str, hidden: Vec<String>) -> Result<Steps, String> {
    let (text, is_unordered) = text.strip_suffix(", in any order").map_or((text, false), |text| (text, true));
    let (scene, codes) = text.split_once(", exit ").unwrap_or((text, ""));
    if !scene::NAMES.contains(&scene) {
        return Err(format!("unknown scene `{scene}`; expected one of {}", scene::NAMES.join(", ")));
    }
    let codes: Result<_, _> = codes.split_whitespace().map(str::parse).collect();
    let codes = codes.map_err(|_| format!("expected exit codes after `exit`, found `{text}`"))?;
    Ok(Steps { scene: scene.to_owned(), hidden, codes, is_unordered })
}

fn hidden(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let command = |line: &str| line.strip_prefix("$ ").map(str::to_owned).ok_or_else(|| line.to_owned());
    lines.map(command).collect::<Result<_, _>>().map_err(|line| format!("expected `$ COMMAND`, found `{line}`"))
}

fn not_run(rest: &str) -> Result<Marker, String> {
    let (reason, test) = rest.split_once(": ").map_or((rest, None), |(reason, test)| (reason, Some(test.to_owned())));
    let Some(index) = REASONS.iter().position(|(known, _)| *known == reason) else {
        let known = REASONS.map(|(reason, meaning)| format!("  {reason}: {meaning}")).join("\n");
        return Err(format!("unknown reason `{reason}`; expected one of\n{known}"));
    };
    if reason == "a test does it" && test.is_none() {
        return Err("expected the test: `<!-- not run: a test does it: FILE::NAME -->`".to_owned());
    }
    Ok(Marker::NotRun(index, test))
}

#[test]
fn markers_are_read() {
    let read = |comment: &str| {
        marker(&Block {
            file: String::new(),
            line: 1,
            language: "sh".to_owned(),
            body: Vec::new(),
            comment: Some(comment.to_owned()),
        })
    };
    let steps = |hidden: &[&str], codes: &[i32]| Steps {
        scene: "sample".to_owned(),
        hidden: hidden.iter().map(|&line| line.to_owned()).collect(),
        codes: codes.to_vec(),
        is_unordered: false,
    };
    assert_eq!(read("run: sample"), Ok(Marker::Run(steps(&[], &[]))));
    assert_eq!(read("run: sample, exit 1 0\n  $ a\n$ b"), Ok(Marker::Run(steps(&["a", "b"], &[1, 0]))));
    assert_eq!(read("output"), Ok(Marker::Output(None)));
    assert_eq!(read("output: sample\n$ a"), Ok(Marker::Output(Some(steps(&["a"], &[])))));
    assert_eq!(read("not run: needs Docker: a::b"), Ok(Marker::NotRun(3, Some("a::b".to_owned()))));
    let Ok(Marker::Run(unordered)) = read("run: sample, exit 1, in any order") else { panic!() };
    assert!(unordered.is_unordered && unordered.codes == [1]);
    for wrong in ["", "run: ", "run: nowhere", "run: sample, exit x", "not run: lazy", "not run: a test does it"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
