//! A fact with its source.

use serde::Serialize;

/// How sure a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sureness {
    /// Nothing says it.
    Unknown,
    /// Usually right, but the source can be wrong on some computers.
    Likely,
    /// The kernel, or a measurement, says it.
    Certain,
}

/// Something about the computer, how sure it is, and what says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact<T> {
    /// The value, or none if it is unknown.
    pub value: Option<T>,
    /// How sure it is.
    pub sureness: Sureness,
    /// What says so, such as a file. If the value is unknown: why.
    pub source: String,
}

impl<T> Fact<T> {
    /// A value of a source that is right.
    pub fn certain(value: T, source: impl Into<String>) -> Self {
        Self { value: Some(value), sureness: Sureness::Certain, source: source.into() }
    }

    /// A value of a source that can be wrong.
    pub fn likely(value: T, source: impl Into<String>) -> Self {
        Self { value: Some(value), sureness: Sureness::Likely, source: source.into() }
    }

    /// No value, with the reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { value: None, sureness: Sureness::Unknown, source: reason.into() }
    }

    /// Changes the value, and keeps its source.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        Fact { value: self.value.map(change), sureness: self.sureness, source: self.source }
    }
}

impl<T: Copy> Fact<T> {
    /// Returns the value.
    pub fn get(&self) -> Option<T> {
        self.value
    }
}

impl Fact<bool> {
    /// Whether it is known to be true.
    pub fn holds(&self) -> bool {
        self.value == Some(true)
    }
}
