//! Parses the body of a batch and compares it with the part of the journal that is held already.

use crate::{
    chain,
    model::Hash,
    wire::{BATCH_ENTRIES_MAX, BatchHeader, ENTRY_BYTES_MAX, Withheld},
};

/// Why a body is no batch. The terminal halves a refused batch down to the entry that causes it.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// No header line, not the JSON of one, or longer than [`ENTRY_BYTES_MAX`].
    #[error("the first line is no batch header")]
    Header(#[source] Option<serde_json::Error>),
    /// Empty or more than [`BATCH_ENTRIES_MAX`].
    #[error("the header counts {0} entries, a batch has 1 to {BATCH_ENTRIES_MAX}")]
    Count(u32),
    /// Header and lines disagree.
    #[error("the header counts {header} entries, the body has {body}")]
    Lines {
        /// What the header says.
        header: u32,
        /// Lines after it.
        body: usize,
    },
    /// A line longer than [`ENTRY_BYTES_MAX`]: it is refused, so that a terminal that halves its batches ends at this very entry and
    /// sends its hash alone from then on.
    #[error("entry {seq} has {bytes} bytes, a line has at most {ENTRY_BYTES_MAX}; send its hash alone")]
    LongLine {
        /// Place in the chain.
        seq: u64,
        /// Its length.
        bytes: usize,
    },
    /// Sequence numbers start at 1 and fit a signed 64-bit integer.
    #[error("sequence numbers from {0} on are out of range")]
    Sequence(u64),
    /// The lines do not lead from the previous hash to the head hash.
    #[error("the lines hash to {computed}, the header says {header}")]
    Head {
        /// What the header says.
        header: Hash,
        /// What the lines give.
        computed: Hash,
    },
}

/// One line of a journal with its place in the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Place in the chain.
    pub seq: u64,
    /// Chain hash after it.
    pub hash: Hash,
    /// What came for it.
    pub content: Content,
}

/// What came for a place in the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// The line as the terminal wrote it, without its newline.
    Line(Vec<u8>),
    /// Its leaf hash alone.
    Withheld {
        /// SHA-256 of the line.
        leaf: Hash,
        /// Why the terminal does not send it.
        reason: String,
    },
}

/// A body that is consistent in itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// What it says of itself.
    pub header: BatchHeader,
    /// The header's bytes as sent; an auditor needs them to recompute the content digest.
    pub header_line: Vec<u8>,
    /// The entries.
    pub lines: Vec<Line>,
}

impl Batch {
    /// Reads a decompressed body and recomputes its hashes. What is stored of it is bounded: the header line, the number of lines, and
    /// each line's length.
    pub fn read(body: &[u8]) -> Result<Self, BatchError> {
        let batch = Self::reread(body)?;
        if batch.header_line.len() > ENTRY_BYTES_MAX {
            return Err(BatchError::Header(None));
        }
        let long = batch.lines.iter().find_map(|line| match &line.content {
            Content::Line(bytes) if bytes.len() > ENTRY_BYTES_MAX => Some((line.seq, bytes.len())),
            Content::Line(_) | Content::Withheld { .. } => None,
        });
        long.map_or(Ok(batch), |(seq, bytes)| Err(BatchError::LongLine { seq, bytes }))
    }

    /// The same for a body that was taken in before: an earlier version took longer lines.
    pub(crate) fn reread(body: &[u8]) -> Result<Self, BatchError> {
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        let mut raw = body.split(|byte| *byte == b'\n');
        let header_line = raw.next().filter(|line| !line.is_empty()).ok_or(BatchError::Header(None))?;
        let header: BatchHeader =
            serde_json::from_slice(header_line).map_err(|error| BatchError::Header(Some(error)))?;
        let count = usize::try_from(header.count).unwrap_or(usize::MAX);
        if count == 0 || count > BATCH_ENTRIES_MAX {
            return Err(BatchError::Count(header.count));
        }
        let last = header.first_seq.checked_add(u64::from(header.count) - 1);
        if header.first_seq == 0 || last.is_none_or(|last| i64::try_from(last).is_err()) {
            return Err(BatchError::Sequence(header.first_seq));
        }
        let lines = raw.clone().count();
        if lines != count {
            return Err(BatchError::Lines { header: header.count, body: lines });
        }
        let lines = link_lines(&header, raw);
        let computed = lines.last().map_or(header.previous_hash, |line| line.hash);
        if computed != header.head_hash {
            return Err(BatchError::Head { header: header.head_hash, computed });
        }
        Ok(Self { header_line: header_line.to_vec(), header, lines })
    }

    /// Whether the body is nothing but the header line and the lines that are stored: then it can be made again.
    pub(crate) fn rebuilds(&self, body: &[u8]) -> bool {
        let lines = self.lines.iter().map(|line| match &line.content {
            Content::Line(bytes) => bytes.as_slice(),
            Content::Withheld { .. } => &[],
        });
        plain_body(&self.header_line, lines) == body
    }

    /// Sequence number of the last line.
    pub fn last_seq(&self) -> u64 {
        self.header.first_seq + u64::from(self.header.count) - 1
    }
}

/// The body that a header line and lines make, each ended by a newline.
pub(crate) fn plain_body<'a>(header_line: &'a [u8], lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    std::iter::once(header_line).chain(lines).fold(Vec::new(), |mut body, line| {
        body.extend_from_slice(line);
        body.push(b'\n');
        body
    })
}

fn link_lines<'a>(header: &BatchHeader, raw: impl Iterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut hash = header.previous_hash;
    (header.first_seq..)
        .zip(raw)
        .map(|(seq, bytes)| {
            // A withheld line that names another place is just a line that cannot be read.
            let short = (bytes.len() <= ENTRY_BYTES_MAX).then_some(bytes);
            let withheld = short.and_then(|bytes| serde_json::from_slice::<Withheld>(bytes).ok());
            let withheld = withheld.filter(|held| held.seq == seq);
            let (leaf, content) = match withheld {
                Some(Withheld { leaf, reason, .. }) => (leaf, Content::Withheld { leaf, reason }),
                None => (chain::leaf(bytes), Content::Line(bytes.to_vec())),
            };
            hash = chain::link(hash, leaf);
            Line { seq, hash, content }
        })
        .collect()
}

/// How a batch lies against the held journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// It continues the journal after this many lines that are held already (possibly all of them).
    Append {
        /// Lines to pass over.
        known: usize,
    },
    /// It starts beyond the prefix: nothing is stored, and the receipt says from where to send.
    Gap,
    /// The same places hold another history: two machines write one journal, or a card was restored.
    Conflict,
}

/// Places a batch. `hash_at` gives the held chain hash after a sequence number, for numbers of the unbroken prefix from 1 on;
/// since every hash covers all lines before it, one comparison covers the whole overlap.
pub fn place(batch: &Batch, accepted_through: u64, hash_at: impl FnOnce(u64) -> Option<Hash>) -> Placement {
    let header = &batch.header;
    if header.first_seq > accepted_through + 1 {
        return Placement::Gap;
    }
    let known =
        usize::try_from(accepted_through + 1 - header.first_seq).unwrap_or(usize::MAX).min(batch.lines.len());
    let (seq, claimed) = match known.checked_sub(1).and_then(|last| batch.lines.get(last)) {
        Some(line) => (line.seq, line.hash),
        None => (header.first_seq - 1, header.previous_hash),
    };
    let held = if seq == 0 { Some(chain::genesis(header.chain)) } else { hash_at(seq) };
    if held == Some(claimed) { Placement::Append { known } } else { Placement::Conflict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BootId, ChainId, Moment, TimeQuality};

    const CHAIN: ChainId = ChainId([7; 16]);

    fn header(first_seq: u64, previous_hash: Hash, lines: &[&str]) -> BatchHeader {
        BatchHeader {
            chain: CHAIN,
            first_seq,
            previous_hash,
            count: u32::try_from(lines.len()).unwrap(),
            head_hash: chain::head(previous_hash, lines.iter().map(|line| line.as_bytes())),
            sent: Moment {
                wall: chrono::DateTime::UNIX_EPOCH,
                boot: BootId::from_parts(1, [0; 10]),
                up_ms: 5,
                quality: TimeQuality::Unset,
            },
        }
    }

    fn body(header: &BatchHeader, lines: &[&str]) -> Vec<u8> {
        let mut body = serde_json::to_string(header).unwrap();
        for line in lines {
            body.push('\n');
            body.push_str(line);
        }
        body.push('\n');
        body.into_bytes()
    }

    #[test]
    fn a_body_that_adds_up_is_a_batch_whatever_its_lines_say() {
        let lines = ["{}", "not json", "\u{0}"];
        let header = header(1, chain::genesis(CHAIN), &lines);
        let batch = Batch::read(&body(&header, &lines)).unwrap();
        assert_eq!(batch.lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(batch.last_seq(), 3);
    }

    #[test]
    fn a_changed_missing_or_surplus_line_is_refused() {
        let lines = ["a", "b"];
        let header = header(1, chain::genesis(CHAIN), &lines);
        assert!(matches!(Batch::read(&body(&header, &["a", "c"])), Err(BatchError::Head { .. })));
        assert!(matches!(Batch::read(&body(&header, &["a"])), Err(BatchError::Lines { .. })));
        assert!(matches!(Batch::read(&body(&header, &["a", "b", "c"])), Err(BatchError::Lines { .. })));
        assert!(matches!(Batch::read(b""), Err(BatchError::Header(None))));
        assert!(matches!(Batch::read(b"hello\n"), Err(BatchError::Header(Some(_)))));
    }

    #[test]
    fn a_line_over_four_kibibytes_is_refused_and_its_hash_alone_is_taken() {
        let genesis = chain::genesis(CHAIN);
        let (longest, long) = ("x".repeat(ENTRY_BYTES_MAX), "x".repeat(ENTRY_BYTES_MAX + 1));
        let lines = ["a", longest.as_str()];
        assert!(Batch::read(&body(&header(1, genesis, &lines), &lines)).is_ok());
        let lines = ["a", long.as_str(), "b"];
        let full = header(1, genesis, &lines);
        let refused = Batch::read(&body(&full, &lines));
        assert!(matches!(refused, Err(BatchError::LongLine { seq: 2, bytes: 4097 })), "{refused:?}");
        assert!(Batch::reread(&body(&full, &lines)).is_ok(), "what was taken in once can be audited");
        let alone = Withheld { seq: 2, leaf: chain::leaf(long.as_bytes()), reason: "too long".to_owned() };
        let batch = Batch::read(&body(&full, &["a", &serde_json::to_string(&alone).unwrap(), "b"])).unwrap();
        assert_eq!(batch.lines[2].hash, full.head_hash);
    }

    #[test]
    fn a_header_line_over_four_kibibytes_is_refused() {
        let full = header(1, chain::genesis(CHAIN), &["a"]);
        let text = serde_json::to_string(&full).unwrap();
        let padded = format!("{}{}}}\na\n", &text[..text.len() - 1], " ".repeat(ENTRY_BYTES_MAX));
        assert!(matches!(Batch::read(padded.as_bytes()), Err(BatchError::Header(None))));
    }

    #[test]
    fn sequence_numbers_beyond_63_bits_are_refused() {
        let mut far = header(1 << 63, chain::genesis(CHAIN), &["a"]);
        assert!(matches!(Batch::read(&body(&far, &["a"])), Err(BatchError::Sequence(_))));
        far.first_seq = u64::MAX;
        assert!(matches!(Batch::read(&body(&far, &["a"])), Err(BatchError::Sequence(_))));
        far.first_seq = 0;
        assert!(matches!(Batch::read(&body(&far, &["a"])), Err(BatchError::Sequence(_))));
    }

    #[test]
    fn a_withheld_line_keeps_the_chain_whole() {
        let genesis = chain::genesis(CHAIN);
        let full = header(1, genesis, &["a", "b"]);
        let withheld =
            serde_json::to_string(&Withheld { seq: 1, leaf: chain::leaf(b"a"), reason: "erased".to_owned() })
                .unwrap();
        let batch = Batch::read(&body(&full, &[&withheld, "b"])).unwrap();
        assert!(matches!(&batch.lines[0].content, Content::Withheld { reason, .. } if reason == "erased"));
        assert_eq!(batch.lines[1].hash, full.head_hash);
    }

    #[test]
    fn overlap_gap_and_other_histories_are_told_apart() {
        let genesis = chain::genesis(CHAIN);
        let held = [chain::head(genesis, [b"a".as_slice()]), chain::head(genesis, [b"a".as_slice(), b"b"])];
        let hash_at =
            |seq: u64| seq.checked_sub(1).and_then(|i| held.get(usize::try_from(i).unwrap()).copied());
        let read = |first_seq, previous, lines: &[&str]| {
            Batch::read(&body(&header(first_seq, previous, lines), lines)).unwrap()
        };
        let at = |batch: &Batch| place(batch, 2, hash_at);
        assert_eq!(at(&read(1, genesis, &["a", "b"])), Placement::Append { known: 2 });
        assert_eq!(at(&read(1, genesis, &["a", "b", "c"])), Placement::Append { known: 2 });
        assert_eq!(at(&read(3, held[1], &["c"])), Placement::Append { known: 0 });
        assert_eq!(at(&read(4, held[1], &["d"])), Placement::Gap);
        assert_eq!(at(&read(3, held[0], &["c"])), Placement::Conflict);
        assert_eq!(at(&read(1, genesis, &["a", "x"])), Placement::Conflict);
        assert_eq!(at(&read(1, held[0], &["a"])), Placement::Conflict);
    }
}
