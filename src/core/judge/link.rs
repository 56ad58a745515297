//! The link of a flow: whether its MirrorMaker is on the network of the source, and whether `kmk link cut` took it off.

use crate::core::judge::line::MeasuredLine;
use crate::core::spec::{LinkSpec, in_lab};
use kmk_kafka::wait::seconds;
use serde::Serialize;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// The link of a flow. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkStatus {
    /// The flow, as `source->target`.
    pub flow: String,
    /// In one word.
    pub state: LinkState,
    /// Services of MirrorMaker that are not on the network of the source.
    pub cut_off: Vec<String>,
    /// When `kmk link cut` cut it, if it did, until `kmk link heal`.
    pub cut: Option<LinkCut>,
    /// What is asked of its line; none where it has no relays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<LinkSpec>,
    /// How its line is, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<MeasuredLine>,
    /// The lab, for commands to type.
    #[serde(skip)]
    pub lab: String,
}

/// A link in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Every MirrorMaker of the flow is on the network of the source.
    Connected,
    /// `kmk link cut` took all of them off it.
    Cut,
    /// `kmk link cut --half-open`: its relays keep connections open, and pass nothing on.
    HalfOpen,
    /// `kmk link cut` cut it, and some of it is not so all the same: a MirrorMaker is on the network, or a relay does something
    /// else.
    PartlyCut,
    /// Some of them are not on the network, and `kmk link cut` did not take them off.
    Disconnected,
    /// There is no such network, or no container.
    Unknown,
}

/// What `kmk link cut` wrote down.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkCut {
    /// When it was cut: RFC 3339, UTC.
    pub at: String,
    /// Seconds since then.
    pub seconds: f64,
    /// When it is to be healed, where that was said: RFC 3339, UTC.
    pub until: Option<String>,
    /// Seconds since it should have been healed.
    pub overdue_seconds: Option<f64>,
    /// Whether connections stay open, and nothing comes through any more.
    pub half_open: bool,
    /// Seconds until it is to be healed.
    #[serde(skip)]
    pub left: Option<f64>,
}

impl LinkCut {
    /// A plain cut, from times in milliseconds since the epoch.
    pub fn new(at: i64, until: Option<i64>, now: i64) -> Self {
        let seconds = |from: i64, to: i64| between(from, to).as_secs_f64();
        Self {
            at: rfc3339(at),
            seconds: seconds(at, now),
            until: until.map(rfc3339),
            overdue_seconds: until
                .filter(|until| *until < now)
                .map(|until| seconds(until, now)),
            left: until
                .filter(|until| *until >= now)
                .map(|until| seconds(now, until)),
            half_open: false,
        }
    }

    /// The command that did it, how long ago, and when it ends.
    pub fn by(&self) -> String {
        let command = if self.half_open {
            "`kmk link cut --half-open`"
        } else {
            "`kmk link cut`"
        };
        let left = self.left.map(words);
        let left = left.map(|left| format!(", to be restored in {left}"));
        let overdue = self.overdue_seconds.map(words);
        let overdue = overdue.map(|time| format!(", and should have been restored {time} ago"));
        let ends: String = [left, overdue].into_iter().flatten().collect();
        format!("{command} {} ago{ends}", words(self.seconds))
    }
}

/// A clock may have gone back.
fn between(from: i64, to: i64) -> Duration {
    Duration::from_millis(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}

fn rfc3339(millis: i64) -> String {
    let since = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}

impl fmt::Display for LinkCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.half_open {
            write!(f, "half-open ({})", self.by())
        } else {
            write!(f, "cut by {}", self.by())
        }
    }
}

fn words(time: f64) -> String {
    seconds(Duration::from_secs_f64(time))
}

impl LinkStatus {
    /// What is said of a link that was cut on purpose, and how to restore it.
    pub fn problem(&self) -> Option<String> {
        let cut = self.cut.as_ref()?;
        let heal = self.heal();
        Some(match self.state {
            LinkState::PartlyCut if self.is_half_open() => format!(
                "the link should be {cut}, but is not, or only in part; `{heal}` restores it"
            ),
            LinkState::PartlyCut => format!(
                "the link was {cut}, but not all of MirrorMaker is off the network; `{heal}` restores it"
            ),
            _ => format!("the link is {cut}; `{heal}` restores it"),
        })
    }

    /// What a start or repair of a lab says of a link that stays cut.
    pub fn note(&self) -> Option<String> {
        let cut = self.cut.as_ref()?;
        Some(format!(
            "{} stays {cut}; `{}` restores it",
            self.flow,
            self.heal()
        ))
    }

    /// Whether it was cut with `--half-open`, or is to be.
    pub fn is_half_open(&self) -> bool {
        self.cut.as_ref().is_some_and(|cut| cut.half_open)
    }

    /// The command that restores it.
    pub fn heal(&self) -> String {
        let lab = in_lab(&self.lab);
        // without the arrow no shell needs quotes
        format!("kmk link heal{lab} {}", self.flow.replacen("->", ":", 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(until: Option<i64>, now: i64) -> LinkStatus {
        LinkStatus {
            flow: "a->b".to_owned(),
            state: LinkState::Cut,
            cut_off: vec!["mm2-b".to_owned()],
            cut: Some(LinkCut::new(1_780_000_000_000, until, now)),
            asked: None,
            measured: None,
            lab: "two".to_owned(),
        }
    }

    #[test]
    fn a_cut_is_told_with_its_age_and_how_to_restore_it() {
        let at = 1_780_000_000_000;
        assert_eq!(
            status(None, at + 12_900).problem().unwrap(),
            "the link is cut by `kmk link cut` 12.9 s ago; `kmk link heal --lab two a:b` restores it"
        );
        let told = status(Some(at + 30_000), at + 12_000)
            .cut
            .unwrap()
            .to_string();
        assert_eq!(
            told,
            "cut by `kmk link cut` 12.0 s ago, to be restored in 18.0 s"
        );
        let late = status(Some(at + 30_000), at + 95_000);
        assert_eq!(
            late.note().unwrap(),
            "a->b stays cut by `kmk link cut` 1m 35s ago, and should have been restored 1m 5s ago; `kmk link heal --lab two a:b` restores it"
        );
        let cut = late.cut.unwrap();
        assert_eq!(
            (cut.at.as_str(), cut.overdue_seconds),
            ("2026-05-28T20:26:40Z", Some(65.0))
        );
    }

    #[test]
    fn a_half_open_link_is_told_with_its_command_and_one_that_is_not_so_is_not_called_that() {
        let at = 1_780_000_000_000;
        let mut link = status(Some(at + 30_000), at + 12_000);
        link.cut.as_mut().unwrap().half_open = true;
        link.state = LinkState::HalfOpen;
        assert_eq!(
            link.problem().unwrap(),
            "the link is half-open (`kmk link cut --half-open` 12.0 s ago, to be restored in 18.0 s); `kmk link heal --lab two a:b` restores it"
        );
        assert!(
            link.note()
                .unwrap()
                .starts_with("a->b stays half-open (`kmk link cut --half-open`")
        );
        link.state = LinkState::PartlyCut;
        assert!(
            link.problem()
                .unwrap()
                .contains("but is not, or only in part")
        );
    }

    #[test]
    fn a_clock_that_went_back_makes_no_age() {
        let at = 1_780_000_000_000;
        let told = status(None, at - 5_000).cut.unwrap().to_string();
        assert_eq!(told, "cut by `kmk link cut` 0.0 s ago");
    }
}
