//! A client against clusters that change.

use super::*;
use crate::admin::Admin;
use crate::cluster::offsets::At;
use crate::testing::{Asked, FakeBroker, Reply, before, broker};
use crate::wait::Interrupt;
use crate::{Start, StartOffset};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, BrokerId, ListGroupsRequest, ListOffsetsRequest, ListOffsetsResponse, MetadataResponse,
    TopicName,
};
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex};

fn soon() -> Limit {
    Limit::new(Duration::from_secs(5), &Interrupt::default())
}

/// A port where nobody listens.
fn nobody() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Endpoint::new("127.0.0.1", listener.local_addr().unwrap().port())
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A cluster of these brokers, numbered from 0, in which one leads the only partition of topic `t`.
fn cluster_of(brokers: &[Endpoint], leader: i32) -> MetadataResponse {
    let brokers = brokers.iter().zip(0..).map(|(endpoint, id)| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(id))
            .with_host(text(&endpoint.host))
            .with_port(endpoint.port.into())
    });
    let partition = MetadataResponsePartition::default().with_leader_id(BrokerId(leader));
    let topic = MetadataResponseTopic::default()
        .with_name(Some(TopicName(text("t"))))
        .with_partitions(vec![partition]);
    MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_topics(vec![topic])
}

fn end(offset: i64, error: i16) -> ListOffsetsResponse {
    let partition = ListOffsetsPartitionResponse::default()
        .with_offset(offset)
        .with_error_code(error);
    let topic = ListOffsetsTopicResponse::default()
        .with_name(TopicName(text("t")))
        .with_partitions(vec![partition]);
    ListOffsetsResponse::default().with_topics(vec![topic])
}

/// A broker with topic `t`, of one partition.
fn one_topic() -> FakeBroker {
    let fake = FakeBroker::start();
    fake.topic("t", 1, &[]);
    fake
}

fn latest(cluster: &mut Cluster) -> Result<i64, KafkaError> {
    let found = cluster.offsets(&["t".to_owned()], At::Latest, &soon())?;
    Ok(found[&("t".to_owned(), 0)])
}

#[test]
fn the_first_address_that_answers_will_do_and_if_none_does_each_is_named() {
    let dead = [nobody(), nobody()];
    let alive = broker(|_| Reply::HangUp);
    Cluster::connect(&[dead[0].clone(), alive], &soon()).unwrap();
    let error = Cluster::connect(&dead, &soon()).unwrap_err();
    assert!(
        matches!(error, KafkaError::Unreachable { refused: true, .. }),
        "{error:?}"
    );
    for address in dead {
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}

#[test]
fn a_partition_without_a_leader_is_waited_for_and_named_in_the_end() {
    let brokers: Arc<Mutex<Vec<Endpoint>>> = Arc::default();
    let looks = Arc::new(AtomicUsize::new(0));
    let (known, seen) = (Arc::clone(&brokers), Arc::clone(&looks));
    brokers.lock().unwrap().push(broker(move |asked| {
        if asked.api == ApiKey::Metadata {
            let leader = if seen.fetch_add(1, Ordering::SeqCst) < 3 {
                -1
            } else {
                0
            };
            return asked.with(&cluster_of(&known.lock().unwrap(), leader));
        }
        asked.with(&end(7, 0))
    }));
    let mut admin = Admin::connect(&brokers.lock().unwrap().clone(), &soon()).unwrap();
    let ends = admin.offsets_in("t", &[0], At::Latest, &soon()).unwrap();
    assert_eq!(ends, BTreeMap::from([(0, 7)]));
    assert_eq!(looks.load(Ordering::SeqCst), 4);
    let moment = Limit::new(Duration::from_millis(100), &Interrupt::default());
    let none = admin.offsets_in("t", &[0, 1], At::Latest, &moment);
    let none = none.unwrap_err().to_string();
    assert_eq!(none, "partition 1 of topic `t` has no leader");
}

/// As brokers do that are asked for a partition twice: `INVALID_REQUEST`.
#[test]
fn a_topic_that_is_named_twice_is_asked_for_once() {
    let me: Arc<Mutex<Vec<Endpoint>>> = Arc::default();
    let known = Arc::clone(&me);
    let one = broker(move |asked| {
        if asked.api == ApiKey::Metadata {
            return asked.with(&cluster_of(&known.lock().unwrap(), 0));
        }
        let request: ListOffsetsRequest = asked.request();
        let refused = if request.topics.len() == 1 { 0 } else { 42 };
        asked.with(&end(7, refused))
    });
    me.lock().unwrap().push(one.clone());
    let mut cluster = Cluster::connect(&[one], &soon()).unwrap();
    let topics = ["t".to_owned(), "t".to_owned()];
    let ends = cluster.offsets(&topics, At::Latest, &soon()).unwrap();
    assert_eq!(ends, BTreeMap::from([(("t".to_owned(), 0), 7)]));
}

#[test]
fn a_place_is_told_once_its_partition_has_a_leader() {
    let me: Arc<Mutex<Vec<Endpoint>>> = Arc::default();
    let (known, mut looks) = (Arc::clone(&me), 0);
    let one = broker(move |asked| {
        if asked.api == ApiKey::Metadata {
            looks += 1;
            let leader = if looks < 4 { -1 } else { 0 };
            return asked.with(&cluster_of(&known.lock().unwrap(), leader));
        }
        asked.with(&end(7, 0))
    });
    me.lock().unwrap().push(one.clone());
    let mut admin = Admin::connect(&[one], &soon()).unwrap();
    for (start, meant) in [(Start::Latest, 7), (Start::Offset(9), 9)] {
        let places = admin.start_offsets("t", &[0], start, &soon()).unwrap();
        let place = StartOffset {
            first: 7,
            end: 7,
            meant,
        };
        assert_eq!(places, BTreeMap::from([(0, place)]));
    }
}

#[test]
fn a_leader_that_moved_is_found_again() {
    let brokers: Arc<Mutex<Vec<Endpoint>>> = Arc::default();
    let leader = Arc::new(AtomicUsize::new(0));
    for id in 0..2 {
        let (known, leader) = (Arc::clone(&brokers), Arc::clone(&leader));
        let one = broker(move |asked: &Asked| {
            let leads = leader.load(Ordering::SeqCst);
            match asked.api {
                ApiKey::Metadata => {
                    let leads = i32::try_from(leads).unwrap();
                    asked.with(&cluster_of(&known.lock().unwrap(), leads))
                }
                // NOT_LEADER_OR_FOLLOWER
                _ if leads != id => asked.with(&end(-1, 6)),
                _ => asked.with(&end(7, 0)),
            }
        });
        brokers.lock().unwrap().push(one);
    }
    let bootstrap = brokers.lock().unwrap().clone();
    let mut cluster = Cluster::connect(&bootstrap[..1], &soon()).unwrap();
    assert_eq!(latest(&mut cluster).unwrap(), 7);
    leader.store(1, Ordering::SeqCst);
    assert_eq!(latest(&mut cluster).unwrap(), 7);
}

#[test]
fn an_error_that_time_does_not_heal_is_told_at_once_by_kafkas_name() {
    let fake = one_topic();
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked_for);
    let one = before(&fake, move |asked| {
        count.fetch_add(
            usize::from(asked.api == ApiKey::ListOffsets),
            Ordering::SeqCst,
        );
        None
    });
    fake.refuse("ListOffsets", &[29, 29]);
    let mut cluster = Cluster::connect(&[one], &soon()).unwrap();
    let error = latest(&mut cluster).unwrap_err();
    assert!(
        error.to_string().contains("TOPIC_AUTHORIZATION_FAILED"),
        "{error}"
    );
    assert_eq!(asked_for.load(Ordering::SeqCst), 1);
}

#[test]
fn a_coordinator_that_is_busy_or_has_moved_is_asked_again() {
    let fake = FakeBroker::start();
    // COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, and then nothing amiss
    fake.refuse("OffsetFetch", &[14, 16]);
    let mut cluster = Cluster::connect(&[fake.endpoint()], &soon()).unwrap();
    let offsets = cluster.group_offsets("g", None, &soon()).unwrap();
    assert!(offsets.is_empty());
    assert_eq!(fake.pending("OffsetFetch"), 0);
}

#[test]
fn a_broker_that_hangs_up_is_tried_until_the_limit_and_then_named() {
    let fake = one_topic();
    let one = before(&fake, |asked| {
        (asked.api == ApiKey::ListOffsets).then_some(Reply::HangUp)
    });
    let mut cluster = Cluster::connect(std::slice::from_ref(&one), &soon()).unwrap();
    let limit = Limit::new(Duration::from_millis(200), &Interrupt::default());
    let error = cluster
        .offsets(&["t".to_owned()], At::Latest, &limit)
        .unwrap_err();
    assert!(matches!(error, KafkaError::Lost { .. }), "{error:?}");
    assert!(error.to_string().contains(&one.to_string()));
}

#[test]
fn an_answer_that_can_no_longer_come_is_there_at_once_as_an_error() {
    let one = broker(|_| Reply::Nothing);
    let mut cluster = Cluster::connect(std::slice::from_ref(&one), &soon()).unwrap();
    let request = ListGroupsRequest::default();
    let first = cluster.ask(To::Any, &request, &soon()).unwrap();
    assert!(!cluster.is_answered(&first));
    cluster
        .connections
        .get_mut(&(one.clone(), 0))
        .unwrap()
        .break_off();
    // over a new connection to the same broker
    let second = cluster.ask(To::Any, &request, &soon()).unwrap();
    assert!(cluster.is_answered(&first) && !cluster.is_answered(&second));
    let error = cluster.answer(&first, &soon()).unwrap_err();
    assert!(matches!(error, KafkaError::Lost { .. }), "{error:?}");
    assert!(
        !cluster.connections[&(one, 0)].is_broken(),
        "the new one is sound"
    );
}

#[test]
fn a_broker_that_drips_does_not_hold_its_caller() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::new("127.0.0.1", listener.local_addr().unwrap().port());
    let (gone, has_gone) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&1_000_000i32.to_be_bytes()).unwrap();
        // until the caller has given up: a byte, and a moment
        while let Err(RecvTimeoutError::Timeout) = has_gone.recv_timeout(Duration::from_millis(5)) {
            let _ = stream.write_all(&[0]);
        }
    });
    let limit = Limit::new(Duration::from_millis(300), &Interrupt::default());
    let error = Cluster::connect(&[endpoint], &limit).unwrap_err();
    drop(gone);
    assert!(error.to_string().contains("no answer"), "{error}");
}
