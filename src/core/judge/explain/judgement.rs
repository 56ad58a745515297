//! From facts to the answer that comes first. Knows no words.

use super::answer::Answer;
use super::facts::{Contents, Facts, Origin, Sight, Worker};
use crate::core::mirrormaker::patterns::{MAX_TOPIC_NAME, Selection};

/// The first answer that holds.
pub fn judge(facts: &Facts) -> Answer {
    // what cannot work before what does not work now, and who has to act before what is to be done
    let looks = [
        by_kind, by_place, by_name, by_file, by_parts, by_arrival, by_state,
    ];
    looks
        .iter()
        .find_map(|look| look(facts))
        .unwrap_or_else(|| by_count(facts))
}

/// Is it a topic that no flow takes, wherever it is?
fn by_kind(facts: &Facts) -> Option<Answer> {
    match facts.selection {
        Selection::Internal(rule) => Some(Answer::Internal { rule }),
        _ => None,
    }
}

/// Is there such a topic, where the flow begins?
fn by_place(facts: &Facts) -> Option<Answer> {
    if facts.original != Sight::Absent {
        return None;
    }
    Some(if matches!(facts.copy, Sight::There(_)) {
        Answer::SourceTopicMissing
    } else if facts.elsewhere.is_empty() {
        Answer::NoSuchTopic {
            nearest: facts.nearest.clone(),
        }
    } else {
        Answer::NoFlow {
            on: facts.elsewhere.clone(),
            flows: facts.flows.clone(),
        }
    })
}

/// Does the flow take a topic of that name?
fn by_name(facts: &Facts) -> Option<Answer> {
    match &facts.selection {
        Selection::Included | Selection::NotEvaluated(_) | Selection::Internal(_) => None,
        Selection::Excluded(pattern) => Some(Answer::Excluded {
            pattern: pattern.clone(),
            whose: facts.whose,
        }),
        Selection::NotListed => Some(Answer::NotListed {
            topics: facts.topics.clone(),
            whose: facts.whose,
        }),
        Selection::Cycle => Some(Answer::Cycle {
            origin: facts.origin.clone().unwrap_or_else(|| Origin::Unknown {
                cluster: facts.target.clone(),
            }),
        }),
        Selection::NameTooLong(length) => Some(Answer::NameTooLong {
            length: *length,
            most: MAX_TOPIC_NAME,
        }),
    }
}

/// Is the flow to run at all?
fn by_file(facts: &Facts) -> Option<Answer> {
    let file = facts.disabled_by.clone()?;
    Some(Answer::Disabled { file })
}

/// Does everything run that a record needs on its way? The cause before what comes of it.
fn by_parts(facts: &Facts) -> Option<Answer> {
    if !facts.workers.iter().any(Worker::runs) {
        return Some(Answer::MirrorMakerDown {
            workers: facts.workers.clone(),
        });
    }
    if !facts.cut_off.is_empty() {
        return Some(Answer::LinkCut {
            clusters: facts.cut_off.clone(),
        });
    }
    if let Sight::Unreachable { problem } = &facts.original {
        let problem = problem.clone();
        return Some(Answer::SourceUnreachable { problem });
    }
    if let Sight::Unreachable { problem } = &facts.copy {
        let problem = problem.clone();
        return Some(Answer::TargetUnreachable { problem });
    }
    if let Some(cause) = facts.ended.clone() {
        return Some(Answer::MirrorMakerEnded { cause });
    }
    if facts.has_unusable_name() {
        // what its name prevents comes next
        return None;
    }
    if let Some(culprit) = facts.own_culprit().cloned() {
        return Some(Answer::Blocking { culprit });
    }
    if !facts.culprits.is_empty() {
        let culprits = facts.culprits.clone();
        return Some(Answer::Blocked { culprits });
    }
    (!facts.failures.is_empty()).then(|| Answer::Failed {
        failures: facts.failures.clone(),
        tight: facts.tight.clone(),
    })
}

/// Has MirrorMaker taken it up, and is there a topic to write to?
fn by_arrival(facts: &Facts) -> Option<Answer> {
    let refresh = facts.refresh;
    if [&facts.original, &facts.copy].contains(&&Sight::Secured) {
        return None;
    }
    if facts.assigned == Some(0) {
        return Some(match &facts.selection {
            Selection::NotEvaluated(patterns) => Answer::NotEvaluated {
                patterns: patterns.clone(),
                refresh,
            },
            _ => Answer::NotRefreshed { refresh },
        });
    }
    match (&facts.original, &facts.copy) {
        (_, Sight::Absent) => Some(Answer::NotCreated {
            obstacle: facts.obstacle.clone(),
            refresh,
        }),
        (Sight::There(original), Sight::There(copy)) => {
            let copied = facts
                .assigned
                .map_or(copy.partitions, |all| all.min(copy.partitions));
            (copied < original.partitions).then_some(Answer::FewerPartitions {
                copied,
                of: original.partitions,
                refresh,
            })
        }
        _ => None,
    }
}

/// Does anything else speak against it?
fn by_state(facts: &Facts) -> Option<Answer> {
    (!facts.problems.is_empty()).then(|| Answer::Unhealthy {
        problems: facts.problems.clone(),
        certain: !facts.is_uncertain,
    })
}

/// How far is it?
fn by_count(facts: &Facts) -> Answer {
    let (Some(original), Some(_)) = (facts.original.contents(), facts.copy.contents()) else {
        return locked(facts);
    };
    let Some(behind) = facts.behind else {
        return Answer::OffsetsUnknown;
    };
    let Contents { records, ever, .. } = original;
    if let Some(beyond) = facts.beyond {
        Answer::SourceRecreated(beyond)
    } else if facts.never_copied > 0 {
        Answer::NeverCopied {
            records: facts.never_copied,
            exact: facts.is_never_copied_exact,
        }
    } else if let Some(past) = facts.past.as_ref().filter(|past| past.is_loss()) {
        Answer::LostBetweenLooks(past.clone())
    } else if records == 0 && facts.possibly_never_copied == 0 {
        Answer::NothingProduced { ever }
    } else if facts.lost > 0 {
        Answer::MirroredRecordsLost {
            records: facts.lost,
        }
    } else if facts.is_first_mirrored == Some(false) && !facts.starts_at_end {
        Answer::StartedMidway
    } else if behind > 0 {
        Answer::Behind {
            records: behind,
            seconds: facts.seconds_behind,
        }
    } else if facts.possibly_never_copied > 0 {
        Answer::PossiblyNeverCopied {
            offsets: facts.possibly_never_copied,
        }
    } else if facts.starts_at_end && facts.is_first_mirrored != Some(true) {
        Answer::StartedAtEnd
    } else if facts.is_first_mirrored.is_none() {
        Answer::AllCommitted { records }
    } else {
        Answer::UpToDate { records }
    }
}

fn locked(facts: &Facts) -> Answer {
    let ends = [
        (&facts.original, &facts.source),
        (&facts.copy, &facts.target),
    ];
    let locked = ends.iter().filter(|(sight, _)| **sight == Sight::Secured);
    Answer::Secured {
        clusters: locked.map(|(_, cluster)| (*cluster).clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
