//! Clips: WAV and OGG Vorbis to samples as the mixer wants them, one channel at [`RATE`].

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Samples a second, everywhere behind a clip: what sound cards do without a detour.
pub const RATE: u32 = 48_000;

/// Nobody listens longer, and a clip that says it is longer would take all memory.
const SECONDS_MAX: u32 = 60;

/// A minute of two channels of 32 bits at the highest rate.
const BYTES_MAX: u64 = 96 << 20;

/// Rates that recorders use.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// What the file of a clip ends with, the preferred one first.
pub(crate) const ENDINGS: [&str; 2] = ["wav", "ogg"];

/// The file of a clip. A name may hold a dot, so the ending is added and nothing is replaced.
pub fn path(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}

/// A sound ready to be mixed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clip(Arc<[i16]>);

/// Why a file is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// The file cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// Neither of the two formats.
    #[error("it is neither a WAV nor an OGG file")]
    Unknown,
    /// A damaged WAV file, or one that is compressed.
    #[error("its WAV data cannot be decoded")]
    Wav(#[source] hound::Error),
    /// A damaged OGG file, or one that holds something else than Vorbis.
    #[error("its OGG data cannot be decoded as Vorbis")]
    Vorbis(#[source] vorbis_rs::VorbisError),
    /// A rate that no recorder uses.
    #[error("it has {0} samples a second")]
    Rate(u32),
    /// Too long.
    #[error("it is longer than {SECONDS_MAX} seconds")]
    TooLong,
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
}

impl Clip {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ClipError> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(ClipError::Unreadable)?;
        file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(ClipError::Unreadable)?;
        Self::decode(&bytes)
    }

    /// Decodes a file's bytes, by what they are and not by the file's ending.
    pub fn decode(bytes: &[u8]) -> Result<Self, ClipError> {
        let (rate, mono) = match bytes.get(..4) {
            Some(b"RIFF") => wav(bytes)?,
            Some(b"OggS") => ogg(bytes)?,
            Some(_) | None => return Err(ClipError::Unknown),
        };
        if mono.is_empty() {
            return Err(ClipError::Empty);
        }
        Ok(Self::of_mono(&at_rate(&mono, rate)))
    }

    /// From samples between -1 and 1 at [`RATE`].
    pub(crate) fn of_mono(samples: &[f32]) -> Self {
        Self(samples.iter().map(|sample| to_sample(sample * f32::from(i16::MAX))).collect())
    }

    /// The samples.
    pub fn samples(&self) -> &[i16] {
        &self.0
    }
}

/// How many samples some milliseconds are.
pub(crate) fn samples_of(ms: u32) -> usize {
    usize::try_from(ms * (RATE / 1000)).unwrap_or(0)
}

/// The nearest sample; what is too loud is cut.
#[expect(clippy::cast_possible_truncation, reason = "it was clamped to the range of the type")]
pub(crate) fn to_sample(value: f32) -> i16 {
    value.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

fn wav(bytes: &[u8]) -> Result<(u32, Vec<f32>), ClipError> {
    let mut reader = hound::WavReader::new(bytes).map_err(ClipError::Wav)?;
    let spec = reader.spec();
    let limit = limit(spec.sample_rate)?;
    if reader.duration() as usize > limit {
        return Err(ClipError::TooLong);
    }
    let interleaved: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let loudest = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|sample| Ok(as_f32(sample?) / loudest)).collect()
        }
    };
    let channels = usize::from(spec.channels).max(1);
    let interleaved = interleaved.map_err(ClipError::Wav)?;
    let mono = interleaved.chunks_exact(channels).map(|frame| mean(frame.iter().copied())).collect();
    Ok((spec.sample_rate, mono))
}

fn ogg(bytes: &[u8]) -> Result<(u32, Vec<f32>), ClipError> {
    let mut decoder = vorbis_rs::VorbisDecoder::<&[u8]>::new(bytes).map_err(ClipError::Vorbis)?;
    let rate = decoder.sampling_frequency().get();
    let limit = limit(rate)?;
    let mut mono = Vec::new();
    while let Some(block) = decoder.decode_audio_block().map_err(ClipError::Vorbis)? {
        let channels = block.samples();
        let frames = channels.first().map_or(0, |first| first.len());
        mono.extend((0..frames).map(|i| mean(channels.iter().filter_map(|channel| channel.get(i).copied()))));
        if mono.len() > limit {
            return Err(ClipError::TooLong);
        }
    }
    Ok((rate, mono))
}

/// The most samples of a channel at a rate.
fn limit(rate: u32) -> Result<usize, ClipError> {
    if RATES.contains(&rate) { Ok((rate * SECONDS_MAX) as usize) } else { Err(ClipError::Rate(rate)) }
}

fn mean(channels: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = channels.fold((0.0, 0.0_f32), |(sum, count), sample| (sum + sample, count + 1.0));
    // A damaged file of floats can hold what is no number.
    let mean = sum / count.max(1.0);
    if mean.is_finite() { mean } else { 0.0 }
}

/// The samples at [`RATE`], by a cubic through four neighbours: speech at 16 or 22 kHz sounds as it did, and a Raspberry Pi does
/// a sentence in a few milliseconds.
fn at_rate(samples: &[f32], rate: u32) -> Vec<f32> {
    if rate == RATE {
        return samples.to_vec();
    }
    let (from, to) = (rate as usize, RATE as usize);
    let near = |k: usize| samples.get(k.min(samples.len() - 1)).copied().unwrap_or(0.0);
    let at = |i: usize| {
        let (k, rest) = (i * from / to, i * from % to);
        cubic([near(k.saturating_sub(1)), near(k), near(k + 1), near(k + 2)], ratio(rest, to))
    };
    (0..samples.len() * to / from).map(at).collect()
}

/// Catmull and Rom's curve from the second to the third of four points.
fn cubic([before, from, to, after]: [f32; 4], t: f32) -> f32 {
    let slope = 0.5 * (to - before);
    let square = before - 2.5 * from + 2.0 * to - 0.5 * after;
    let cube = 0.5 * (after - before) + 1.5 * (from - to);
    ((cube * t + square) * t + slope) * t + from
}

#[expect(clippy::cast_precision_loss, reason = "both are below a sample rate")]
fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

#[expect(clippy::cast_precision_loss, reason = "the mixer works with 16 bits; more than 24 are not heard")]
fn as_f32(sample: i32) -> f32 {
    sample as f32
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU8, NonZeroU32};

    use proptest::prelude::*;

    use super::*;

    /// A tone of 440 Hz and half the loudness.
    #[expect(clippy::cast_precision_loss, reason = "some ten thousand samples")]
    fn tone(rate: u32, ms: u32) -> Vec<f32> {
        let radian = std::f32::consts::TAU * 440.0 / rate as f32;
        (0..rate * ms / 1000).map(|i| 0.5 * (radian * i as f32).sin()).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "samples are between -1 and 1")]
    fn wav_of(spec: hound::WavSpec, samples: &[f32]) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for sample in samples {
            for _ in 0..spec.channels {
                match spec.sample_format {
                    hound::SampleFormat::Float => writer.write_sample(*sample).unwrap(),
                    hound::SampleFormat::Int => {
                        let loudest = 2_f32.powi(i32::from(spec.bits_per_sample) - 1) - 1.0;
                        writer.write_sample((sample * loudest) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn ogg_of(rate: u32, samples: &[f32]) -> Vec<u8> {
        let (rate, channels) = (NonZeroU32::new(rate).unwrap(), NonZeroU8::new(1).unwrap());
        let mut builder = vorbis_rs::VorbisEncoderBuilder::new_with_serial(rate, channels, Vec::new(), 1);
        let mut encoder = builder.build().unwrap();
        encoder.encode_audio_block([samples]).unwrap();
        encoder.finish().unwrap()
    }

    fn spec(sample_rate: u32, bits_per_sample: u16, channels: u16) -> hound::WavSpec {
        let float = bits_per_sample == 32;
        let sample_format = if float { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
        hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format }
    }

    /// The clip is the tone: as long, as loud, as high.
    fn assert_tone(clip: &Clip, ms: u32) {
        let samples = clip.samples();
        let length = samples_of(ms);
        assert!(samples.len().abs_diff(length) < 100, "{} samples", samples.len());
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(peak.abs_diff(16_384) < 900, "peak {peak}");
        let rises = samples.windows(2).filter(|two| two[0] < 0 && two[1] >= 0).count();
        assert!(rises.abs_diff(440 * ms as usize / 1000) <= 1, "{rises} periods");
    }

    #[test]
    fn wav_files_of_every_usual_kind_are_read() {
        for (rate, bits, channels) in [
            (48_000, 16, 1),
            (44_100, 16, 2),
            (22_050, 16, 1),
            (16_000, 8, 1),
            (96_000, 24, 2),
            (8_000, 32, 1),
        ] {
            let clip = Clip::decode(&wav_of(spec(rate, bits, channels), &tone(rate, 500))).unwrap();
            assert_tone(&clip, 500);
        }
    }

    #[test]
    fn ogg_files_are_read() {
        for rate in [22_050, 48_000] {
            assert_tone(&Clip::decode(&ogg_of(rate, &tone(rate, 500))).unwrap(), 500);
        }
    }

    #[test]
    fn what_is_no_clip_is_refused_with_a_reason() {
        let refused = |bytes: &[u8]| Clip::decode(bytes).unwrap_err().to_string();
        assert_eq!(refused(b""), "it is neither a WAV nor an OGG file");
        assert_eq!(refused(b"ID3\x03 music"), "it is neither a WAV nor an OGG file");
        assert_eq!(refused(b"RIFF...."), "its WAV data cannot be decoded");
        assert_eq!(refused(b"OggS...."), "its OGG data cannot be decoded as Vorbis");
        assert_eq!(refused(&wav_of(spec(48_000, 16, 1), &[])), "it is empty");
        assert_eq!(refused(&wav_of(spec(4_000, 16, 1), &[0.0])), "it has 4000 samples a second");
        assert_eq!(refused(&wav_of(spec(8_000, 8, 1), &vec![0.0; 480_001])), "it is longer than 60 seconds");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_damaged_file_is_refused_or_heard_but_never_the_end(
            is_ogg in any::<bool>(),
            cut in any::<prop::sample::Index>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let tone = tone(22_050, 60);
            let mut bytes = if is_ogg { ogg_of(22_050, &tone) } else { wav_of(spec(22_050, 16, 1), &tone) };
            for (at, byte) in damage {
                *at.get_mut(&mut bytes) = byte;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            if let Ok(clip) = Clip::decode(&bytes) {
                prop_assert!(clip.samples().len() <= samples_of(SECONDS_MAX * 1000));
            }
        }
    }
}
