//! Services of Kubernetes.

use crate::{problem::Problems, server::ServerAddress};

/// A service, by the parts of its name.
pub(crate) struct Service {
    pub(crate) name: String,
    /// `None`: that of the resource.
    pub(crate) namespace: Option<String>,
    pub(crate) port: String,
}

impl Service {
    /// The service at an address such as `countersign.security.svc.cluster.local:9191`.
    pub(crate) fn of(address: &ServerAddress, option: &str, problems: &mut Problems) -> Self {
        let parts = match address {
            ServerAddress::Tcp(address) => parts(address),
            ServerAddress::Unix(_) => None,
        };
        parts.unwrap_or_else(|| {
            problems.refuse(
                "",
                format!(
                    "`{option}` has to be a service of Kubernetes, such as \
                     countersign.security.svc.cluster.local:9191"
                ),
            );
            Self {
                name: String::new(),
                namespace: None,
                port: String::new(),
            }
        })
    }

    /// `name: …, namespace: …, port: …`
    pub(crate) fn reference(&self) -> String {
        let Self {
            name,
            namespace,
            port,
        } = self;
        match namespace {
            Some(namespace) => format!("name: {name}, namespace: {namespace}, port: {port}"),
            None => format!("name: {name}, port: {port}"),
        }
    }
}

fn parts(address: &str) -> Option<Service> {
    let (host, port) = address.rsplit_once(':')?;
    let mut labels = host.split('.');
    let name = labels.next().filter(|label| is_label(label))?;
    let namespace = labels.next();
    if !namespace.is_none_or(is_label) || labels.next().is_some_and(|label| label != "svc") {
        return None;
    }
    Some(Service {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        port: port.to_owned(),
    })
}

/// RFC 1035 §2.3.1: an address is none.
fn is_label(label: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    label.bytes().all(is_plain)
        && label
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_service_has_a_name_and_perhaps_a_namespace() {
        let named = |address| parts(address).map(|service| service.reference());
        assert_eq!(named("app:80").unwrap(), "name: app, port: 80");
        for address in [
            "gate.sec:9191",
            "gate.sec.svc:9191",
            "gate.sec.svc.cluster.local:9191",
        ] {
            assert_eq!(
                named(address).unwrap(),
                "name: gate, namespace: sec, port: 9191"
            );
        }
        for address in ["10.0.0.1:80", "[::1]:80", "gate.example.com:80", ":80"] {
            assert_eq!(named(address), None, "{address}");
        }
    }
}
