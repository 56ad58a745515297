//! How much memory containers use, from `docker stats`.

use super::{Docker, DockerError, argv, line};
use kmk_kafka::wait::Limit;
use serde::Deserialize;

/// As docker writes sizes: these stand for powers of 1024.
const UNITS: [(&str, f64); 5] = [
    ("TiB", 1_099_511_627_776.0),
    ("GiB", 1_073_741_824.0),
    ("MiB", 1_048_576.0),
    ("KiB", 1024.0),
    ("B", 1.0),
];

impl Docker {
    /// Memory that each container uses, by id, as docker words it (such as `201.3MiB`). Takes the engine about 2 s.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn memory(
        &self,
        ids: &[String],
        limit: &Limit,
    ) -> Result<Vec<(String, String)>, DockerError> {
        #[derive(Deserialize)]
        struct Line {
            #[serde(rename = "ID")]
            id: String,
            #[serde(rename = "MemUsage")]
            memory: String,
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let argv = argv::stats(ids);
        let text = self.query(&argv, limit)?;
        let lines = serde_json::Deserializer::from_str(&text).into_iter::<Line>();
        lines
            .map(|read| {
                let read = read.map_err(|cause| DockerError::Answer {
                    command: line(&argv),
                    cause,
                })?;
                let used = read.memory.split(" / ").next();
                Ok((read.id, used.unwrap_or_default().to_owned()))
            })
            .collect()
    }
}

/// The number of bytes that docker's words for memory (such as `201.3MiB`) stand for, as near as they tell.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and sizes are positive"
)]
pub fn bytes(words: &str) -> Option<u64> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((words.trim().strip_suffix(name)?, unit)))?;
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then(|| (number * unit).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn docker_writes_sizes_in_powers_of_1024() {
        assert_eq!(bytes("0B"), Some(0));
        assert_eq!(bytes("1.5KiB"), Some(1536));
        assert_eq!(bytes("201.3MiB"), Some(211_078_349));
        assert_eq!(bytes("2GiB"), Some(2 << 30));
        assert_eq!(bytes("--"), None);
        assert_eq!(bytes("-1MiB"), None);
        assert_eq!(bytes("NaNMiB"), None);
    }

    proptest! {
        #[test]
        fn whatever_docker_writes_is_no_reason_to_fail(words in ".{0,12}(B|iB|MiB)?") {
            let _ = bytes(&words);
        }

        #[test]
        fn whole_numbers_come_out_as_they_are(number in 0u32..1_000_000) {
            prop_assert_eq!(bytes(&format!("{number}MiB")), Some(u64::from(number) << 20));
        }
    }
}
