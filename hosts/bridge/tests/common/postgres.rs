//! One PostgreSQL for all tests of a program, in a folder that goes with it.

use std::{
    env, fs, io,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sqlx::Connection;
use tokio::{sync::OnceCell, time::sleep};

struct Server {
    port: u16,
    /// Its input ends with this program, and it with that.
    _watch: Child,
}

pub fn is_there() -> bool {
    env::var_os("COUNTERSIGN_POSTGRES").is_some()
}

/// The URL of a new, empty database.
pub async fn new_database() -> String {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(start).await;
    let url = |name: &str| format!("postgres://postgres@127.0.0.1:{}/{name}", server.port);
    let name = format!("bridge_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
    let mut connection = connect(&url("postgres")).await;
    let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    url(&name)
}

async fn start() -> Server {
    let programs = PathBuf::from(env::var_os("COUNTERSIGN_POSTGRES").unwrap());
    let folder = tempfile::Builder::new()
        .prefix("postgres")
        .tempdir()
        .unwrap();
    // The shell below removes it.
    let folder = folder.keep();
    let as_user = |program: &str| {
        let mut command = not_root(program);
        command.current_dir(&folder).env("LC_ALL", "C");
        command
    };
    let mut init = as_user(&programs.join("initdb").display().to_string());
    init.args([
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "-D",
        "data",
    ]);
    let made = init.output().unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let port = free_port().unwrap();
    let mut watch = as_user("sh");
    watch
        .arg("-c")
        .arg(script(&programs, port))
        .stdin(Stdio::piped());
    let watch = watch.spawn().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    for _ in 0..300 {
        if sqlx::PgConnection::connect(&url).await.is_ok() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    Server {
        port,
        _watch: watch,
    }
}

/// PostgreSQL refuses to run as root, so root has another name there. Its files stay its
/// own: a folder that only root may enter is no obstacle.
fn not_root(program: &str) -> Command {
    if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=65534", "--map-group=65534", program]);
    command
}

/// Runs it until the standard input ends, then removes the folder.
fn script(programs: &Path, port: u16) -> String {
    let postgres = programs.join("postgres");
    format!(
        "'{}' -D data -p {port} -h 127.0.0.1 -k \"$PWD\" -F -c max_connections=300 \
         >log 2>&1 </dev/null & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; \
         cd /; rm -rf \"$OLDPWD\"",
        postgres.display()
    )
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn connect(url: &str) -> sqlx::PgConnection {
    sqlx::PgConnection::connect(url).await.unwrap()
}
