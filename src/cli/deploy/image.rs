use crate::cli::CliError;

/// An image that the environment names.
pub(in crate::cli) fn variable(name: &str) -> Result<Option<String>, CliError> {
    match std::env::var(name) {
        Ok(image) if image.is_empty() => Ok(None),
        Ok(image) => Ok(Some(image)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(CliError::usage(format!(
            "{name} is not an image name: {error}"
        ))),
    }
}
