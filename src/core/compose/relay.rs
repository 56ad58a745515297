//! The compose service of a relay: toxiproxy, under the name of a broker. What it passes on, and how late, it is told
//! through its API once it runs; until then it passes nothing.

use super::{Networks, Service};
use crate::core::topology::{Link, RELAY_API_PORT, Relay, RelayImage, Topology};
use std::collections::BTreeMap;

/// What a relay may take, in MiB, besides what is on its way: it takes 7 without records, and keeps what was on its way through
/// connections that broke.
const MEMORY_MIB: u32 = 152;
/// The same of each connection for records: toxiproxy was seen with 36 MiB of one answer that is held up.
const CONNECTION_MIB: u32 = 40;
/// Nobody in particular: nothing in the image belongs to anyone.
const USER: &str = "65532:65532";

/// What of a line makes its containers other ones: labels tell it, and those of an existing container cannot be changed.
pub(super) fn shape(link: &Link) -> String {
    format!("link = {}\n", link.spec)
}

/// Each task has a connection to each broker.
fn memory_mib(link: &Link) -> u32 {
    let relays = u32::try_from(link.relays.len()).unwrap_or(u32::MAX).max(1);
    let tasks = link.connections.unwrap_or(1).div_ceil(relays);
    MEMORY_MIB.saturating_add(CONNECTION_MIB.saturating_mul(tasks))
}

pub(super) fn service(topology: &Topology, link: &Link, relay: &Relay) -> Service {
    let mut service = Service::bare(RelayImage::expression(), memory_mib(link));
    service.command = ["-host", "0.0.0.0", "-port"]
        .map(str::to_owned)
        .into_iter()
        .chain([RELAY_API_PORT.to_string()])
        .collect();
    service.user = Some(USER);
    service.depends_on = vec![relay.broker.clone()];
    service.ports = vec![
        format!("{}:{RELAY_API_PORT}", relay.api),
        format!("{}:{}", relay.measure, relay.listen.port),
    ];
    service.networks = Networks::Named(BTreeMap::from([
        (relay.cluster.clone(), Vec::new()),
        (link.network.clone(), vec![relay.listen.host.clone()]),
    ]));
    service.labelled(topology, RelayImage::expression(), &shape(link))
}
