//! Which requests and which of their versions the client speaks. Knows nothing of connections.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};
use std::collections::BTreeMap;
use std::fmt;

/// A request that the client knows how to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    /// Which one; its `Debug` is its name in Kafka's documentation.
    pub(crate) key: ApiKey,
    /// The versions of it that the client can speak.
    pub(crate) speaks: Range,
}

/// Versions of one request, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// The lowest.
    pub(crate) min: i16,
    /// The highest.
    pub(crate) max: i16,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, max } = self;
        if min == max {
            write!(f, "version {min}")
        } else {
            write!(f, "versions {min} to {max}")
        }
    }
}

/// Every request of the client. Each version stands in the message schemas of kafka-clients 3.3.1, 3.9.2 and 4.2.0
/// (`common/message/*Request.json` in its jar), but for those that say otherwise. One version where one serves all; topics by name, not by
/// id.
pub(crate) const APIS: [Api; 25] = [
    one(ApiKey::ApiVersions, 3),
    one(ApiKey::Metadata, 12),
    one(ApiKey::FindCoordinator, 4),
    // 3.3 has 9; from 10 on a new leader is named in the answer; from 13 on topics have no names
    several(ApiKey::Produce, 9, 12),
    one(ApiKey::Fetch, 12),
    // the first that knows the greatest timestamp (-3, KIP-734)
    one(ApiKey::ListOffsets, 7),
    one(ApiKey::InitProducerId, 4),
    one(ApiKey::OffsetCommit, 8),
    one(ApiKey::OffsetFetch, 8),
    one(ApiKey::JoinGroup, 9),
    one(ApiKey::SyncGroup, 5),
    one(ApiKey::Heartbeat, 4),
    one(ApiKey::LeaveGroup, 5),
    // 3.8 and later tell the type of a group (KIP-848)
    several(ApiKey::ListGroups, 4, 5),
    one(ApiKey::DescribeGroups, 5),
    // groups of the new protocol; no broker before 3.7 knows it (KIP-848)
    several(ApiKey::ConsumerGroupDescribe, 0, 1),
    one(ApiKey::DeleteGroups, 2),
    one(ApiKey::OffsetDelete, 0),
    one(ApiKey::CreateTopics, 7),
    one(ApiKey::DeleteTopics, 5),
    one(ApiKey::CreatePartitions, 3),
    one(ApiKey::DeleteRecords, 2),
    one(ApiKey::DescribeConfigs, 4),
    one(ApiKey::IncrementalAlterConfigs, 1),
    one(ApiKey::DescribeLogDirs, 4),
];

const fn one(key: ApiKey, version: i16) -> Api {
    several(key, version, version)
}

const fn several(key: ApiKey, min: i16, max: i16) -> Api {
    Api {
        key,
        speaks: Range { min, max },
    }
}

/// A broker and the client have no version of a request in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mismatch {
    /// The broker does not know the request at all.
    #[error("does not know {api:?} ({needs} needed): it is too old, or no broker")]
    Unknown {
        /// The request.
        api: ApiKey,
        /// What the client speaks.
        needs: Range,
    },
    /// The broker stops where the client begins.
    #[error("is too old for {api:?}: it has {has}, {needs} needed")]
    TooOld {
        /// The request.
        api: ApiKey,
        /// What the broker speaks.
        has: Range,
        /// What the client speaks.
        needs: Range,
    },
    /// The broker begins where the client stops.
    #[error("is too new for {api:?}: it has {has}, {needs} needed")]
    TooNew {
        /// The request.
        api: ApiKey,
        /// What the broker speaks.
        has: Range,
        /// What the client speaks.
        needs: Range,
    },
    /// The client does not make such a request.
    #[error("is asked for {api:?}, which kmk does not speak")]
    Unspoken {
        /// The request.
        api: ApiKey,
    },
}

/// The highest version of `api` that a broker which speaks `has` of it shares with the client.
pub(super) fn negotiate(has: Option<Range>, api: ApiKey) -> Result<i16, Mismatch> {
    let needs = APIS
        .iter()
        .find(|known| known.key == api)
        .ok_or(Mismatch::Unspoken { api })?
        .speaks;
    let has = has.ok_or(Mismatch::Unknown { api, needs })?;
    if has.max < needs.min {
        Err(Mismatch::TooOld { api, has, needs })
    } else if has.min > needs.max {
        Err(Mismatch::TooNew { api, has, needs })
    } else {
        Ok(has.max.min(needs.max))
    }
}

/// What a broker speaks, as it said itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Versions(BTreeMap<i16, Range>);

impl Versions {
    /// As the broker answered. A range that holds no version counts as a request it does not know.
    pub(super) fn of(answer: &ApiVersionsResponse) -> Self {
        let ranges = answer.api_keys.iter().map(|api| {
            let (min, max) = (api.min_version, api.max_version);
            (api.api_key, Range { min, max })
        });
        Self(ranges.filter(|(_, range)| range.min <= range.max).collect())
    }

    /// The lowest version of `api` that the broker speaks.
    pub(super) fn least(&self, api: ApiKey) -> Option<i16> {
        self.0.get(&(api as i16)).map(|range| range.min)
    }

    /// The version to speak of `api` with this broker.
    ///
    /// # Errors
    /// There is none: who is too old, or too new.
    pub(super) fn pick(&self, api: ApiKey) -> Result<i16, Mismatch> {
        negotiate(self.0.get(&(api as i16)).copied(), api)
    }
}

/// In which version the body of an answer to `ApiVersions` is written: in the one asked for, or in 0 by a broker that does not know that one
/// (KIP-511). It begins with the error code in all of them.
pub(super) fn version_of_versions(asked: i16, body: &[u8]) -> i16 {
    let unsupported = ResponseError::UnsupportedVersion.code().to_be_bytes();
    if body.starts_with(&unsupported) {
        0
    } else {
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use kafka_protocol::messages::api_versions_response::ApiVersion;
    use kafka_protocol::protocol::{Decodable, Encodable};
    use proptest::prelude::*;

    fn broker(api: ApiKey, min: i16, max: i16) -> Versions {
        let version = ApiVersion::default()
            .with_api_key(api as i16)
            .with_min_version(min)
            .with_max_version(max);
        Versions::of(&ApiVersionsResponse::default().with_api_keys(vec![version]))
    }

    #[test]
    fn each_request_stands_once_with_versions_that_its_messages_have() {
        for (at, api) in APIS.iter().enumerate() {
            let Range { min, max } = api.speaks;
            let known = api.key.valid_versions();
            assert!(
                known.min <= min && min <= max && max <= known.max,
                "{api:?}"
            );
            assert!(
                !APIS[..at].iter().any(|other| other.key == api.key),
                "{api:?}"
            );
        }
    }

    /// Lowest and highest version by kafka-clients 3.3.1, 3.9.2 and 4.2.0; lists from their schemas.
    #[test]
    fn brokers_of_kafka_3_and_4_have_all_that_is_needed() {
        use ApiKey as A;
        let kafka_3_3 = [
            (A::ApiVersions, 0, 3),
            (A::Metadata, 0, 12),
            (A::FindCoordinator, 0, 4),
            (A::Produce, 0, 9),
            (A::Fetch, 0, 13),
            (A::ListOffsets, 0, 7),
            (A::InitProducerId, 0, 4),
            (A::OffsetCommit, 0, 8),
            (A::OffsetFetch, 0, 8),
            (A::JoinGroup, 0, 9),
            (A::SyncGroup, 0, 5),
            (A::Heartbeat, 0, 4),
            (A::LeaveGroup, 0, 5),
            (A::ListGroups, 0, 4),
            (A::DescribeGroups, 0, 5),
            (A::DeleteGroups, 0, 2),
            (A::OffsetDelete, 0, 0),
            (A::CreateTopics, 0, 7),
            (A::DeleteTopics, 0, 6),
            (A::CreatePartitions, 0, 3),
            (A::DeleteRecords, 0, 2),
            (A::DescribeConfigs, 0, 4),
            (A::IncrementalAlterConfigs, 0, 1),
            (A::DescribeLogDirs, 0, 4),
        ];
        let kafka_4_2 = [
            (A::ApiVersions, 0, 4),
            (A::Metadata, 0, 13),
            (A::FindCoordinator, 0, 6),
            (A::Produce, 3, 13),
            (A::Fetch, 4, 18),
            (A::ListOffsets, 1, 11),
            (A::InitProducerId, 0, 6),
            (A::OffsetCommit, 2, 10),
            (A::OffsetFetch, 1, 10),
            (A::JoinGroup, 0, 9),
            (A::SyncGroup, 0, 5),
            (A::Heartbeat, 0, 4),
            (A::LeaveGroup, 0, 5),
            (A::ListGroups, 0, 5),
            (A::DescribeGroups, 0, 6),
            (A::ConsumerGroupDescribe, 0, 1),
            (A::DeleteGroups, 0, 2),
            (A::OffsetDelete, 0, 0),
            (A::CreateTopics, 2, 7),
            (A::DeleteTopics, 1, 6),
            (A::CreatePartitions, 0, 3),
            (A::DeleteRecords, 0, 2),
            (A::DescribeConfigs, 1, 4),
            (A::IncrementalAlterConfigs, 0, 1),
            (A::DescribeLogDirs, 1, 4),
        ];
        for (ranges, unknown) in [(&kafka_3_3[..], 1), (&kafka_4_2[..], 0)] {
            for (api, min, max) in ranges {
                let picked = broker(*api, *min, *max).pick(*api);
                assert!(picked.is_ok(), "{picked:?}");
            }
            assert_eq!(ranges.len() + unknown, APIS.len());
        }
    }

    #[test]
    fn the_highest_version_in_common_is_picked() {
        for (min, max, picked) in [(0, 9, 9), (3, 11, 11), (3, 13, 12), (12, 20, 12)] {
            assert_eq!(
                broker(ApiKey::Produce, min, max).pick(ApiKey::Produce),
                Ok(picked)
            );
        }
    }

    #[test]
    fn a_broker_without_a_common_version_is_named_as_too_old_or_too_new() {
        let says = |min, max| {
            let error = broker(ApiKey::Produce, min, max).pick(ApiKey::Produce);
            error.unwrap_err().to_string()
        };
        assert_eq!(
            says(0, 8),
            "is too old for Produce: it has versions 0 to 8, versions 9 to 12 needed"
        );
        assert_eq!(
            says(13, 13),
            "is too new for Produce: it has version 13, versions 9 to 12 needed"
        );
        assert_eq!(
            says(12, 9),
            "does not know Produce (versions 9 to 12 needed): it is too old, or no broker"
        );
    }

    #[test]
    fn a_request_that_the_client_does_not_make_has_no_version() {
        let picked = broker(ApiKey::AlterConfigs, 0, 2).pick(ApiKey::AlterConfigs);
        assert_eq!(
            picked,
            Err(Mismatch::Unspoken {
                api: ApiKey::AlterConfigs
            })
        );
    }

    #[test]
    fn a_broker_that_does_not_know_the_version_asked_for_answers_in_version_0() {
        let refusal = ApiVersionsResponse::default()
            .with_error_code(35)
            .with_api_keys(vec![
                ApiVersion::default().with_api_key(18).with_max_version(2),
            ]);
        let mut body = BytesMut::new();
        refusal.encode(&mut body, 0).unwrap();
        assert_eq!(version_of_versions(3, &body), 0);
        let answer = ApiVersionsResponse::decode(&mut body.freeze(), 0).unwrap();
        assert!(matches!(
            Versions::of(&answer).pick(ApiKey::ApiVersions),
            Err(Mismatch::TooOld { .. })
        ));
        assert_eq!(version_of_versions(3, &[0, 0, 1]), 3);
        assert_eq!(version_of_versions(3, &[]), 3);
    }

    proptest! {
        #[test]
        fn a_picked_version_is_one_that_both_speak(min: i16, max: i16, at in 0..APIS.len()) {
            let Api { key, speaks } = APIS[at];
            if let Ok(version) = broker(key, min, max).pick(key) {
                prop_assert!((min..=max).contains(&version));
                prop_assert!((speaks.min..=speaks.max).contains(&version));
            } else {
                prop_assert!(!(speaks.min..=speaks.max).any(|version| (min..=max).contains(&version)));
            }
        }
    }
}
