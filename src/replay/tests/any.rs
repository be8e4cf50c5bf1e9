//! Any bytes, and files of any length.

use std::io::SeekFrom;

use encoding_rs::{BIG5, GBK};
use proptest::prelude::*;

use super::*;

/// A file of a million rows that exists nowhere as a whole.
struct Generated {
    head: &'static [u8],
    row: &'static [u8],
    rows: u64,
    at: u64,
    most_read: usize,
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.most_read = self.most_read.max(buffer.len());
        let head = self.head.len() as u64;
        let end = head + self.rows * self.row.len() as u64;
        let count = (end - self.at).min(buffer.len() as u64);
        for (i, byte) in buffer.iter_mut().enumerate().take(usize::try_from(count).unwrap()) {
            let at = self.at + i as u64;
            *byte = if at < head {
                self.head[usize::try_from(at).unwrap()]
            } else {
                self.row[usize::try_from((at - head) % self.row.len() as u64).unwrap()]
            };
        }
        self.at += count;
        Ok(usize::try_from(count).unwrap())
    }
}

impl Seek for Generated {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        assert_eq!(to, SeekFrom::Start(0), "the reader only ever begins anew");
        self.at = 0;
        Ok(0)
    }
}

#[test]
fn a_million_lines_stream_through_a_small_buffer() {
    let mut file = Generated {
        head: HEAD.as_bytes(),
        row: b"p1,2026-01-30,North,1\r\n",
        rows: 1_000_000,
        at: 0,
        most_read: 0,
    };
    let read = read(&mut file, &options()).unwrap();
    assert_eq!(read.rows.len(), 1_000_000);
    assert_eq!(read.rows[999_999].line, 1_000_001);
    assert!(file.most_read <= 64 * 1024, "read {} bytes at once", file.most_read);
    assert!(size_of::<Row>() <= 64, "{}", size_of::<Row>());
}

proptest! {
    // The same dice in every run, so that a red run is red again.
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(17),
        ..ProptestConfig::default()
    })]

    /// Whatever bytes a file holds, the reader answers: with rows that hold what they promise, or with findings.
    #[test]
    fn any_bytes_give_a_plan_or_findings(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes)?;
    }

    /// The same for files that were good before some of their bytes were changed, left out or doubled.
    #[test]
    fn damaged_files_give_a_plan_or_findings(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..12),
        encoding in 0u8..4,
    ) {
        let text = "# note\nrespondent;date;touchpoint;rating\np1;2026-01-30;\"药房; 2\";1\r\np2;31/01/2026 08:30;North;Very good\np3;46053.5;Аптека;7.0\n";
        let mut bytes = match encoding {
            0 => text.as_bytes().to_vec(),
            1 => GBK.encode(text).0.into_owned(),
            2 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => BIG5.encode(text).0.into_owned(),
        };
        for (at, kind, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => { let tail = bytes[at..].to_vec(); bytes.extend(tail); }
            }
        }
        check(&bytes)?;
    }

    #[test]
    fn any_cell_is_read_or_refused(cell in "\\PC{0,30}") {
        let _ = dates::Written::read(&cell);
        let _ = Ratings::new(Scale::Fft6).read(&cell);
        let id = ids(&[&cell]);
        prop_assert!(id[0].parse::<crate::model::TouchpointId>().is_ok());
        let _ = Columns::default().with(&cell);
    }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match read_bytes(bytes, &options()) {
        Ok(plan) => {
            prop_assert!(!plan.rows.is_empty());
            for row in &plan.rows {
                prop_assert!(row.place < plan.places.len());
                prop_assert!(row.date >= day(2000, 1, 1) && row.date <= day(2026, 11, 26));
                prop_assert!(row.value.is_none_or(|value| plan.scale.holds(value)));
                prop_assert!(row.line > 0);
            }
        }
        Err(findings) => {
            prop_assert!(findings.count > 0 && findings.named.len() <= 50);
            prop_assert!(!findings.to_string().chars().any(|c| c.is_control() && c != '\n'), "{findings}");
        }
    }
    Ok(())
}
