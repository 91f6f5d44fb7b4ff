//! The bytes of a copy: lengths and numbers little-endian, a sign before each part.

use std::io::{BufReader, BufWriter, Read, Write};

use sha2::{Digest as _, Sha256};

use super::TableSum;
use crate::layout::{Column, Kind, Table};
use crate::migrate::Step;
use crate::{DatabaseError, Value};

/// The first bytes; the number is that of the form.
const MAGIC: &[u8] = b"kangmai snapshot 1\n";
/// The longest name of a table, column or step.
const LONGEST_NAME: usize = 1_024;
/// The longest value.
const LONGEST_VALUE: usize = 1 << 30;
/// The most columns of a table, and the most steps.
const MOST: usize = 65_536;
/// Held back before it is written on.
const BUFFER: usize = 1 << 20;

const TABLE: u8 = b'T';
const ROW: u8 = b'R';
const TABLE_END: u8 = b'E';
const END: u8 = b'Z';

const KINDS: [(Kind, u8); 6] = [
    (Kind::Text, b't'),
    (Kind::Int, b'i'),
    (Kind::Bool, b'b'),
    (Kind::Real, b'r'),
    (Kind::Bytes, b'y'),
    (Kind::Uuid, b'u'),
];

/// A sum of hashes, 256 bits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Hash([u64; 4]);

impl Hash {
    /// Adds the hash of one row.
    pub(super) fn add(&mut self, row: &[u8]) {
        let digest = Sha256::digest(row);
        let mut carry = false;
        for (own, bytes) in self.0.iter_mut().zip(digest.as_chunks::<8>().0) {
            let (sum, one) = own.overflowing_add(u64::from_le_bytes(*bytes));
            let (sum, other) = sum.overflowing_add(u64::from(carry));
            (*own, carry) = (sum, one || other);
        }
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [one, two, three, four] = self.0;
        write!(f, "{one:016x}{two:016x}{three:016x}{four:016x}")
    }
}

/// A row as it is hashed and written.
pub(super) fn encode(row: &[Value], out: &mut Vec<u8>) {
    out.clear();
    for value in row {
        match value {
            Value::Null => out.push(b'0'),
            Value::Bool(false) => out.push(b'-'),
            Value::Bool(true) => out.push(b'+'),
            Value::Int(value) => fixed(out, b'i', &value.to_le_bytes()),
            Value::Real(value) => fixed(out, b'r', &value.to_le_bytes()),
            Value::Uuid(value) => fixed(out, b'u', value.as_bytes()),
            Value::Text(value) => long(out, b't', value.as_bytes()),
            Value::Bytes(value) => long(out, b'y', value),
        }
    }
}

fn fixed(out: &mut Vec<u8>, sign: u8, bytes: &[u8]) {
    out.push(sign);
    out.extend(bytes);
}

fn long(out: &mut Vec<u8>, sign: u8, bytes: &[u8]) {
    out.push(sign);
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(bytes);
}

fn lost(error: &std::io::Error) -> DatabaseError {
    DatabaseError::Copy(match error.kind() {
        std::io::ErrorKind::UnexpectedEof => DatabaseError::ENDS_EARLY.to_owned(),
        _ => error.to_string(),
    })
}

fn damaged() -> DatabaseError {
    DatabaseError::Copy("it is damaged, or is none".to_owned())
}

pub(super) struct Writer<W: Write> {
    out: BufWriter<W>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Writer<W> {
        Writer { out: BufWriter::with_capacity(BUFFER, out) }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), DatabaseError> {
        self.out.write_all(bytes).map_err(|error| lost(&error))
    }

    fn number(&mut self, number: usize) -> Result<(), DatabaseError> {
        self.put(&(number as u64).to_le_bytes())
    }

    fn name(&mut self, name: &str) -> Result<(), DatabaseError> {
        self.number(name.len())?;
        self.put(name.as_bytes())
    }

    pub(super) fn head(&mut self, steps: &[Step]) -> Result<(), DatabaseError> {
        self.put(MAGIC)?;
        self.number(steps.len())?;
        steps.iter().flat_map(Step::texts).try_for_each(|text| self.name(text))
    }

    pub(super) fn table(&mut self, table: &Table) -> Result<(), DatabaseError> {
        self.put(&[TABLE])?;
        self.name(&table.name)?;
        self.number(table.columns.len())?;
        for column in &table.columns {
            self.name(&column.name)?;
            let sign = KINDS.iter().find(|(kind, _)| *kind == column.kind).map(|(_, sign)| *sign);
            self.put(&[sign.ok_or_else(damaged)?])?;
        }
        Ok(())
    }

    /// A row that is encoded.
    pub(super) fn row(&mut self, encoded: &[u8]) -> Result<(), DatabaseError> {
        self.put(&[ROW])?;
        self.put(encoded)
    }

    pub(super) fn table_end(&mut self, sum: &TableSum) -> Result<(), DatabaseError> {
        self.put(&[TABLE_END])?;
        self.put(&sum.rows.to_le_bytes())?;
        sum.hash.0.iter().try_for_each(|word| self.put(&word.to_le_bytes()))
    }

    pub(super) fn end(mut self, tables: usize) -> Result<W, DatabaseError> {
        self.put(&[END])?;
        self.number(tables)?;
        self.out.into_inner().map_err(|error| lost(error.error()))
    }
}

pub(super) struct Reader<R: Read> {
    input: BufReader<R>,
    /// The sign after the last row of a table, read already.
    sign: u8,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Reader<R> {
        Reader { input: BufReader::with_capacity(BUFFER, input), sign: 0 }
    }

    fn take<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], DatabaseError> {
        let mut bytes = [0; LENGTH];
        self.input.read_exact(&mut bytes).map_err(|error| lost(&error))?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u64, DatabaseError> {
        self.take().map(u64::from_le_bytes)
    }

    fn at_most(&mut self, most: usize) -> Result<usize, DatabaseError> {
        usize::try_from(self.number()?).ok().filter(|number| *number <= most).ok_or_else(damaged)
    }

    /// Takes memory only for what is there, whatever a damaged length says.
    fn bytes(&mut self, longest: usize) -> Result<Vec<u8>, DatabaseError> {
        let length = self.at_most(longest)?;
        let mut bytes = Vec::new();
        let mut part = (&mut self.input).take(length as u64);
        part.read_to_end(&mut bytes).map_err(|error| lost(&error))?;
        if bytes.len() == length { Ok(bytes) } else { Err(lost(&std::io::ErrorKind::UnexpectedEof.into())) }
    }

    fn text(&mut self, longest: usize) -> Result<String, DatabaseError> {
        String::from_utf8(self.bytes(longest)?).map_err(|_| damaged())
    }

    /// A name that may stand in a statement.
    fn plain_name(&mut self) -> Result<String, DatabaseError> {
        let name = self.text(LONGEST_NAME)?;
        let is_plain = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_';
        if !name.is_empty() && name.bytes().all(is_plain) { Ok(name) } else { Err(damaged()) }
    }

    pub(super) fn head(&mut self) -> Result<Vec<Step>, DatabaseError> {
        if self.take::<{ MAGIC.len() }>()? != *MAGIC {
            return Err(damaged());
        }
        let steps = self.at_most(MOST)?;
        (0..steps)
            .map(|_| {
                let (owner, name) = (self.text(LONGEST_NAME)?, self.text(LONGEST_NAME)?);
                Ok(Step { owner, name, checksum: self.text(LONGEST_NAME)? })
            })
            .collect()
    }

    /// The next table; `None` at the end of all.
    pub(super) fn table(&mut self) -> Result<Option<Table>, DatabaseError> {
        match self.take()? {
            [TABLE] => {}
            [END] => return Ok(None),
            _ => return Err(damaged()),
        }
        let name = self.plain_name()?;
        let columns = self.at_most(MOST)?;
        let mut table = Table { name, columns: Vec::new() };
        for _ in 0..columns {
            let name = self.plain_name()?;
            let [sign] = self.take()?;
            let kind = KINDS.iter().find(|(_, own)| *own == sign).map(|(kind, _)| *kind);
            table.columns.push(Column { name, kind: kind.ok_or_else(damaged)? });
        }
        Ok(Some(table))
    }

    /// The next row of the table; `None` after its last.
    pub(super) fn row(&mut self, columns: usize) -> Result<Option<Vec<Value>>, DatabaseError> {
        [self.sign] = self.take()?;
        if self.sign != ROW {
            return Ok(None);
        }
        (0..columns).map(|_| self.value()).collect::<Result<_, _>>().map(Some)
    }

    fn value(&mut self) -> Result<Value, DatabaseError> {
        let [sign] = self.take()?;
        Ok(match sign {
            b'0' => Value::Null,
            b'-' => Value::Bool(false),
            b'+' => Value::Bool(true),
            b'i' => Value::Int(i64::from_le_bytes(self.take()?)),
            b'r' => Value::Real(f64::from_le_bytes(self.take()?)),
            b'u' => Value::Uuid(uuid::Uuid::from_bytes(self.take()?)),
            b't' => Value::Text(self.text(LONGEST_VALUE)?),
            b'y' => Value::Bytes(self.bytes(LONGEST_VALUE)?),
            _ => return Err(damaged()),
        })
    }

    /// After the last row.
    pub(super) fn table_end(&mut self, table: &str) -> Result<TableSum, DatabaseError> {
        if self.sign != TABLE_END {
            return Err(damaged());
        }
        let rows = self.number()?;
        let hash = Hash([self.number()?, self.number()?, self.number()?, self.number()?]);
        Ok(TableSum { table: table.to_owned(), rows, hash })
    }

    /// After the last table: their number, and nothing behind it. A reader that unseals checks its own end here.
    pub(super) fn end(&mut self, tables: usize) -> Result<(), DatabaseError> {
        let told = self.at_most(MOST)?;
        let mut rest = [0];
        let behind = self.input.read(&mut rest).map_err(|error| lost(&error))?;
        if told == tables && behind == 0 { Ok(()) } else { Err(damaged()) }
    }
}
