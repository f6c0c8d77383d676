//! Finds the issuer of a token by its `iss`: exactly, by a template, or because
//! it is absent.

use alloc::{boxed::Box, vec::Vec};

use super::Source;
use crate::base::Map;

/// Segments of a template, and of an `iss` that is compared with one.
pub(crate) const PARTS: usize = 16;
/// Captures of a template.
pub(crate) const CAPTURES: usize = 4;

/// Which `iss` the tokens of an issuer have.
#[derive(Debug, Default)]
pub(crate) enum Accepts {
    /// Exactly its `issuer`.
    #[default]
    Exact,
    /// A URL of the shape of its `issuer`. Each captured segment equals its
    /// claim.
    Template(Vec<Capture>),
    /// None: the claim is absent.
    Absent,
}

#[derive(Debug)]
pub(crate) struct Capture {
    /// The index of the segment between slashes.
    pub(crate) part: usize,
    pub(crate) claim: Source,
}

impl Capture {
    /// Returns the captured text.
    pub(crate) fn of<'i>(&self, iss: &'i str) -> &'i str {
        iss.split('/').nth(self.part).unwrap_or_default()
    }
}

/// The issuers of a policy, by `iss`.
#[derive(Debug, Default)]
pub(crate) struct ByIss {
    exact: Map<usize>,
    shapes: Vec<Shape>,
    absent: Option<usize>,
}

/// The templates with the same captured segments. A look-up costs one step for
/// each shape, whatever the number of templates.
#[derive(Debug)]
struct Shape {
    parts: usize,
    captured: Vec<usize>,
    templates: Vec<Box<str>>,
    by_literals: Map<usize>,
}

impl ByIss {
    /// Finds the issuer. `None` stands for a token without `iss`.
    pub(crate) fn find(&self, iss: Option<&str>) -> Option<usize> {
        let Some(iss) = iss else {
            return self.absent;
        };
        let exact = self.exact.get(iss.as_bytes()).copied();
        if exact.is_some() || self.shapes.is_empty() {
            return exact;
        }
        let parts = iss.split('/').take(PARTS.saturating_add(1)).count();
        let shapes = self.shapes.iter().filter(|shape| shape.parts == parts);
        let mut found = shapes.filter_map(|shape| {
            let literals = literals(iss, &shape.captured, is_capture)?;
            shape.by_literals.get(&literals).copied()
        });
        found.next()
    }

    /// Returns false if another issuer accepts this `iss` exactly.
    pub(crate) fn add_exact(&mut self, iss: &str, index: usize) -> bool {
        self.exact.insert(iss.as_bytes(), index)
    }

    /// Returns false if another issuer accepts tokens without `iss`.
    pub(crate) fn add_absent(&mut self, index: usize) -> bool {
        self.absent.replace(index).is_none()
    }

    /// Returns false if another template matches an `iss` that this one
    /// matches.
    pub(crate) fn add_template(
        &mut self,
        template: &str,
        captured: &[usize],
        index: usize,
    ) -> bool {
        let parts = template.split('/').count();
        let others = self
            .shapes
            .iter()
            .filter(|s| s.parts == parts && *s.captured != *captured);
        let mut others = others.flat_map(|shape| shape.templates.iter().map(move |t| (t, shape)));
        if others.any(|(other, shape)| overlap(template, captured, other, &shape.captured)) {
            return false;
        }
        let same = |s: &Shape| s.parts == parts && *s.captured == *captured;
        let place = match self.shapes.iter().position(same) {
            Some(place) => place,
            None => {
                self.shapes.push(Shape {
                    parts,
                    captured: captured.into(),
                    templates: Vec::new(),
                    by_literals: Map::default(),
                });
                self.shapes.len().saturating_sub(1)
            }
        };
        let Some(shape) = self.shapes.get_mut(place) else {
            return false;
        };
        shape.templates.push(template.into());
        literals(template, captured, |_| true)
            .is_some_and(|literals| shape.by_literals.insert(&literals, index))
    }
}

/// Returns the text without its captured segments, if each of these is valid.
fn literals(text: &str, captured: &[usize], is_valid: fn(&str) -> bool) -> Option<Vec<u8>> {
    let mut literals = Vec::with_capacity(text.len());
    for (index, part) in text.split('/').enumerate() {
        if !captured.contains(&index) {
            literals.extend_from_slice(part.as_bytes());
        } else if !is_valid(part) {
            return None;
        }
        literals.push(b'/');
    }
    Some(literals)
}

/// Returns whether an `iss` exists that both templates match.
fn overlap(a: &str, a_captured: &[usize], b: &str, b_captured: &[usize]) -> bool {
    let mut pairs = a.split('/').zip(b.split('/')).enumerate();
    pairs.all(
        |(index, (a, b))| match (a_captured.contains(&index), b_captured.contains(&index)) {
            (true, true) => true,
            (true, false) => is_capture(b),
            (false, true) => is_capture(a),
            (false, false) => a == b,
        },
    )
}

/// Returns whether a template can capture this segment. Nothing in it needs an
/// escape, so that no two texts mean one tenant.
fn is_capture(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=128).contains(&part.len()) && part.bytes().all(plain) && !matches!(part, "." | "..")
}

/// Returns whether a key with the member `issuer` is for tokens with this
/// `iss`. A `{…}` there stands for the text that the template captured at its
/// place: Entra marks so the keys that sign for personal accounts only.
pub(crate) fn key_is_for(member: &str, captures: &[Capture], iss: &str) -> bool {
    let parts = member.split('/').count();
    let mut pairs = member.split('/').zip(iss.split('/')).enumerate();
    parts == iss.split('/').count()
        && pairs.all(|(index, (wanted, held))| {
            let is_name = wanted.starts_with('{') && wanted.ends_with('}');
            wanted == held || (is_name && captures.iter().any(|capture| capture.part == index))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(by_iss: &mut ByIss, template: &str, index: usize) -> bool {
        let parts = template.split('/').enumerate();
        let captured: Vec<usize> = parts
            .filter(|(_, p)| p.starts_with('{'))
            .map(|(i, _)| i)
            .collect();
        by_iss.add_template(template, &captured, index)
    }

    #[test]
    fn an_exact_issuer_is_found_before_a_template() {
        let mut by_iss = ByIss::default();
        assert!(by_iss.add_exact("https://a.test/acme/v2", 0));
        assert!(add(&mut by_iss, "https://a.test/{org}/v2", 1));
        assert_eq!(by_iss.find(Some("https://a.test/acme/v2")), Some(0));
        assert_eq!(by_iss.find(Some("https://a.test/globex/v2")), Some(1));
        for other in [
            "https://a.test/globex/v2/",
            "https://a.test//v2",
            "https://a.test/../v2",
            "https://a.test/a%62/v2",
            "https://b.test/globex/v2",
            "https://a.test/a/b/v2",
        ] {
            assert_eq!(by_iss.find(Some(other)), None, "{other}");
        }
        assert_eq!(by_iss.find(None), None);
        assert!(by_iss.add_absent(2) && !by_iss.add_absent(3));
    }

    #[test]
    fn templates_that_could_match_one_iss_are_refused() {
        let mut by_iss = ByIss::default();
        assert!(add(&mut by_iss, "https://a.test/{org}/v2", 0));
        assert!(add(&mut by_iss, "https://a.test/{org}/v1", 1));
        assert!(add(&mut by_iss, "https://b.test/{org}/v2", 2));
        assert!(!add(&mut by_iss, "https://a.test/{other}/v2", 3));
        assert!(!add(&mut by_iss, "https://a.test/x/{version}", 4));
        assert!(
            add(&mut by_iss, "https://a.test/a b/{version}", 5),
            "no capture has a space"
        );
    }

    #[test]
    fn a_key_of_one_issuer_is_not_for_another() {
        let capture = Capture {
            part: 3,
            claim: Source::plain(crate::json::Pointer::member("tid")),
        };
        let captures = [capture];
        let serves = |member, iss| key_is_for(member, &captures, iss);
        assert!(serves(
            "https://a.test/{tenantid}/v2",
            "https://a.test/acme/v2"
        ));
        assert!(serves("https://a.test/acme/v2", "https://a.test/acme/v2"));
        assert!(!serves(
            "https://a.test/personal/v2",
            "https://a.test/acme/v2"
        ));
        assert!(!serves(
            "https://a.test/acme/{version}",
            "https://a.test/acme/v2"
        ));
    }
}
