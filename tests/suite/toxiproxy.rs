//! A toxiproxy that passes nothing on: its API, with what it was told. And a line that passes everything on, as slow as a test
//! wants it, whatever the API was told.

use serde_json::{Map, Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// One relay. It listens for as long as the tests run.
pub(crate) struct FakeToxiproxy(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    proxies: Map<String, Value>,
    /// Requests that change something.
    changes: Vec<String>,
    /// Whether it forgets toxics that it is told.
    forgets: bool,
    /// Whether it keeps toxics that it is to remove.
    keeps: bool,
}

impl FakeToxiproxy {
    pub(crate) fn start_on(port: u16) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shared);
            }
        });
        Self(state)
    }

    /// As docker leaves it when it restarts it.
    pub(crate) fn restart(&self) {
        self.0.lock().unwrap().proxies.clear();
    }

    pub(crate) fn forgets(self) -> Self {
        self.0.lock().unwrap().forgets = true;
        self
    }

    /// Whether it keeps toxics that it is to remove.
    pub(crate) fn keeps(&self, keeps: bool) {
        self.0.lock().unwrap().keeps = keeps;
    }

    /// `type stream {attributes}` of each toxic, in order.
    pub(crate) fn toxics(&self, proxy: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let toxics = state.proxies[proxy]["toxics"].as_array().unwrap();
        let text = |toxic: &Value| {
            let [kind, stream] = ["type", "stream"].map(|key| toxic[key].as_str().unwrap());
            format!("{kind} {stream} {}", toxic["attributes"])
        };
        toxics.iter().map(text).collect()
    }

    pub(crate) fn proxy(&self, proxy: &str) -> Value {
        self.0.lock().unwrap().proxies[proxy].clone()
    }

    /// Requests that changed something since this was last asked.
    pub(crate) fn changes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().changes)
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (status, said) = state.lock().unwrap().serve(method, &path, &body);
        let said = said.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            said.len()
        );
        let _ = reader.get_mut().write_all((head + &said).as_bytes());
    }
}

impl State {
    fn serve(&mut self, method: &str, path: &[&str], body: &Value) -> (&'static str, Value) {
        if method != "GET" {
            self.changes.push(format!("{method} {}", path.join("/")));
        }
        let toxics = |proxy: &mut Value| proxy["toxics"].as_array().cloned().unwrap_or_default();
        match (method, path) {
            ("GET", ["proxies"]) => return ("200 OK", json!(self.proxies)),
            ("POST", ["populate"]) => {
                for proxy in body.as_array().unwrap() {
                    let mut proxy = proxy.clone();
                    proxy["toxics"] = json!([]);
                    let name = proxy["name"].as_str().unwrap().to_owned();
                    self.proxies.insert(name, proxy);
                }
            }
            (_, ["proxies", name, rest @ ..]) => {
                let Some(proxy) = self.proxies.get_mut(*name) else {
                    return ("404 Not Found", json!({"error": "proxy not found"}));
                };
                let mut all = toxics(proxy);
                match (method, rest) {
                    ("POST", []) => proxy["enabled"] = body["enabled"].clone(),
                    ("POST", ["toxics"]) if self.forgets => {}
                    ("POST", ["toxics"]) => all.push(body.clone()),
                    ("POST", ["toxics", toxic]) => {
                        let one = all.iter_mut().find(|one| one["name"] == **toxic).unwrap();
                        one["attributes"] = body["attributes"].clone();
                    }
                    ("DELETE", _) if self.keeps => {}
                    ("DELETE", ["toxics", toxic]) => all.retain(|one| one["name"] != **toxic),
                    _ => return ("405 Method Not Allowed", Value::Null),
                }
                proxy["toxics"] = json!(all);
            }
            _ => return ("404 Not Found", Value::Null),
        }
        ("200 OK", json!({}))
    }
}

/// What a line does to what goes through it, in each direction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slow {
    /// How late each piece is.
    pub(crate) delay: Duration,
    /// Bytes a second.
    pub(crate) rate: Option<u32>,
}

/// The way through a relay. It is there for as long as the tests run.
pub(crate) struct FakeLine(Arc<Mutex<Slow>>);

impl FakeLine {
    /// From one port of this machine to another.
    pub(crate) fn start(from: u16, to: u16, slow: Slow) -> Self {
        let slow = Arc::new(Mutex::new(slow));
        let listener = TcpListener::bind(("127.0.0.1", from)).unwrap();
        let shared = Arc::clone(&slow);
        thread::spawn(move || {
            for here in listener.incoming() {
                let here = here.unwrap();
                // closed at once where nobody listens behind it, as toxiproxy does
                let Ok(there) = TcpStream::connect(("127.0.0.1", to)) else {
                    continue;
                };
                for stream in [&here, &there] {
                    stream.set_nodelay(true).unwrap();
                }
                let back = (there.try_clone().unwrap(), here.try_clone().unwrap());
                for (from, to) in [(here, there), back] {
                    let slow = Arc::clone(&shared);
                    thread::spawn(move || pass_on(from, to, &slow));
                }
            }
        });
        Self(slow)
    }

    pub(crate) fn becomes(&self, slow: Slow) {
        *self.0.lock().unwrap() = slow;
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, slow: &Mutex<Slow>) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let Slow { delay, rate } = *slow.lock().unwrap();
        let micros = rate.map_or(0, |rate| length as u64 * 1_000_000 / u64::from(rate));
        thread::sleep(delay + Duration::from_micros(micros));
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
