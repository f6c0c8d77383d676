//! A configuration from its text, with every problem at once.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use countersign_host::Signatures;
use countersign_policy_source::{Error, Source};
use ipnet::IpNet;

use super::{
    Address, Config, ConfigError, DecisionLogTo, Limits, PolicyFiles, PolicyFrom, Secret, Signed,
    SignedFrom, Tls,
    introspection::require_safe,
    read::{Object, Place, Reader},
};

/// Those who own the files and their group.
const SOCKET_MODE: u32 = 0o660;

/// The longest name of a policy.
const NAME_BYTES: usize = 64;

impl Config {
    /// Reads a configuration: YAML, TOML or JSON. Paths in it are relative to the folder
    /// of the file `name`.
    ///
    /// # Errors
    /// Every problem, each with its place. Files that it names are not read yet.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let source = Source::parse(name, bytes).map_err(|error| match error {
            Error::Invalid(problem) => ConfigError(vec![*problem]),
            other => ConfigError::of_file(name, "yaml_invalid", other.to_string()),
        })?;
        let value = serde_json::from_slice(&source.json)
            .map_err(|error| ConfigError::of_file(name, "json_invalid", error.to_string()))?;
        let reader = Reader::new(&source);
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        let config = Folder(folder).config(reader.root(&value));
        let problems = reader.problems();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError(problems)),
        }
    }
}

/// The folder of the configuration.
pub(super) struct Folder<'a>(&'a Path);

impl Folder<'_> {
    fn config(&self, place: Place<'_>) -> Option<Config> {
        let mut object = place.object()?;
        let _: Option<&str> = object.optional("$schema", |place| place.text());
        let listen = object.required("listen", |place| self.address(&place));
        let socket_mode = object.optional("socket_mode", mode);
        let tls = object.optional("tls", |place| self.tls(place));
        let trusted_proxies = object.optional("trusted_proxies", |place| {
            let networks = place.list(network)?;
            match place.is_empty() {
                true => place.invalid("nobody could ask"),
                false => Some(networks),
            }
        });
        let policies = object.required("policies", |place| {
            let policies = place.map(|name, place| self.policy(name, place))?;
            match place.is_empty() {
                true => place.invalid("a server without a policy answers nothing"),
                false => Some(policies),
            }
        });
        let dialects = object.required("dialects", |place| {
            let dialects = place.list(|item| item.parsed())?;
            match place.is_empty() {
                true => place.invalid("a server without a dialect answers nothing"),
                false => Some(dialects),
            }
        });
        let dynamic_metadata =
            object.optional("dynamic_metadata", |place| place.list(|item| item.parsed()));
        let introspection = object.optional("introspection", |place| self.introspection(place));
        let secrets = object.optional("secrets", |place| place.map(|_, place| self.secret(place)));
        let subject_key = object.optional("subject_key", |place| self.secret(place));
        let decision_log = object.optional("decision_log", |place| self.decision_log(place));
        let operations: Option<SocketAddr> = object.optional("operations", |place| place.parsed());
        let admin = object.optional("admin", |place| self.admin(&place));
        let signatures = object.optional("signatures", |place| signatures(&place));
        let limits = object.optional("limits", Limits::read);

        require_trust(listen.as_ref(), tls.as_ref(), &object);
        require_safe(
            introspection.as_ref(),
            listen.as_ref(),
            tls.as_ref(),
            &object,
        );
        object.end();
        Some(Config {
            listen: listen?,
            socket_mode: socket_mode.unwrap_or(SOCKET_MODE),
            tls,
            trusted_proxies,
            policies: policies?,
            dialects: dialects?,
            dynamic_metadata: dynamic_metadata.unwrap_or_default(),
            introspection: introspection.map(|(introspection, _)| introspection),
            secrets: secrets.unwrap_or_default(),
            subject_key,
            decision_log,
            operations,
            admin,
            signatures: signatures.unwrap_or_default(),
            limits: limits.unwrap_or_default(),
        })
    }
    fn path(&self, place: &Place<'_>) -> Option<PathBuf> {
        Some(self.0.join(place.name()?))
    }

    fn address(&self, place: &Place<'_>) -> Option<Address> {
        Some(match place.parsed()? {
            Address::Unix(path) => Address::Unix(self.0.join(path)),
            tcp @ Address::Tcp(_) => tcp,
        })
    }

    /// Everybody who reaches it may reload and see the state: so only this machine.
    fn admin(&self, place: &Place<'_>) -> Option<Address> {
        match self.address(place)? {
            Address::Tcp(address) if !address.ip().to_canonical().is_loopback() => place.invalid(
                "expected unix:PATH, or an address of this machine itself such as 127.0.0.1:9193",
            ),
            address => Some(address),
        }
    }

    fn tls(&self, place: Place<'_>) -> Option<Tls> {
        let mut object = place.object()?;
        let certificate = object.required("certificate", |place| self.path(&place));
        let key = object.required("key", |place| self.path(&place));
        let client_ca = object.optional("client_ca", |place| self.path(&place));
        object.end();
        Some(Tls {
            certificate: certificate?,
            key: key?,
            client_ca,
        })
    }

    fn policy(&self, name: &str, place: Place<'_>) -> Option<PolicyFiles> {
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(is_usual) {
            let message =
                format!("a name of a policy has 1 to {NAME_BYTES} letters, digits, `-` and `_`");
            return place.invalid(message);
        }
        let mut object = place.object()?;
        let file = object.optional("file", |place| self.path(&place));
        let signed = object.optional("signed", |place| self.signed(place));
        let shadow = object.optional("shadow", |place| self.path(&place));
        if object.has("file") == object.has("signed") {
            object.refuse("expected one of `file` and `signed`");
        }
        object.end();
        let file = file.map(PolicyFrom::File);
        let policy = file.or(signed.map(PolicyFrom::Signed))?;
        Some(PolicyFiles { policy, shadow })
    }

    fn signed(&self, place: Place<'_>) -> Option<Signed> {
        let mut object = place.object()?;
        let file = object.optional("file", |place| self.path(&place));
        let url = object.optional("url", |place| match place.text()? {
            url if url.starts_with("https://") => Some(url.to_owned()),
            _ => place.invalid("expected an `https` address"),
        });
        let trust = object.required("trust", |place| self.path(&place));
        let state_file = object.optional("state_file", |place| self.path(&place));
        if object.has("file") == object.has("url") {
            object.refuse("expected one of `file` and `url`");
        }
        object.end();
        let file = file.map(SignedFrom::File);
        Some(Signed {
            from: file.or(url.map(SignedFrom::Url))?,
            trust: trust?,
            state_file,
        })
    }

    pub(super) fn secret(&self, place: Place<'_>) -> Option<Secret> {
        let mut object = place.object()?;
        let file = object.optional("file", |place| self.path(&place));
        let env = object.optional("env", |place| place.name().map(str::to_owned));
        if object.has("file") == object.has("env") {
            object.refuse("expected one of `file` and `env`");
        }
        object.end();
        file.map(Secret::File).or(env.map(Secret::Env))
    }

    fn decision_log(&self, place: Place<'_>) -> Option<DecisionLogTo> {
        let mut object = place.object()?;
        let file = object.required("file", |place| match place.name()? {
            "-" => Some(None),
            _ => self.path(&place).map(Some),
        });
        let allow_every = object.optional("allow_every", |place| place.integer(0..=1_000_000));
        object.end();
        Some(DecisionLogTo {
            file: file?,
            allow_every: allow_every.unwrap_or(100),
        })
    }
}

/// Whether it is said who may ask: whoever may ask may say which request it asks about.
fn require_trust(listen: Option<&Address>, tls: Option<&Tls>, object: &Object<'_>) {
    match listen {
        Some(Address::Tcp(_)) => {
            if object.has("socket_mode") {
                object.refuse("`socket_mode` is for a Unix socket");
            }
            let by_certificate = tls.is_some_and(|tls| tls.client_ca.is_some());
            if !object.has("trusted_proxies") && !by_certificate {
                object.refuse(
                    "`trusted_proxies` is missing: the addresses of the proxies that may ask",
                );
            }
        }
        Some(Address::Unix(_)) => {
            for word in ["tls", "trusted_proxies"]
                .into_iter()
                .filter(|word| object.has(word))
            {
                object.refuse(format!(
                    "`{word}` is for TCP: the mode of a Unix socket says who may ask"
                ));
            }
        }
        None => {}
    }
}

fn mode(place: Place<'_>) -> Option<u32> {
    let text = place.text()?;
    let is_octal =
        (3..=4).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let mode = u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| is_octal && *mode <= 0o777);
    mode.or_else(|| place.invalid("expected a mode in quotes, such as \"0660\""))
}

fn network(place: Place<'_>) -> Option<IpNet> {
    let text = place.text()?;
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let Ok(network) = address.or_else(|_| text.parse::<IpNet>()) else {
        return place.invalid("expected an address or a network, such as 10.0.0.7 or 10.0.0.0/24");
    };
    if network.prefix_len() == 0 {
        return place
            .invalid("that is everybody: whoever may ask may say which request it asks about");
    }
    if network.trunc() != network {
        return place.invalid(format!(
            "the network of this address is {}",
            network.trunc()
        ));
    }
    match network {
        // Peers have their IPv4 address, also at an IPv6 socket.
        IpNet::V6(network) if network.addr().to_ipv4_mapped().is_some() => {
            place.invalid("write IPv4 addresses as such")
        }
        network => Some(network),
    }
}

fn signatures(place: &Place<'_>) -> Option<Signatures> {
    match place.text()? {
        "module" => Some(Signatures::Module),
        "native" => Some(Signatures::Native),
        _ => place.invalid("expected `module` or `native`"),
    }
}
