//! Writes a picture as a Mermaid flowchart, which GitHub and GitLab draw in a README.

use std::fmt::Write as _;

use super::{Kind, Mark, Node, Picture};
use crate::escaping::is_unsafe;

/// Returns the text of the flowchart.
pub fn render(picture: &Picture) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    for (index, node) in picture.packages.iter().enumerate() {
        lines.push(format!("  {}", shape(&format!("p{index}"), node)));
    }
    let install = picture.packages.iter().position(|node| node.kind == Kind::Install);
    let deps = picture.packages.iter().enumerate().filter(|(_, node)| node.kind == Kind::Deps);
    for (index, install) in deps.filter_map(|(index, _)| Some((index, install?))) {
        lines.push(format!("  p{index} --> p{install}"));
    }
    lines.push("  subgraph workspaces [\"built with the installed packages\"]".to_owned());
    lines.push("    direction LR".to_owned());
    for (index, node) in picture.workspaces.iter().enumerate() {
        lines.push(format!("    {}", shape(&format!("w{index}"), node)));
    }
    lines.extend(picture.edges.iter().map(|(used, user)| format!("    w{used} --> w{user}")));
    lines.push("  end".to_owned());
    lines.extend(install.map(|install| format!("  p{install} --> workspaces")));
    for (name, style) in CLASSES {
        lines.push(format!("  classDef {name} {style}"));
    }
    let mut text = lines.join("\n");
    if let Some(edit) = &picture.edit {
        let _ = write!(text, "\n  %% red: rebuilt after an edit of {}", edit.replace('\n', " "));
    }
    text + "\n"
}

const CLASSES: [(&str, &str); 8] = [
    ("deps", "fill:#fef3c7,stroke:#b45309,color:#1f2937"),
    ("install", "fill:#d1fae5,stroke:#047857,color:#1f2937"),
    ("library", "fill:#f3f4f6,stroke:#6b7280,color:#1f2937"),
    ("built", "fill:#ede9fe,stroke:#6d28d9,color:#1f2937"),
    ("app", "fill:#dbeafe,stroke:#1d4ed8,color:#1f2937"),
    ("rebuilt", "fill:#fecaca,stroke:#b91c1c,stroke-width:2px,color:#1f2937"),
    ("between", "fill:#ffffff,stroke:#f87171,color:#1f2937"),
    ("kept", "fill:#ffffff,stroke:#d1d5db,color:#6b7280"),
];

fn shape(id: &str, node: &Node) -> String {
    let class = match (node.mark, node.kind) {
        (Mark::Rebuilt | Mark::Edited, _) => "rebuilt",
        (Mark::Between, _) => "between",
        (Mark::Kept, _) => "kept",
        (Mark::None, Kind::Deps) => "deps",
        (Mark::None, Kind::Install) => "install",
        (Mark::None, Kind::Library) => "library",
        (Mark::None, Kind::BuiltLibrary) => "built",
        (Mark::None, Kind::App) => "app",
    };
    format!("{id}[\"<b>{}</b><br/>{}\"]:::{class}", escape(&node.title), escape(&node.detail))
}

/// Escapes a text for a quoted label. Characters that are special in Mermaid or HTML become their numbers.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if "\"#;<>&`[]{}|".contains(character) || is_unsafe(character) || matches!(character, '\n' | '\t') {
            let _ = write!(safe, "#{};", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}
