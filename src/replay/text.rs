//! From a file's bytes to UTF-8 text with `\n` at the end of each line.

use std::{
    fmt,
    io::{self, BufReader, Read, Seek, SeekFrom},
    str::FromStr,
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::Findings;

/// What is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes outside ASCII after which a guess at the encoding does not get better.
const GUESS_BYTES: usize = 1024 * 1024;

/// Without a byte order mark the zero bytes of this many first bytes tell UTF-16.
const LOOK_BYTES: usize = 4096;

/// The name of an encoding that does not exist.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not an encoding; write for example utf-8, utf-16le, gbk, gb18030, big5 or windows-1252")]
pub struct UnknownEncoding(String);

/// An encoding of text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileEncoding(&'static Encoding);

impl FileEncoding {
    /// Its name as people know it.
    pub fn name(self) -> &'static str {
        // The decoder of GBK reads all of GB18030.
        if self.0 == GBK || self.0 == GB18030 { "GBK/GB18030" } else { self.0.name() }
    }
}

impl fmt::Debug for FileEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FileEncoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, UnknownEncoding> {
        let label = text.trim().to_ascii_lowercase();
        let found = match label.as_str() {
            "utf16" | "utf-16" => Some(UTF_16LE),
            "utf16be" => Some(UTF_16BE),
            "utf8" => Some(UTF_8),
            "gb18030" | "gbk/gb18030" => Some(GB18030),
            "cp936" => Some(GBK),
            "cp950" => Some(BIG5),
            other => Encoding::for_label(other.as_bytes()),
        };
        found.map(Self).ok_or_else(|| UnknownEncoding(text.to_owned()))
    }
}

/// A file's text.
pub(super) struct Opened<'a, R> {
    pub(super) text: BufReader<Lines<DecodeReaderBytes<&'a mut R, Vec<u8>>>>,
    pub(super) encoding: FileEncoding,
    pub(super) notes: Vec<String>,
}

/// Recognises the encoding and begins to read.
pub(super) fn open<R: Read + Seek>(
    file: &mut R,
    wanted: Option<FileEncoding>,
) -> Result<Opened<'_, R>, Findings> {
    let mut notes = Vec::new();
    if let Some(kind) = workbook(file).map_err(|error| unreadable(&error))? {
        return Err(Findings::whole(
            format!("the file is {kind} and no table that can be read"),
            "save it as CSV UTF-8",
        ));
    }
    let encoding = if let Some(FileEncoding(encoding)) = wanted {
        encoding
    } else {
        let (encoding, sure) = recognise(file).map_err(|error| unreadable(&error))?;
        if encoding != UTF_8 {
            let name = FileEncoding(encoding).name();
            let doubt = if sure {
                ""
            } else {
                "; if names look wrong, say which encoding it is, for example --encoding gbk"
            };
            let verb = if sure { "is" } else { "is taken for" };
            notes.push(format!("the file {verb} {name}{doubt}"));
        }
        encoding
    };
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
    let decoded = DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding))
        .bom_override(true)
        .strip_bom(true)
        .build(file);
    let text = BufReader::with_capacity(CHUNK_BYTES, Lines::new(decoded));
    Ok(Opened { text, encoding: FileEncoding(encoding), notes })
}

pub(super) fn unreadable(error: &io::Error) -> Findings {
    Findings::whole(format!("the file cannot be read: {error}"), "look whether it is a file and may be read")
}

/// The encoding, and whether the file itself says so.
fn recognise(file: &mut (impl Read + Seek)) -> io::Result<(&'static Encoding, bool)> {
    file.seek(SeekFrom::Start(0))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let first = fill(file, &mut chunk)?;
    if let Some((encoding, _)) = Encoding::for_bom(&chunk[..first]) {
        return Ok((encoding, true));
    }
    if let Some(encoding) = utf16_without_mark(&chunk[..first.min(LOOK_BYTES)]) {
        return Ok((encoding, true));
    }
    file.seek(SeekFrom::Start(0))?;
    if is_utf8(file, &mut chunk)? {
        return Ok((UTF_8, true));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut sample = Vec::new();
    while sample.len() < GUESS_BYTES {
        let read = fill(file, &mut chunk)?;
        if read == 0 {
            break;
        }
        if !chunk[..read].is_ascii() {
            sample.extend_from_slice(&chunk[..read]);
        }
    }
    Ok((guess(&sample), false))
}

/// The likeliest encoding of text that is not UTF-8: Simplified Chinese before others, because of whom this is for.
fn guess(sample: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    let guessed = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    if guessed == GBK && looks_like_big5(sample) { BIG5 } else { guessed }
}

/// Nearly all text in GBK keeps to GB 2312, whose second bytes are above 0xA0; of Big5's every second one is below.
fn looks_like_big5(sample: &[u8]) -> bool {
    let end = sample.iter().rposition(u8::is_ascii).map_or(0, |at| at + 1);
    if BIG5.decode_without_bom_handling_and_without_replacement(&sample[..end]).is_none() {
        return false;
    }
    let (mut pairs, mut low) = (0_u64, 0_u64);
    let mut bytes = sample[..end].iter();
    while let Some(first) = bytes.next() {
        if !first.is_ascii()
            && let Some(second) = bytes.next()
        {
            pairs += 1;
            low += u64::from(*second < 0xa1);
        }
    }
    low * 5 >= pairs
}

/// What people name by mistake in place of an export of it.
fn workbook(file: &mut (impl Read + Seek)) -> io::Result<Option<&'static str>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = [0; 64];
    let read = fill(file, &mut bytes)?;
    let bytes = &bytes[..read];
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().to_ascii_lowercase();
    let begins = |with: &[&[u8]]| with.iter().any(|start| text.starts_with(start));
    Ok(if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        Some("saved as UTF-32")
    } else if begins(&[b"<!doctype", b"<html", b"<?xml", b"<table"]) {
        Some("a page of the web or XML")
    } else if begins(&[b"{", b"[{", b"[["]) {
        Some("JSON")
    } else if bytes.starts_with(b"PK\x03\x04") {
        Some("a workbook (xlsx, ods) or a zip file")
    } else if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        Some("an old workbook (xls)")
    } else if bytes.starts_with(b"%PDF") {
        Some("a PDF")
    } else {
        None
    })
}

/// Text of mostly Latin signs and digits in UTF-16 has a zero in nearly every other byte, always on the same side.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let pairs = bytes.len() / 2;
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if pairs < 4 {
        None
    } else if odd * 3 >= pairs && even * 8 <= odd {
        // A character such as `一` has a zero on the other side.
        Some(UTF_16LE)
    } else if even * 3 >= pairs && odd * 8 <= even {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn is_utf8(file: &mut impl Read, chunk: &mut [u8]) -> io::Result<bool> {
    let mut kept = 0;
    loop {
        let read = fill(file, &mut chunk[kept..])?;
        let end = kept + read;
        match std::str::from_utf8(&chunk[..end]) {
            Ok(_) => kept = 0,
            // Cut in the middle of a character: the rest of it is in the next chunk.
            Err(error) if error.error_len().is_none() && read > 0 => {
                chunk.copy_within(error.valid_up_to()..end, 0);
                kept = end - error.valid_up_to();
            }
            Err(_) => return Ok(false),
        }
        if read == 0 {
            return Ok(kept == 0);
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Text in which every line, the last one too, ends with `\n` alone: lines are then counted as an editor counts them.
pub(super) struct Lines<R> {
    inner: R,
    raw: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    after_return: bool,
    last: u8,
    ended: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            raw: vec![0; CHUNK_BYTES],
            ready: Vec::with_capacity(CHUNK_BYTES),
            given: 0,
            after_return: false,
            last: b'\n',
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !self.ended {
            let read = fill(&mut self.inner, &mut self.raw)?;
            self.ended = read == 0;
            for &byte in &self.raw[..read] {
                let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
                match byte {
                    b'\n' if after_return => {}
                    b'\r' => self.ready.push(b'\n'),
                    other => self.ready.push(other),
                }
            }
            if self.ended && self.last != b'\n' {
                self.ready.push(b'\n');
            }
            self.last = self.ready.last().copied().unwrap_or(self.last);
        }
        Ok(())
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.refill()?;
        }
        let rest = &self.ready[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}
