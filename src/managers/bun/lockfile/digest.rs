//! The digest of a `bun.lock`, over everything that decides an install.
//!
//! Bun rewrites the file when a workspace's version is bumped, and a formatter or a merge may reorder it. Neither
//! changes what is installed, so neither may make a hash stale. The digest is over a canonical form: objects sorted by
//! key, without `workspaces.*.version`.

use std::io::{self, Write};

use jsonc_parser::ast::{Object, ObjectProp, Value};

/// Returns the digest (blake3, hexadecimal).
pub(super) fn semantic(root: &Object<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    // Writing to a hasher cannot fail.
    let _ = write_root(&mut io::BufWriter::with_capacity(1 << 16, &mut hasher), root);
    hasher.finalize().to_hex().to_string()
}

fn write_root(out: &mut impl Write, root: &Object<'_>) -> io::Result<()> {
    write_sorted(out, &root.properties, |out, property| match (property.name.as_str(), &property.value) {
        ("workspaces", Value::Object(workspaces)) => write_workspaces(out, workspaces),
        (_, value) => write_value(out, value),
    })?;
    out.flush()
}

fn write_workspaces(out: &mut impl Write, workspaces: &Object<'_>) -> io::Result<()> {
    write_sorted(out, &workspaces.properties, |out, workspace| match &workspace.value {
        Value::Object(fields) => {
            write_sorted(out, fields.properties.iter().filter(|field| field.name.as_str() != "version"), write_property)
        }
        value => write_value(out, value),
    })
}

fn write_property(out: &mut impl Write, property: &ObjectProp<'_>) -> io::Result<()> {
    write_value(out, &property.value)
}

fn write_sorted<'p, 'a: 'p, W: Write>(
    out: &mut W,
    properties: impl IntoIterator<Item = &'p ObjectProp<'a>>,
    write_property: impl Fn(&mut W, &ObjectProp<'a>) -> io::Result<()>,
) -> io::Result<()> {
    let mut properties: Vec<_> = properties.into_iter().collect();
    properties.sort_unstable_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    out.write_all(b"{")?;
    for property in properties {
        write_text(out, property.name.as_str())?;
        write_property(out, property)?;
    }
    out.write_all(b"}")
}

fn write_value(out: &mut impl Write, value: &Value<'_>) -> io::Result<()> {
    match value {
        Value::StringLit(text) => write_text(out, &text.value),
        Value::NumberLit(number) => write!(out, "#{};", number.value),
        Value::BooleanLit(literal) => write!(out, "?{};", literal.value),
        Value::NullKeyword(_) => out.write_all(b"~"),
        Value::Array(array) => {
            out.write_all(b"[")?;
            array.elements.iter().try_for_each(|element| write_value(out, element))?;
            out.write_all(b"]")
        }
        Value::Object(object) => write_sorted(out, &object.properties, write_property),
    }
}

/// Writes a string with its length, so that no two sequences of values look the same.
fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(text.as_bytes())
}
