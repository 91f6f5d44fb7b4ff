//! How much is taken from one file. Every limit has a name, so that a refusal can say it.

/// The longest file of separated text, in bytes: 2 GiB. It is read as a stream, so memory does not bound it.
pub const MAX_CSV_BYTES: u64 = 2 << 30;
/// The longest Excel file, in bytes: 512 MiB packed.
pub const MAX_XLSX_BYTES: u64 = 512 << 20;
/// What an Excel file may unpack to, in bytes: 8 GiB. More is no register but a trap.
pub const MAX_XLSX_UNPACKED_BYTES: u64 = 8 << 30;
/// What the table of texts of an Excel file may unpack to, in bytes: 1 GiB. It is the one part held in memory.
pub const MAX_XLSX_TEXTS_BYTES: u64 = 1 << 30;
/// A part of an Excel file is at most so many times as long as it is packed: real sheets reach 40, one made to fill the memory 1,000.
pub const MAX_XLSX_TIMES_PACKED: u64 = 200;
/// Up to this length it may be packed as one likes.
pub const XLSX_PACKED_AS_ONE_LIKES_BYTES: u64 = 16 << 20;
/// Rows of one file. Excel itself ends at 1,048,576.
pub const MAX_ROWS: u32 = 20_000_000;
/// Columns of one row; what lies further right is dropped with a word.
pub const MAX_COLUMNS: usize = 256;
/// Characters of one cell; Excel's own limit.
pub const MAX_CELL_CHARS: usize = 32_767;
/// How many rows from the top a head is looked for: titles and notes often stand above it.
pub const MAX_ROWS_ABOVE_HEADER: usize = 20;
/// How many faults a dry run keeps in memory; the error sheet holds them all.
pub const MAX_FAULTS_KEPT: usize = 1_000;
/// How many changes a dry run shows.
pub const MAX_CHANGES_KEPT: usize = 50;
