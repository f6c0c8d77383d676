//! The RSA operation alone: the time of an RS256 check minus the time of an HS256
//! check of the same claims. Both parse, hash and remember in the same way.

use anyhow::Result;

use crate::{
    arguments::Scale,
    figure::{Figure, Race},
    openssl,
};

pub(crate) fn race(host: &str, whole: &Figure, rest: &Figure, scale: &Scale) -> Result<Race> {
    Ok(Race {
        host: host.into(),
        work: "RSA-2048 alone".into(),
        ours: vec![whole.less(rest)],
        peers: openssl::rsa_2048(scale.openssl_s)?.into_iter().collect(),
        paired: None,
    })
}

/// The operation in a child process, if it measured both checks.
pub(crate) fn of_child(host: &str, races: &[Race], scale: &Scale) -> Result<Option<Race>> {
    let first = |work: &str| -> Option<&Figure> {
        let race = races.iter().find(|race| race.work == work)?;
        race.ours.first()
    };
    match (first("RS256, fresh"), first("HS256, fresh")) {
        (Some(whole), Some(rest)) => race(host, whole, rest, scale).map(Some),
        _ => Ok(None),
    }
}
