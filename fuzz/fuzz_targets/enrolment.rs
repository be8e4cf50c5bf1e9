//! The request of a terminal that wants to be known.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xinsheng::central::fuzzing;

fuzz_target!(|body: &[u8]| {
    _ = fuzzing::read_enrolment(body);
});
