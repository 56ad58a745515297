//! A connection against brokers that misbehave.

use super::*;
use crate::testing::{Reply, listen};
use crate::wait::Interrupt;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A broker that follows a script, one reply a request, and then says nothing more.
fn broker(script: Vec<Reply>) -> Endpoint {
    let script = Arc::new(Mutex::new(script.into_iter()));
    listen(move |_| script.lock().unwrap().next().unwrap_or(Reply::Nothing))
}

fn encoded(message: &impl kafka_protocol::protocol::Encodable, version: i16) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes, version).unwrap();
    bytes.to_vec()
}

/// What a broker says first: that it speaks these versions of Metadata.
fn greeting(min: i16, max: i16) -> Reply {
    let metadata = ApiVersion::default()
        .with_api_key(ApiKey::Metadata as i16)
        .with_min_version(min)
        .with_max_version(max);
    let answer = ApiVersionsResponse::default().with_api_keys(vec![metadata]);
    Reply::Body(encoded(&answer, GREETING))
}

fn metadata(controller: i32) -> Reply {
    let answer = MetadataResponse::default().with_controller_id(controller.into());
    // a header of this version ends with its tags: none
    Reply::Body([vec![0], encoded(&answer, 12)].concat())
}

fn soon() -> Limit {
    Limit::new(Duration::from_millis(300), &Interrupt::default())
}

fn open(script: Vec<Reply>) -> Connection {
    Connection::open(&broker(script), &soon()).unwrap()
}

fn ask(connection: &mut Connection, limit: &Limit) -> Result<MetadataResponse, KafkaError> {
    let ticket = connection.send(&MetadataRequest::default(), limit)?;
    connection.finish(&ticket, limit)
}

#[test]
fn a_port_where_nobody_listens_is_refused_at_once() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let failure = Connection::open(&Endpoint::new("127.0.0.1", port), &soon()).unwrap_err();
    assert!(failure.is_final(), "{failure}");
}

#[test]
fn a_listener_that_says_nothing_cannot_hold_the_caller() {
    let failure = Connection::open(&broker(vec![Reply::Nothing]), &soon());
    // the attempt itself may take 5 s: it ends with the limit all the same
    assert!(
        matches!(failure, Err(ConnectError::Silent(_))),
        "{failure:?}"
    );
}

#[test]
fn a_listener_that_hangs_up_may_become_a_broker() {
    let failure = Connection::open(&broker(vec![Reply::HangUp]), &soon()).unwrap_err();
    assert!(
        matches!(failure, ConnectError::Greeting(_)) && !failure.is_final(),
        "{failure}"
    );
}

#[test]
fn a_server_of_another_kind_is_no_broker() {
    let http = Reply::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let failure = Connection::open(&broker(vec![http]), &soon()).unwrap_err();
    assert!(matches!(failure, ConnectError::Greeting(_)), "{failure}");
}

#[test]
fn a_broker_that_does_not_know_our_greeting_answers_in_the_oldest_version() {
    let refusal = ApiVersionsResponse::default()
        .with_error_code(35)
        .with_api_keys(vec![
            ApiVersion::default()
                .with_api_key(ApiKey::Metadata as i16)
                .with_max_version(12),
        ]);
    let connection = open(vec![Reply::Body(encoded(&refusal, 0))]);
    assert_eq!(connection.version(ApiKey::Metadata).unwrap(), 12);
}

#[test]
fn answers_find_their_requests_in_whatever_order_they_are_waited_for() {
    let mut connection = open(vec![greeting(0, 12), metadata(1), metadata(2)]);
    let request = MetadataRequest::default();
    let first = connection.send(&request, &soon()).unwrap();
    let second = connection.send(&request, &soon()).unwrap();
    assert_eq!(
        connection.finish(&second, &soon()).unwrap().controller_id.0,
        2
    );
    assert!(connection.has_answer(&first));
    assert_eq!(
        connection.finish(&first, &soon()).unwrap().controller_id.0,
        1
    );
}

#[test]
fn a_broker_too_old_or_too_new_is_named_with_what_is_missing() {
    for (min, max, words) in [(0, 5, "old"), (90, 99, "new")] {
        let mut connection = open(vec![greeting(min, max)]);
        let error = ask(&mut connection, &soon()).unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("Metadata") && told.contains(words) && told.contains("127.0.0.1"),
            "{told}"
        );
        assert!(!error.is_retriable() && !connection.is_broken());
    }
}

#[test]
fn a_broker_that_falls_silent_is_named_and_let_go() {
    let mut connection = open(vec![greeting(0, 12), Reply::Nothing]);
    let error = ask(&mut connection, &soon()).unwrap_err();
    assert!(matches!(error, KafkaError::Silent { .. }), "{error:?}");
    assert!(connection.is_broken());
}

#[test]
fn an_interruption_ends_the_wait_at_once() {
    let mut connection = open(vec![greeting(0, 12), Reply::Nothing]);
    let interrupt = Interrupt::default();
    interrupt.raise();
    let limit = Limit::endless(&interrupt);
    let error = ask(&mut connection, &limit).unwrap_err();
    assert!(
        matches!(error, KafkaError::Stopped(Stop::Interrupted)),
        "{error:?}"
    );
}

#[test]
fn half_an_answer_is_a_broken_connection() {
    let mut half = 100u32.to_be_bytes().to_vec();
    half.extend_from_slice(b"only this");
    let mut connection = open(vec![greeting(0, 12), Reply::Raw(half), Reply::HangUp]);
    let first = connection
        .send(&MetadataRequest::default(), &soon())
        .unwrap();
    connection
        .send(&MetadataRequest::default(), &soon())
        .unwrap();
    let error = connection.finish(&first, &soon()).unwrap_err();
    assert!(matches!(error, KafkaError::Lost { .. }), "{error:?}");
    assert!(error.leaves_a_write_in_doubt() && connection.is_broken());
}

#[test]
fn nonsense_is_garbled_and_names_the_broker() {
    for nonsense in [
        // an answer to another request
        [&8u32.to_be_bytes()[..], &[0x7f; 8]].concat(),
        // more than any answer may hold
        vec![0x7f; 4],
        // fewer bytes than none
        vec![0xff; 4],
    ] {
        let mut connection = open(vec![greeting(0, 12), Reply::Raw(nonsense)]);
        let error = ask(&mut connection, &soon()).unwrap_err();
        assert!(matches!(error, KafkaError::Garbled { .. }), "{error:?}");
        assert!(error.to_string().contains("127.0.0.1"));
        assert!(connection.is_broken());
    }
    let mut claims_much = vec![0, 0, 0, 0, 0];
    claims_much.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    let mut connection = open(vec![greeting(0, 12), Reply::Body(claims_much)]);
    let error = ask(&mut connection, &soon()).unwrap_err();
    assert!(matches!(error, KafkaError::Garbled { .. }), "{error:?}");
}
