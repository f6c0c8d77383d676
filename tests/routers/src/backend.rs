//! The routers and their start.

use std::{fs, net::SocketAddr, process::Command};

use anyhow::{Result, bail};
use countersign_artefact_tests::stage::{envoy::Envoy, setup};
use tempfile::TempDir;

use crate::{
    front::{self, Settings},
    nginx,
    own::{NEXT, NONE, Own},
    process::{self, Process},
    routes,
};

/// A real router behind a gate, which runs in the same program or in an Envoy in
/// front of it.
#[derive(Debug)]
pub struct Backend {
    /// The name for `--router`.
    pub name: &'static str,
    /// The platform of its program.
    platform: Platform,
    /// The name of the router in its program.
    router: &'static str,
    /// Whether it distinguishes upper and lower case.
    is_exact: bool,
    /// Whether requests use HTTP/2 with prior knowledge.
    pub is_http2: bool,
    /// Handlers that the router cannot have.
    pub without: &'static [&'static str],
    /// The Envoy with the gate as its filter. The program then has no gate.
    envoy: Option<Settings>,
    /// Mutations for the special addresses and headers of this router.
    pub own: Own,
}

#[derive(Clone, Copy, Debug)]
enum Platform {
    /// `npm/tests/backends`.
    Node,
    /// `hosts/go/routers`.
    Go,
    /// `hosts/python/tests/backends.py`, with the installed wheel.
    Python,
    /// This crate.
    Rust,
    /// The configuration in `nginx.rs`.
    Nginx,
}

use Platform::{Go, Nginx, Node, Python, Rust};
use Settings::{Defaults, Shipped};

/// All backends.
pub const BACKENDS: [Backend; 28] = [
    EXPRESS,
    http1("fastify", Node, "fastify"),
    http2("fastify-http2", Node, "fastify-http2"),
    http1("hono", Node, "hono"),
    Backend {
        own: NEXT,
        ..http1("next", Node, "next")
    },
    http1("servemux", Go, "servemux"),
    http2("servemux-http2", Go, "servemux"),
    http1("chi", Go, "chi"),
    http1("chi-group", Go, "chi-group"),
    Backend {
        without: &["hosted"],
        ..http1("fileserver", Go, "fileserver")
    },
    http1("reverseproxy", Go, "reverseproxy"),
    http1("starlette", Python, "starlette"),
    http2("starlette-http2", Python, "starlette-http2"),
    without_hosted("fastapi"),
    without_hosted("flask"),
    without_hosted("flask-gunicorn"),
    without_hosted("django"),
    without_hosted("django-asgi"),
    http1("axum", Rust, "axum"),
    http2("axum-http2", Rust, "axum"),
    NGINX.behind("envoy-nginx", Shipped, false),
    NGINX.behind("envoy-nginx-http2", Shipped, true),
    NGINX.behind("envoy-nginx-defaults", Defaults, false),
    NGINX.behind("envoy-nginx-defaults-http2", Defaults, true),
    EXPRESS.behind("envoy-express", Shipped, false),
    EXPRESS.behind("envoy-express-http2", Shipped, true),
    EXPRESS.behind("envoy-express-defaults", Defaults, false),
    EXPRESS.behind("envoy-express-defaults-http2", Defaults, true),
];

const EXPRESS: Backend = Backend {
    is_exact: false,
    ..http1("express", Node, "express")
};

/// It always runs behind an Envoy.
const NGINX: Backend = http1("nginx", Nginx, "nginx");

const fn http1(name: &'static str, platform: Platform, router: &'static str) -> Backend {
    Backend {
        name,
        platform,
        router,
        is_exact: true,
        is_http2: false,
        without: &[],
        envoy: None,
        own: NONE,
    }
}

const fn http2(name: &'static str, platform: Platform, router: &'static str) -> Backend {
    Backend {
        is_http2: true,
        ..http1(name, platform, router)
    }
}

/// A router of Python that does not route by the host.
const fn without_hosted(name: &'static str) -> Backend {
    Backend {
        without: &["hosted"],
        ..http1(name, Python, name)
    }
}

/// A running backend. Its parts end when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    _envoy: Option<Envoy>,
    _process: Process,
    /// Exists while the program runs, because it may read its files at any time.
    _folder: TempDir,
}

impl Backend {
    /// Returns the same program behind an Envoy.
    const fn behind(self, name: &'static str, settings: Settings, is_http2: bool) -> Self {
        Self {
            name,
            is_http2,
            envoy: Some(settings),
            ..self
        }
    }

    /// Returns the reason if it cannot run here.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        let program = match self.platform {
            Node => process::missing_node(self.router),
            Go => process::go_program().err(),
            Python => process::missing_python(),
            Rust => None,
            Nginx => nginx::missing(),
        };
        program.or_else(|| self.envoy.and_then(|_| front::missing()))
    }

    /// Starts the backend with its policy.
    pub(crate) fn start(&self) -> Result<Running> {
        let folder = tempfile::tempdir()?;
        let policy = routes::policy(self.without, self.is_exact);
        let Some(settings) = self.envoy else {
            let file = folder.path().join("policy.json");
            fs::write(&file, policy.to_string())?;
            let (process, address) = Process::start_told(self.program()?.arg(file))?;
            return Ok(Running {
                address,
                _envoy: None,
                _process: process,
                _folder: folder,
            });
        };
        let (process, place) = match self.platform {
            Nginx => nginx::start(folder.path())?,
            Node | Go | Python | Rust => {
                let (process, address) = Process::start_told(&mut self.program()?)?;
                (process, setup::address(address))
            }
        };
        let envoy = settings.start(&policy, &place)?;
        Ok(Running {
            address: envoy.address,
            _envoy: Some(envoy),
            _process: process,
            _folder: folder,
        })
    }

    fn program(&self) -> Result<Command> {
        Ok(match self.platform {
            Node => process::node(self.router),
            Go => {
                let mut command = Command::new(process::go_program().map_err(anyhow::Error::msg)?);
                command.arg(self.router);
                command
            }
            Python => process::python(self.router)?,
            Rust => {
                let mut command = Command::new(process::own_program()?);
                command.args(["backend", self.router]);
                command
            }
            Nginx => bail!("nginx has no gate of its own"),
        })
    }
}
