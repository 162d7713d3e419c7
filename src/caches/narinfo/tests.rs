//! Tests with narinfos that Nix 2.34.8 wrote (`nix copy --to 'file://…?secret-key=…'`).

use proptest::prelude::*;

use super::*;

/// One narinfo after another, with an empty line between.
const GOLDEN: &str = include_str!("../../../tests/narinfo/golden.txt");
/// The key that signed them.
const KEY: &str = "golden-1:3x829q0hWOErax+oWUSWb/x5wjevbXuLJFX937mr2ys=";
/// Another key of the same name.
const OTHER: &str = "golden-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";

fn golden() -> impl Iterator<Item = &'static str> {
    GOLDEN.split("\n\n").filter(|text| !text.trim().is_empty())
}

fn named(name: &str) -> NarInfo {
    golden().map(|text| parse(text).unwrap()).find(|info| info.item.name() == name).unwrap()
}

fn without(mut info: NarInfo) -> NarInfo {
    (info.signatures, info.content_address) = (Vec::new(), None);
    info
}

#[test]
fn a_narinfo_of_nix_is_read() {
    let info = named("a");
    let hashes = ["gi2ca4qykl23i0djyl3l1rnlyvf60hnp-b", "vfdj1g50j0iax7b3s2952v08c8mlvwm3-a"];
    assert_eq!(info.references.iter().map(Item::as_str).collect::<Vec<_>>(), hashes);
    assert_eq!((info.file_size, info.nar_size, info.store.as_str()), (Some(166), 256, "/nix/store"));
    assert_eq!(info.url, "nar/1hq6yji978cjnigckafw10g50gz8czz71p37l79y7x8dmfvc2pvd.nar.zst");
    assert_eq!(
        info.fingerprint(),
        "1;/nix/store/vfdj1g50j0iax7b3s2952v08c8mlvwm3-a;sha256:06jazfiywi28b93rm3w9hhfjngjmfi6w4ni5as5b49slj7nj0hn3;256;\
         /nix/store/gi2ca4qykl23i0djyl3l1rnlyvf60hnp-b,/nix/store/vfdj1g50j0iax7b3s2952v08c8mlvwm3-a"
    );
}

#[test]
fn signatures_of_nix_are_checked() {
    let (key, other): (PublicKey, PublicKey) = (KEY.parse().unwrap(), OTHER.parse().unwrap());
    for name in ["a", "b"] {
        let info = named(name);
        assert_eq!(info.trust(&[other.clone(), key.clone()]), Trust::Signed("golden-1".to_owned()));
        assert_eq!(info.trust(&[other.clone()]), Trust::Wrong("golden-1".to_owned()));
        assert_eq!(info.trust(&[]), Trust::Foreign(vec!["golden-1".to_owned()]));
        assert_eq!(without(info.clone()).trust(&[key.clone()]), Trust::Unsigned);
        let changed = NarInfo { nar_size: info.nar_size + 1, ..info };
        assert_eq!(changed.trust(&[key.clone()]), Trust::Wrong("golden-1".to_owned()));
    }
}

#[test]
fn what_its_content_names_needs_no_signature() {
    for name in ["flat", "rec", "rec1", "inner", "txt"] {
        let mut info = named(name);
        info.signatures.clear();
        assert_eq!(info.trust(&[]), Trust::ContentAddressed, "{name}");
        // Another content would have another path.
        info.content_address = info.content_address.map(|address| address.replace(":0", ":1").replace(":1", ":0"));
        let address = named("a").content_address;
        info.content_address =
            address.or_else(|| Some("fixed:r:sha256:1jdbl75ircqagya3qmcxpwdwkk2jskwp5pjihrd8ib3jyr8gjsfz".to_owned()));
        assert_eq!(info.trust(&[]), Trust::Unsigned, "{name}");
    }
}

#[test]
fn what_is_no_narinfo_is_refused_with_the_reason() {
    let text = golden().next().unwrap();
    let refused = |from: &str, to: &str| parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(refused("NarSize: ", "Size: "), "the field `NarSize` is missing");
    assert_eq!(refused("NarSize: 120", "NarSize: x"), "the field `NarSize` has the wrong value `x`");
    assert_eq!(
        refused("StorePath: /", "StorePath: "),
        "the field `StorePath` has the wrong value `nix/store/4gcnhvblxy69wlrfwwfadiv164adf557-flat`"
    );
    assert!(refused("References: ", "References: ../../etc/passwd").contains("`References`"));
    assert_eq!(parse("<html>").unwrap_err().to_string(), "expected `Field: value`, found `<html>`");
    assert_eq!(parse("").unwrap_err(), NarInfoError::Missing("StorePath"));
    // Cut off.
    assert!(parse(&text[..text.len() / 3]).is_err());
    // As some servers send it.
    assert_eq!(
        parse(&text.replace("References: \n", "References:\n").replace('\n', "\r\n")).unwrap(),
        parse(text).unwrap()
    );
}

#[test]
fn hashes_are_read_in_each_form() {
    let hash = Hash::parse("sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73").unwrap();
    assert_eq!(Hash::parse("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), Some(hash));
    assert_eq!(Hash::parse("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), Some(hash));
    assert_eq!(Hash::parse("sha1:143xibwh31h9bvxzalr0sjvbbvpa6ffs"), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "((StorePath|URL|FileSize|NarHash|NarSize|References|Sig|CA)?:? ?(/nix/store/|sha256:|fixed:r:)?\\PC{0,40}\n){0,9}") {
        if let Ok(info) = parse(&text) {
            let _ = (info.trust(&[]), info.fingerprint());
        }
    }
}
