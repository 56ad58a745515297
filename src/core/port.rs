//! Ports of this machine: which are free, and who holds the others. Knows nothing of clusters.

use crate::core::topology::LOOPBACK;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Whether a server could listen on the port of the loopback address.
pub fn is_free(port: u16) -> bool {
    let address = SocketAddr::new(LOOPBACK.parse().expect("a literal address"), port);
    // where another listens on all addresses, macOS lets us bind this one all the same
    TcpListener::bind(address).is_ok()
        && TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err()
}

/// The first port from `from` on that begins `count` free ones, none of them in `taken`.
pub fn next_free(from: u16, count: u16, taken: &[u16]) -> Option<u16> {
    let last = u16::MAX - count;
    (from..=last)
        .find(|first| (*first..first + count).all(|port| !taken.contains(&port) && is_free(port)))
}

/// The process that listens on the port, such as "nginx (process 4711)", where the system tells.
pub fn holder(port: u16) -> Option<String> {
    let process = listeners::get_process_by_port(port, listeners::Protocol::TCP).ok()?;
    Some(format!("{} (process {})", process.name, process.pid))
}

/// Whether all that is seen to listen on the port does so on the loopback address alone; not where nothing is seen.
pub fn is_only_on_loopback(port: u16) -> bool {
    let all = listeners::get_all().unwrap_or_default();
    let here = all.iter().filter(|listener| {
        listener.protocol == listeners::Protocol::TCP && listener.socket.port() == port
    });
    let mut addresses = here.map(|listener| listener.socket.ip()).peekable();
    addresses.peek().is_some() && addresses.all(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_holds_its_port() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert!(!is_free(port), "{address}");
            assert_ne!(next_free(port, 1, &[]), Some(port));
            let me = format!("(process {})", std::process::id());
            assert!(holder(port).unwrap().ends_with(&me));
            let is_loopback = listener.local_addr().unwrap().ip().is_loopback();
            assert_eq!(is_only_on_loopback(port), is_loopback);
        }
    }

    #[test]
    fn what_is_taken_is_passed_over() {
        let free = next_free(20_000, 3, &[]).unwrap();
        let next = next_free(free, 3, &[free + 1]).unwrap();
        assert!(next >= free + 2);
    }
}
