//! Draws the layers of container images: a bar for each image, whose parts are as long as the layers are large.
//!
//! The colour of a part says how often it changes. A layer that an image above has too is hatched, because a registry stores it
//! once. Like the other pictures, it is one file without scripts, links or embedded fonts.

use std::fmt::Write as _;

use super::svg::escape;

/// The length of the longest bar.
const LENGTH: f64 = 760.0;
/// The height of a bar, and of a bar with its texts.
const BAR: f64 = 30.0;
const ROW: f64 = 78.0;
const MARGIN: f64 = 24.0;
/// The space above the first bar, for the titles and the legend.
const HEAD: f64 = 112.0;
/// The average width of a letter, in common sans-serif fonts.
const LETTER: f64 = 6.6;
/// The shortest part. A shorter one could not be seen.
const SHORTEST: f64 = 2.0;

/// Images with their layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layers {
    /// The title.
    pub title: String,
    /// A line below the title.
    pub detail: String,
    /// Whether layers that are sent again are marked.
    pub is_comparison: bool,
    /// The images.
    pub bars: Vec<Bar>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The name and the platform.
    pub title: String,
    /// The size.
    pub detail: String,
    /// The layers, from rare to frequent change.
    pub segments: Vec<Segment>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The name.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The size for people.
    pub text: String,
    /// What changes it.
    pub changes: String,
    /// How often it changes.
    pub pace: Pace,
    /// The first image with the same layer, unless this image is the first.
    pub shared_with: Option<String>,
    /// Whether it would be sent again.
    pub is_sent: bool,
}

/// How often a layer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// With nixpkgs or the runtime.
    Rare,
    /// With the lockfile.
    Packages,
    /// With the sources of libraries.
    Libraries,
    /// With the sources of the app.
    App,
}

impl Pace {
    const ALL: [Self; 4] = [Self::Rare, Self::Packages, Self::Libraries, Self::App];

    fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Rare => ("#dbeafe", "#1d4ed8"),
            Self::Packages => ("#d1fae5", "#047857"),
            Self::Libraries => ("#fef3c7", "#b45309"),
            Self::App => ("#fecaca", "#b91c1c"),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Rare => "nixpkgs, the runtime",
            Self::Packages => "the lockfile",
            Self::Libraries => "libraries",
            Self::App => "the app",
        }
    }
}

/// Returns the text of an SVG file.
pub fn svg(layers: &Layers) -> String {
    let width = width(layers);
    #[expect(clippy::cast_precision_loss, reason = "a number of images")]
    let height = HEAD + ROW * layers.bars.len() as f64 + MARGIN;
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">
<defs><pattern id="shared" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="7" fill="#ffffff" fill-opacity="0.75"/></pattern></defs>
<rect width="100%" height="100%" rx="10" fill="#ffffff"/>
"##
    );
    text(&mut out, (MARGIN, MARGIN + 8.0), Style::Heading, &layers.title);
    text(&mut out, (MARGIN, MARGIN + 26.0), Style::Detail, &layers.detail);
    legend(&mut out, layers.is_comparison);
    let largest = layers.bars.iter().map(Bar::size).max().unwrap_or(0).max(1);
    let mut top = HEAD;
    for bar in &layers.bars {
        draw_bar(&mut out, bar, top, largest);
        top += ROW;
    }
    out + "</svg>\n"
}

/// Returns the text of an HTML file: the picture, and a table with the same layers.
pub fn html(layers: &Layers) -> String {
    let mut rows = String::new();
    for bar in &layers.bars {
        for segment in &bar.segments {
            let [image, name, size, changes, marks] =
                [&bar.title, &segment.name, &segment.text, &segment.changes, &marks(segment)].map(|cell| escape(cell));
            let _ = writeln!(
                rows,
                "<tr><td>{image}</td><td>{name}</td><td>{size}</td><td>{changes}</td><td>{marks}</td></tr>"
            );
        }
    }
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{}</title>
<style>
body {{ margin: 24px; font: 14px ui-sans-serif, system-ui, sans-serif; color: #111827; background: #f3f4f6 }}
svg {{ max-width: 100%; height: auto }}
table {{ border-collapse: collapse; margin-top: 24px; background: #ffffff }}
td, th {{ padding: 4px 12px; text-align: left; border-bottom: 1px solid #e5e7eb }}
td:nth-child(3) {{ text-align: right; white-space: nowrap }}
</style>
{}<table>
<tr><th>image</th><th>layer</th><th>size</th><th>changes with</th><th></th></tr>
{rows}</table>
</html>
"#,
        escape(&layers.title),
        svg(layers)
    )
}

impl Bar {
    fn size(&self) -> u64 {
        self.segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.size))
    }

    fn line(&self) -> String {
        let layers = self.segments.iter().map(|segment| format!("{} {}", segment.name, segment.text));
        layers.collect::<Vec<_>>().join(" · ")
    }
}

fn marks(segment: &Segment) -> String {
    let shared = segment.shared_with.as_ref().map(|image| format!("the same layer as in {image}"));
    let sent = segment.is_sent.then(|| "sent again".to_owned());
    shared.into_iter().chain(sent).collect::<Vec<_>>().join(", ")
}

fn length_of(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "lengths of names")]
    let letters = text.chars().count() as f64;
    letters * LETTER
}

/// Returns the width of the picture: of the longest bar, or of a longer text.
fn width(layers: &Layers) -> f64 {
    let texts = layers.bars.iter().map(|bar| length_of(&bar.line()));
    let titles = [length_of(&layers.title) * 1.2, length_of(&layers.detail)];
    texts.chain(titles).fold(LENGTH, f64::max) + 2.0 * MARGIN
}

#[derive(Clone, Copy)]
enum Style {
    Heading,
    Detail,
    Inside,
}

fn text(out: &mut String, (x, y): (f64, f64), style: Style, content: &str) {
    let look = match style {
        Style::Heading => r##"font-size="14" font-weight="600" fill="#111827""##,
        Style::Detail => r##"font-size="11" fill="#4b5563""##,
        Style::Inside => r##"font-size="11" fill="#111827""##,
    };
    let _ = writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" {look}>{}</text>"#, escape(content));
}

fn legend(out: &mut String, is_comparison: bool) {
    let (title, y) = ("changes with", MARGIN + 40.0);
    text(out, (MARGIN, y + 11.0), Style::Detail, title);
    let mut x = MARGIN + length_of(title) + 12.0;
    let mut entry = |look: &str, words: &str| {
        let _ = writeln!(out, r#"<rect x="{x:.1}" y="{y:.1}" width="14" height="14" {look}/>"#);
        text(out, (x + 20.0, y + 11.0), Style::Detail, words);
        x += 34.0 + length_of(words);
    };
    for pace in Pace::ALL {
        let (fill, stroke) = pace.colours();
        entry(&format!(r#"fill="{fill}" stroke="{stroke}""#), pace.text());
    }
    entry(DASHES, "same layer as above");
    if is_comparison {
        entry(SENT, "sent again");
    }
}

/// The outline of a layer that an image above has too.
const DASHES: &str = r##"fill="#ffffff" stroke="#6b7280" stroke-dasharray="3 2""##;
/// The outline of a layer that is sent again.
const SENT: &str = r##"fill="none" stroke="#111827" stroke-width="2.5""##;

fn draw_bar(out: &mut String, bar: &Bar, top: f64, largest: u64) {
    text(out, (MARGIN, top), Style::Heading, &bar.title);
    text(out, (MARGIN + length_of(&bar.title) * 1.25 + 12.0, top), Style::Detail, &bar.detail);
    let (mut x, y) = (MARGIN, top + 8.0);
    let mut outlines = Vec::new();
    for segment in &bar.segments {
        #[expect(clippy::cast_precision_loss, reason = "lengths of a picture")]
        let width = (segment.size as f64 / largest as f64 * LENGTH).max(SHORTEST);
        draw_segment(out, segment, (x, y, width));
        if segment.is_sent {
            outlines.push((x, width));
        }
        x += width;
    }
    // Above the neighbours, which would hide one side of them.
    for (x, width) in outlines {
        let _ = writeln!(out, r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{BAR:.1}" {SENT}/>"#);
    }
    text(out, (MARGIN, y + BAR + 14.0), Style::Detail, &bar.line());
}

fn draw_segment(out: &mut String, segment: &Segment, (x, y, width): (f64, f64, f64)) {
    let (fill, stroke) = segment.pace.colours();
    let marks = marks(segment);
    let tip = format!("{}: {}, changes with: {}", segment.name, segment.text, segment.changes);
    let tip = if marks.is_empty() { tip } else { format!("{tip}; {marks}") };
    let place = format!(r#"x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{BAR:.1}""#);
    let dashes = if segment.shared_with.is_some() { r#" stroke-dasharray="3 2""# } else { "" };
    let _ = write!(out, r#"<g><title>{}</title><rect {place} fill="{fill}" stroke="{stroke}"{dashes}/>"#, escape(&tip));
    if segment.shared_with.is_some() {
        let _ = write!(out, r#"<rect {place} fill="url(#shared)"/>"#);
    }
    let _ = writeln!(out, "</g>");
    let with_size = format!("{} {}", segment.name, segment.text);
    let fitting = [with_size, segment.name.clone()].into_iter().find(|text| length_of(text) + 12.0 < width);
    if let Some(content) = fitting {
        text(out, (x + 6.0, y + BAR / 2.0 + 4.0), Style::Inside, &content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(name: &str, size: u64, pace: Pace, shared_with: Option<&str>, is_sent: bool) -> Segment {
        Segment {
            name: name.to_owned(),
            size,
            text: format!("{size} B"),
            changes: "the <lockfile>".to_owned(),
            pace,
            shared_with: shared_with.map(str::to_owned),
            is_sent,
        }
    }

    fn sample() -> Layers {
        let bar = |title: &str, segments| Bar { title: title.to_owned(), detail: "x".to_owned(), segments };
        Layers {
            title: "Layers <of> images".to_owned(),
            detail: "stored once".to_owned(),
            is_comparison: true,
            bars: vec![
                bar(
                    "web",
                    vec![segment("base", 900, Pace::Rare, None, false), segment("app", 100, Pace::App, None, true)],
                ),
                bar(
                    "api",
                    vec![
                        segment("base", 900, Pace::Rare, Some("web"), false),
                        segment("app", 0, Pace::App, None, false),
                    ],
                ),
            ],
        }
    }

    #[test]
    fn parts_are_as_long_as_layers_are_large_and_marked() {
        let svg = svg(&sample());
        assert!(svg.contains(r#"width="684.0""#) && svg.contains(r#"width="76.0""#), "{svg}");
        assert_eq!(svg.matches("url(#shared)").count(), 1);
        // One of the legend, one of the layer.
        assert_eq!(svg.matches(SENT).count(), 2);
        assert!(svg.contains("Layers &lt;of&gt; images") && svg.contains("same layer as in web"));
        assert!(svg.contains(r#"width="2.0""#), "an empty layer is seen");
    }

    #[test]
    fn html_has_the_picture_and_a_table() {
        let html = html(&sample());
        assert!(html.starts_with("<!doctype html>") && html.contains("<svg ") && !html.contains("<script"));
        assert!(html.contains("<td>the &lt;lockfile&gt;</td><td>sent again</td>"));
        assert_eq!(html.matches("<tr>").count(), 5);
    }

    #[test]
    fn no_image_is_a_picture_too() {
        let empty = Layers { bars: Vec::new(), ..sample() };
        assert!(svg(&empty).ends_with("</svg>\n"));
    }
}
