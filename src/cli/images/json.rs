//! The layers of images as JSON.

use serde_json::{Value, json};

use crate::image::report::Row;

pub(super) fn render(rows: &[Row]) -> Value {
    let images = rows.chunk_by(|a, b| (&a.image, &a.platform) == (&b.image, &b.platform)).map(|image| {
        let layers = image.iter().map(|row| {
            json!({
                "name": row.layer,
                "changesWith": row.changes,
                "size": row.size,
                "storePaths": row.paths,
                "sharedWith": row.shared_with,
            })
        });
        let first = image.first();
        json!({
            "name": first.map(|row| &row.image),
            "platform": first.map(|row| &row.platform),
            "size": image.iter().map(|row| row.size).sum::<u64>(),
            "layers": layers.collect::<Vec<_>>(),
        })
    });
    json!({ "version": 1, "images": images.collect::<Vec<_>>() })
}
