//! The input as a function from requests to access.
//!
//! Every path, host and method that the input names, and all their
//! intersections, divide requests into regions. Within a region the input treats
//! all requests alike; where it may not, the strictest treatment is used.

use std::collections::BTreeSet;

use countersign_regions::{Host, Method, Path, Region, Shape, regions};

use crate::{
    access::{Access, Authn, Optional, Verified},
    formula::{Formula, Reading},
    required::Required,
    rule::{self, Rule},
};

/// How the input treats a request.
#[derive(Debug, Default)]
pub(crate) struct Gateway<'i> {
    /// The required token: that of the first condition that holds. Where none
    /// holds, no token is read.
    pub(crate) authn: Vec<(Formula<'i>, Authn)>,
    /// The conditions that must all hold after authentication.
    pub(crate) filters: Vec<Formula<'i>>,
    /// All issuers of the policy, by name.
    pub(crate) issuers: BTreeSet<String>,
}

impl Gateway<'_> {
    /// The same where a prefix means whole segments of the path.
    pub(crate) fn with_whole_segments(self) -> Self {
        let authn = self.authn.into_iter();
        let filters = self.filters.into_iter();
        Self {
            authn: authn
                .map(|(condition, authn)| (condition.with_whole_segments(), authn))
                .collect(),
            filters: filters.map(Formula::with_whole_segments).collect(),
            issuers: self.issuers,
        }
    }

    /// The rules; `None` where there are more than can be told apart (see [`regions`]).
    pub(crate) fn rules(&self) -> Option<Vec<Rule>> {
        let regions = self.regions()?;
        let decided = regions.into_iter().map(|region| {
            let access = self.access(&region);
            (region, access)
        });
        Some(rule::rules(decided.collect()))
    }

    fn access(&self, region: &Region) -> Access {
        let none = BTreeSet::new();
        let filtered = |has_token, further: &BTreeSet<String>| {
            let reading = Reading {
                region,
                has_token,
                issuers: &self.issuers,
                further,
            };
            let filters = self.filters.iter();
            Required::all(filters.map(|filter| filter.under(reading)).collect())
        };
        let without_token = filtered(false, &none) == Required::Nothing;
        let admitted = |authn: &Authn| match authn {
            Authn::Ignored if without_token => Access::Public,
            Authn::Ignored => Access::NOBODY,
            Authn::Verified(verified) => {
                let further = verified.further.iter();
                let further: BTreeSet<_> = further.flat_map(|one| one.reads.issuers()).collect();
                let required = vec![verified.required.clone(), filtered(true, &further)];
                let verified = Verified {
                    optional: match without_token {
                        true => verified.optional,
                        false => Optional::Nothing,
                    },
                    required: Required::all(required).among(&self.issuers),
                    ..verified.clone()
                };
                Access::Token(verified.simplified())
            }
        };
        let unread = Reading {
            region,
            has_token: false,
            issuers: &self.issuers,
            further: &none,
        };
        let mut access = Access::Public;
        for (condition, authn) in &self.authn {
            if condition.under_not(unread) == Required::Nothing {
                continue;
            }
            access = access.and(admitted(authn));
            if condition.under(unread) == Required::Nothing {
                return access;
            }
        }
        access.and(admitted(&Authn::Ignored))
    }

    /// The regions, smaller ones first.
    fn regions(&self) -> Option<Vec<Region>> {
        let (mut paths, mut hosts, mut methods) =
            (vec![Path::ANY], vec![Host::ANY], vec![Method::ANY]);
        let conditions = self.authn.iter().map(|(condition, _)| condition);
        for formula in conditions.chain(&self.filters) {
            formula.visit(&mut |leaf| match leaf {
                Formula::Path(bounds) => {
                    let sets = [&bounds.inner, &bounds.outer].into_iter().flatten();
                    paths.extend(sets.map(Path::hull));
                }
                Formula::Host(bounds) => {
                    hosts.extend(
                        [&bounds.inner, &bounds.outer]
                            .into_iter()
                            .flatten()
                            .cloned(),
                    );
                }
                Formula::Method(name) => {
                    methods.push(Method::One(name.clone()));
                    // A rule for `GET` would admit `HEAD` too.
                    if name == "GET" {
                        methods.push(Method::One("HEAD".to_owned()));
                    }
                }
                _ => {}
            });
        }
        regions(paths, hosts, methods)
    }
}
