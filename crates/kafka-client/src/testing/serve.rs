//! A socket that answers requests with a given function.

use bytes::{Buf as _, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What is done about a request.
pub(crate) enum Reply {
    /// Answers with this body, to the request that was asked.
    Body(Vec<u8>),
    /// Sends these bytes as they are.
    #[cfg(test)]
    Raw(Vec<u8>),
    /// Begins to answer with this body, and hangs up in the middle of it.
    Half(Vec<u8>),
    /// Says nothing, and keeps the connection open.
    Nothing,
    /// Hangs up.
    HangUp,
}

/// A request as it came.
pub(crate) struct Asked {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    body: Bytes,
}

impl Asked {
    /// What is asked.
    pub(crate) fn request<M: Decodable>(&self) -> M {
        M::decode(&mut self.body.clone(), self.version).unwrap()
    }

    /// The answer to this request.
    pub(crate) fn with<M: Encodable + HeaderVersion>(&self, answer: &M) -> Reply {
        let mut body = BytesMut::new();
        // a header of version 1 ends with its tags: none
        if M::header_version(self.version) > 0 {
            body.extend_from_slice(&[0]);
        }
        answer.encode(&mut body, self.version).unwrap();
        Reply::Body(body.to_vec())
    }
}

/// Where requests are answered, one thread for each connection.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    streams: Arc<Mutex<Option<Vec<TcpStream>>>>,
    listening: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a port of this machine; on any that is free for 0.
    pub(crate) fn start(
        port: u16,
        reply: impl FnMut(&Asked) -> Reply + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let port = listener.local_addr()?.port();
        let streams = Arc::new(Mutex::new(Some(Vec::new())));
        let known = Arc::clone(&streams);
        let listening = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut known = known.lock().unwrap();
                let Some(known) = known.as_mut() else {
                    break;
                };
                known.extend(stream.try_clone());
                let reply = reply.clone();
                thread::spawn(move || serve(&stream, reply));
            }
        });
        Ok(Self {
            port,
            streams,
            listening: Some(listening),
        })
    }

    /// Closes all connections, and accepts no more.
    pub(crate) fn stop(&mut self) {
        let streams = self.streams.lock().unwrap().take();
        for stream in streams.iter().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // it notices when somebody knocks
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.listening.take().map(JoinHandle::join);
    }
}

fn serve(mut stream: &TcpStream, mut reply: impl FnMut(&Asked) -> Reply) {
    while let Some((asked, id)) = read_request(stream) {
        let sent = match reply(&asked) {
            Reply::Body(body) => {
                let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
                stream.write_all(&[&length[..], &id, &body].concat())
            }
            Reply::Half(body) => {
                let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
                let half = &body[..body.len() / 2];
                let _ = stream.write_all(&[&length[..], &id, half].concat());
                break;
            }
            #[cfg(test)]
            Reply::Raw(bytes) => stream.write_all(&bytes),
            Reply::Nothing => Ok(()),
            Reply::HangUp => Err(io::ErrorKind::ConnectionAborted.into()),
        };
        // the client may have gone since
        if sent.is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// The next request, and its correlation id.
fn read_request(mut stream: &TcpStream) -> Option<(Asked, [u8; 4])> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut request).ok()?;
    let mut body = Bytes::from(request);
    let api = ApiKey::try_from((&body[..2]).get_i16()).unwrap();
    let version = (&body[2..4]).get_i16();
    let header = RequestHeader::decode(&mut body, api.request_header_version(version)).unwrap();
    let asked = Asked { api, version, body };
    Some((asked, header.correlation_id.to_be_bytes()))
}
