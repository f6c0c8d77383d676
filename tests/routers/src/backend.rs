//! The routers, and how their processes are started.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::routes;

/// A real router behind a gate, as a program.
#[derive(Debug)]
pub struct Backend {
    /// As it is asked for by name.
    pub name: &'static str,
    /// What it is written for.
    platform: Platform,
    /// The router's name for its program.
    router: &'static str,
    /// It tells letters' case apart.
    is_exact: bool,
    /// It is spoken to over HTTP/2, by prior knowledge.
    pub is_http2: bool,
    /// Handlers that it cannot have.
    pub without: &'static [&'static str],
    /// What this router alone reads into a request.
    pub own: Own,
}

/// Mutations that mean something to one router only.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// What may stand before a target.
    pub fronts: &'static [&'static str],
    /// What may stand behind one, or anywhere in it.
    pub pieces: &'static [&'static str],
    /// Other fields.
    pub fields: &'static [(&'static str, &'static str)],
}

const NONE: Own = Own {
    fronts: &[],
    pieces: &[],
    fields: &[],
};

/// Next.js has addresses for a page's data, images and intercepted routes,
/// and headers that it once believed.
const NEXT: Own = Own {
    fronts: &[
        "/_next/data/build",
        "/_next/data/build",
        "/_next/data",
        "/_next/data/other",
        "/_next",
        "/_next/static",
        "/_next/image?w=64&q=75&url=",
        "/index",
        "/en",
        "/(.)",
        "/api",
    ],
    pieces: &[
        ".json",
        ".json",
        ".rsc",
        ".rsc",
        ".txt",
        ".prefetch.rsc",
        ".segments/_tree.segment.rsc",
        ".segments/__PAGE__.segment.rsc",
        ".action",
        "?_rsc=1",
        "?rsc=1",
        "?nextParamrest=admin",
        "?nxtPid=2",
        "?nxtIid=2",
        "/index",
        "/route",
        "/page",
        "(.)",
        "(..)",
        "/(..)(..)",
        "/(...)",
        "[id]",
        "[[...rest]]",
        "/_next/data/build/",
        "/%5Bid%5D",
        "/$nxtPid",
    ],
    fields: &[
        ("RSC", "1"),
        ("Next-Router-Prefetch", "1"),
        ("Next-Router-Segment-Prefetch", "/_tree"),
        ("Next-Router-State-Tree", "%5B%22admin%22%5D"),
        ("Next-Url", "/admin/a"),
        ("Next-Action", "000000000000000000000000000000000000000000"),
        ("X-Nextjs-Data", "1"),
        ("X-Nextjs-Rewrite", "/admin/a"),
        ("X-Matched-Path", "/admin/a"),
        ("X-Invoke-Path", "/admin/a"),
        ("X-Invoke-Output", "/admin/[[...rest]]"),
        ("X-Now-Route-Matches", "1=a"),
        ("X-Middleware-Rewrite", "/admin/a"),
        ("X-Middleware-Next", "1"),
        ("X-Middleware-Override-Headers", "x-auth-subject"),
        ("X-Middleware-Request-X-Auth-Subject", "eve"),
        ("X-Middleware-Subrequest", "proxy:proxy:proxy:proxy:proxy"),
        ("X-Prerender-Revalidate", "1"),
        ("Next-Resume", "1"),
    ],
};

#[derive(Clone, Copy, Debug)]
enum Platform {
    /// `npm/tests/backends`.
    Node,
    /// `hosts/go/routers`.
    Go,
    /// This crate.
    Rust,
}

use Platform::{Go, Node, Rust};

/// All of them.
pub const BACKENDS: [Backend; 13] = [
    Backend {
        is_exact: false,
        ..http1("express", Node, "express")
    },
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
    http1("axum", Rust, "axum"),
    http2("axum-http2", Rust, "axum"),
];

const fn http1(name: &'static str, platform: Platform, router: &'static str) -> Backend {
    Backend {
        name,
        platform,
        router,
        is_exact: true,
        is_http2: false,
        without: &[],
        own: NONE,
    }
}

const fn http2(name: &'static str, platform: Platform, router: &'static str) -> Backend {
    Backend {
        is_http2: true,
        ..http1(name, platform, router)
    }
}

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// It reads its policy once, but when is its own matter.
    _policy: NamedTempFile,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Backend {
    /// Why it cannot run here, if so.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        match self.platform {
            Node => {
                // Told which Node.js to take, the package must be there; else
                // its absence is said and forgiven.
                let folder = match self.router {
                    "next" => "npm/examples/next",
                    _ => "npm/tests",
                };
                let package = repository().join(folder).join("node_modules/countersign");
                let is_there = package.exists();
                (env::var_os("COUNTERSIGN_NODE").is_none() && !is_there)
                    .then_some("the npm package is not unpacked for the tests (cargo xtask test)")
            }
            Go => go_program().err(),
            Rust => None,
        }
    }

    /// Starts it with its policy; where it listens.
    pub(crate) fn start(&self) -> Result<(Process, SocketAddr)> {
        let mut policy = NamedTempFile::new()?;
        write!(policy, "{}", routes::policy(self.without, self.is_exact))?;
        let mut command = match self.platform {
            Node => {
                let node = env::var_os("COUNTERSIGN_NODE").unwrap_or_else(|| "node".into());
                let mut command = Command::new(node);
                let script = format!("npm/tests/backends/{}.mjs", self.router);
                command.arg(repository().join(script));
                command
            }
            Go => {
                let mut command = Command::new(go_program().map_err(anyhow::Error::msg)?);
                command.arg(self.router);
                command
            }
            Rust => {
                let mut command = Command::new(own_program()?);
                command.args(["backend", self.router]);
                command
            }
        };
        let child = command
            .arg(policy.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let child = child.with_context(|| format!("{command:?} does not start"))?;
        let mut process = Process {
            child,
            _policy: policy,
        };
        let output = process.child.stdout.take().context("no pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: Value =
            serde_json::from_str(&line).with_context(|| format!("{command:?} said {line:?}"))?;
        let port = said["port"].as_u64().and_then(|port| port.try_into().ok());
        let port: u16 = port.with_context(|| format!("{command:?} said {line:?}"))?;
        Ok((process, (Ipv4Addr::LOCALHOST, port).into()))
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// This crate's program: from its tests, too, which stand in `deps` beside it.
fn own_program() -> Result<PathBuf> {
    let here = env::current_exe()?;
    let folders = here.ancestors().skip(1).take(2);
    let mut programs = folders
        .map(|folder| folder.join(format!("countersign-routers{}", env::consts::EXE_SUFFIX)));
    programs
        .find(|program| program.is_file())
        .context("cargo has not built `countersign-routers`")
}

/// Built once.
fn go_program() -> Result<&'static Path, &'static str> {
    static PROGRAM: OnceLock<Result<(PathBuf, tempfile::TempDir), &str>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| {
        if Command::new("go").arg("version").output().is_err() {
            return Err("Go is not installed");
        }
        if !repository().join("hosts/go/countersign.wasm").exists() {
            return Err("hosts/go has no sealed file (cargo xtask build)");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder
            .path()
            .join(format!("routers{}", env::consts::EXE_SUFFIX));
        let built = Command::new("go")
            .current_dir(repository().join("hosts/go/routers"))
            .env("CGO_ENABLED", "0")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .status();
        assert!(
            built.expect("go starts").success(),
            "the Go routers are built"
        );
        Ok((program, folder))
    });
    built
        .as_ref()
        .map(|(program, _)| &**program)
        .map_err(|reason| *reason)
}
