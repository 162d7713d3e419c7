//! Budgets: images above the size that `splitter.json` allows.

use super::plans::Image;
use crate::{
    cli::{printer::Printer, style::BAD, text::bytes},
    image::{
        compare::{ImageChange, LayerChange},
        plan::Layer,
    },
};

/// Number of layers named for an image above its budget.
const BLAMED: usize = 3;

/// Returns the number of bytes above the budget.
pub(super) fn excess(image: &Image) -> Option<u64> {
    image.plan.size().checked_sub(image.budget?).filter(|excess| *excess > 0)
}

/// Prints the images above their budget to stderr, because stdout has digests alone. Returns whether there is one.
pub(super) fn refuses(images: &[Image], printer: Printer) -> bool {
    let over = lines(images, &[]);
    for line in &over {
        printer.error_line(line);
    }
    !over.is_empty()
}

/// Returns lines about each image above its budget: its size, and the layers that grew or else the largest ones.
pub(super) fn lines(images: &[Image], changes: &[ImageChange]) -> Vec<String> {
    let mut lines = Vec::new();
    for image in images {
        let Some(excess) = excess(image) else { continue };
        let (size, budget) = (image.plan.size(), image.budget.unwrap_or(0));
        lines.push(format!(
            "{BAD}over budget{BAD:#}: the image {} ({}) has {}, {} more than its budget of {}",
            image.plan.name,
            image.plan.platform,
            bytes(size),
            bytes(excess),
            bytes(budget)
        ));
        let grown = grown(image, changes);
        let (title, layers) = if grown.is_empty() { ("largest layers", largest(image)) } else { ("grew", grown) };
        lines.push(format!("  {title}: {}", layers.join(", ")));
    }
    lines
}

fn grown(image: &Image, changes: &[ImageChange]) -> Vec<String> {
    let layers = changes.iter().filter(|change| change.is_of(&image.plan)).flat_map(|change| &change.layers);
    let mut layers: Vec<_> = layers.filter(|layer| layer.growth() > 0).collect();
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.growth()));
    let name = |layer: &&LayerChange| {
        let growth = u64::try_from(layer.growth()).unwrap_or(u64::MAX);
        format!("{} +{}", layer.layer, bytes(growth))
    };
    layers.iter().take(BLAMED).map(name).collect()
}

fn largest(image: &Image) -> Vec<String> {
    let mut layers: Vec<_> = image.plan.layers_with_files().collect();
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.size()));
    let name = |layer: &&Layer| format!("{} {}", layer.name, bytes(layer.size()));
    layers.iter().take(BLAMED).map(name).collect()
}
