//! Brokers made up for tests: they answer as a test tells them to. Know nothing of Kafka's rules.

use crate::endpoint::Endpoint;
use crate::protocol::api::APIS;
use bytes::{Buf as _, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse, RequestHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is done about a request.
pub(crate) enum Reply {
    /// Answers with this body, to the request that was asked.
    Body(Vec<u8>),
    /// Sends these bytes as they are.
    Raw(Vec<u8>),
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

/// A broker that answers each request as `reply` says, on any number of connections; it greets by itself.
pub(crate) fn broker(reply: impl FnMut(&Asked) -> Reply + Send + 'static) -> Endpoint {
    let reply = Arc::new(Mutex::new(reply));
    listen(move |asked| match asked.api {
        ApiKey::ApiVersions => asked.with(&everything()),
        _ => (reply.lock().unwrap())(asked),
    })
}

/// As [`broker`], greetings included.
pub(crate) fn listen(reply: impl FnMut(&Asked) -> Reply + Clone + Send + 'static) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let reply = reply.clone();
            std::thread::spawn(move || serve(&mut stream.unwrap(), reply));
        }
    });
    Endpoint::new("127.0.0.1", port)
}

fn serve(stream: &mut TcpStream, mut reply: impl FnMut(&Asked) -> Reply) {
    while let Some((asked, id)) = read_request(stream) {
        let sent = match reply(&asked) {
            Reply::Body(body) => {
                let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
                stream.write_all(&[&length[..], &id, &body].concat())
            }
            Reply::Raw(bytes) => stream.write_all(&bytes),
            Reply::Nothing => Ok(()),
            Reply::HangUp => return,
        };
        // the client may have gone since
        if sent.is_err() {
            return;
        }
    }
}

/// The next request, and its correlation id.
fn read_request(stream: &mut TcpStream) -> Option<(Asked, [u8; 4])> {
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

/// That the broker speaks all that the client does.
fn everything() -> ApiVersionsResponse {
    let speaks = APIS.iter().map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.speaks.min)
            .with_max_version(api.speaks.max)
    });
    ApiVersionsResponse::default().with_api_keys(speaks.collect())
}
