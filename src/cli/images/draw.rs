//! Draws the layers of images to a file.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{ImagesError, changes::Compared, plans::Image};
use crate::{
    cli::{printer::Printer, text::bytes},
    image::{compare::ImageChange, plan::Layer},
    picture::layers::{Bar, Layers, Pace, Segment, html, svg},
    scaffold::files,
};

/// Writes the picture: HTML if the name of the file says so, or else SVG.
pub(super) fn write(
    path: &Utf8Path,
    images: &[Image],
    compared: Option<&Compared>,
    printer: Printer,
) -> Result<(), ImagesError> {
    let picture = picture(images, compared);
    let is_html = path.extension().is_some_and(|end| ["html", "htm"].contains(&end));
    let text = if is_html { html(&picture) } else { svg(&picture) };
    let failed = |source| ImagesError::Write { path: path.to_owned(), source };
    files::put(path, text.as_bytes()).map_err(failed)?;
    printer.note(format_args!("wrote {path}"));
    Ok(())
}

fn picture(images: &[Image], compared: Option<&Compared>) -> Layers {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let mut bars = Vec::new();
    let mut once: u64 = 0;
    for image in images {
        let plan = &image.plan;
        let title = format!("{} ({})", plan.name, plan.platform);
        let change = compared.and_then(|compared| compared.changes.iter().find(|change| change.is_of(plan)));
        let mut pace = Pace::Rare;
        let segments = plan.layers_with_files().enumerate().map(|(number, layer)| {
            pace = pace_of(layer).unwrap_or(pace);
            let shared_with = first.get(&layer.identity()).cloned();
            if shared_with.is_none() {
                once = once.saturating_add(layer.size());
                first.insert(layer.identity(), plan.name.clone());
            }
            Segment {
                name: layer.name.clone(),
                size: layer.size(),
                text: bytes(layer.size()),
                changes: layer.changes.clone(),
                pace,
                shared_with,
                is_sent: sent(change).contains(&number),
            }
        });
        let segments = segments.collect();
        let detail = match change {
            Some(change) => format!("{}, {} sent again", bytes(plan.size()), bytes(change.sent())),
            None => bytes(plan.size()),
        };
        bars.push(Bar { title, detail, segments });
    }
    let title = match compared {
        None => "Layers of the images".to_owned(),
        Some(Compared { edit: Some(edit), is_forecast, .. }) => {
            format!("What an edit of {edit} sends again{}", if *is_forecast { " (forecast)" } else { "" })
        }
        Some(Compared { from, to, .. }) => format!("What is sent again from {from} to {to}"),
    };
    let detail = format!("without compression; {} if each layer is stored once", bytes(once));
    Layers { title, detail, is_comparison: compared.is_some(), bars }
}

/// Returns the places of the layers that are sent again. Those of the image come first, in its order.
fn sent(change: Option<&ImageChange>) -> BTreeSet<usize> {
    let layers = change.into_iter().flat_map(|change| change.layers.iter().enumerate());
    layers.filter(|(_, layer)| layer.is_sent).map(|(number, _)| number).collect()
}

/// Returns how often a layer changes. A layer of the user's own changes as often as the one before.
fn pace_of(layer: &Layer) -> Option<Pace> {
    match layer.name.as_str() {
        "base" | "runtime" | "contents" => Some(Pace::Rare),
        "packages" => Some(Pace::Packages),
        "libraries" => Some(Pace::Libraries),
        "app" => Some(Pace::App),
        _ => None,
    }
}
