//! From an address to an open socket, within a limit.

use crate::cluster::connect_error::ConnectError;
use crate::endpoint::Endpoint;
use crate::wait::{Limit, Stop};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

/// How long opening a TCP connection may take. While a container restarts, its packets are silently dropped; a
/// new attempt then gets through sooner than TCP's own, which come ever more slowly.
const CONNECT: Duration = Duration::from_secs(1);

/// And no less, even when time is up: a port where nobody listens says so at once, and that is worth knowing.
const SHORTEST: Duration = Duration::from_millis(100);

/// Opens a connection to the first socket address that an endpoint stands for and that answers.
pub(super) fn dial(endpoint: &Endpoint, limit: &Limit) -> Result<TcpStream, ConnectError> {
    let mut last = ConnectError::NoSuchHost(io::ErrorKind::NotFound.into());
    for address in resolve(endpoint, limit)? {
        if limit.interrupt().is_raised() {
            return Err(ConnectError::Interrupted);
        }
        let patience = limit.remaining().clamp(SHORTEST, CONNECT);
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => {
                // small requests go out at once
                stream.set_nodelay(true).map_err(ConnectError::Connect)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                last = ConnectError::Silent(patience);
            }
            Err(error) => last = ConnectError::Connect(error),
        }
    }
    Err(last)
}

/// A name is looked up on a thread of its own: the system's resolver knows no deadline.
fn resolve(endpoint: &Endpoint, limit: &Limit) -> Result<Vec<SocketAddr>, ConnectError> {
    if let Ok(address) = endpoint.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, endpoint.port)]);
    }
    let (answer, found) = mpsc::sync_channel(1);
    let (host, port) = (endpoint.host.clone(), endpoint.port);
    std::thread::Builder::new()
        .name("kafka-resolve".to_owned())
        .spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs();
            // the caller may have given up since
            let _ = answer.send(addresses.map(Iterator::collect));
        })
        .map_err(ConnectError::Connect)?;
    match limit.receive(&found) {
        Ok(Some(addresses)) => addresses.map_err(ConnectError::NoSuchHost),
        Ok(None) => Err(ConnectError::NoSuchHost(io::ErrorKind::Other.into())),
        Err(Stop::Interrupted) => Err(ConnectError::Interrupted),
        Err(Stop::Deadline { .. }) => Err(ConnectError::Silent(limit.allowed())),
    }
}
