//! Where the mixed samples go: a loudspeaker ([`Player`]) or a file ([`Recording`]).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{clip::RATE, player::Player};
use crate::config::SoundDevice;

const SPEC: hound::WavSpec = hound::WavSpec {
    channels: 1,
    sample_rate: RATE,
    bits_per_sample: 16,
    sample_format: hound::SampleFormat::Int,
};

/// Takes samples, one channel at [`RATE`].
pub trait Output: Send {
    /// Takes a block, opening what is needed. Never waits.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`]: not now, the same block later. Any other: nothing is heard, and the text says why.
    fn write(&mut self, block: &[i16]) -> io::Result<()>;

    /// Silence for a while; lets go of what was opened.
    ///
    /// # Errors
    /// What was written was not heard.
    fn close(&mut self) -> io::Result<()>;
}

/// The output a configuration names.
pub fn open(device: &SoundDevice) -> Box<dyn Output> {
    match device {
        SoundDevice::Usual => Box::new(Player::usual()),
        SoundDevice::Alsa(name) => Box::new(Player::alsa(name)),
        SoundDevice::File(path) => Box::new(Recording::new(path)),
    }
}

/// Writes what would be heard to a WAV file: the sounds one after the other, without the silence in which the output is closed.
pub(crate) struct Recording {
    path: PathBuf,
    file: Option<hound::WavWriter<io::BufWriter<fs::File>>>,
}

impl Recording {
    /// The file is made, or made anew, with the first sound.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }
}

impl Output for Recording {
    fn write(&mut self, block: &[i16]) -> io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            self.file.insert(hound::WavWriter::create(&self.path, SPEC).map_err(io_error)?)
        };
        block.iter().try_for_each(|sample| file.write_sample(*sample)).map_err(io_error)
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.flush().map_err(io_error))
    }
}

fn io_error(error: hound::Error) -> io::Error {
    if let hound::Error::IoError(error) = error { error } else { io::Error::other(error) }
}
