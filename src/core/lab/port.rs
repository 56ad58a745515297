//! Ports of this machine: which are free, and which process holds the others.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Whether it is an address of this machine.
pub fn is_own(address: IpAddr) -> bool {
    let bound = TcpListener::bind((address, 0));
    !matches!(bound, Err(error) if error.kind() == ErrorKind::AddrNotAvailable)
}

/// Whether a server could listen on the port of an address of this machine.
pub fn is_free(address: IpAddr, port: u16) -> bool {
    let address = SocketAddr::new(address, port);
    // where another listens on all addresses, macOS lets us bind this one all the same
    TcpListener::bind(address).is_ok()
        && TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err()
}

/// The first port from `from` on of which all those at these distances are free.
pub fn next(from: u16, offsets: &[u16], can_be_had: impl Fn(u16) -> bool) -> Option<u16> {
    let last = u16::MAX - offsets.iter().max().copied().unwrap_or(0);
    (from..=last).find(|first| offsets.iter().all(|offset| can_be_had(first + offset)))
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
    use crate::core::topology::LOOPBACK;

    #[test]
    fn a_listener_holds_its_port() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert!(!is_free(LOOPBACK, port), "{address}");
            assert_ne!(next(port, &[0], |port| is_free(LOOPBACK, port)), Some(port));
            let me = format!("(process {})", std::process::id());
            assert!(holder(port).unwrap().ends_with(&me));
            let is_loopback = listener.local_addr().unwrap().ip().is_loopback();
            assert_eq!(is_only_on_loopback(port), is_loopback);
        }
    }

    #[test]
    fn what_is_taken_is_passed_over() {
        assert_eq!(next(20_000, &[0, 1, 2], |_| true), Some(20_000));
        let all_but_one = |port| port != 20_001;
        assert_eq!(next(20_000, &[0, 1, 2], all_but_one), Some(20_002));
        // what is between does not matter
        assert_eq!(next(20_000, &[0, 10], all_but_one), Some(20_000));
        assert_eq!(next(65_000, &[0, 1, 2], |_| false), None);
    }

    #[test]
    fn an_address_of_another_machine_is_none_of_ours() {
        assert!(is_own(LOOPBACK));
        // kept for documentation (RFC 5737): nobody has it
        assert!(!is_own("203.0.113.254".parse().unwrap()));
    }
}
