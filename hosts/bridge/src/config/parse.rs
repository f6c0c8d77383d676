//! A configuration from its text, with every problem at once.

use std::net::{IpAddr, SocketAddr};

use countersign_policy_source::{Object, Place};
use countersign_server::{Folder, Tls};
use ipnet::IpNet;

use super::{
    ApiKeySettings, Audit, ClientConfig, Config, ConfigError, Database, Exchange, IssuerUrl,
    KeySettings, Limits, Login, Pairing, RevocationSettings, TokenSettings,
};

impl Config {
    /// Reads a configuration: YAML, TOML or JSON. Paths in it are relative to the folder
    /// of the file `name`.
    ///
    /// # Errors
    /// Every problem, each with its place. Files that it names are not read yet.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        Folder::read(name, bytes, config)
    }
}

fn config(folder: Folder<'_>, place: Place<'_>) -> Option<Config> {
    let folder = &folder;
    let mut object = place.object()?;
    let _: Option<&str> = object.optional("$schema", |place| place.text());
    let issuer: Option<IssuerUrl> = object.required("issuer", |place| place.parsed());
    let listen: Option<SocketAddr> = object.required("listen", |place| place.parsed());
    let tls = object.optional("tls", |place| folder.tls(place));
    let trusted_proxies = object.optional("trusted_proxies", |place| place.list(network));
    let operations = object.optional("operations", |place| place.parsed());
    let database = object.required("database", |place| Database::read(folder, place));
    let master_keys = object.required("master_keys", |place| {
        let keys = place.list(|item| folder.secret(item))?;
        match place.length() {
            1..=4 => Some(keys),
            _ => place.invalid("expected 1 to 4 master keys"),
        }
    });
    let keys = object.optional("keys", |place| KeySettings::read(folder, place));
    let tokens = object.required("tokens", TokenSettings::read);
    let audiences = tokens.as_ref().map(|tokens| tokens.audiences.clone());
    let audiences = audiences.unwrap_or_default();
    let clients = object.optional("clients", |place| {
        place.map(|id, place| ClientConfig::read(folder, &audiences, id, place))
    });
    let clients = clients.unwrap_or_default();
    let exchange = object.optional("exchange", |place| {
        Exchange::read(issuer.as_ref(), &audiences, &clients, place)
    });
    let revocations = object.optional("revocations", |place| {
        RevocationSettings::read(folder, place)
    });
    let api_keys = object.optional("api_keys", |place| ApiKeySettings::read(folder, place));
    let pairing = object.optional("pairing", Pairing::read);
    let login = object.optional("login", |place| Login::read(folder, issuer.as_ref(), place));
    let audit = object.optional("audit", |place| audit(folder, place));
    let limits = object.optional("limits", Limits::read);
    require_safe_way(
        issuer.as_ref(),
        listen,
        tls.as_ref(),
        trusted_proxies.as_deref(),
        &object,
    );
    object.end();
    Some(Config {
        issuer: issuer?,
        listen: listen?,
        tls,
        trusted_proxies: trusted_proxies.unwrap_or_default(),
        operations,
        database: database?,
        master_keys: master_keys?,
        keys: keys.unwrap_or_default(),
        tokens: tokens?,
        clients,
        revocations: revocations.unwrap_or_default(),
        api_keys,
        pairing,
        login: login.unwrap_or_default(),
        exchange: exchange.unwrap_or_default(),
        audit: audit.unwrap_or_default(),
        limits: limits.unwrap_or_default(),
    })
}

fn audit(folder: &Folder<'_>, place: Place<'_>) -> Option<Audit> {
    let defaults = Audit::default();
    let mut object = place.object()?;
    let mut days = |name, default| {
        let read = object.optional(name, |place| place.integer(1..=3650));
        read.and_then(|days| days.try_into().ok())
            .unwrap_or(default)
    };
    let keep_days = days("keep_days", defaults.keep_days);
    let keep_tokens_days = days("keep_tokens_days", defaults.keep_tokens_days.min(keep_days));
    let file = object.optional("file", |place| match place.name()? {
        "-" => Some("-".into()),
        _ => folder.path(&place),
    });
    object.end();
    Some(Audit {
        keep_days,
        keep_tokens_days,
        file,
    })
}

/// Secrets and tokens come by TLS, to the bridge or to a proxy before it, unless it all
/// is on this machine.
fn require_safe_way(
    issuer: Option<&IssuerUrl>,
    listen: Option<SocketAddr>,
    tls: Option<&Tls>,
    proxies: Option<&[IpNet]>,
    object: &Object<'_>,
) {
    if let (Some(issuer), Some(listen)) = (issuer, listen) {
        let is_local = listen.ip().to_canonical().is_loopback();
        if tls.is_none() && !is_local && proxies.is_none_or(<[IpNet]>::is_empty) {
            object.refuse(
                "tokens would come over plain HTTP: say `tls`, or `trusted_proxies` if a proxy \
                 before it has TLS, or listen on an address of this machine itself",
            );
        }
        if issuer.is_http() && !is_local {
            object.refuse(
                "an `http` issuer is for development: listen on an address of this machine itself",
            );
        }
    }
    if tls.is_some_and(|tls| tls.client_ca.is_some()) {
        object.refuse("`client_ca` would ask browsers for certificates");
    }
}

fn network(place: Place<'_>) -> Option<IpNet> {
    let text = place.text()?;
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let Ok(network) = address.or_else(|_| text.parse::<IpNet>()) else {
        return place.invalid("expected an address or a network, such as 10.0.0.7 or 10.0.0.0/24");
    };
    if network.prefix_len() == 0 {
        return place.invalid("that is everybody: each client could say who it is");
    }
    if network.trunc() != network {
        let network = network.trunc();
        return place.invalid(format!("the network of this address is {network}"));
    }
    match network {
        // Peers have their IPv4 address, also at an IPv6 socket.
        IpNet::V6(network) if network.addr().to_ipv4_mapped().is_some() => {
            place.invalid("write IPv4 addresses as such")
        }
        network => Some(network),
    }
}
