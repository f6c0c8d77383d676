//! An option for each value that a provider may need.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use countersign_init::PROVIDERS;

/// Values by name, in the order of the list of providers.
#[derive(Debug)]
pub(super) struct ValueArgs {
    pub(super) given: Vec<(String, String)>,
}

/// The names of all values, each once, with the providers that take it.
fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
    for provider in PROVIDERS {
        for value in provider.values {
            match names.iter_mut().find(|(name, _)| *name == value.name) {
                Some((_, takers)) => takers.push(provider.name),
                None => names.push((value.name, vec![provider.name])),
            }
        }
    }
    names.sort_unstable();
    names
}

impl Args for ValueArgs {
    fn augment_args(command: Command) -> Command {
        command.args(names().into_iter().map(|(name, takers)| {
            Arg::new(name)
                .long(name)
                .value_name(if name.ends_with("-file") {
                    "FILE"
                } else {
                    "VALUE"
                })
                .help(format!("For {}", takers.join(", ")))
                .help_heading("Values")
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ValueArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |(name, _)| {
            let value = matches.get_one::<String>(name)?;
            Some((String::from(name), value.clone()))
        };
        Ok(Self {
            given: names().into_iter().filter_map(value).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
