//! The version of a Nix, and whose Nix it is.

use std::fmt;

/// Whose Nix it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// The Nix of the NixOS project.
    Nix,
    /// Lix.
    Lix,
    /// Determinate Nix.
    Determinate,
}

/// A version, as `nix --version` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Whose Nix it is.
    pub flavour: Flavour,
    /// The first two numbers: of Nix itself, also for Determinate Nix.
    pub numbers: (u64, u64),
    /// The whole version, such as `2.34.8`.
    pub text: String,
}

impl Version {
    /// Reads `nix (Nix) 2.34.8`, `nix (Lix, like Nix) 2.93.0` or `nix (Determinate Nix 3.5.2) 2.28.3`.
    pub fn parse(text: &str) -> Option<Self> {
        let flavour = match text {
            text if text.contains("Determinate") => Flavour::Determinate,
            text if text.contains("Lix") => Flavour::Lix,
            _ => Flavour::Nix,
        };
        let text = text.lines().next()?.split_whitespace().next_back()?;
        let mut numbers = text.split(['.', '-', '_', 'p']).map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
        Some(Self { flavour, numbers: (major, minor), text: text.to_owned() })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavour {
            Flavour::Nix => "Nix",
            Flavour::Lix => "Lix",
            Flavour::Determinate => "Determinate Nix,",
        };
        write!(f, "{name} {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_say_whose_nix_it_is() {
        for (text, flavour, numbers, shown) in [
            ("nix (Nix) 2.34.8", Flavour::Nix, (2, 34), "Nix 2.34.8"),
            ("nix (Nix) 2.35.0pre20261101_abc", Flavour::Nix, (2, 35), "Nix 2.35.0pre20261101_abc"),
            ("nix (Lix, like Nix) 2.93.0", Flavour::Lix, (2, 93), "Lix 2.93.0"),
            ("nix (Determinate Nix 3.5.2) 2.28.3", Flavour::Determinate, (2, 28), "Determinate Nix, 2.28.3"),
        ] {
            let version = Version::parse(text).unwrap();
            assert_eq!((version.flavour, version.numbers), (flavour, numbers), "{text}");
            assert_eq!(version.to_string(), shown);
        }
        for text in ["", "nix", "2", "nix (Nix) x.y"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
