//! Asks a person on the terminal for what is missing. Questions go to the
//! standard error: the policy alone goes to the standard output.

use std::io::{BufRead, Write};

use countersign_init::{PROVIDERS, Provider, Value, provider};

use crate::{
    failure::Failure,
    style::{BAD, FAINT, STRONG},
};

pub(super) struct Dialog<R, W> {
    answers: R,
    questions: W,
}

impl<R: BufRead, W: Write> Dialog<R, W> {
    pub(super) fn new(answers: R, questions: W) -> Self {
        Self { answers, questions }
    }

    /// One of the list, by its number or its name.
    pub(super) fn provider(&mut self) -> Result<&'static Provider, Failure> {
        self.say("Whose tokens come?\n")?;
        for (index, Provider { name, title, .. }) in PROVIDERS.iter().enumerate() {
            let number = index + 1;
            self.say(&format!(
                "{number:4}  {STRONG}{name:<23}{STRONG:#} {title}\n"
            ))?;
        }
        loop {
            let answer = self.ask("number or name: ")?;
            let by_number = answer.parse::<usize>().ok().and_then(|number| {
                let index = number.checked_sub(1)?;
                PROVIDERS.get(index)
            });
            match by_number.or_else(|| provider(&answer)) {
                Some(provider) => return Ok(provider),
                None => self.say(&format!("{BAD}it is not in the list{BAD:#}\n"))?,
            }
        }
    }

    /// The values that were given, and those that are missing. Who gave some is
    /// asked only for what the policy cannot do without.
    pub(super) fn values(
        &mut self,
        provider: &Provider,
        mut known: Vec<(String, String)>,
    ) -> Result<Vec<(String, String)>, Failure> {
        let asks_all = known.is_empty();
        for value in provider.values {
            let is_known = known.iter().any(|(name, _)| name == value.name);
            if !is_known && (asks_all || !value.can_be_left_out()) {
                let answer = self.value(provider, value, &known)?;
                if !answer.is_empty() {
                    known.push((value.name.to_owned(), answer));
                }
            }
        }
        Ok(known)
    }

    /// A value that can be right; empty where it can be left out.
    fn value(
        &mut self,
        provider: &Provider,
        value: &Value,
        known: &[(String, String)],
    ) -> Result<String, Failure> {
        let known: Vec<_> = known
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let hint = match provider.default_of(value, &known) {
            Some(default) => format!("without an answer `{default}`"),
            None if value.can_be_left_out() => "can be left out".to_owned(),
            None => format!("such as {}", value.example),
        };
        let about = value.about;
        self.say(&format!(
            "\n{STRONG}{about}{STRONG:#}\n{FAINT}{hint}{FAINT:#}\n"
        ))?;
        loop {
            let answer = self.ask(&format!("{}: ", value.name))?;
            if answer.is_empty() && value.can_be_left_out() {
                return Ok(answer);
            }
            // A secret is in a file, which is read later.
            let checked = match value.is_secret() {
                true if !answer.is_empty() => Ok(()),
                true => Err("the name of a file is needed"),
                false => value.check(&answer),
            };
            match checked {
                Ok(()) => return Ok(answer),
                Err(why) => self.say(&format!("{BAD}{why}{BAD:#}\n"))?,
            }
        }
    }

    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        self.say(question)?;
        let mut answer = String::new();
        let read = self.answers.read_line(&mut answer);
        match read.map_err(|error| Failure::usage(format!("no answer: {error}")))? {
            0 => Err(Failure::usage("no answer")),
            _ => Ok(answer.trim().to_owned()),
        }
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        let said = write!(self.questions, "{text}").and_then(|()| self.questions.flush());
        said.map_err(|error| Failure::usage(format!("nothing can be asked: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use countersign_init::provider;

    use super::Dialog;

    fn values(
        name: &str,
        known: &[(&str, &str)],
        answers: &str,
    ) -> (Vec<(String, String)>, String) {
        let mut questions = Vec::new();
        let known = known
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let said = Dialog::new(answers.as_bytes(), &mut questions)
            .values(provider(name).unwrap(), known.collect())
            .unwrap();
        (said, String::from_utf8(questions).unwrap())
    }

    #[test]
    fn a_provider_is_chosen_by_number_or_by_name_until_it_is_in_the_list() {
        for answers in ["2\n", "auth0\n", "0\n99\nokta \n\nauth0\n"] {
            let mut questions = Vec::new();
            let mut dialog = Dialog::new(answers.as_bytes(), &mut questions);
            let chosen = dialog.provider().unwrap().name;
            assert!(["auth0", "okta"].contains(&chosen), "{chosen}");
        }
        let mut nobody = Dialog::new(&b""[..], Vec::new());
        assert!(nobody.provider().is_err());
    }

    #[test]
    fn a_wrong_answer_is_asked_again_with_the_reason() {
        let (said, questions) = values(
            "auth0",
            &[],
            "https://acme.auth0.com\nacme.auth0.com\n\napi\n",
        );
        assert_eq!(said[0], ("domain".into(), "acme.auth0.com".into()));
        assert_eq!(said[1], ("audience".into(), "api".into()));
        assert!(questions.contains("a host is needed"), "{questions}");
    }

    #[test]
    fn what_can_be_left_out_is_asked_only_of_who_gave_nothing() {
        let (said, questions) = values("okta", &[], "acme.okta.com\n\n\n");
        assert_eq!(said, [("domain".into(), "acme.okta.com".into())]);
        assert!(
            questions.contains("without an answer `api://default`"),
            "{questions}"
        );

        let (said, questions) = values("auth0", &[("audience", "api")], "acme.auth0.com\n");
        assert_eq!(said.len(), 2);
        assert!(!questions.contains("identifier of your API"), "{questions}");

        let (_, questions) = values("okta", &[("domain", "acme.okta.com")], "");
        assert_eq!(questions, "");
    }
}
