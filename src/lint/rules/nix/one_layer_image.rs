//! `one-layer-image`: an image of one layer.

use super::mutable_created::image;
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "one-layer-image",
    level: Level::Info,
    is_taste: false,
    why: "The image has one layer, so every change sends and stores all of it again.",
    remedy: "Use `streamLayeredImage`, or let splitter make layers from rare to frequent change: `splitter images`.",
    about: "`dockerTools.buildImage` puts all contents into one layer. That is fine as a base image that others build on, and for images of a few files.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "image.nix",
                r#"dockerTools.buildImage {
  name = "web";
  copyToRoot = [ web ];
  config.Cmd = [ "/bin/web" ];
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "image.nix",
                r#"dockerTools.streamLayeredImage {
  name = "web";
  contents = [ web ];
  config.Cmd = [ "/bin/web" ];
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{ a = nix2container.buildImage { name = "a"; layers = [ b ]; copyToRoot = c; config.Cmd = [ "x" ]; }; b = dockerTools.buildImage { name = "base"; copyToRoot = [ bash ]; }; }"#,
            )],
        },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for call in &file.calls {
        let Some((name, set)) = image(call) else { continue };
        let has = |name: &str| nix::definitions(&set).any(|(path, _)| path.first().is_some_and(|first| first == name));
        // nix2container has a function of the same name, whose layers are a choice.
        let has_layers = ["layers", "maxLayers", "fromImage"].iter().any(|name| has(name));
        let has_contents = ["copyToRoot", "contents", "config"].iter().any(|name| has(name));
        if name == "buildImage" && has_contents && has("config") && !has_layers {
            let (head, _) = nix::call(&rnix::ast::Expr::Apply(call.clone()));
            found.add(nix::span(&head), "`buildImage` makes an image of one layer");
        }
    }
}
