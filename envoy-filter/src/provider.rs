//! Who verifies signatures: the module, or Envoy's own cryptography.

use countersign::Native;

use crate::signature;

/// The cryptography of Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    /// The library: `BoringSSL`, or `BoringSSL-FIPS` in a build with the
    /// validated module. Empty if it is unknown.
    library: String,
}

impl Provider {
    pub(crate) fn of(library: &str) -> Self {
        Self {
            library: library.to_owned(),
        }
    }

    pub(crate) fn native(&self) -> Native {
        Native {
            fips: self.is_fips(),
            algorithms: signature::ALGORITHMS.into(),
        }
    }

    /// A build with a validated module has it always in its validated mode.
    fn is_fips(&self) -> bool {
        self.library.ends_with("-FIPS")
    }
}

/// Says who verifies signatures, for the log.
pub(crate) fn describe(provider: Option<&Provider>) -> String {
    let parts = match provider {
        None => ["the module, version ", env!("CARGO_PKG_VERSION"), ""],
        Some(provider) => {
            let library = match &*provider.library {
                "" => "an unknown library",
                library => library,
            };
            let mode = match provider.is_fips() {
                true => " (FIPS)",
                false => " (not FIPS)",
            };
            ["Envoy, with ", library, mode]
        }
    };
    ["countersign: signatures are verified by ", &parts.concat()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_build_with_a_validated_module_is_fips() {
        for (library, fips) in [
            ("BoringSSL-FIPS", true),
            ("AWS-LC-FIPS", true),
            ("BoringSSL", false),
            ("OpenSSL_3.0.7", false),
            ("no-ssl", false),
            ("", false),
        ] {
            assert_eq!(Provider::of(library).native().fips, fips, "{library}");
        }
    }
}
