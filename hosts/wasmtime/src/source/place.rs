//! Reading a signed policy from its place.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task;

use super::problem;
use crate::problem::OpenError;

/// The largest text.
const MAX_BYTES: u32 = 32 << 20;

#[derive(Clone)]
pub(super) enum Place {
    File(PathBuf),
    #[cfg(feature = "https")]
    Url {
        url: String,
        insecure_http: bool,
    },
}

/// A text that was had, and its `ETag`.
pub(super) struct Had {
    pub(super) text: Arc<[u8]>,
    pub(super) etag: Option<String>,
}

impl Place {
    /// Reads the text; `last` is what was had with `etag`.
    pub(super) async fn read(
        &self,
        etag: Option<&str>,
        last: Option<Arc<[u8]>>,
    ) -> Result<Had, OpenError> {
        #[cfg(not(feature = "https"))]
        let _ = (etag, last);
        match self {
            Self::File(path) => {
                let path = path.clone();
                let read = task::spawn_blocking(move || read(&path)).await;
                let text = read.map_err(|error| unavailable(&error.to_string()))??;
                let text = text.into();
                Ok(Had { text, etag: None })
            }
            #[cfg(feature = "https")]
            Self::Url { url, insecure_http } => {
                if !is_allowed(url, *insecure_http) {
                    return Err(unavailable("the address is not `https`"));
                }
                let etag = etag.filter(|_| last.is_some());
                fetch(url, etag, last).await
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    let mut text = Vec::new();
    let bound = u64::from(MAX_BYTES);
    let read = File::open(path).and_then(|file| file.take(bound + 1).read_to_end(&mut text));
    read.map_err(|error| unavailable(&format!("{}: {error}", path.display())))?;
    match text.len() as u64 > bound {
        true => Err(unavailable(&format!("it has more than {bound} bytes"))),
        false => Ok(text),
    }
}

#[cfg(feature = "https")]
fn is_allowed(url: &str, insecure_http: bool) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&uri.host().unwrap_or_default());
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => insecure_http && is_here,
        _ => false,
    }
}

#[cfg(feature = "https")]
async fn fetch(url: &str, etag: Option<&str>, last: Option<Arc<[u8]>>) -> Result<Had, OpenError> {
    use crate::https::{Changed, fetch_if_changed};

    let fetched = tokio::time::timeout(TIMEOUT, fetch_if_changed(url, etag, MAX_BYTES)).await;
    let fetched = fetched.map_err(|_| unavailable("no answer within 10 s"))?;
    match (
        fetched.map_err(|error| unavailable(&error.to_string()))?,
        last,
    ) {
        (Changed::Yes { body, etag }, _) => Ok(Had {
            text: body.into(),
            etag,
        }),
        (Changed::No, Some(text)) => Ok(Had {
            text,
            etag: etag.map(str::to_owned),
        }),
        (Changed::No, None) => Err(unavailable("the server answered 304")),
        (Changed::Status(status), _) => Err(unavailable(&format!("the server answered {status}"))),
    }
}

#[cfg(feature = "https")]
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

fn unavailable(reason: &str) -> OpenError {
    problem(
        "policy_unavailable",
        &format!("the signed policy cannot be had: {reason}"),
    )
}

/// The query of an address can contain a key.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            #[cfg(feature = "https")]
            Self::Url { url, .. } => crate::uri::without_query(url).fmt(f),
        }
    }
}
