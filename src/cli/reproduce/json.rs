//! The result as JSON. `version` changes when a field changes its meaning or is removed.

use serde_json::{Value, json};

use super::{
    conditions::SAME,
    images::ImageRow,
    report::{Compared, Outcome, Report, Result, Row},
};
use crate::reproduce::{Cause, Detail};

const VERSION: u32 = 1;

pub(super) fn render(report: &Report) -> Value {
    let [first, second] = report.conditions;
    json!({
        "version": VERSION,
        "system": report.system,
        "method": "twoStores",
        "reproducible": report.is_reproducible(),
        "conditions": {
            "first": first.json(),
            "second": second.json(),
            "sandbox": report.has_sandbox,
            "same": SAME,
        },
        "derivations": report.results.iter().map(result).collect::<Vec<_>>(),
        "images": report.images.iter().map(image).collect::<Vec<_>>(),
    })
}

fn result(result: &Result) -> Value {
    let target = &result.target;
    let outcome = match &result.outcome {
        Outcome::Same => "same",
        Outcome::Differs => "differs",
        Outcome::Failed { .. } => "failed",
        Outcome::NotBuilt => "notBuilt",
    };
    let mut value = json!({
        "name": target.name,
        "kind": target.kind,
        "workspace": target.workspace,
        "derivation": target.derivation,
        "named": target.is_named,
        "result": outcome,
        "reproducible": result.is_reproducible(),
        "follows": result.follows,
        "outputs": result.outputs.iter().map(output).collect::<Vec<_>>(),
        "unusedKnownDifferences": result.unused,
    });
    if let Outcome::Failed { which, log } = &result.outcome {
        value["failedBuild"] = (*which).into();
        value["log"] = log.clone().into();
    }
    value
}

fn output(output: &Compared) -> Value {
    let [first, second] = [0, 1].map(|number: usize| {
        let valid = &output.valid[number];
        json!({ "path": output.paths[number], "hash": valid.hash, "size": valid.size })
    });
    json!({
        "name": output.name,
        "first": first,
        "second": second,
        "files": output.differences.iter().map(file).collect::<Vec<_>>(),
        "moreFiles": output.more,
    })
}

fn file(row: &Row) -> Value {
    let difference = &row.difference;
    json!({
        "path": difference.path,
        "secondPath": difference.other,
        "kind": difference.kind.name(),
        "known": row.known,
        "cause": difference.cause.map(cause),
        "details": difference.details.iter().map(detail).collect::<Vec<_>>(),
        "moreDetails": difference.more,
        "diffoscope": row.diffoscope,
    })
}

fn detail(detail: &Detail) -> Value {
    json!({
        "inside": detail.inside,
        "kind": detail.what.name(),
        "place": detail.place,
        "first": detail.first.text,
        "second": detail.second.text,
        "cause": detail.cause.map(cause),
    })
}

fn cause(cause: &Cause) -> Value {
    json!({ "id": cause.id, "says": cause.says, "remedy": cause.remedy })
}

fn image(image: &ImageRow) -> Value {
    let layers = image.layers.iter().map(|layer| {
        json!({ "name": layer.name, "first": layer.digests[0], "second": layer.digests[1], "same": layer.is_same() })
    });
    json!({ "name": image.name, "layers": layers.collect::<Vec<_>>(), "trouble": image.trouble })
}
