//! Reads JSON with the order of its keys, which [`serde_json::Value`] does not keep.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A document without its simple values.
enum Shape {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Simple,
}

/// Finds the first object whose keys have another order. Returns its place, and both lists from the first key that differs.
pub(super) fn difference(first: &str, second: &str) -> Option<(String, Vec<String>, Vec<String>)> {
    let shape = |text| serde_json::from_str::<Shape>(text).ok();
    in_shapes("", &shape(first)?, &shape(second)?)
}

fn in_shapes(pointer: &str, first: &Shape, second: &Shape) -> Option<(String, Vec<String>, Vec<String>)> {
    match (first, second) {
        (Shape::Object(a), Shape::Object(b)) => {
            let same = a.iter().zip(b).take_while(|((a, _), (b, _))| a == b).count();
            if same < a.len().max(b.len()) {
                let names = |all: &[(String, Shape)]| all.iter().skip(same).map(|(key, _)| key.clone()).collect();
                return Some((pointer.to_owned(), names(a), names(b)));
            }
            let mut pairs = a.iter().zip(b);
            pairs.find_map(|((key, a), (_, b))| in_shapes(&super::json::below(pointer, key), a, b))
        }
        (Shape::Array(a), Shape::Array(b)) => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(at, (a, b))| in_shapes(&format!("{pointer}/{at}"), a, b))
        }
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Shape::Object(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Shape::Array(entries))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Simple)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Simple)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Simple)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Simple)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Simple)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Simple)
    }
}
