//! `mutable-created`: an image that changes at every build.

use rnix::ast::{Apply, AttrSet, Expr};

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "mutable-created",
    level: Level::Error,
    is_taste: false,
    why: r#"`created = "now"` gives the image another digest at every build, so nothing can tell that it did not change."#,
    remedy: "Remove `created`, or set it to the date of the commit: `self.lastModifiedDate`.",
    about: "dockerTools writes the time into the image's configuration. The image is then not reproducible, and a registry gets a new one from each build.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "image.nix",
                r#"dockerTools.buildLayeredImage {
  name = "web";
  created = "now";
  contents = [ web ];
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "image.nix",
                r#"dockerTools.buildLayeredImage {
  name = "web";
  contents = [ web ];
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[("a.nix", r#"{ created = "now"; a = streamLayeredImage { created = self.lastModifiedDate; }; }"#)],
        },
    ],
};

/// The functions that make images.
pub(in crate::lint::rules) const IMAGES: [&str; 4] =
    ["buildImage", "buildLayeredImage", "streamLayeredImage", "buildLayeredImageWithNixDb"];

/// Returns the name of the function and the set of a call that makes an image.
pub(super) fn image(call: &Apply) -> Option<(String, AttrSet)> {
    let (head, arguments) = nix::call(&Expr::Apply(call.clone()));
    let name = nix::last_name(&head).filter(|name| IMAGES.contains(&name.as_str()))?;
    match nix::resolve(arguments.first()?) {
        Expr::AttrSet(set) => Some((name, set)),
        _ => None,
    }
}

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for (_, set) in file.calls.iter().filter_map(image) {
        if let Some(value) =
            nix::value_in(&set, "created").filter(|value| nix::literal(value).as_deref() == Some("now"))
        {
            found.add(nix::span(&value), "`created = \"now\"` changes at every build");
        }
    }
}
