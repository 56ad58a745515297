//! Who can reach a lab whose ports are published elsewhere than usual.

use crate::core::docker::EngineHost;
use crate::core::spec::Spec;
use std::net::IpAddr;

/// What a person who publishes ports on an address of their choice should know; of this machine's own loopback there is
/// nothing to tell, as that is what every lab has.
pub fn exposure(spec: &Spec, engine_host: &EngineHost) -> Option<String> {
    let is_usual = |address: &IpAddr| *engine_host == EngineHost::Local && address.is_loopback();
    let address = spec.bind.filter(|address| !is_usual(address))?;
    Some(format!(
        "anyone who can reach {address} can read, write and delete everything in this lab: its brokers require no authentication"
    ))
}
