//! Pins: names for store paths that a cache must not delete. Of the caches that splitter knows, only Cachix has them.

use serde_json::{Value, json};

use super::{
    Trouble,
    machine::Machine,
    query::{Asking, send_json},
};

/// How long a pin is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// As long as nobody removes it.
    Forever,
    /// For this many days.
    Days(u32),
    /// Until there are this many newer ones of the same name.
    Revisions(u32),
}

/// A pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The name. A new pin of the same name is a new version of it.
    pub name: String,
    /// The store path.
    pub path: String,
    /// How long it is kept.
    pub keep: Keep,
}

/// Pins a store path in a cache of Cachix.
pub async fn pin_in_cachix(cache: &str, pin: &Pin, asking: &Asking<'_>) -> Result<(), Trouble> {
    let machine: &Machine = asking.machine;
    let Some(token) = machine.cachix_token() else {
        return Err(Trouble::Denied { status: 401, has_credentials: false });
    };
    let url = machine.cachix_url().and_then(|(url, _)| url.join(&format!("api/v1/cache/{cache}/pin")).ok());
    let url = url.ok_or_else(|| Trouble::NoCache("no URL of Cachix".to_owned()))?;
    send_json(&url, token, &body(pin), asking).await
}

/// The form of Cachix's interface: a sum type of Haskell.
fn body(pin: &Pin) -> Value {
    let keep = match pin.keep {
        Keep::Forever => json!({ "tag": "Forever" }),
        Keep::Days(days) => json!({ "tag": "Days", "contents": days }),
        Keep::Revisions(revisions) => json!({ "tag": "Revisions", "contents": revisions }),
    };
    json!({ "name": pin.name, "storePath": pin.path, "artifacts": [], "keep": keep })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fetch::{
            Environment,
            test_server::{Reply, Server},
        },
        nix::command::Nix,
    };

    #[test]
    fn a_pin_is_sent_with_its_retention() {
        let server = Server::start(|number, _| Reply::status([204, 403][number]));
        let variables = Environment::from([("SPLITTER_CACHIX_URL", server.url.as_str()), ("CACHIX_AUTH_TOKEN", "t")]);
        let (machine, nix) = (Machine::of(&json!({}), &variables), Nix::at("/nowhere/nix"));
        let asking = Asking::new(&machine, &nix, "/nix/store");
        let path = "/nix/store/8z3wjas3v8r3l97274kb79bz2v91mya3-a".to_owned();
        let pin = Pin { name: "web".to_owned(), path, keep: Keep::Revisions(3) };
        assert_eq!(crate::fetch::run(pin_in_cachix("acme", &pin, &asking)).unwrap(), Ok(()));
        let refused = crate::fetch::run(pin_in_cachix("acme", &pin, &asking)).unwrap();
        assert_eq!(refused, Err(Trouble::Denied { status: 403, has_credentials: true }));
        let requests = server.requests();
        assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "/api/v1/cache/acme/pin"));
        assert_eq!(requests[0].authorization.as_deref(), Some("Bearer t"));
        assert_eq!(
            requests[0].body.parse::<Value>().unwrap(),
            json!({ "name": "web", "storePath": pin.path, "artifacts": [], "keep": { "tag": "Revisions", "contents": 3 } })
        );
        assert_eq!(
            body(&Pin { keep: Keep::Days(30), ..pin.clone() })["keep"],
            json!({ "tag": "Days", "contents": 30 })
        );
        assert_eq!(body(&Pin { keep: Keep::Forever, ..pin })["keep"], json!({ "tag": "Forever" }));
    }
}
