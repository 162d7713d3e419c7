//! The frame of HTML pages: one file without scripts or anything from elsewhere, light and dark, for phones and print.

use super::svg::escape;

const STYLE: &str = include_str!("page.css");

/// Makes a page of a title, further styles, and its content after the title, which is HTML.
pub fn page(title: &str, style: &str, content: &str) -> String {
    let title = escape(title);
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{STYLE}{style}</style>
<main>
<h1>{title}</h1>
{content}</main>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_a_text() {
        let text = page("a<b>", "b { c: d }\n", "<p>e</p>\n");
        assert_eq!(text.matches("a&lt;b&gt;").count(), 2, "{text}");
        assert!(text.contains("b { c: d }\n</style>") && text.ends_with("<p>e</p>\n</main>\n</html>\n"), "{text}");
    }
}
