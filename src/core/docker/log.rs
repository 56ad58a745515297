//! Reads what containers wrote to their logs.

use super::process;
use super::{Docker, DockerError, argv, check, unfinished};
use kmk_kafka::wait::Limit;

impl Docker {
    /// The last lines of a container's log.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn log_tail(
        &self,
        container: &str,
        lines: usize,
        limit: &Limit,
    ) -> Result<Vec<String>, DockerError> {
        let mut tail = Vec::new();
        self.logs(container, &lines.to_string(), false, limit, |line| {
            tail.push(String::from_utf8_lossy(&line).into_owned());
        })?;
        Ok(tail)
    }

    /// A container's log, line by line; `tail` is a number of lines or `all`.
    ///
    /// # Errors
    /// When docker cannot be asked, or the limit ends it.
    pub fn logs(
        &self,
        container: &str,
        tail: &str,
        follow: bool,
        limit: &Limit,
        on_line: impl FnMut(Vec<u8>),
    ) -> Result<(), DockerError> {
        let argv = argv::logs(container, tail, follow);
        let finished = process::stream(&self.program, &argv, &[], limit, on_line);
        check(&argv, finished.map_err(|error| unfinished(&argv, error))?).map(drop)
    }

    /// All that a container has written, each line after the time at which the engine got it (RFC 3339 in UTC, and a
    /// space).
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn timed_log(&self, container: &str, limit: &Limit) -> Result<Vec<String>, DockerError> {
        let argv = argv::timed_logs(container);
        let mut lines = Vec::new();
        let on_line = |line: Vec<u8>| lines.push(String::from_utf8_lossy(&line).into_owned());
        let finished = process::stream(&self.program, &argv, &[], limit, on_line);
        check(&argv, finished.map_err(|error| unfinished(&argv, error))?)?;
        Ok(lines)
    }
}
