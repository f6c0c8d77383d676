//! A Unix socket that only those whom its mode admits can ever open.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

/// A socket, whose file goes with it.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode: another server may have replaced the file.
    file: (u64, u64),
}

impl UnixSocket {
    /// Opens it. It is made in a folder that nobody else may enter, gets its mode there,
    /// and is then moved to its place: there is no moment with another mode, and a socket
    /// that a dead server has left is replaced.
    pub(crate) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        require_unused(path)?;
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = tempfile::Builder::new()
            .prefix(".")
            .tempdir_in(folder.unwrap_or(Path::new(".")))?;
        let made = folder.path().join("s");
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(mode))?;
        let metadata = fs::symlink_metadata(&made)?;
        fs::rename(&made, path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            file: (metadata.dev(), metadata.ino()),
        })
    }

    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let is_ours = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino()) == self.file;
        if fs::symlink_metadata(&self.path).as_ref().is_ok_and(is_ours) {
            // The next server replaces it, too.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A socket at which somebody listens, and everything that is no socket, stays.
fn require_unused(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it is there, and is no socket",
        ));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}
