//! `splitter graph`: the build graph as Mermaid and as SVG.

use crate::support::{Small, splitter_snapshot, succeed};

#[test]
fn a_repository_is_drawn_as_mermaid() {
    let small = Small::new();
    small.init();
    let mermaid = succeed(&mut small.context.splitter(&["graph"]));
    let drawing: Vec<&str> = mermaid.lines().filter(|line| !line.contains("classDef")).collect();
    for line in [
        r#"  p0["<b>deps-common</b><br/>2 packages, 471 B"]:::deps"#,
        r#"    w1["<b>web</b><br/>2 files, 181 B"]:::app"#,
        r#"    w2["<b>@acme/ui</b><br/>2 files, 106 B"]:::library"#,
        "    w2 --> w1",
    ] {
        assert!(drawing.contains(&line), "{line}\n{mermaid}");
    }
    assert_eq!(drawing.first(), Some(&"flowchart LR"));
    assert_eq!(drawing.iter().filter(|line| line.contains("-->") && line.contains('w')).count(), 2, "{mermaid}");
}

#[test]
fn an_edit_is_drawn_with_what_it_rebuilds() {
    let small = Small::without_git();
    let context = &small.context;
    let args = ["graph", "--edit", "packages/ui/index.ts", "-o", "graph.svg"];
    splitter_snapshot!(context, context.splitter(&args), @r"
    exit: 0
    ----- stdout
    ----- stderr
    wrote graph.svg
    ");
    let svg = context.read("graph.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("What an edit of packages/ui/index.ts rebuilds"), "{svg}");
    // A line leads from the edited library to web. api is kept.
    assert_eq!(svg.matches("marker-end=\"url(#hot)\"").count(), 1, "{svg}");
    let mermaid = succeed(&mut context.splitter(&["graph", "--mermaid", "--edit", "packages/ui/index.ts"]));
    for line in ["<b>web</b>", "<b>@acme/ui</b>"] {
        assert!(mermaid.lines().any(|found| found.contains(line) && found.ends_with(":::rebuilt")), "{mermaid}");
    }
    assert!(mermaid.lines().any(|found| found.contains("<b>api</b>") && found.ends_with(":::kept")), "{mermaid}");
    splitter_snapshot!(context, context.splitter(&["graph", "--edit", "../x"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `--edit ../x` is outside the repository; expected a path from the root of the repository
    ");
}
