//! The body of an upload: a file, read piece by piece.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::BytesMut;
use reqwest::Body;
use tokio::{fs::File, io::AsyncReadExt as _};

use super::Count;

/// The size of a piece.
const PIECE: usize = 1 << 18;

/// Returns the body. Both counters learn of each piece when the client takes it.
pub(super) async fn body(path: &Path, sent: Arc<AtomicU64>, count: Arc<dyn Count>) -> io::Result<Body> {
    let file = File::open(path).await?;
    let pieces = futures_util::stream::try_unfold((file, sent, count), async |(mut file, sent, count)| {
        let mut piece = BytesMut::with_capacity(PIECE);
        let length = file.read_buf(&mut piece).await?;
        if length == 0 {
            return Ok::<_, io::Error>(None);
        }
        sent.fetch_add(length as u64, Ordering::Relaxed);
        count.sent(length as u64);
        Ok(Some((piece.freeze(), (file, sent, count))))
    });
    Ok(Body::wrap_stream(pieces))
}
