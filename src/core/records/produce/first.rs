//! Waits for the first bytes of an input.

use super::Input;
use crate::core::event::{Event, Observer};
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long an input may be silent before that is told.
const SILENCE: Duration = Duration::from_secs(2);

/// The input once there is something in it; `None` when it ends without. That it takes longer is told as [`Event::Progress`].
///
/// # Errors
/// [`Stop::Interrupted`]. An input that cannot be read is passed on: its reader says why.
pub(super) fn wait_for(
    input: Input,
    name: Option<&str>,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<Option<Input>, Stop> {
    let Input::Lines(lines) = input else {
        return Ok(Some(input));
    };
    let (sender, begun) = mpsc::sync_channel(1);
    // a terminal or a pipe may have nothing to read for as long as it likes
    thread::spawn(move || {
        let mut lines = BufReader::new(lines);
        let is_empty = matches!(lines.fill_buf(), Ok([]));
        // fails when the wait was interrupted
        let _ = sender.send((!is_empty).then(|| Input::Lines(Box::new(lines))));
    });
    match Limit::new(SILENCE, interrupt).receive(&begun) {
        Err(Stop::Deadline { .. }) => {
            let name = name.unwrap_or("the input");
            observer.on(Event::Progress(format!("waiting for lines on {name}")));
            Ok(Limit::endless(interrupt).receive(&begun)?.flatten())
        }
        told => Ok(told?.flatten()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::Silent;
    use std::io::{self, Read};

    #[test]
    fn what_was_seen_is_still_there() {
        let input = Input::Lines(Box::new(&b"one\ntwo"[..]));
        let Ok(Some(Input::Lines(mut lines))) =
            wait_for(input, None, &Interrupt::default(), &Silent)
        else {
            panic!("there is something to read");
        };
        let mut text = String::new();
        lines.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo");
    }

    #[test]
    fn nothing_is_nothing_and_an_error_is_passed_on() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let wait = |input| wait_for(input, None, &Interrupt::default(), &Silent);
        assert!(matches!(
            wait(Input::Lines(Box::new(io::empty()))),
            Ok(None)
        ));
        assert!(matches!(wait(Input::Lines(Box::new(Broken))), Ok(Some(_))));
    }

    #[test]
    fn a_silent_input_can_be_interrupted() {
        let (reader, _writer) = io::pipe().unwrap();
        let interrupt = Interrupt::default();
        interrupt.raise();
        let waited = wait_for(Input::Lines(Box::new(reader)), None, &interrupt, &Silent);
        assert!(matches!(waited, Err(Stop::Interrupted)));
    }
}
