//! When records of the source are there on the target. Knows nothing of how late a single one is.

use crate::cluster::{Cluster, until_holds};
use kmk_kafka::wait::{Interrupt, Limit};
use std::io::{Write as _, stdout};
use std::time::{Duration, Instant};

/// How long a stack may take to start.
const START: Duration = Duration::from_secs(180);

/// Writes one record as soon as the source takes it, and waits until its copy can be read.
pub(crate) fn first(
    primary: &Cluster,
    secondary: &Cluster,
    topic: &str,
    copy: &str,
) -> anyhow::Result<()> {
    write_one(primary, topic, START)?;
    let mut admin = secondary.connect(START)?;
    until_holds(&mut admin, copy, 1, START, |_| {})?;
    Ok(())
}

/// Makes one topic after the other, each with a record, and tells how long after it was asked for its copy held it.
pub(crate) fn pickup(
    primary: &Cluster,
    secondary: &Cluster,
    prefix: &str,
    topics: u64,
    patience: Duration,
) -> anyhow::Result<()> {
    let mut admin = secondary.connect(patience)?;
    for number in 1..=topics {
        let topic = format!("{prefix}-{number}");
        let began = Instant::now();
        primary.create(&topic, patience)?;
        write_one(primary, &topic, patience)?;
        until_holds(&mut admin, &format!("primary.{topic}"), 1, patience, |_| {})?;
        writeln!(stdout(), "{:.1}", began.elapsed().as_secs_f64() * 1e3)?;
        // at another moment of MirrorMaker's second
        let pause = Duration::from_millis(number * 618 % 1000);
        Limit::endless(&Interrupt::default()).pause(pause)?;
    }
    Ok(())
}

/// Tells how many records a topic holds, until it holds so many.
pub(crate) fn reached(
    secondary: &Cluster,
    copy: &str,
    records: u64,
    patience: Duration,
) -> anyhow::Result<()> {
    let mut admin = secondary.connect(patience)?;
    let (began, mut last) = (Instant::now(), None);
    until_holds(&mut admin, copy, records, patience, |there| {
        if last.replace(there) != Some(there) {
            // a reader who has gone ends the bench, not this
            let _ = writeln!(stdout(), "{:.4} {there}", began.elapsed().as_secs_f64());
        }
    })?;
    Ok(())
}

fn write_one(cluster: &Cluster, topic: &str, patience: Duration) -> anyhow::Result<()> {
    let interrupt = Interrupt::default();
    let mut writer = cluster.writer(topic, patience)?;
    writer.send_one(0, None, Some(b"hello"), &Limit::new(patience, &interrupt))?;
    Ok(())
}
