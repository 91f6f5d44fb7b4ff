//! Signatures that were drawn and photographs of signed papers, sealed. No view: a picture is too large for a fact, which says by
//! its digest which picture it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kangmai_base::{DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};

use crate::rules::PictureKind;

const PUT: &str =
    "insert into agreement_paper (id, person, home, kind, content_sealed) values ($1, $2, $3, $4, $5)";
const PICTURE: &str = "select kind, content_sealed from agreement_paper where id = $1 and person = $2";
const FORGET: &str = "delete from agreement_paper where person = $1";
/// Where a picture is sealed.
const CONTENT: (&str, &str) = ("agreement_paper", "content_sealed");

/// A picture: the path of a drawing, or a photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it is.
    pub kind: PictureKind,
    /// As it came.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// As it is sealed, and of what the digest in the fact is.
    pub fn text(&self) -> String {
        match self.kind {
            PictureKind::Svg => String::from_utf8_lossy(&self.bytes).into_owned(),
            PictureKind::Jpeg | PictureKind::Png => STANDARD.encode(&self.bytes),
        }
    }
}

/// Keeps a picture, in the transaction of the fact that names it.
///
/// # Errors
/// When the database fails.
pub fn keep_picture(
    tx: &mut Transaction<'_>,
    id: Uuid,
    (person, home): (Uuid, DivisionCode),
    picture: &Picture,
) -> Result<(), DatabaseError> {
    let sealed = tx.sealed(CONTENT, id, Some(&picture.text()))?;
    tx.execute(PUT, &params![id, person, home, picture.kind.key(), sealed])?;
    Ok(())
}

/// The picture `id` of a person.
///
/// # Errors
/// When the database fails or it does not open.
pub fn picture(tx: &mut Transaction<'_>, id: Uuid, person: Uuid) -> Result<Option<Picture>, DatabaseError> {
    let Some(row) = tx.query_one(PICTURE, &params![id, person])? else { return Ok(None) };
    let (kind, sealed): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let text = tx.opened(CONTENT, id, Some(sealed))?.unwrap_or_default();
    let wrong = DatabaseError::WrongType { column: 0, expected: "kind of a picture" };
    let kind = PictureKind::of_key(&kind).ok_or(wrong)?;
    let bytes = match kind {
        PictureKind::Svg => text.into_bytes(),
        PictureKind::Jpeg | PictureKind::Png => STANDARD
            .decode(text)
            .map_err(|_| DatabaseError::WrongType { column: 1, expected: "a picture" })?,
    };
    Ok(Some(Picture { kind, bytes }))
}

/// Takes the pictures of a person away.
pub(super) fn forget(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    tx.execute(FORGET, &params![person])?;
    Ok(())
}
