//! What a value must look like for Kafka to read it.

use std::fmt;

/// What a value must look like (`ConfigDef.Type`, and what its validator takes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `true` or `false`.
    Boolean,
    /// A number of 16 bits.
    Short,
    /// A number of 32 bits.
    Int,
    /// A number of 64 bits.
    Long,
    /// A number with a fraction.
    Double,
    /// A number that is not too small or too large.
    Within(Range),
    /// Text.
    String,
    /// One of some words.
    OneOf(Words),
    /// Text that is a secret.
    Password,
    /// Texts between commas.
    List,
    /// The same, but none of them empty: Kafka refuses that from 4.2 on (KIP-1161).
    Filled,
    /// Some of some words, between commas.
    SomeOf(Words),
    /// A Java class.
    Class,
}

/// A number with its bounds, which it may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    of: Number,
    least: Option<&'static str>,
    most: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Short,
    Int,
    Long,
    Double,
}

/// The only words that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Words {
    /// Between commas. One that ends with `*` stands for all that begin so.
    list: &'static str,
    in_any_case: bool,
}

/// Without blanks at its ends, as Java's `String.trim` has it: a no-break space stays.
pub(crate) fn trimmed(value: &str) -> &str {
    value.trim_matches(|c| c <= ' ')
}

/// What stands between commas, without blanks around it (`ConfigDef.parseType`).
pub(crate) fn entries(list: &str) -> Vec<&str> {
    match trimmed(list) {
        "" => Vec::new(),
        list => list.split(',').map(trimmed).collect(),
    }
}

impl Type {
    const NAMES: [(&'static str, Self); 9] = [
        ("boolean", Self::Boolean),
        ("short", Self::Short),
        ("int", Self::Int),
        ("long", Self::Long),
        ("double", Self::Double),
        ("string", Self::String),
        ("password", Self::Password),
        ("list", Self::List),
        ("class", Self::Class),
    ];

    /// As the table has it: a type's name, and which values of that type there may be (`-` for all).
    pub(super) fn parse(name: &str, values: &'static str) -> Option<Self> {
        let (_, plain) = Self::NAMES.into_iter().find(|(known, _)| *known == name)?;
        let words = |list, in_any_case| match plain {
            Self::List => Some(Self::SomeOf(Words { list, in_any_case })),
            Self::String => Some(Self::OneOf(Words { list, in_any_case })),
            _ => None,
        };
        match values {
            "-" => return Some(plain),
            "filled" => return Some(Self::Filled),
            _ => {}
        }
        if let Some(list) = values.strip_prefix('=') {
            return words(list, false);
        }
        if let Some(list) = values.strip_prefix('~') {
            return words(list, true);
        }
        let (least, most) = values.split_once("..")?;
        let bound = |text: &'static str| (!text.is_empty()).then_some(text);
        Some(Self::Within(Range {
            of: Number::of(plain)?,
            least: bound(least),
            most: bound(most),
        }))
    }

    /// What takes all that either takes, as far as one of the two, or the type without its bounds, does.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::OneOf(one), Self::OneOf(other)) if one.has_all_of(other) => self,
            (Self::OneOf(one), Self::OneOf(next)) if next.has_all_of(one) => other,
            (_, other) => other.plain(),
        }
    }

    fn plain(self) -> Self {
        match self {
            Self::Within(range) => range.of.plain(),
            Self::OneOf(_) => Self::String,
            Self::SomeOf(_) | Self::Filled => Self::List,
            plain => plain,
        }
    }

    /// Whether Kafka can read the value. Classes and texts are left alone.
    pub fn takes(self, value: &str) -> bool {
        let value = trimmed(value);
        match self {
            Self::Boolean => ["true", "false"]
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word)),
            Self::Short => value.parse::<i16>().is_ok(),
            Self::Int => value.parse::<i32>().is_ok(),
            Self::Long => value.parse::<i64>().is_ok(),
            Self::Double => value.parse::<f64>().is_ok(),
            Self::Within(range) => range.of.plain().takes(value) && range.takes(value),
            Self::OneOf(words) => words.take(value),
            Self::SomeOf(words) => entries(value).into_iter().all(|word| words.take(word)),
            Self::Filled => !entries(value).contains(&""),
            Self::String | Self::Password | Self::List | Self::Class => true,
        }
    }
}

impl Number {
    fn of(plain: Type) -> Option<Self> {
        match plain {
            Type::Short => Some(Self::Short),
            Type::Int => Some(Self::Int),
            Type::Long => Some(Self::Long),
            Type::Double => Some(Self::Double),
            _ => None,
        }
    }

    fn plain(self) -> Type {
        match self {
            Self::Short => Type::Short,
            Self::Int => Type::Int,
            Self::Long => Type::Long,
            Self::Double => Type::Double,
        }
    }
}

impl Range {
    /// As `ConfigDef.Range` compares: as numbers with a fraction.
    fn takes(self, value: &str) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        let Some(value) = number(value) else {
            return false;
        };
        let is_out = |bound: Option<&str>, out: fn(&f64, &f64) -> bool| {
            bound
                .and_then(number)
                .is_some_and(|bound| out(&value, &bound))
        };
        !is_out(self.least, f64::lt) && !is_out(self.most, f64::gt)
    }

    fn most(self) -> Option<&'static str> {
        self.most.or(match self.of {
            Number::Short => Some("32767"),
            Number::Int => Some("2147483647"),
            Number::Long | Number::Double => None,
        })
    }
}

impl Words {
    fn all(self) -> impl Iterator<Item = &'static str> {
        self.list.split(',')
    }

    fn take(self, value: &str) -> bool {
        self.all().any(|word| match word.strip_suffix('*') {
            Some(beginning) => value.starts_with(beginning),
            None if self.in_any_case => value.eq_ignore_ascii_case(word),
            None => value == word,
        })
    }

    fn has_all_of(self, other: Self) -> bool {
        self.in_any_case == other.in_any_case
            && other
                .all()
                .all(|word| self.all().any(|known| known == word))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "true or false",
            Self::Short => "a number from -32768 to 32767",
            Self::Int => "a number of at most 2147483647",
            Self::Long => "a number",
            Self::Double => "a number, with or without a fraction",
            Self::Within(range) => return range.fmt(f),
            Self::String => "a string",
            Self::OneOf(words) => return write!(f, "one of {words}"),
            Self::Password => "a secret",
            Self::List => "a list",
            Self::Filled => "a list without empty entries",
            Self::SomeOf(words) => return write!(f, "a list of {words}"),
            Self::Class => "a Java class",
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most()) {
            (Some(least), Some(most)) => write!(f, "a number from {least} to {most}"),
            (Some(least), None) => write!(f, "a number of at least {least}"),
            (None, Some(most)) => write!(f, "a number of at most {most}"),
            (None, None) => f.write_str("a number"),
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<&str> = self.all().collect();
        f.write_str(&list.join(", "))?;
        f.write_str(if self.in_any_case {
            " (in upper or lower case)"
        } else {
            ""
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_kafka_cannot_read() {
        for (value, fits, fails) in [
            (Type::Boolean, " TRUE ", "yes"),
            (Type::Short, "3", "70000"),
            (Type::Int, "-1", "1e3"),
            (Type::Int, "4 ", "4\u{a0}"),
            (Type::Long, "9223372036854775807", "9223372036854775808"),
            (Type::Double, "0.5", "half"),
        ] {
            assert!(
                value.takes(fits) && !value.takes(fails) && !value.takes(""),
                "{value}"
            );
        }
        assert!(Type::List.takes("") && Type::Class.takes("?"));
    }

    #[test]
    fn values_of_which_only_some_are_taken() {
        for (name, values, said, takes, fails) in [
            ("int", "1..", "a number from 1 to 2147483647", " 1 ", "0"),
            ("long", "0..", "a number of at least 0", "0", "-1"),
            ("short", "0..900", "a number from 0 to 900", "900", "901"),
            (
                "double",
                "0.5..1.0",
                "a number from 0.5 to 1.0",
                "0.5",
                "1.1",
            ),
            ("string", "=all,-1,0", "one of all, -1, 0", "all ", "ALL"),
            (
                "string",
                "~NONE,SSL",
                "one of NONE, SSL (in upper or lower case)",
                "sSl",
                "TLS",
            ),
            ("string", "=none,by:*", "one of none, by:*", "by:PT1H", "by"),
            (
                "list",
                "=compact,delete",
                "a list of compact, delete",
                "delete , compact",
                "delete,",
            ),
            (
                "list",
                "filled",
                "a list without empty entries",
                "a , b",
                "a, ,b",
            ),
            ("list", "filled", "a list without empty entries", "", "a,"),
        ] {
            let kind = Type::parse(name, values).unwrap();
            assert_eq!(kind.to_string(), said);
            assert!(kind.takes(takes), "{said}: {takes}");
            assert!(!kind.takes(fails), "{said}: {fails}");
        }
    }

    #[test]
    fn what_either_of_two_takes() {
        let parse = |name, values| Type::parse(name, values).unwrap();
        let (few, more) = (parse("string", "=a,b"), parse("string", "=b,a,c:*"));
        assert_eq!((few.or(more), more.or(few)), (more, more));
        assert_eq!(few.or(parse("string", "=c")), Type::String);
        assert_eq!(few.or(Type::String), Type::String);
        assert_eq!(Type::List.or(Type::Filled), Type::List);
        assert_eq!(parse("int", "1..").or(parse("int", "0..")), Type::Int);
        assert_eq!(
            parse("int", "1..").or(parse("int", "1..")).plain(),
            Type::Int
        );
    }
}
