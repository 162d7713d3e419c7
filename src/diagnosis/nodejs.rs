//! What a repository says of the Node.js that it wants, for a build that failed with another one.

use super::{
    causes::{Cause, Place, general, named},
    table::Hit,
};
use crate::split::nodejs::major;

/// Names the version that the repository wants.
pub(super) fn cause(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let cause = general(hit, place)?;
    let Some((pin, major)) = place.pins.iter().find_map(|pin| Some((pin, major(&pin.version)?))) else {
        return Some(cause);
    };
    let says = format!("{} ({} wants Node.js {})", cause.says, pin.place, pin.version);
    let attribute = format!("nodejs = pkgs.nodejs_{major};");
    let advice = if hit.id == "openssl" {
        named("set `apps.<name>.env.NODE_OPTIONS = \"--openssl-legacy-provider\";` in flake.nix", place)
            + &format!(", or `{attribute}` if your nixpkgs still has it")
    } else {
        format!("set `{attribute}` in flake.nix, if your nixpkgs has that version")
    };
    Some(Cause { says, hint: advice, ..cause })
}
