//! The pictures of the book: what a terminal shows in the first ten minutes. They are drawn from what the program prints in the
//! scenes. With `SPLITTER_WRITE_DOCS=1` the tests write them. Otherwise they compare their text.

use anstyle::{Color, RgbColor};
use anstyle_svg::Term;
use camino::Utf8Path;
use fs_err as fs;

use super::{
    matching,
    scene::{Answer, Scene},
};

/// A picture: its name, the commands before it that nobody sees, and the command that is shown.
struct Screen {
    name: &'static str,
    hidden: &'static [&'static str],
    command: &'static str,
}

/// Without Nix, in the scene `sample`.
const SAMPLE: [Screen; 5] = [
    Screen { name: "scan", hidden: &[], command: "splitter scan" },
    Screen { name: "init", hidden: &[], command: "splitter init" },
    Screen {
        name: "explain",
        hidden: &[
            "git add --all && git commit --quiet --message 'splitter init'",
            "echo '// An edit.' >> packages/greeting/src/index.ts",
        ],
        command: "splitter explain",
    },
    Screen {
        name: "check",
        hidden: &["git commit --quiet --all --message edit", "(cd apps/api && bun add --lockfile-only hono@4.9.1)"],
        command: "splitter check",
    },
    Screen { name: "update-hash", hidden: &[], command: "splitter update-hash" },
];

/// With Nix, in the scene `acme`.
const ACME: [Screen; 2] = [
    Screen {
        name: "build",
        hidden: &["splitter build", "echo '// An edit for the picture.' >> apps/web/src/index.ts"],
        command: "splitter build",
    },
    Screen {
        name: "failure",
        hidden: &["printf '%s\\n' 'import text from \"../README.md\";' 'console.log(text);' > apps/web/src/index.ts"],
        command: "splitter build web",
    },
];

#[test]
fn screens_without_nix_show_what_the_program_prints() {
    let Some(mut scene) = Scene::of("sample") else { return };
    let failures = draw(&mut scene, &SAMPLE);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Compares or writes the pictures with Nix. The pages have built the packages in this scene already.
pub(super) fn with_nix(scene: &mut Scene) -> Vec<String> {
    draw(scene, &ACME)
}

fn draw(scene: &mut Scene, screens: &[Screen]) -> Vec<String> {
    scene.show_colours();
    screens.iter().filter_map(|screen| draw_one(scene, screen)).collect()
}

/// Draws a picture. Returns what is wrong with the one in the book.
fn draw_one(scene: &mut Scene, screen: &Screen) -> Option<String> {
    for command in screen.hidden {
        let answer = scene.run(command);
        assert_eq!(answer.code, Some(0), "{command}: {}", answer.lines.join("\n"));
    }
    let Answer { lines, .. } = scene.run(screen.command);
    let svg = picture(screen.command, &lines);
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/screens/{}.svg", screen.name));
    if std::env::var_os("SPLITTER_WRITE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &svg).unwrap();
    }
    let (found, expected) = (text(&fs::read_to_string(&path).unwrap_or_default()), text(&svg));
    let advice = "is not what the program prints; run this test with SPLITTER_WRITE_DOCS=1";
    (!matching::matches(&found, &expected)).then(|| format!("{path} {advice}:\n{}", expected.join("\n")))
}

/// Longer lines are cut, as readers do not scroll in a picture.
const COLUMNS: usize = 110;

fn picture(command: &str, lines: &[String]) -> String {
    let prompt = format!("\u{1b}[32m$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m");
    let cut = lines.iter().map(|line| cut(line));
    let all: Vec<String> = [prompt].into_iter().chain(cut).collect();
    let colours = Term::new().fg_color(rgb(0xe6_e6e6)).bg_color(rgb(0x1b_1f24));
    let svg = colours.min_width_px(900).render_svg(&all.join("\n"));
    // Half of the light is too little to read on this background.
    svg.replace("opacity: 0.4", "opacity: 0.7").trim_end().to_owned() + "\n"
}

fn rgb(value: u32) -> Color {
    let [_, red, green, blue] = value.to_be_bytes();
    RgbColor(red, green, blue).into()
}

/// Cuts a line at the width of the picture. Sequences for colours have no width.
fn cut(line: &str) -> String {
    let (mut width, mut is_sequence, mut result) = (0, false, String::new());
    for character in line.chars() {
        is_sequence = is_sequence || character == '\u{1b}';
        if is_sequence {
            result.push(character);
            is_sequence = character != 'm';
        } else if width < COLUMNS {
            result.push(character);
            width += 1;
        } else if width == COLUMNS {
            result.push('…');
            width += 1;
        }
    }
    result
}

/// Returns the text of a picture.
fn text(svg: &str) -> Vec<String> {
    let body = svg.split("<text").nth(1).unwrap_or_default();
    let (mut is_tag, mut plain) = (true, String::new());
    for character in body.chars() {
        match character {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            other if !is_tag => plain.push(other),
            _ => {}
        }
    }
    let lines = plain.lines().map(|line| line.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"));
    lines.filter(|line| !line.trim().is_empty()).collect()
}
