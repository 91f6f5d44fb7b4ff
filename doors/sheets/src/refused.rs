//! Why a file cannot be read or written.

use kangmai_base::Refusal;

/// Why a file cannot be read or written. Each has a sentence: [`SheetError::refusal`].
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The disk or the network says no.
    #[error("cannot read or write the file: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Longer than is taken.
    #[error("the file is longer than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// More rows than are taken.
    #[error("more than {limit} rows")]
    TooManyRows {
        /// The limit.
        limit: u32,
    },
    /// An Excel file of before 2007 (`.xls`, also `.et`).
    #[error("an Excel file of before 2007")]
    OldExcel,
    /// Opens with a password only.
    #[error("the file is protected by a password")]
    Protected,
    /// Some other kind of file.
    #[error("not a sheet but {0}")]
    OtherKind(&'static str),
    /// Bears the marks of an Excel file but breaks off or contradicts itself.
    #[error("the Excel file is damaged: {0}")]
    Damaged(String),
    /// No sheet of that name.
    #[error("no sheet named {name}; there are {found}")]
    NoSuchSheet {
        /// The name asked for.
        name: String,
        /// The names found.
        found: String,
    },
    /// No head with the columns wanted.
    #[error("{0}")]
    NoHeader(Refusal),
    /// A quote opens and does not close for megabytes.
    #[error("a quote opened near row {row} does not close")]
    UnclosedQuote {
        /// The last row read well.
        row: u32,
    },
    /// A written file would pass Excel's limits.
    #[error("cannot write the Excel file: {0}")]
    Write(#[from] rust_xlsxwriter::XlsxError),
}

impl SheetError {
    /// The sentence for the reader: what is wrong and how to mend it.
    pub fn refusal(&self) -> Refusal {
        match self {
            SheetError::Io(_) => Refusal::new("sheets.cannot_read"),
            SheetError::Empty => Refusal::new("sheets.empty"),
            SheetError::TooLarge { limit_bytes } => {
                Refusal::new("sheets.too_large").with("limit", (limit_bytes >> 20).to_string())
            }
            SheetError::TooManyRows { limit } => {
                Refusal::new("sheets.too_many_rows").with("limit", limit.to_string())
            }
            SheetError::OldExcel => Refusal::new("sheets.old_excel"),
            SheetError::Protected => Refusal::new("sheets.protected"),
            SheetError::OtherKind(kind) => Refusal::new("sheets.other_kind").with("kind", *kind),
            SheetError::Damaged(_) => Refusal::new("sheets.damaged"),
            SheetError::NoSuchSheet { name, found } => {
                Refusal::new("sheets.no_such_sheet").with("name", name.clone()).with("found", found.clone())
            }
            SheetError::NoHeader(refusal) => refusal.clone(),
            SheetError::UnclosedQuote { row } => {
                Refusal::new("sheets.unclosed_quote").with("row", row.to_string())
            }
            SheetError::Write(_) => Refusal::new("sheets.cannot_write"),
        }
    }
}

impl From<SheetError> for Refusal {
    fn from(error: SheetError) -> Refusal {
        error.refusal()
    }
}
