//! A sealed file: a stream in numbered pieces, each sealed, the last one marked. A piece that is altered, exchanged, missing or
//! cut off is found. Each file has a key of its own, which stands at its head, wrapped by the installation's master key; so a
//! file is opened with the key file alone, on any machine.

use std::io::{self, BufRead, Read, Write};

use kangmai_base::Ids;
use kangmai_seal::{Cell, CipherKind, KeyRing, MasterKeys, WrappedKey};

/// The first line; the number is that of the form.
const MAGIC: &str = "KANGMAI SEALED 1";
/// Bytes of a piece before it is sealed.
const PIECE: usize = 1 << 20;
/// The longest piece as it stands in a file.
const LONGEST: usize = PIECE + 1_024;
/// The longest line of the head, and the most keys in it.
const LONGEST_LINE: u64 = 1_024;
const MOST_KEYS: usize = 16;

/// Seals what is written to it. [`SealedWriter::finish`] writes the end; without it the file counts as cut off.
pub(super) struct SealedWriter<W: Write> {
    out: W,
    ring: KeyRing,
    piece: Vec<u8>,
    number: u64,
}

impl<W: Write> SealedWriter<W> {
    /// Writes the head with a fresh key.
    pub(super) fn begin(mut out: W, keys: &MasterKeys, ids: &dyn Ids) -> io::Result<SealedWriter<W>> {
        let ring = KeyRing::fresh(ids, keys.cipher());
        writeln!(out, "{MAGIC}")?;
        for key in keys.wrap(&ring) {
            writeln!(out, "{} {} {}", key.number, key.cipher.key(), hex(&key.wrapped))?;
        }
        writeln!(out)?;
        Ok(SealedWriter { out, ring, piece: Vec::with_capacity(PIECE), number: 0 })
    }

    fn put(&mut self, is_last: bool) -> io::Result<()> {
        let sealed = self.ring.seal(&cell(&row(self.number, is_last)), &self.piece);
        let length = u32::try_from(sealed.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.out.write_all(&[u8::from(is_last)])?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&sealed)?;
        self.piece.clear();
        self.number += 1;
        Ok(())
    }

    /// Writes the last piece.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.put(false)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Opens what a [`SealedWriter`] sealed.
pub(super) struct SealedReader<R: BufRead> {
    input: R,
    ring: KeyRing,
    piece: Vec<u8>,
    at: usize,
    number: u64,
    is_over: bool,
}

impl<R: BufRead> SealedReader<R> {
    /// Reads the head and unwraps the file's key.
    pub(super) fn begin(mut input: R, keys: &MasterKeys) -> io::Result<SealedReader<R>> {
        if line(&mut input)? != MAGIC {
            return Err(damaged("it is no sealed file of this program"));
        }
        let mut wrapped = Vec::new();
        loop {
            let line = line(&mut input)?;
            if line.is_empty() {
                break;
            }
            let key = wrapped_key(&line).ok_or_else(|| damaged("its head is damaged"))?;
            wrapped.push(key);
            if wrapped.len() > MOST_KEYS {
                return Err(damaged("its head is damaged"));
            }
        }
        let ring = keys.unwrap(&wrapped).map_err(|error| {
            damaged(&format!("its key does not open with the master key at hand: {error}"))
        })?;
        Ok(SealedReader { input, ring, piece: Vec::new(), at: 0, number: 0, is_over: false })
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let mut head = [0; 5];
        self.input.read_exact(&mut head).map_err(|_| damaged("it was cut off"))?;
        let [last, length @ ..] = head;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if last > 1 || length > LONGEST {
            return Err(damaged("it is damaged"));
        }
        let mut sealed = vec![0; length];
        self.input.read_exact(&mut sealed).map_err(|_| damaged("it was cut off"))?;
        let opened = self.ring.open(&cell(&row(self.number, last == 1)), &sealed);
        let opened = opened.map_err(|_| damaged("a piece of it was altered"))?;
        (self.piece, self.at) = (opened.to_vec(), 0);
        self.number += 1;
        self.is_over = last == 1;
        if self.is_over && !self.input.fill_buf()?.is_empty() {
            return Err(damaged("something stands behind its end"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for SealedReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.is_over {
            self.next_piece()?;
        }
        let taken = bytes.len().min(self.piece.len() - self.at);
        bytes[..taken].copy_from_slice(&self.piece[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

fn row(number: u64, is_last: bool) -> [u8; 9] {
    let mut row = [0; 9];
    row[..8].copy_from_slice(&number.to_be_bytes());
    row[8] = u8::from(is_last);
    row
}

const fn cell(row: &[u8]) -> Cell<'_> {
    Cell { table: "sealed_file", column: "piece", row }
}

fn damaged(says: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, says.to_owned())
}

fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.take(LONGEST_LINE).read_line(&mut line).map_err(|_| damaged("its head is damaged"))?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err(damaged("its head is damaged")),
    }
}

fn wrapped_key(line: &str) -> Option<WrappedKey> {
    let mut words = line.split(' ');
    let (number, cipher) = (words.next()?.parse().ok()?, CipherKind::of_key(words.next()?)?);
    Some(WrappedKey { number, cipher, wrapped: unhex(words.next()?)? })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use kangmai_base::SeededIds;

    use super::*;

    fn sealed(plain: &[u8], keys: &MasterKeys) -> Vec<u8> {
        let mut writer = SealedWriter::begin(Vec::new(), keys, &SeededIds::new(2)).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn opened(sealed: &[u8], keys: &MasterKeys) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        SealedReader::begin(sealed, keys)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn what_was_sealed_opens_and_nothing_of_it_can_be_read() {
        for cipher in [CipherKind::Aes256Gcm, CipherKind::Sm4Gcm] {
            let keys = MasterKeys::fresh(&SeededIds::new(1), cipher);
            for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE] {
                let plain: Vec<u8> = b"4117220010".iter().copied().cycle().take(length).collect();
                let file = sealed(&plain, &keys);
                assert!(opened(&file, &keys).unwrap() == plain, "{length} bytes");
                assert!(!file.windows(10).any(|part| part == b"4117220010"));
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_altered_or_put_together_otherwise_does_not_open() {
        let keys = MasterKeys::fresh(&SeededIds::new(1), CipherKind::default());
        let plain: Vec<u8> = (0..3 * PIECE).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
        let file = sealed(&plain, &keys);
        let head = file.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
        let piece = (file.len() - head) / 3;
        for length in (0..file.len()).step_by(97_001).chain([file.len() - 1, head, head + piece]) {
            assert!(opened(&file[..length], &keys).is_err(), "{length} bytes of it open");
        }
        for at in (0..file.len()).step_by(97_001).chain([0, head, head + 1, head + 5, file.len() - 1]) {
            let mut other = file.clone();
            other[at] ^= 1;
            assert!(opened(&other, &keys).is_err(), "byte {at} may be another");
        }
        let (one, two) = (head..head + piece, head + piece..head + 2 * piece);
        let exchanged = [&file[..head], &file[two.clone()], &file[one], &file[two.end..]].concat();
        assert!(opened(&exchanged, &keys).is_err(), "pieces may change places");
        assert!(opened(&[&file[..], b"0"].concat(), &keys).is_err(), "something may follow");
        let other = MasterKeys::fresh(&SeededIds::new(9), CipherKind::default());
        assert!(opened(&file, &other).unwrap_err().to_string().contains("master key"));
    }
}
