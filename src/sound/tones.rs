//! The built-in click and thanks. They are computed, so that there is no file to lose; `click` and `thanks` in the folder of the clips
//! take their place.
//!
//! Soft on purpose: no attack is shorter than 3 ms, nothing is above 1.8 kHz where old ears hear least, and all ends in silence.

use super::clip::{Clip, RATE, samples_of};

/// Whole length of the click.
const CLICK_MS: u32 = 50;

/// Whole length of the thanks.
const THANKS_MS: u32 = 560;

/// A fingertip on wood.
pub fn click() -> Clip {
    let mut sound = vec![0.0; samples_of(CLICK_MS)];
    strike(&mut sound, &Strike { at_ms: 0, hertz: 740.0, peak: 0.35, attack_ms: 3.0, fading_ms: 8.0 });
    Clip::of_mono(&settle(sound))
}

/// Two tones, a fourth upwards: done, and well.
pub fn thanks() -> Clip {
    let mut sound = vec![0.0; samples_of(THANKS_MS)];
    for (at_ms, hertz) in [(0, 659.25), (160, 880.0)] {
        strike(&mut sound, &Strike { at_ms, hertz, peak: 0.26, attack_ms: 12.0, fading_ms: 110.0 });
        // An octave above, faint and shorter: a struck bar rather than a test tone.
        let octave = Strike { at_ms, hertz: 2.0 * hertz, peak: 0.04, attack_ms: 8.0, fading_ms: 50.0 };
        strike(&mut sound, &octave);
    }
    Clip::of_mono(&settle(sound))
}

/// A tone that rises smoothly and fades.
struct Strike {
    at_ms: u32,
    hertz: f32,
    peak: f32,
    attack_ms: f32,
    fading_ms: f32,
}

fn strike(sound: &mut [f32], strike: &Strike) {
    for (i, sample) in sound.iter_mut().skip(samples_of(strike.at_ms)).enumerate() {
        let ms = ms_of(i);
        let rise = (ms / strike.attack_ms).min(1.0);
        let rise = 0.5 - 0.5 * (std::f32::consts::PI * rise).cos();
        let fade = (-(ms - strike.attack_ms).max(0.0) / strike.fading_ms).exp();
        let wave = (std::f32::consts::TAU * strike.hertz * ms / 1000.0).sin();
        *sample += strike.peak * rise * fade * wave;
    }
}

/// Leads the last 8 ms to silence.
fn settle(mut sound: Vec<f32>) -> Vec<f32> {
    for (i, sample) in sound.iter_mut().rev().take(samples_of(8)).enumerate() {
        *sample *= ms_of(i) / 8.0;
    }
    sound
}

#[expect(clippy::cast_precision_loss, reason = "a tone has some ten thousand samples")]
fn ms_of(samples: usize) -> f32 {
    samples as f32 * 1000.0 / RATE as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(samples: &[i16]) -> u16 {
        samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
    }

    #[test]
    fn the_tones_are_short_and_leave_room_above() {
        for (clip, ms) in [(click(), 50), (thanks(), 560)] {
            assert_eq!(clip.samples().len(), 48 * ms);
            let peak = peak(clip.samples());
            assert!((5_000..14_000).contains(&peak), "{peak}");
        }
    }

    #[test]
    fn nothing_begins_or_ends_with_a_crack() {
        for clip in [click(), thanks()] {
            let samples = clip.samples();
            assert!(peak(&samples[..48]) < peak(samples) / 4, "the first millisecond is soft");
            assert!(peak(&samples[samples.len() - 48..]) < peak(samples) / 50, "the last one is silent");
            // The steepest step is that of the tones themselves: no jump in the wave.
            let step = samples.windows(2).map(|two| two[0].abs_diff(two[1])).max().unwrap();
            assert!(step < peak(samples) / 4, "{step}");
        }
    }
}
