//! Reads the members of a tar archive in memory.

use super::{
    archive::{Data, MOST_MEMBERS, Member, time},
    found::What,
};

/// Where `ustar` is in a header.
const MAGIC: usize = 257;

pub(super) fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(MAGIC..).is_some_and(|rest| rest.starts_with(b"ustar"))
}

/// Reads the members, up to the first damaged header. Extended headers are joined with the member that they describe.
pub(super) fn members(bytes: &[u8]) -> Vec<Member<'_>> {
    let mut archive = tar::Archive::new(bytes);
    let Ok(entries) = archive.entries() else { return Vec::new() };
    entries.map_while(Result::ok).take(MOST_MEMBERS).map(|entry| member(bytes, &entry)).collect()
}

fn member<'a>(bytes: &'a [u8], entry: &tar::Entry<'_, &'a [u8]>) -> Member<'a> {
    let header = entry.header();
    let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
    let size = header.entry_size().ok().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let data = bytes.get(start..).unwrap_or_default();
    let data = &data[..size.min(data.len())];
    let number = |number: std::io::Result<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let owner = format!(
        "{}:{} {}:{}",
        number(header.uid()),
        number(header.gid()),
        text(header.username_bytes()),
        text(header.groupname_bytes())
    );
    let mode = header.mode().map(|mode| format!("{mode:o}")).unwrap_or_default();
    let target = entry.link_name_bytes();
    let facts = vec![
        (What::MemberTime, "", header.mtime().map(time).unwrap_or_default()),
        (What::MemberOwner, "owner", owner),
        (What::Member, "mode", mode),
        (What::Member, "kind", format!("{:?}", header.entry_type())),
        (What::Member, "target", text(target.as_deref())),
    ];
    Member { name: String::from_utf8_lossy(&entry.path_bytes()).into_owned(), facts, data: Data::Plain(data) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_their_properties_and_content() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mtime(60);
        header.set_uid(7);
        header.set_mode(0o755);
        header.set_username("me").unwrap();
        let long = "long/".repeat(40) + "name";
        builder.append_data(&mut header, &long, &b"abc"[..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        assert!(is_tar(&bytes));
        let members = members(&bytes);
        assert_eq!((members.len(), &members[0].name), (1, &long));
        assert_eq!(members[0].data, Data::Plain(b"abc"));
        let facts: Vec<&str> = members[0].facts.iter().map(|(_, _, value)| value.as_str()).collect();
        assert_eq!(facts, ["1970-01-01 00:01:00", "7: me:", "755", "Regular", ""]);
    }
}
