//! Places in a topic as people name them.

use kafka_mirror_kit::core::kafka::At;
use kafka_mirror_kit::core::lab::groups::Target;

/// Where to go on: `earliest`, `latest`, or an offset.
pub(super) fn to(text: &str) -> Result<Target, String> {
    match text {
        "earliest" => Ok(Target::At(At::Earliest)),
        "latest" => Ok(Target::At(At::Latest)),
        other => place(other, "`earliest`, `latest`"),
    }
}

/// Up to where: `end`, or an offset.
pub(super) fn before(text: &str) -> Result<Target, String> {
    match text {
        "end" => Ok(Target::At(At::Latest)),
        other => place(other, "`end`"),
    }
}

fn place(text: &str, words: &str) -> Result<Target, String> {
    match text.parse() {
        Ok(offset) if offset >= 0 => Ok(Target::Offset(offset)),
        _ => Err(format!("it is {words}, or an offset from 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_offsets() {
        assert_eq!(to("earliest"), Ok(Target::At(At::Earliest)));
        assert_eq!(before("end"), Ok(Target::At(At::Latest)));
        assert_eq!(to("0"), Ok(Target::Offset(0)));
        assert_eq!(before("99"), Ok(Target::Offset(99)));
        for bad in ["", "-1", "end", "1.5", "9999999999999999999"] {
            assert!(to(bad).is_err(), "{bad}");
        }
        assert!(before("latest").is_err());
    }
}
