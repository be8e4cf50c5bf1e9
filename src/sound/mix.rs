//! Samples of everything that sounds at once. Pure: the same calls give the same samples.

use super::clip::{Clip, samples_of, to_sample};

/// What is ended or turned down fades this long: a sudden end is a crack.
const FADE_MS: u32 = 15;

/// From a page or its tones to the voice: a moment to look first.
const PAUSE_MS: u32 = 200;

/// What a voice of the mixer is; there is never more than one of a kind, but for a prompt that fades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Click,
    Thanks,
    Prompt,
}

#[derive(Debug)]
struct Voice {
    kind: Kind,
    clip: Clip,
    /// Samples of silence before it.
    delay: usize,
    at: usize,
    /// 1 while it sounds, down to 0 once it was ended.
    strength: f32,
    ended: bool,
}

/// Mixes click, thanks and prompt.
#[derive(Debug, Default)]
pub(crate) struct Mixer {
    voices: Vec<Voice>,
    gain: f32,
    wanted: f32,
}

impl Mixer {
    /// How loud everything is, from now on; 0 ends what sounds. The ear hears by powers, so half the percent is a quarter of the wave.
    pub(crate) fn turn(&mut self, percent: u8) {
        let share = f32::from(percent.min(100)) / 100.0;
        self.wanted = share * share;
        if self.voices.is_empty() {
            self.gain = self.wanted;
        }
        if percent == 0 {
            self.end(|_| true);
        }
    }

    /// Begins the click, unless one sounds: a storm of touches is no rattle.
    pub fn click(&mut self, clip: Clip) {
        if !self.voices.iter().any(|voice| voice.kind == Kind::Click) {
            self.begin(Kind::Click, clip, 0);
        }
    }

    /// Begins the thanks.
    pub fn thanks(&mut self, clip: Clip) {
        self.end(|kind| kind == Kind::Thanks);
        self.begin(Kind::Thanks, clip, 0);
    }

    /// Begins a prompt in place of the one before.
    pub fn prompt(&mut self, clip: Clip) {
        self.stop_prompt();
        self.begin(Kind::Prompt, clip, samples_of(PAUSE_MS));
    }

    /// Ends the prompt.
    pub(crate) fn stop_prompt(&mut self) {
        self.end(|kind| kind == Kind::Prompt);
    }

    /// Ends everything at once: nobody hears it any more.
    pub fn clear(&mut self) {
        self.voices.clear();
    }

    /// Whether nothing sounds or is about to.
    pub(crate) fn is_silent(&self) -> bool {
        self.voices.is_empty()
    }

    /// The next samples.
    pub fn fill(&mut self, block: &mut [i16]) {
        let step = 1.0 / fade_samples();
        for out in block {
            self.gain += (self.wanted - self.gain).clamp(-step, step);
            let sum: f32 = self.voices.iter_mut().map(Voice::next).sum();
            *out = to_sample(sum * self.gain);
        }
        self.voices.retain(|voice| !voice.is_over());
    }

    fn begin(&mut self, kind: Kind, clip: Clip, delay: usize) {
        if self.wanted > 0.0 {
            self.voices.push(Voice { kind, clip, delay, at: 0, strength: 1.0, ended: false });
        }
    }

    fn end(&mut self, which: impl Fn(Kind) -> bool) {
        for voice in self.voices.iter_mut().filter(|voice| which(voice.kind)) {
            voice.ended = true;
        }
        self.voices.retain(|voice| !voice.is_over());
    }
}

impl Voice {
    fn next(&mut self) -> f32 {
        if self.delay > 0 {
            self.delay -= 1;
            return 0.0;
        }
        let Some(sample) = self.clip.samples().get(self.at) else { return 0.0 };
        self.at += 1;
        if self.ended {
            self.strength = (self.strength - 1.0 / fade_samples()).max(0.0);
        }
        f32::from(*sample) * self.strength
    }

    fn is_over(&self) -> bool {
        let unheard = self.ended && (self.at == 0 || self.strength <= 0.0);
        unheard || self.at >= self.clip.samples().len()
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundred samples")]
fn fade_samples() -> f32 {
    samples_of(FADE_MS) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clip that stands at one value, so that the mix shows what sounds.
    fn flat(value: f32, ms: u32) -> Clip {
        Clip::of_mono(&vec![value; samples_of(ms)])
    }

    fn mixer() -> Mixer {
        let mut mixer = Mixer::default();
        mixer.turn(100);
        mixer
    }

    fn mixed(mixer: &mut Mixer, ms: u32) -> Vec<i16> {
        let mut block = vec![0; samples_of(ms)];
        mixer.fill(&mut block);
        block
    }

    fn last(mixer: &mut Mixer, ms: u32) -> i16 {
        mixed(mixer, ms).last().copied().unwrap()
    }

    #[test]
    fn a_new_prompt_takes_the_place_of_the_old_one_without_a_crack() {
        let mut mixer = mixer();
        mixer.prompt(flat(0.25, 2_000));
        assert_eq!(last(&mut mixer, PAUSE_MS + 100), 8_192);
        mixer.prompt(flat(-0.5, 2_000));
        let fading = mixed(&mut mixer, FADE_MS + 5);
        assert!(fading.windows(2).all(|two| two[0].abs_diff(two[1]) < 20), "it fades");
        assert_eq!(fading.last(), Some(&0));
        assert_eq!(last(&mut mixer, PAUSE_MS), -16_384);
    }

    #[test]
    fn a_click_sounds_over_a_prompt_and_does_not_end_it() {
        let mut mixer = mixer();
        mixer.prompt(flat(0.25, 2_000));
        mixed(&mut mixer, PAUSE_MS);
        mixer.click(flat(0.25, 50));
        assert_eq!(last(&mut mixer, 40), 16_384);
        assert_eq!(last(&mut mixer, 40), 8_192);
    }

    #[test]
    fn a_storm_of_touches_is_one_click_at_a_time() {
        let mut mixer = mixer();
        for _ in 0..200 {
            mixer.click(flat(0.25, 50));
        }
        assert_eq!(last(&mut mixer, 40), 8_192);
        mixed(&mut mixer, 20);
        assert!(mixer.is_silent());
    }

    #[test]
    fn a_prompt_that_was_ended_before_its_first_sample_leaves_nothing() {
        let mut mixer = mixer();
        mixer.prompt(flat(0.25, 500));
        mixer.stop_prompt();
        assert!(mixer.is_silent());
    }

    #[test]
    fn volume_is_a_square_and_zero_ends_everything() {
        let mut mixer = mixer();
        mixer.turn(50);
        mixer.prompt(flat(0.5, 2_000));
        assert_eq!(last(&mut mixer, 300), 4_096);
        mixer.turn(100);
        assert_eq!(last(&mut mixer, 20), 16_384);
        mixer.turn(0);
        assert_eq!(last(&mut mixer, 20), 0);
        assert!(mixer.is_silent());
        mixer.click(flat(0.5, 50));
        assert!(mixer.is_silent());
    }

    #[test]
    fn too_loud_a_sum_is_cut_and_never_wraps() {
        let mut mixer = mixer();
        mixer.thanks(flat(0.9, 100));
        mixer.click(flat(0.9, 50));
        assert_eq!(last(&mut mixer, 20), i16::MAX);
    }
}
