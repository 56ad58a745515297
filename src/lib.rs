//! Geo-replicated Kafka on a laptop: two (or more) real clusters joined by MirrorMaker 2, proven to replicate,
//! and taken away again. The library behind `kmk`.
//!
//! ```text
//! Change, kmk.yml, scenario ──> Spec ──> Topology ──> compose text ─┐
//!                                           │     └─> mm2 text ─────┤
//!                                           │                       v
//!                                           │                    Workdir ──> docker compose ──> running lab
//!                                           └───── endpoints ──> kafka clients ──> records, offsets ──> reports
//! ```
//!
//! Data goes one way. [`core::lab`] is the facade: [`deploy`](core::lab::deploy::deploy),
//! [`produce`](core::records::produce::produce), [`consume`](core::records::consume::consume),
//! [`status`](core::lab::status::status), [`list`](core::lab::list::list), [`stop`](core::lab::stop::stop),
//! [`start`](core::lab::start::start) and [`destroy`](core::lab::destroy::destroy), each a readable list of steps
//! through the other modules. Each takes a [`Limit`](kafka::wait::Limit): how long it may take, and who may interrupt
//! it. What happens meanwhile is told to an [`Observer`](core::event::Observer).
//!
//! It is made for `kmk`: the command line, its JSON and its files are what stays stable; names here may change with any
//! release.
//!
//! Labels are a lab's only state: those on its containers ([`core::compose`]), and those on an empty volume for what changes
//! later ([`core::lab::journal`]); the files in its working directory are
//! there to be read and run by hand ([`core::lab::workdir`]).

pub mod core;
/// The clients, which know nothing of labs.
pub use kmk_kafka as kafka;
