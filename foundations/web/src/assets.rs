//! The style sheet, the script and the icon: in the binary, served at a path that changes with their content.

use std::io::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
};
use axum::response::{IntoResponse, Response};

use crate::failure::Failure;

/// A file of the program itself.
#[derive(Debug)]
pub struct Asset {
    path: String,
    content_type: &'static str,
    plain: &'static [u8],
    gzip: Vec<u8>,
}

/// The style sheet.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("kangmai", "css", "text/css; charset=utf-8", include_bytes!("../assets/kangmai.css"))
});
/// The script.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("app", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/app.js"))
});
/// The icon of the window.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../assets/icon.svg")));

impl Asset {
    fn new(name: &str, ending: &str, content_type: &'static str, plain: &'static [u8]) -> Asset {
        let path = format!("/assets/{name}.{:016x}.{ending}", fingerprint(plain));
        Asset { path, content_type, plain, gzip: gzip(plain) }
    }

    /// Where it is served: `/assets/kangmai.0123456789abcdef.css`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How many bytes a browser loads.
    pub fn gzip_bytes(&self) -> usize {
        self.gzip.len()
    }
}

/// FNV-1a, 64 bits: tells versions of our own files apart; no secret depends on it.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `bytes` in gzip; empty if that fails, which it does not in memory.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 3), flate2::Compression::new(5));
    match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
        Ok(compressed) => compressed,
        Err(error) => {
            tracing::error!(%error, "cannot compress");
            Vec::new()
        }
    }
}

/// Whether the browser takes gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(',').any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            name.trim() == "gzip" && weight.trim() != "q=0"
        })
    })
}

/// GET `/assets/{file}`. A year of cache: another content has another path.
pub(crate) async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let assets: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];
    let asset = assets.into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(file.as_str()));
    let asset = asset.ok_or(Failure::NotFound)?;
    let zipped = takes_gzip(&headers) && !asset.gzip.is_empty();
    let mut response = if zipped { asset.gzip.clone().into_response() } else { asset.plain.into_response() };
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    out.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if zipped {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
