//! Samples of what a broker tells of itself and of its cluster.

use super::{Bodies, bodies, maybe, some, tags, text};
use kafka_protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, FindCoordinatorResponse, MetadataResponse, TopicName,
};
use proptest::prelude::*;

pub(super) fn filled(api: ApiKey, version: i16) -> Option<Bodies> {
    let bodies = match api {
        ApiKey::ApiVersions if version == 0 => {
            let keys = some(any::<(i16, i16, i16)>().prop_map(api_version));
            bodies(
                version,
                keys.prop_map(|keys| ApiVersionsResponse::default().with_api_keys(keys)),
            )
        }
        ApiKey::ApiVersions => bodies(version, api_versions()),
        ApiKey::Metadata => bodies(version, metadata()),
        ApiKey::FindCoordinator => bodies(version, coordinators()),
        _ => return None,
    };
    Some(bodies)
}

fn api_version((key, min, max): (i16, i16, i16)) -> ApiVersion {
    ApiVersion::default()
        .with_api_key(key)
        .with_min_version(min)
        .with_max_version(max)
}

fn api_versions() -> impl Strategy<Value = ApiVersionsResponse> {
    let key = (any::<(i16, i16, i16)>().prop_map(api_version), tags())
        .prop_map(|(key, tags)| key.with_unknown_tagged_fields(tags));
    let supported = (text(), tags()).prop_map(|(name, tags)| {
        SupportedFeatureKey::default()
            .with_name(name)
            .with_unknown_tagged_fields(tags)
    });
    let finalized = (text(), tags()).prop_map(|(name, tags)| {
        FinalizedFeatureKey::default()
            .with_name(name)
            .with_unknown_tagged_fields(tags)
    });
    let parts = (
        some(key),
        some(supported),
        some(finalized),
        any::<(i64, bool)>(),
        tags(),
    );
    parts.prop_map(|(keys, supported, finalized, (epoch, ready), tags)| {
        ApiVersionsResponse::default()
            .with_api_keys(keys)
            .with_supported_features(supported)
            .with_finalized_features_epoch(epoch)
            .with_finalized_features(finalized)
            .with_zk_migration_ready(ready)
            .with_unknown_tagged_fields(tags)
    })
}

fn ids() -> impl Strategy<Value = Vec<BrokerId>> {
    some(any::<i32>().prop_map(BrokerId))
}

fn metadata() -> impl Strategy<Value = MetadataResponse> {
    let broker =
        (any::<i32>(), text(), maybe(text()), tags()).prop_map(|(id, host, rack, tags)| {
            MetadataResponseBroker::default()
                .with_node_id(id.into())
                .with_host(host)
                .with_rack(rack)
                .with_unknown_tagged_fields(tags)
        });
    let partition = (any::<(i16, i32)>(), ids(), ids(), ids(), tags()).prop_map(
        |((error, index), replicas, isr, offline, tags)| {
            MetadataResponsePartition::default()
                .with_error_code(error)
                .with_partition_index(index)
                .with_replica_nodes(replicas)
                .with_isr_nodes(isr)
                .with_offline_replicas(offline)
                .with_unknown_tagged_fields(tags)
        },
    );
    let topic = (maybe(text()), some(partition), any::<bool>(), tags()).prop_map(
        |(name, partitions, internal, tags)| {
            MetadataResponseTopic::default()
                .with_name(name.map(TopicName))
                .with_partitions(partitions)
                .with_is_internal(internal)
                .with_unknown_tagged_fields(tags)
        },
    );
    let parts = (some(broker), maybe(text()), some(topic), tags());
    parts.prop_map(|(brokers, cluster, topics, tags)| {
        MetadataResponse::default()
            .with_brokers(brokers)
            .with_cluster_id(cluster)
            .with_topics(topics)
            .with_unknown_tagged_fields(tags)
    })
}

fn coordinators() -> impl Strategy<Value = FindCoordinatorResponse> {
    let one = (text(), text(), maybe(text()), tags()).prop_map(|(key, host, message, tags)| {
        Coordinator::default()
            .with_key(key)
            .with_host(host)
            .with_error_message(message)
            .with_unknown_tagged_fields(tags)
    });
    some(one).prop_map(|all| FindCoordinatorResponse::default().with_coordinators(all))
}
