//! A Kafka version, as an image tag or a library's name states it.

use std::fmt;

/// A version such as `3.9.2`; sorts by its numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u32>);

impl Version {
    /// A version of two numbers or more, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
        (numbers.len() > 1).then_some(Self(numbers))
    }

    /// The version that a text begins with: `3.9.2` of `3.9.2-rc1` and of `3.9.2.jar`.
    pub fn leading(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        Self::parse(text[..end.unwrap_or(text.len())].trim_end_matches('.'))
    }

    /// The version that an image's tag begins with, and nothing of tags such as `latest`.
    pub fn in_tag(image: &str) -> Option<Self> {
        let name = image.rsplit('/').next()?.split('@').next()?;
        let (_, tag) = name.split_once(':')?;
        Self::leading(tag)
    }

    /// Whether it is older than `major.minor`.
    pub fn is_below(&self, (major, minor): (u32, u32)) -> bool {
        self.0[..2] < [major, minor][..]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_that_names_a_version() {
        for (image, expected) in [
            ("apache/kafka:3.9.2", Some("3.9.2")),
            ("localhost:5000/kafka:4.0.0-rc1", Some("4.0.0")),
            ("apache/kafka:4.2", Some("4.2")),
            ("apache/kafka:latest", None),
            ("apache/kafka", None),
            ("localhost:5000/kafka", None),
            ("kafka:3.9.2@sha256:00", Some("3.9.2")),
            ("kafka:3..9", None),
            ("kafka:4", None),
            ("kafka:99999999999.1", None),
        ] {
            let version = Version::in_tag(image).map(|version| version.to_string());
            assert_eq!(version.as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn the_version_of_a_library() {
        let version = Version::leading("3.9.2.jar").unwrap();
        assert_eq!(version.to_string(), "3.9.2");
    }

    proptest! {
        #[test]
        fn versions_sort_by_their_numbers(
            a in prop::array::uniform3(0u32..12), b in prop::array::uniform3(0u32..12)
        ) {
            let version = |[major, minor, patch]: [u32; 3]| {
                Version::parse(&format!("{major}.{minor}.{patch}")).unwrap()
            };
            prop_assert_eq!(version(a).cmp(&version(b)), a.cmp(&b));
            prop_assert_eq!(version(a).is_below((b[0], b[1])), a[..2] < b[..2]);
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            if let Some(version) = Version::in_tag(&text) {
                prop_assert_eq!(Version::parse(&version.to_string()), Some(version));
            }
        }
    }
}
