//! Responses to try the check on: every request of the client, arrays filled, nulls and tagged fields among them.

mod admin;
mod cluster;
mod data;
mod groups;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::ApiKey as A;
use kafka_protocol::messages::{
    ApiVersionsResponse, ConsumerGroupDescribeResponse, CreatePartitionsResponse,
    CreateTopicsResponse, DeleteGroupsResponse, DeleteRecordsResponse, DeleteTopicsResponse,
    DescribeConfigsResponse, DescribeGroupsResponse, DescribeLogDirsResponse, FetchResponse,
    FindCoordinatorResponse, HeartbeatResponse, IncrementalAlterConfigsResponse,
    InitProducerIdResponse, JoinGroupResponse, LeaveGroupResponse, ListGroupsResponse,
    ListOffsetsResponse, MetadataResponse, OffsetCommitResponse, OffsetDeleteResponse,
    OffsetFetchResponse, ProduceResponse, SyncGroupResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The bodies of responses.
pub(super) type Bodies = BoxedStrategy<Bytes>;

/// Filled responses of one version.
pub(super) fn filled(api: A, version: i16) -> Bodies {
    cluster::filled(api, version)
        .or_else(|| data::filled(api, version))
        .or_else(|| groups::filled(api, version))
        .or_else(|| admin::filled(api, version))
        .unwrap_or_else(|| panic!("no sample of {api:?}"))
}

/// The emptiest response of one version.
pub(super) fn empty(api: A, version: i16) -> Bytes {
    each(api, Empty(version))
}

/// How many bytes of `body` are left once it is decoded, or why it cannot be.
pub(super) fn decode(api: A, version: i16, body: Bytes) -> Result<usize, String> {
    each(api, Decode(version, body))
}

trait Job {
    type Done;
    fn with<R: Encodable + Decodable + Default>(self) -> Self::Done;
}

struct Empty(i16);

impl Job for Empty {
    type Done = Bytes;
    fn with<R: Encodable + Decodable + Default>(self) -> Bytes {
        encoded(&R::default(), self.0)
    }
}

struct Decode(i16, Bytes);

impl Job for Decode {
    type Done = Result<usize, String>;
    fn with<R: Encodable + Decodable + Default>(mut self) -> Self::Done {
        match R::decode(&mut self.1, self.0) {
            Ok(_) => Ok(self.1.remaining()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn each<J: Job>(api: A, job: J) -> J::Done {
    match api {
        A::ApiVersions => job.with::<ApiVersionsResponse>(),
        A::Metadata => job.with::<MetadataResponse>(),
        A::FindCoordinator => job.with::<FindCoordinatorResponse>(),
        A::Produce => job.with::<ProduceResponse>(),
        A::Fetch => job.with::<FetchResponse>(),
        A::ListOffsets => job.with::<ListOffsetsResponse>(),
        A::InitProducerId => job.with::<InitProducerIdResponse>(),
        A::DeleteRecords => job.with::<DeleteRecordsResponse>(),
        A::OffsetCommit => job.with::<OffsetCommitResponse>(),
        A::OffsetFetch => job.with::<OffsetFetchResponse>(),
        A::OffsetDelete => job.with::<OffsetDeleteResponse>(),
        A::JoinGroup => job.with::<JoinGroupResponse>(),
        A::SyncGroup => job.with::<SyncGroupResponse>(),
        A::Heartbeat => job.with::<HeartbeatResponse>(),
        A::LeaveGroup => job.with::<LeaveGroupResponse>(),
        A::ListGroups => job.with::<ListGroupsResponse>(),
        A::DescribeGroups => job.with::<DescribeGroupsResponse>(),
        A::ConsumerGroupDescribe => job.with::<ConsumerGroupDescribeResponse>(),
        A::DeleteGroups => job.with::<DeleteGroupsResponse>(),
        A::CreateTopics => job.with::<CreateTopicsResponse>(),
        A::DeleteTopics => job.with::<DeleteTopicsResponse>(),
        A::CreatePartitions => job.with::<CreatePartitionsResponse>(),
        A::DescribeConfigs => job.with::<DescribeConfigsResponse>(),
        A::IncrementalAlterConfigs => job.with::<IncrementalAlterConfigsResponse>(),
        A::DescribeLogDirs => job.with::<DescribeLogDirsResponse>(),
        other => panic!("no response type for {other:?}"),
    }
}

fn encoded(response: &impl Encodable, version: i16) -> Bytes {
    let mut body = BytesMut::new();
    response.encode(&mut body, version).unwrap();
    body.freeze()
}

/// The bodies of such responses.
fn bodies<R: Encodable + std::fmt::Debug>(
    version: i16,
    responses: impl Strategy<Value = R> + 'static,
) -> Bodies {
    let bodies = responses.prop_map(move |response| encoded(&response, version));
    bodies.boxed()
}

/// One to three of them: no array of a sample is empty.
fn some<S: Strategy>(of: S) -> impl Strategy<Value = Vec<S::Value>> {
    vec(of, 1..4)
}

/// One of them, or a null.
fn maybe<S: Strategy>(of: S) -> impl Strategy<Value = Option<S::Value>> {
    proptest::option::of(of)
}

fn text() -> impl Strategy<Value = StrBytes> {
    "[a-zß]{0,5}".prop_map(StrBytes::from_string)
}

fn blob() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..9).prop_map(Bytes::from)
}

/// Tagged fields that are unknown.
fn tags() -> impl Strategy<Value = BTreeMap<i32, Bytes>> {
    btree_map(100..i32::MAX, blob(), 0..2)
}
