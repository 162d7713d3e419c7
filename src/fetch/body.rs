//! [`Body`]: the content of an answer, with limits on its size and its pace.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Response;

use super::{client::reason_of, failure::Reason, retry::Patience};
use crate::lockfile::Format;

/// The fewest bytes that count as progress within the time of a stall. Slower than this, a tarball takes days.
const PROGRESS: u64 = 1024;

/// The content of an answer, read piece by piece.
pub(super) struct Body {
    response: Response,
    format: Format,
    received: u64,
    most: u64,
    pace: Pace,
}

/// Tells a slow line from a host that only keeps the connection open.
struct Pace {
    stall: Duration,
    since: Instant,
    received: u64,
}

impl Body {
    pub(super) fn new(response: Response, format: Format, patience: &Patience) -> Self {
        let pace = Pace { stall: patience.stall, since: Instant::now(), received: 0 };
        Self { response, format, received: 0, most: patience.largest, pace }
    }

    /// Returns the length that the answer states.
    pub(super) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Returns the next piece, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Reason> {
        // The client's own timeout ends a wait without any byte.
        let chunk = self.response.chunk().await.map_err(|error| reason_of(&error, self.format))?;
        let length = chunk.as_ref().map_or(0, Bytes::len) as u64;
        self.received += length;
        if self.received > self.most {
            return Err(Reason::TooLarge { most: self.most });
        }
        if chunk.is_some() && !self.pace.goes_on(length) {
            return Err(Reason::Stalled);
        }
        Ok(chunk)
    }
}

impl Pace {
    fn goes_on(&mut self, length: u64) -> bool {
        self.received += length;
        if self.since.elapsed() < self.stall {
            return true;
        }
        let is_progress = self.received >= PROGRESS;
        (self.since, self.received) = (Instant::now(), 0);
        is_progress
    }
}
