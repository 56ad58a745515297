//! Progress of `kmk verify`: next to the spinner on a terminal, one line per second elsewhere.

use super::super::output::{Output, Steps, seconds};
use kafka_mirror_kit::core::lab::verify::{Amount, Progress as Come};
use std::time::Duration;

/// How often a line is written.
const LINE: Duration = Duration::from_secs(1);

/// Shows how far it has come.
pub(super) struct Progress<'a> {
    amount: Amount,
    output: Output,
    steps: &'a Steps,
    next_line: Duration,
}

impl<'a> Progress<'a> {
    pub(super) fn new(amount: Amount, output: Output, steps: &'a Steps) -> Self {
        Self {
            amount,
            output,
            steps,
            next_line: LINE,
        }
    }

    pub(super) fn show(&mut self, at: &Come) {
        let line = || line(self.amount, at);
        if !self.steps.spin(line) && at.elapsed >= self.next_line {
            self.output.talk(&line());
            self.next_line = at.elapsed + LINE;
        }
    }
}

/// How far it has come, in a line.
fn line(amount: Amount, at: &Come) -> String {
    let of = match amount {
        Amount::Time(time) if at.elapsed < time => format!(" of {}", seconds(time)),
        Amount::Records(_) | Amount::Time(_) => String::new(),
    };
    let arrived: Vec<String> = at
        .arrived
        .iter()
        .map(|(flow, records)| format!("{records} through {flow}"))
        .collect();
    format!(
        "{}{of}: {} sent, {} acknowledged, arrived: {}",
        seconds(at.elapsed),
        at.sent,
        at.acknowledged,
        arrived.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_sent_and_what_came() {
        let at = Come {
            elapsed: Duration::from_millis(2_040),
            sent: 300,
            acknowledged: 290,
            arrived: vec![("a->b".to_owned(), 250), ("a->c".to_owned(), 0)],
        };
        assert_eq!(
            line(Amount::Records(1_000), &at),
            "2.0 s: 300 sent, 290 acknowledged, arrived: 250 through a->b, 0 through a->c"
        );
        let time = Amount::Time(Duration::from_secs(10));
        assert!(line(time, &at).starts_with("2.0 s of 10.0 s: "));
        let over = Amount::Time(Duration::from_secs(2));
        assert!(line(over, &at).starts_with("2.0 s: "));
    }
}
