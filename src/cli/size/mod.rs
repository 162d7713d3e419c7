//! `splitter size`: the runtime closure of each package, what makes it large, and what made it grow.

mod json;
mod report;
mod show;

pub(super) use self::json::place;
use self::report::Report;
use super::{
    arguments::{Global, SizeOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::{state, work_tree},
};
use crate::{
    closure::{ClosureError, Packages, Request, gather::measure},
    nix::command::Nix,
    parallel::both,
    proof::{Place, State, scratch::Scratch},
    repo::{Git, WorkTree},
};

/// The revisions that the user named, and the packages.
struct Choice<'a> {
    names: Vec<String>,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

pub(super) fn run(global: &Global, options: &SizeOptions, printer: Printer) -> Result<Outcome, Failure> {
    let Choice { names, from, to } = choice(options)?;
    let nix = Nix::require()?;
    let tree = work_tree(global)?;
    let (from, to) = both(
        || from.map(|from| commit(&tree, from)).transpose(),
        || match to {
            Some(to) => commit(&tree, to),
            None => Ok(state(&tree)?),
        },
    );
    let (from, to) = (from?, to?);
    let request = Request { nix: &nix, options: &options.nix_options, names: &names, builds: !options.no_build };
    let scratch = Scratch::new().map_err(ClosureError::from)?;
    let before = from.as_ref().map(|from| packages(from, &scratch, "from", &request, printer)).transpose()?;
    let after = packages(&to, &scratch, "to", &request, printer)?;
    let system = to.system();
    let from = from.map(|from| from.place);
    let report = Report::of((from, before), (to.place, after), system, &names, &to.split.config)?;
    if !report.missing.is_empty() {
        printer.warning(format_args!("not in the store, so not measured: {}", report.missing.join(", ")));
    }
    if options.json {
        printer.json(&json::render(&report));
    } else {
        show::print(&report, global.verbose > 0, printer);
    }
    // Without a budget there is no verdict, only a result, which must arrive.
    Ok(if report.over_budget().next().is_some() { Outcome::Difference } else { Outcome::Done })
}

/// Sorts the arguments into names and a range `A..B`. The name of a package has no `.`, so they cannot be confused.
fn choice(options: &SizeOptions) -> Result<Choice<'_>, ClosureError> {
    let (ranges, names): (Vec<&String>, Vec<&String>) = options.names.iter().partition(|name| name.contains(".."));
    let names = names.into_iter().cloned().collect();
    let options = [options.from.as_ref(), options.to.as_ref()];
    let mut revisions = options.iter().flatten().copied().chain(ranges.iter().copied());
    match (ranges.as_slice(), options) {
        ([], [from, to]) => Ok(Choice { names, from: from.map(String::as_str), to: to.map(String::as_str) }),
        ([range], [None, None]) => {
            let or_head = |name| if str::is_empty(name) { "HEAD" } else { name };
            let (from, to) = range.split_once("..").unwrap_or((range, ""));
            Ok(Choice { names, from: Some(or_head(from)), to: Some(or_head(to)) })
        }
        _ => Err(ClosureError::TwoRanges {
            first: revisions.next().cloned().unwrap_or_default(),
            second: revisions.last().cloned().unwrap_or_default(),
        }),
    }
}

fn commit(tree: &WorkTree, name: &str) -> Result<State, ClosureError> {
    let git = Git::at(tree.root());
    let place = Place::commit(&git, name)?;
    Ok(State::read(tree, &git, place)?)
}

fn packages(
    state: &State,
    scratch: &Scratch,
    name: &str,
    request: &Request<'_>,
    printer: Printer,
) -> Result<Packages, ClosureError> {
    if request.builds {
        printer.note(format_args!("building the packages of {}", state.place));
    }
    measure(state, scratch, name, request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], from: Option<&str>, to: Option<&str>) -> Result<String, String> {
        let options = SizeOptions {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            no_build: false,
            json: false,
            nix_options: Vec::new(),
        };
        let choice = choice(&options).map_err(|error| error.to_string())?;
        let revision = |revision: Option<&str>| revision.unwrap_or("none").to_owned();
        Ok(format!("{} {} {}", choice.names.join(","), revision(choice.from), revision(choice.to)))
    }

    #[test]
    fn a_range_and_names_are_told_apart() {
        assert_eq!(chosen(&["api", "main..HEAD", "web"], None, None).unwrap(), "api,web main HEAD");
        assert_eq!(chosen(&["v1.."], None, None).unwrap(), " v1 HEAD");
        assert_eq!(chosen(&["..v1"], None, None).unwrap(), " HEAD v1");
        assert_eq!(chosen(&["api"], None, None).unwrap(), "api none none");
        assert_eq!(chosen(&[], Some("a"), Some("b")).unwrap(), " a b");
        assert_eq!(chosen(&[], None, Some("b")).unwrap(), " none b");
        let error = chosen(&["a..b", "c..d"], None, None).unwrap_err();
        assert_eq!(error, "expected one range of commits, found `a..b` and `c..d`");
        assert!(chosen(&["a..b"], None, Some("c")).unwrap_err().ends_with("found `c` and `a..b`"));
    }
}
