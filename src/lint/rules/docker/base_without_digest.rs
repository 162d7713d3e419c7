//! `base-without-digest`: a base image that is not pinned.

use crate::lint::{Check, Example, Found, Level, Rule, view::Dockerfile};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "base-without-digest",
    level: Level::Info,
    is_taste: true,
    why: "A tag can move to another image, so the same Dockerfile builds something else tomorrow.",
    remedy: "Add the digest: `FROM image:tag@sha256:…`; Renovate keeps it current.",
    about: "hadolint wants a tag (DL3006) that is not `latest` (DL3007). A digest without a bot that updates it gets no security fixes, so \
            whether to pin is a choice, and this is off by default.",
    checks: &[Check::Dockerfile(check)],
    examples: &[
        Example { findings: 1, files: &[("Dockerfile", "FROM node:24-slim AS build\nFROM build\n")] },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM --platform=linux/amd64 node:24@sha256:d649c27dae7ba0137b3cef5dd75baa422c08dc3d9e3fc0c23dfb172dc3cc6437 AS a\nFROM a\nFROM scratch\nFROM ${BASE}\n",
            )],
        },
    ],
};

fn check(file: &Dockerfile<'_>, found: &mut Found<'_>) {
    let mut stages: Vec<&str> = vec!["scratch"];
    for from in file.named("FROM") {
        let words: Vec<&str> = from.arguments.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let Some(image) = words.first() else { continue };
        if !image.contains("@sha256:") && !image.contains('$') && !stages.contains(image) {
            let remedy = format!(
                "Add the digest: `FROM {image}@sha256:…`. `docker buildx imagetools inspect {image}` shows it, and Renovate keeps it current."
            );
            found.add_with(from.range.clone(), format!("`{image}` has no digest"), remedy);
        }
        if let [_, as_, name] = words[..]
            && as_.eq_ignore_ascii_case("as")
        {
            stages.push(name);
        }
    }
}
