//! The words for what a drill has found.

use kafka_mirror_kit::core::judge::drill::Expectation;
use kafka_mirror_kit::core::judge::failover::Amount;
use kmk_kafka::wait::seconds;
use std::time::Duration;

pub(super) fn amount(amount: Option<Amount>) -> String {
    match amount {
        None => "-".to_owned(),
        Some(Amount::Exactly(number)) => number.to_string(),
        Some(Amount::AtMost(most)) => format!("≤ {most}"),
    }
}

/// To a tenth.
pub(super) fn one_decimal(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

pub(super) fn part(name: &str, group: &str, partition: i32) -> String {
    match name {
        "first_new_record" => {
            format!("first new record of the slowest group ({group}, partition {partition})")
        }
        other => other.replace('_', " "),
    }
}

/// What did not hold.
pub(super) fn expectation(expectation: &Expectation) -> String {
    match expectation {
        Expectation::AsPredicted { group } => {
            format!(
                "group {group} was given other records again, or skipped others, than predicted"
            )
        }
        Expectation::Served { group } => {
            format!("group {group} was not given new records in every partition")
        }
        Expectation::NothingLost => "a planned failover lost records".to_owned(),
        Expectation::OnlyWhatWasSent => "the target has records that were never sent".to_owned(),
        Expectation::RpoMax { records } => format!("more than {records} records were lost"),
        Expectation::RtoMax { millis } => {
            format!(
                "it took longer than {}",
                seconds(Duration::from_millis(*millis))
            )
        }
    }
}
