//! A form with a file: the file goes to disk while it comes in, never whole into memory.

use std::io::Write;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use futures_util::StreamExt;
use kangmai_base::{Ids, Moment};
use tokio::sync::mpsc;

use crate::body::FormBody;
use crate::csrf;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;

/// A file on disk; removed when this is dropped.
#[derive(Debug)]
pub struct UploadedFile {
    /// The field that it came in.
    pub field: String,
    /// The name that it has at the sender's; only for showing.
    pub file_name: String,
    /// Its length.
    pub bytes: u64,
    path: PathBuf,
}

impl UploadedFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UploadedFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "cannot remove an uploaded file");
        }
    }
}

/// A `multipart/form-data` body: its fields, and its files on disk.
#[derive(Debug)]
pub struct Upload {
    values: Vec<(String, String)>,
    files: Vec<UploadedFile>,
}

/// Where files go and how large they may be.
#[derive(Clone, Copy)]
pub struct UploadRoom<'a> {
    /// A folder that is there, of this program alone.
    pub folder: &'a Path,
    /// The longest file.
    pub limit_bytes: u64,
    /// For the files' names.
    pub ids: &'a dyn Ids,
    /// For the files' names.
    pub now: Moment,
}

impl Upload {
    /// The most files in one form.
    pub const LIMIT_FILES: usize = 10;
    /// How much of a body that is too large is still read, so that the browser shows the answer.
    const DRAINED_BYTES: u64 = 4 * 1024 * 1024 * 1024;
    /// Pieces that wait for the disk.
    const PIECES_WAITING: usize = 8;

    /// Reads the body. The form must come from our own page and carry the session's token before the first file
    /// (`page.csrf_field()` at its top).
    pub async fn read(request: Request, room: UploadRoom<'_>) -> Result<Upload, Failure> {
        if !csrf::is_from_here(request.headers()) {
            return Err(Failure::Expired);
        }
        let expected = request.extensions().get::<csrf::ExpectedToken>().cloned();
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|_| Failure::Malformed)?;
        let mut parts = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
        let mut upload = Upload { values: Vec::new(), files: Vec::new() };
        let mut value_bytes = 0;
        while let Some(mut part) = parts.next_field().await.map_err(|_| Failure::Malformed)? {
            let name = part.name().unwrap_or_default().to_owned();
            let Some(file_name) = part.file_name().map(str::to_owned) else {
                let value = part.text().await.map_err(|_| Failure::Malformed)?;
                value_bytes += name.len() + value.len();
                if value_bytes > FormBody::LIMIT_BYTES || upload.values.len() >= FormBody::LIMIT_FIELDS {
                    return Err(Failure::TooLarge);
                }
                upload.values.push((name, value));
                continue;
            };
            upload.check_token(expected.as_ref())?;
            if upload.files.len() >= Upload::LIMIT_FILES {
                return Err(Failure::TooLarge);
            }
            let (file, whole) = store(&mut part, &name, &file_name, room).await?;
            if !whole {
                drop(file);
                drain(&mut part).await;
                return Err(Failure::TooLarge);
            }
            if file.bytes > 0 && !file_name.is_empty() {
                upload.values.push((name, file_name));
                upload.files.push(file);
            }
        }
        upload.check_token(expected.as_ref())?;
        Ok(upload)
    }

    /// The fields as a form; a file field holds the file's name.
    pub fn form(&self, fields: &'static [Field]) -> Form {
        Form::typed(fields, self.values.clone())
    }

    /// The file of the field `name`.
    pub fn file(&self, name: &str) -> Option<&UploadedFile> {
        self.files.iter().find(|file| file.field == name)
    }

    /// The same, taken out, so that it outlives this request.
    pub fn take_file(&mut self, name: &str) -> Option<UploadedFile> {
        let index = self.files.iter().position(|file| file.field == name)?;
        Some(self.files.remove(index))
    }

    fn check_token(&self, expected: Option<&csrf::ExpectedToken>) -> Result<(), Failure> {
        let Some(csrf::ExpectedToken(token)) = expected else { return Ok(()) };
        let given = self.values.iter().find(|(name, _)| name == csrf::FIELD).map_or("", |(_, value)| value);
        if csrf::is_token(token, given) { Ok(()) } else { Err(Failure::Expired) }
    }
}

/// Writes a part to disk on a thread that may wait; `false` if it is longer than the limit.
async fn store(
    part: &mut multer::Field<'_>,
    field: &str,
    file_name: &str,
    room: UploadRoom<'_>,
) -> Result<(UploadedFile, bool), Failure> {
    let path = room.folder.join(format!("upload-{}", room.ids.mint(room.now)));
    let (pieces, mut waiting) = mpsc::channel::<Bytes>(Upload::PIECES_WAITING);
    let mut out = std::fs::File::create_new(&path)?;
    let mut file = UploadedFile { field: field.to_owned(), file_name: file_name.to_owned(), bytes: 0, path };
    let writer = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        while let Some(piece) = waiting.blocking_recv() {
            out.write_all(&piece)?;
        }
        out.flush()
    });
    let mut whole = true;
    while let Some(piece) = part.next().await {
        let piece = piece.map_err(|_| Failure::Malformed)?;
        file.bytes += piece.len() as u64;
        if file.bytes > room.limit_bytes {
            whole = false;
            break;
        }
        if pieces.send(piece).await.is_err() {
            break; // The writer has failed; it says why below.
        }
    }
    drop(pieces);
    writer.await??;
    Ok((file, whole))
}

async fn drain(part: &mut multer::Field<'_>) {
    let mut drained = 0;
    while let Some(Ok(piece)) = part.next().await {
        drained += piece.len() as u64;
        if drained > Upload::DRAINED_BYTES {
            break;
        }
    }
}
