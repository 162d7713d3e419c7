//! Writes a picture as SVG: one file, without scripts, links or embedded fonts.

use std::fmt::Write as _;

use super::{
    Kind, Mark, Node, Picture,
    layout::{self, Layout},
};
use crate::escaping::is_unsafe;

/// The height of a box.
const BOX: f64 = 46.0;
/// The space between columns, where lines turn.
const TURN: f64 = 54.0;
/// The space inside a box beside its text, and the space around the whole picture.
const PAD: f64 = 12.0;
const MARGIN: f64 = 24.0;
/// The average widths of a letter in a title and in a detail, in common sans-serif fonts.
const TITLE: f64 = 8.8;
const DETAIL: f64 = 6.6;
/// The number of unused workspaces to name in one line.
const UNUSED: usize = 6;

/// A box with its position.
struct Placed<'a> {
    node: &'a Node,
    x: f64,
    /// The middle of the box.
    y: f64,
    width: f64,
}

/// Returns the text of the SVG file.
pub fn render(picture: &Picture) -> String {
    let last: Vec<bool> = picture.workspaces.iter().map(|node| node.kind == Kind::App).collect();
    let layout = layout::layout(&last, &picture.edges, BOX);
    let packages = column_of_packages(picture);
    let inner_top = MARGIN + 74.0;
    let frame_x = packages.iter().map(|placed| placed.x + placed.width).fold(MARGIN, f64::max) + TURN;
    let columns = columns(picture, &layout, frame_x + MARGIN);
    let right = columns.last().map_or(frame_x, |(x, width)| x + width) + MARGIN;
    let frame_height = layout.height.max(BOX * 2.0) + 2.0 * MARGIN;
    let unused = picture.unused.chunks(UNUSED).map(|names| names.join(", ")).collect::<Vec<_>>();
    #[expect(clippy::cast_precision_loss, reason = "a few lines")]
    let below = if unused.is_empty() { 0.0 } else { 26.0 + 18.0 * unused.len() as f64 };
    let (width, height) = (right + MARGIN, inner_top + frame_height + MARGIN + below);
    let mut out = head(width, height, picture);
    let frame = (frame_x, inner_top, right - frame_x, frame_height);
    draw_frame(&mut out, frame);
    let middle = inner_top + frame_height / 2.0;
    draw_packages(&mut out, &packages, middle, frame_x);
    let places: Vec<Placed<'_>> = picture
        .workspaces
        .iter()
        .zip(&layout.places)
        .map(|(node, (column, y))| {
            let (x, width) = columns[*column];
            Placed { node, x, y: inner_top + MARGIN + y, width }
        })
        .collect();
    let mut lines: Vec<_> = picture.edges.iter().zip(&layout.passes).collect();
    // Lines that an edit goes through are drawn above the others.
    lines.sort_by_key(|((used, user), _)| line_class(places[*used].node, places[*user].node) == "hot");
    for ((used, user), passes) in lines {
        let way = passes.iter().map(|(column, y)| (columns[*column], inner_top + MARGIN + y)).collect::<Vec<_>>();
        draw_line(&mut out, &places[*used], &places[*user], &way);
    }
    for placed in &places {
        draw_box(&mut out, placed);
    }
    for (line, names) in unused.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few lines")]
        let y = inner_top + frame_height + 30.0 + 18.0 * line as f64;
        let start = if line == 0 { "used by no app: " } else { "" };
        let _ = writeln!(out, r#"<text class="detail" x="{frame_x:.1}" y="{y:.1}">{start}{}</text>"#, escape(names));
    }
    out + "</svg>\n"
}

fn width_of(node: &Node) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "lengths of names")]
    let text = |text: &str, letter: f64| text.chars().count() as f64 * letter;
    (text(&node.title, TITLE)).max(text(&node.detail, DETAIL)) + 2.0 * PAD
}

/// Places the downloads one below the other, and the install beside them. Heights are relative to the middle.
fn column_of_packages(picture: &Picture) -> Vec<Placed<'_>> {
    let deps: Vec<&Node> = picture.packages.iter().filter(|node| node.kind == Kind::Deps).collect();
    let width = deps.iter().map(|node| width_of(node)).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "two or three boxes")]
    let at = |index: usize| (index as f64 - (deps.len() as f64 - 1.0) / 2.0) * (BOX + 18.0);
    let mut placed: Vec<Placed<'_>> =
        deps.iter().enumerate().map(|(index, node)| Placed { node, x: MARGIN, y: at(index), width }).collect();
    let install = picture.packages.iter().filter(|node| node.kind == Kind::Install);
    placed.extend(install.map(|node| Placed { node, x: MARGIN + width + TURN, y: 0.0, width: width_of(node) }));
    placed
}

/// Returns the left edge and the width of each column.
fn columns(picture: &Picture, layout: &Layout, left: f64) -> Vec<(f64, f64)> {
    let mut columns = Vec::new();
    let mut x = left;
    for column in 0..layout.columns {
        let nodes = picture.workspaces.iter().zip(&layout.places).filter(|(_, (at, _))| *at == column);
        let width = nodes.map(|(node, _)| width_of(node)).fold(40.0, f64::max);
        columns.push((x, width));
        x += width + TURN;
    }
    columns
}

fn head(width: f64, height: f64, picture: &Picture) -> String {
    let markers: String = LINES.iter().map(|(class, colour)| marker(class, colour)).collect();
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">
<style>
.title {{ font-size: 14px; font-weight: 600; fill: #111827 }}
.detail {{ font-size: 11px; fill: #4b5563 }}
.faded .title, .faded .detail {{ fill: #9ca3af }}
.line {{ fill: none; stroke: #9ca3af; stroke-width: 1.3 }}
.hot {{ stroke: #b91c1c; stroke-width: 2 }}
.cold {{ stroke: #e5e7eb }}
.heading {{ font-size: 13px; font-weight: 600; fill: #111827 }}
</style>
<defs>{markers}</defs>
<rect width="100%" height="100%" rx="10" fill="#ffffff"/>
"##
    );
    let legend: &[(&str, Colours)] = if picture.edit.is_some() {
        &[
            ("rebuilt", REBUILT),
            ("edited (part of the builds that use it)", EDITED),
            ("between the edit and what is rebuilt", BETWEEN),
            ("kept", KEPT),
        ]
    } else {
        &[
            ("downloads", DEPS),
            ("install", INSTALL),
            ("library (part of the builds that use it)", LIBRARY),
            ("library with its own build", BUILT_LIBRARY),
            ("app", APP),
        ]
    };
    let title = match &picture.edit {
        Some(edit) => format!("What an edit of {edit} rebuilds"),
        None => "Build graph: each arrow leads from a workspace or package to what is built from it".to_owned(),
    };
    let _ = writeln!(out, r#"<text class="heading" x="{MARGIN:.1}" y="{:.1}">{}</text>"#, MARGIN + 8.0, escape(&title));
    let (mut x, y) = (MARGIN, MARGIN + 22.0);
    for (name, (fill, stroke)) in legend {
        let _ = writeln!(
            out,
            r#"<rect x="{x:.1}" y="{y:.1}" width="14" height="14" rx="3" fill="{fill}" stroke="{stroke}"/><text class="detail" x="{:.1}" y="{:.1}">{name}</text>"#,
            x + 20.0,
            y + 11.0
        );
        #[expect(clippy::cast_precision_loss, reason = "lengths of names")]
        let length = name.chars().count() as f64;
        x += 40.0 + length * DETAIL;
    }
    out
}

/// The classes of lines, with the colours of their arrowheads.
const LINES: [(&str, &str); 3] = [("line", "#6b7280"), ("hot", "#b91c1c"), ("cold", "#e5e7eb")];

fn marker(class: &str, colour: &str) -> String {
    format!(
        r#"<marker id="{class}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.8 L7 4 L0 7.2 z" fill="{colour}"/></marker>"#
    )
}

fn draw_frame(out: &mut String, (x, y, width, height): (f64, f64, f64, f64)) {
    let _ = writeln!(
        out,
        r##"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="10" fill="#fafafa" stroke="#d1d5db" stroke-dasharray="5 4"/><text class="detail" x="{:.1}" y="{:.1}">built with the installed packages</text>"##,
        x + 10.0,
        y - 7.0
    );
}

fn draw_packages(out: &mut String, packages: &[Placed<'_>], middle: f64, frame_x: f64) {
    let install = packages.iter().find(|placed| placed.node.kind == Kind::Install);
    for placed in packages {
        let at = Placed { y: middle + placed.y, ..*placed };
        if let (Kind::Deps, Some(install)) = (placed.node.kind, install) {
            draw_line(out, &at, &Placed { y: middle + install.y, ..*install }, &[]);
        }
        draw_box(out, &at);
    }
    if let Some(install) = install {
        let class = line_class(install.node, install.node);
        let (from, to) = (install.x + install.width, frame_x);
        let _ = writeln!(
            out,
            r#"<path class="line {class}" d="M{from:.1} {middle:.1} L{:.1} {middle:.1}" marker-end="url(#{class})"/>"#,
            to - 2.0
        );
    }
}

/// Draws a line that leaves to the right, turns between columns, and passes the columns on its way.
fn draw_line(out: &mut String, from: &Placed<'_>, to: &Placed<'_>, way: &[((f64, f64), f64)]) {
    let (mut x, mut y) = (from.x + from.width, from.y);
    let mut path = format!("M{x:.1} {y:.1}");
    let turn = |path: &mut String, x: f64, y: f64, to_x: f64, to_y: f64| {
        let half = f64::midpoint(x, to_x);
        let _ = write!(path, " C{half:.1} {y:.1} {half:.1} {to_y:.1} {to_x:.1} {to_y:.1}");
    };
    for ((left, width), height) in way {
        turn(&mut path, x, y, *left, *height);
        (x, y) = (left + width, *height);
        let _ = write!(path, " L{x:.1} {y:.1}");
    }
    turn(&mut path, x, y, to.x - 2.0, to.y);
    let class = line_class(from.node, to.node);
    let _ = writeln!(out, r#"<path class="line {class}" d="{path}" marker-end="url(#{class})"/>"#);
}

fn line_class(from: &Node, to: &Node) -> &'static str {
    let is_hot = |node: &Node| matches!(node.mark, Mark::Rebuilt | Mark::Edited | Mark::Between);
    match (from.mark, is_hot(from) && is_hot(to)) {
        (Mark::None, _) => "line",
        (_, true) => "hot",
        (_, false) => "cold",
    }
}

/// Fill and stroke.
type Colours = (&'static str, &'static str);
const DEPS: Colours = ("#fef3c7", "#b45309");
const INSTALL: Colours = ("#d1fae5", "#047857");
const LIBRARY: Colours = ("#f3f4f6", "#6b7280");
const BUILT_LIBRARY: Colours = ("#ede9fe", "#6d28d9");
const APP: Colours = ("#dbeafe", "#1d4ed8");
const REBUILT: Colours = ("#fecaca", "#b91c1c");
const EDITED: Colours = ("#fef2f2", "#b91c1c");
const BETWEEN: Colours = ("#ffffff", "#f87171");
const KEPT: Colours = ("#ffffff", "#d1d5db");

fn draw_box(out: &mut String, placed: &Placed<'_>) {
    let Placed { node, x, y, width } = placed;
    let (fill, stroke) = match (node.mark, node.kind) {
        (Mark::Rebuilt, _) => REBUILT,
        (Mark::Edited, _) => EDITED,
        (Mark::Between, _) => BETWEEN,
        (Mark::Kept, _) => KEPT,
        (Mark::None, Kind::Deps) => DEPS,
        (Mark::None, Kind::Install) => INSTALL,
        (Mark::None, Kind::Library) => LIBRARY,
        (Mark::None, Kind::BuiltLibrary) => BUILT_LIBRARY,
        (Mark::None, Kind::App) => APP,
    };
    let class = if node.mark == Mark::Kept { "faded" } else { "box" };
    let _ = writeln!(
        out,
        r#"<g class="{class}"><rect x="{x:.1}" y="{:.1}" width="{width:.1}" height="{BOX:.1}" rx="7" fill="{fill}" stroke="{stroke}"/><text class="title" x="{:.1}" y="{:.1}">{}</text><text class="detail" x="{:.1}" y="{:.1}">{}</text></g>"#,
        y - BOX / 2.0,
        x + PAD,
        y - 3.0,
        escape(&node.title),
        x + PAD,
        y + 14.0,
        escape(&node.detail)
    );
}

pub(crate) fn escape(text: &str) -> String {
    // XML has no control characters, not even escaped ones.
    let plain: String = text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
