//! The HTTP part of the conformance corpus, through a real proxy: its decisions and
//! codes are those of the native crate. What the proxy cannot say, and what it refuses
//! itself, is counted by reason.
//!
//! The gates have the clock and the documents of the vectors. All else is real: the server,
//! its dialect, the proxy with the generated configuration, and an origin.

mod documents;
mod play;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use countersign_conformance::{
    files,
    scene::{Check, Scene, Stage},
    vector::Signatures,
};
use countersign_proxy_config::Refused;

use crate::stage::server::DecisionServer;
use documents::{Documents, Proofs};
use play::{Fault, play};
pub(crate) use wire::Carries;

/// Policies of one server, each with a proxy's listener.
const BATCH: usize = 60;

/// Starts the proxy for these policies, by their names, before the server at this address.
type Start<'p> = dyn Fn(&[(String, serde_json::Value)], SocketAddr) -> Listeners + 'p;

/// A proxy under test, with a listener for each of these policies.
pub(crate) struct Listeners {
    pub(crate) addresses: Vec<SocketAddr>,
    /// What runs it, until this is dropped.
    pub(crate) _running: Box<dyn std::any::Any>,
}

/// How a proxy plays the corpus.
pub(crate) struct Player<'p> {
    pub(crate) dialect: &'static str,
    pub(crate) carries: Carries,
    /// Whether the proxy can do what the policy needs.
    pub(crate) generate: &'p dyn Fn(&serde_json::Value) -> Result<(), Refused>,
    /// Starts it for these policies, by name, before the server.
    pub(crate) start: &'p Start<'p>,
    /// The vectors whose request the proxy itself refuses, for [`Player::play`].
    pub(crate) refuses: &'p [&'p str],
    /// The vectors of which the proxy makes another request before it asks, each with the
    /// reason: exactly these are decided in another way.
    pub(crate) differs: &'p [(&'p str, &'p str)],
    /// As many checks are played at least.
    pub(crate) at_least: usize,
}

/// Whether these are exactly the vectors that some version of the proxy refuses itself.
pub(crate) fn assert_refused(refused: &BTreeSet<String>, expected: &[&str]) {
    let same = refused
        .iter()
        .map(String::as_str)
        .eq(expected.iter().copied());
    assert!(same, "refused by the proxy itself: {refused:#?}");
}

impl Player<'_> {
    fn differs(&self, scene: &str) -> Option<&str> {
        let mut differs = self.differs.iter();
        let found = differs.find(|(vector, _)| *vector == scene);
        found.map(|(_, reason)| *reason)
    }

    /// Plays all of it.
    pub(crate) fn play(&self) {
        assert_refused(&self.play_all(), self.refuses);
    }

    /// The same: the vectors whose request the proxy itself refuses.
    pub(crate) fn play_all(&self) -> BTreeSet<String> {
        let mut left_out = BTreeMap::<String, usize>::new();
        let mut stages = BTreeMap::<Stage, Vec<Scene>>::new();
        for vector in files::topics()
            .unwrap()
            .iter()
            .flat_map(|topic| &topic.vectors)
        {
            match Scene::of(vector, Signatures::Module) {
                Ok(scene) => stages.entry(scene.stage.clone()).or_default().push(scene),
                Err(reason) => *left_out.entry(reason.to_owned()).or_default() += 1,
            }
        }
        let mut chosen = Vec::new();
        for (stage, scenes) in &stages {
            let policy = serde_json::from_str(&stage.policy).unwrap();
            match (self.generate)(&policy) {
                Ok(()) => chosen.push((stage, policy, scenes)),
                Err(refused) => {
                    let reason = format!("refused by proxy-config: {refused}");
                    *left_out.entry(reason).or_default() += scenes.len();
                }
            }
        }
        let (mut refused, mut differed) = (BTreeSet::new(), BTreeSet::new());
        let (mut played, mut faults) = (0, Vec::new());
        for batch in chosen.chunks(BATCH) {
            let clock = Arc::<AtomicU64>::default();
            let moments = batch.iter().flat_map(|(_, _, scenes)| scenes.iter());
            let first = moments
                .flat_map(|scene| scene.checks.iter().map(|check| check.at))
                .min();
            clock.store(first.unwrap_or_default(), Ordering::SeqCst);
            let named: Vec<(String, &Stage)> = (0..)
                .zip(batch)
                .map(|(index, (stage, ..))| (format!("p{index}"), *stage))
                .collect();
            let policies: Vec<_> = named
                .iter()
                .map(|(name, stage)| (&**name, stage.policy.clone()))
                .collect();
            let documents: BTreeMap<String, Documents> = named
                .iter()
                .map(|(name, stage)| (name.clone(), Documents::of(stage)))
                .collect();
            let now = clock.clone();
            let secrets: BTreeMap<String, BTreeMap<String, String>> = named
                .iter()
                .map(|(name, stage)| (name.clone(), serde_json::from_str(&stage.secrets).unwrap()))
                .collect();
            let server =
                DecisionServer::start_with(&policies, self.dialect, move |name, mut builder| {
                    for (secret, value) in &secrets[name] {
                        builder = builder.secret(secret, value.as_bytes());
                    }
                    let now = now.clone();
                    builder
                        .instances(1)
                        .clock(move || now.load(Ordering::SeqCst))
                        .fetcher(documents[name].clone())
                        .proofs(Proofs::default())
                });
            let values: Vec<_> = named
                .iter()
                .zip(batch)
                .map(|((name, _), (_, policy, _))| (name.clone(), policy.clone()))
                .collect();
            let listeners = (self.start)(&values, server.address);
            let mut checks: Vec<(&Scene, &Check, SocketAddr)> = Vec::new();
            for ((_, _, scenes), to) in batch.iter().zip(&listeners.addresses) {
                for scene in *scenes {
                    checks.extend(scene.checks.iter().map(|check| (scene, check, *to)));
                }
            }
            checks.sort_by_key(|(_, check, _)| check.at);
            for (scene, check, to) in checks {
                clock.store(check.at, Ordering::SeqCst);
                match play(check, to, &self.carries) {
                    Ok(()) => played += 1,
                    Err(Fault::Unsayable(reason)) => {
                        *left_out.entry(reason.to_owned()).or_default() += 1
                    }
                    Err(Fault::Refused) => drop(refused.insert(scene.id.clone())),
                    Err(Fault::Ours(fault)) => match self.differs(&scene.id) {
                        Some(reason) => {
                            *left_out.entry(reason.to_owned()).or_default() += 1;
                            differed.insert(&*scene.id);
                        }
                        None => faults.push(format!("{}: {fault}", scene.id)),
                    },
                }
            }
        }
        println!("{played} checks were played; left out: {left_out:#?}");
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
        let differs = self.differs.iter().map(|(vector, _)| *vector);
        let alike: Vec<_> = differs
            .filter(|vector| !differed.contains(vector))
            .collect();
        assert!(alike.is_empty(), "no longer another decision: {alike:?}");
        assert!(played >= self.at_least, "only {played} checks were played");
        refused
    }
}
