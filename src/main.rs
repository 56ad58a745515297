//! `kmk`: geo-replicated Kafka on a laptop.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
