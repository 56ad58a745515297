//! `kmk`: geo-replicated Kafka on a laptop.

// doc comments of flags are the help that people read: no backticks for the compiler's sake
#[allow(clippy::doc_markdown)]
mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
