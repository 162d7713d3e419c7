//! Medians of times.

/// Times of the same thing, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// In the order in which they were measured.
    values: Vec<u64>,
}

/// The fewest values in each half of a trend. The median of fewer says little.
const FEWEST: usize = 3;

impl Times {
    /// Adds a time.
    pub fn add(&mut self, milliseconds: u64) {
        self.values.push(milliseconds);
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no time was added.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Iterates over them, in the order in which they were measured.
    pub fn values(&self) -> impl Iterator<Item = u64> {
        self.values.iter().copied()
    }

    /// Returns the sum.
    pub fn sum(&self) -> u64 {
        self.values.iter().fold(0, |sum, value| sum.saturating_add(*value))
    }

    /// Returns the longest.
    pub fn longest(&self) -> Option<u64> {
        self.values.iter().max().copied()
    }

    /// Returns the latest.
    pub fn latest(&self) -> Option<u64> {
        self.values.last().copied()
    }

    /// Returns the median. Of an even number it is the mean of the two in the middle.
    pub fn median(&self) -> Option<u64> {
        median(&self.values)
    }

    /// Returns the median of the later half, divided by that of the earlier half: 1.2 for builds that became 20 % slower. Nothing
    /// if there are too few to compare.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of times is shown with two digits")]
    pub fn trend(&self) -> Option<f64> {
        let half = self.values.len() / 2;
        if half < FEWEST {
            return None;
        }
        let (earlier, later) = self.values.split_at(self.values.len() - half);
        let earlier = median(earlier).filter(|median| *median > 0)?;
        Some(median(later)? as f64 / earlier as f64)
    }
}

impl FromIterator<u64> for Times {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(sorted.get(middle - 1)?.midpoint(upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values: &[u64]) -> Times {
        values.iter().copied().collect()
    }

    #[test]
    fn medians_and_sums() {
        assert_eq!((times(&[]).median(), times(&[]).sum(), times(&[]).longest()), (None, 0, None));
        assert_eq!(times(&[9, 1, 5]).median(), Some(5));
        assert_eq!(times(&[4, 1, 9, 6]).median(), Some(5));
        assert_eq!(
            (times(&[u64::MAX, 2]).sum(), times(&[3, 2]).longest(), times(&[3, 2]).latest()),
            (u64::MAX, Some(3), Some(2))
        );
    }

    #[test]
    fn a_trend_needs_enough_of_both_halves() {
        assert_eq!(times(&[1, 2, 3, 4, 5]).trend(), None);
        assert_eq!(times(&[10, 10, 10, 15, 15, 15]).trend(), Some(1.5));
        assert_eq!(times(&[10, 10, 10, 10, 5, 5, 5]).trend(), Some(0.5));
        assert_eq!(times(&[0; 6]).trend(), None);
    }
}
