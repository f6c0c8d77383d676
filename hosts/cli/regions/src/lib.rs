//! Regions of requests: sets of paths, hosts and methods as policies write them,
//! and what two policies decide differently.
//!
//! This library reads no file, prints nothing and decides nothing: what it finds
//! are the requests on which the gate can decide differently. It may find too many
//! of them, never too few.
//!
//! ```
//! use countersign_regions::{Admits, Subject, differences};
//! use serde_json::json;
//!
//! let policy = |roles: &[&str]| json!({
//!     "contract": "1",
//!     "issuers": [{
//!         "name": "platform",
//!         "issuer": "https://auth.example.com",
//!         "audiences": ["api"],
//!         "algorithms": ["RS256"],
//!         "keys": { "discovery": true },
//!     }],
//!     "rules": [{ "path": "/orgs/{org}/**", "require": { "roles": { "any": roles } } }],
//! });
//! let found = differences(&policy(&["admin"]), &policy(&["admin", "editor"]), 1_790_000_000);
//! let [difference] = &*found else { panic!("{found:?}") };
//! let Subject::Rules { regions, .. } = &difference.subject else { panic!("{found:?}") };
//! assert_eq!(regions[0].to_string(), "/orgs/{b}/**");
//! let effect = &difference.effects[0];
//! assert_eq!(effect.admits, Admits::More);
//! assert!(effect.facts.contains(&("role `editor`".to_owned(), true)));
//! assert!(effect.facts.contains(&("role `admin`".to_owned(), false)));
//! ```
#![forbid(unsafe_code)]

mod diff;
mod difference;
mod example;
mod fact;
mod formula;
mod issuers;
mod policy;
mod region;
mod requirement;
mod routing;
mod settings;
mod shape;
mod token;

pub use diff::differences;
pub use difference::{Admits, Change, Difference, Effect, Subject};
pub use region::{REGIONS, Region, regions};
pub use shape::{Host, Method, Path, Segment, Shape};
