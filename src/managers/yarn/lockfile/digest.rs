//! The digest of a `yarn.lock`, over everything except comments, order and formatting.
//!
//! A formatter, a merge or another version of Yarn may reorder the file. That changes nothing that is installed, so the
//! digest is over a canonical form: sorted keys, each string with its length.

use std::io::{self, Write};

use super::tree::{Node, Value};

/// Returns the digest (blake3, hexadecimal). `format` separates the digests of two formats. `is_told` says whether a
/// field of an entry is part of the digest.
pub(in crate::managers) fn semantic(
    format: &str,
    nodes: &[Node<'_>],
    is_told: impl Fn(&Node<'_>, &Node<'_>) -> bool,
) -> String {
    let mut hasher = blake3::Hasher::new();
    // Writing to a hasher cannot fail.
    let _ = write_entries(&mut io::BufWriter::with_capacity(1 << 16, &mut hasher), format, nodes, is_told);
    hasher.finalize().to_hex().to_string()
}

fn write_entries(
    out: &mut impl Write,
    format: &str,
    nodes: &[Node<'_>],
    is_told: impl Fn(&Node<'_>, &Node<'_>) -> bool,
) -> io::Result<()> {
    write_text(out, format)?;
    write_sorted(out, nodes.iter(), |out, entry| match &entry.value {
        Value::Map(fields) => write_sorted(out, fields.iter().filter(|field| is_told(entry, field)), write_value),
        Value::Text(_) => write_value(out, entry),
    })?;
    out.flush()
}

fn write_sorted<'n, 'a: 'n, W: Write>(
    out: &mut W,
    nodes: impl Iterator<Item = &'n Node<'a>>,
    write_value: impl Fn(&mut W, &Node<'a>) -> io::Result<()>,
) -> io::Result<()> {
    let mut nodes: Vec<_> = nodes.map(|node| (node.keys().min(), node)).collect();
    nodes.sort_unstable_by_key(|(least, _)| *least);
    out.write_all(b"{")?;
    for (_, node) in nodes {
        write_keys(out, node)?;
        write_value(out, node)?;
    }
    out.write_all(b"}")
}

fn write_keys(out: &mut impl Write, node: &Node<'_>) -> io::Result<()> {
    if node.more_keys.is_empty() {
        return write_text(out, &node.key);
    }
    let mut keys: Vec<_> = node.keys().collect();
    keys.sort_unstable();
    out.write_all(b",")?;
    out.write_all(&(keys.len() as u64).to_le_bytes())?;
    keys.into_iter().try_for_each(|key| write_text(out, key))
}

fn write_value(out: &mut impl Write, node: &Node<'_>) -> io::Result<()> {
    match &node.value {
        Value::Text(text) => write_text(out, text),
        Value::Map(nodes) => write_sorted(out, nodes.iter(), write_value),
    }
}

/// Writes a string with its length, so that no two sequences of values look the same.
fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(text.as_bytes())
}
