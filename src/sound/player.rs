//! The loudspeaker: a child process that plays raw samples from a pipe: `aplay` of ALSA, or `paplay` of the desktops' sound servers.
//!
//! A child rather than a library: linking ALSA needs its -dev package to build, and opening it at run time needs `unsafe`. It also keeps a
//! driver that hangs or crashes out of the terminal. The pipe never blocks, and a player that takes nothing for five seconds is ended.

use std::{
    io::{self, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
};

use rustix::{
    fs::{OFlags, fcntl_setfl},
    pipe::fcntl_setpipe_size,
};

use super::{clip::RATE, output::Output};

/// Refusals of a full pipe, one a block, after which a player counts as hung.
const REFUSALS_MAX: u32 = 250;

/// Two blocks fit (the kernel rounds up to a page): what waits in the pipe while a player starts is heard late ever after.
const PIPE_BYTES: usize = 4096;

/// A reason is a line.
const REASON_BYTES_MAX: u64 = 4096;

/// A way to play samples: a program and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Way {
    program: String,
    arguments: Vec<String>,
}

/// Plays through the first program that can.
pub(crate) struct Player {
    ways: Vec<Way>,
    /// The way in use, or to be tried next.
    way: usize,
    running: Option<Running>,
    /// Why the ways before this one did not play.
    reasons: Vec<String>,
}

struct Running {
    child: Child,
    pipe: ChildStdin,
    refusals: u32,
}

enum Trouble {
    /// The pipe is full.
    Full,
    /// This way does not play, and why.
    Over(String),
}

impl Player {
    /// Through the system's usual loudspeaker.
    pub fn usual() -> Self {
        Self::new(vec![aplay(None), paplay()])
    }

    /// Through an ALSA device, by the name that `aplay -L` lists.
    pub(crate) fn alsa(device: &str) -> Self {
        Self::new(vec![aplay(Some(device))])
    }

    fn new(ways: Vec<Way>) -> Self {
        Self { ways, way: 0, running: None, reasons: Vec::new() }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let running = match &mut self.running {
            Some(running) => running,
            None => self.running.insert(start(&self.ways[self.way]).map_err(Trouble::Over)?),
        };
        match running.pipe.write(bytes) {
            // A block is smaller than PIPE_BUF: the kernel takes all of it or nothing.
            Ok(_) => {
                running.refusals = 0;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && running.refusals < REFUSALS_MAX => {
                running.refusals += 1;
                Err(Trouble::Full)
            }
            Err(error) => Err(Trouble::Over(self.end(&error))),
        }
    }

    /// Ends the child and says why it did not play: its own last words if it had any.
    fn end(&mut self, error: &io::Error) -> String {
        let program = self.ways[self.way].program.clone();
        let last_words = self.running.take().map(Running::end).unwrap_or_default();
        let reason = if last_words.is_empty() { error.to_string() } else { last_words };
        format!("{program}: {reason}")
    }
}

impl Output for Player {
    fn write(&mut self, block: &[i16]) -> io::Result<()> {
        let bytes: Vec<u8> = block.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        loop {
            match self.try_write(&bytes) {
                Ok(()) => return Ok(()),
                Err(Trouble::Full) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(Trouble::Over(reason)) => {
                    self.reasons.push(reason);
                    self.way = (self.way + 1) % self.ways.len();
                    if self.reasons.len() >= self.ways.len() {
                        return Err(io::Error::other(std::mem::take(&mut self.reasons).join("; ")));
                    }
                }
            }
        }
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        // What is left in the player is the silence after the last sound, so it need not finish.
        let ended = running.child.try_wait()?;
        let last_words = running.end();
        match ended {
            None => {
                self.reasons.clear();
                Ok(())
            }
            Some(status) => {
                Err(io::Error::other(format!("{}: {status} {last_words}", self.ways[self.way].program)))
            }
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }
}

impl Running {
    /// Ends the child and gives the last line it said.
    fn end(mut self) -> String {
        drop(self.pipe);
        // Fails only if it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        let mut said = Vec::new();
        if let Some(errors) = self.child.stderr.take() {
            drop(errors.take(REASON_BYTES_MAX).read_to_end(&mut said));
        }
        let said = String::from_utf8_lossy(&said);
        said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }
}

fn start(way: &Way) -> Result<Running, String> {
    let spawned = Command::new(&way.program)
        .args(&way.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        if missing {
            format!("{} is not installed", way.program)
        } else {
            format!("{}: {error}", way.program)
        }
    })?;
    let pipe = child.stdin.take().ok_or_else(|| format!("{} has no pipe", way.program))?;
    fcntl_setfl(&pipe, OFlags::NONBLOCK).map_err(|error| format!("{}: {error}", way.program))?;
    // A system that refuses has a larger pipe, and sounds come later.
    let _ = fcntl_setpipe_size(&pipe, PIPE_BYTES);
    Ok(Running { child, pipe, refusals: 0 })
}

/// Plays from the first period on (`--start-delay`), with a tenth of a second in hand.
fn aplay(device: Option<&str>) -> Way {
    let rate = RATE.to_string();
    let fixed = [
        "--quiet",
        "--file-type=raw",
        "--format=S16_LE",
        "--channels=1",
        "--rate",
        &rate,
        "--buffer-time=100000",
        "--period-time=20000",
        "--start-delay=1",
    ];
    let device = device.map(|device| format!("--device={device}"));
    let arguments = fixed.into_iter().map(str::to_owned).chain(device).chain(["-".to_owned()]).collect();
    Way { program: "aplay".to_owned(), arguments }
}

fn paplay() -> Way {
    let rate = format!("--rate={RATE}");
    let fixed = [
        "--raw",
        "--format=s16le",
        "--channels=1",
        &rate,
        "--latency-msec=60",
        "--client-name=xinsheng-kiosk",
    ];
    Way { program: "paplay".to_owned(), arguments: fixed.map(str::to_owned).to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A player made of a line of shell.
    fn shell(line: &str) -> Way {
        Way { program: "sh".to_owned(), arguments: vec!["-c".to_owned(), line.to_owned()] }
    }

    /// A player that begins well, and then has no card.
    fn no_card() -> Way {
        shell(
            "head -c 1 > /dev/null; echo 'ALSA lib: cannot find card' >&2; echo 'audio open error' >&2; exit 1",
        )
    }

    /// Waits until the child has ended by itself.
    fn wait(player: &mut Player) {
        player.running.as_mut().unwrap().child.wait().unwrap();
    }

    #[test]
    fn the_samples_reach_the_program_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard.raw");
        let mut player = Player::new(vec![shell(&format!("head -c 8 > {}", heard.display()))]);
        player.write(&[1, -2]).unwrap();
        player.write(&[3, i16::MIN]).unwrap();
        wait(&mut player);
        assert_eq!(std::fs::read(heard).unwrap(), [1, 0, 0xFE, 0xFF, 3, 0, 0, 0x80]);
    }

    #[test]
    fn a_program_that_cannot_play_is_followed_by_the_next_one() {
        let missing = Way { program: "no-such-player".to_owned(), arguments: Vec::new() };
        let mut player = Player::new(vec![missing, no_card(), shell("cat > /dev/null")]);
        player.write(&[0; 960]).unwrap();
        assert_eq!(player.way, 1, "what is not installed is found out at once");
        wait(&mut player);
        player.write(&[0; 960]).unwrap();
        assert_eq!(player.way, 2);
        player.close().unwrap();
        assert!(player.reasons.is_empty());
    }

    #[test]
    fn when_nothing_plays_every_reason_is_given() {
        let missing = Way { program: "no-such-player".to_owned(), arguments: Vec::new() };
        let mut player = Player::new(vec![no_card(), missing]);
        player.write(&[0; 960]).unwrap();
        wait(&mut player);
        let said = player.write(&[0; 960]).unwrap_err().to_string();
        assert_eq!(said, "sh: audio open error; no-such-player is not installed");
        // The next try begins anew.
        player.write(&[0; 960]).unwrap();
        wait(&mut player);
        assert!(player.close().unwrap_err().to_string().contains("audio open error"));
    }

    #[test]
    fn a_program_that_takes_nothing_is_never_waited_for_and_ended_at_last() {
        let mut player = Player::new(vec![shell("exec sleep 600")]);
        let mut full = 0;
        let said = loop {
            match player.write(&[0; 960]) {
                Ok(()) => assert_eq!(full, 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => full += 1,
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(full, REFUSALS_MAX);
        assert!(said.starts_with("sh: "), "{said}");
        assert!(player.running.is_none());
    }
}
