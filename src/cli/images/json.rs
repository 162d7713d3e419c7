//! The layers of images as JSON. `version` changes when a field changes its meaning or is removed.

use serde_json::{Value, json};

use super::{budget::excess, changes::Compared, plans::Image};
use crate::{
    cli::size::place,
    image::{
        compare::{ImageChange, Presence},
        report::{Row, notes},
    },
};

/// The version of this output.
const VERSION: u32 = 1;

pub(super) fn layers(images: &[Image], rows: &[Row]) -> Value {
    let image = |image: &Image| {
        let platform = image.plan.platform.to_string();
        let layers = rows.iter().filter(|row| row.image == image.plan.name && row.platform == platform).map(|row| {
            json!({
                "name": row.layer,
                "changesWith": row.changes,
                "size": row.size,
                "storePaths": row.paths,
                "sharedWith": row.shared_with,
            })
        });
        json!({
            "name": image.plan.name,
            "platform": platform,
            "size": image.plan.size(),
            "budget": image.budget,
            "overBudget": excess(image).is_some(),
            "layers": layers.collect::<Vec<_>>(),
            "notes": notes(&image.plan),
        })
    };
    json!({ "version": VERSION, "images": images.iter().map(image).collect::<Vec<_>>() })
}

pub(super) fn comparison(compared: &Compared) -> Value {
    let image = |change: &ImageChange| {
        let image = compared.images.iter().find(|image| change.is_of(&image.plan));
        let layers = change.layers.iter().map(|layer| {
            json!({
                "name": layer.layer,
                "changesWith": layer.changes,
                "before": layer.before,
                "after": layer.after,
                "isSentAgain": layer.is_sent,
            })
        });
        json!({
            "name": change.image,
            "platform": change.platform,
            "state": match change.presence {
                Presence::Both => "both",
                Presence::New => "new",
                Presence::Removed => "removed",
            },
            "size": change.size(),
            "sentAgain": change.sent(),
            "budget": image.and_then(|image| image.budget),
            "overBudget": image.is_some_and(|image| excess(image).is_some()),
            "layers": layers.collect::<Vec<_>>(),
        })
    };
    json!({
        "version": VERSION,
        "from": place(&compared.from),
        "to": place(&compared.to),
        "edit": compared.edit.as_ref().map(ToString::to_string),
        "isForecast": compared.is_forecast,
        "sentAgain": compared.together,
        "images": compared.changes.iter().map(image).collect::<Vec<_>>(),
        "rebuiltWithTheSameFiles": compared.same_files,
    })
}
